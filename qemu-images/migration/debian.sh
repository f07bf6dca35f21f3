# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# What both sides of the Debian container's migration do.

everything=$work
disk=/tmp/disk
volume=/tmp/volume
# where systemd-nspawn mounts a tmpfs, since 257: sockets that the host is to see
sockets=/run/systemd/nspawn/unix-export/ct

# What is done from here on is done with one of the containers, in that cgroup: "plain",
# or "trixie", which has another root; "user", with a user namespace of its own; "nspawn",
# which systemd-nspawn starts with one, in a cgroup below the one that it is in itself.
with() {	# CONTAINER CGROUP
	container=$1
	about="$1: "
	work=$everything/$1
	cgroup=$2
	differences=0
	users=
	was=/$1
	mkdir -p "$work" "$cgroup"
	case $1 in
	user)	users=100000 ;;
	nspawn)	users=524288 was=/nspawn/payload ;;
	esac
	[ -z "$users" ] || chown "$users:$users" "$cgroup" "$cgroup/cgroup.procs" \
		"$cgroup/cgroup.threads" "$cgroup/cgroup.subtree_control"
}

# Lines "NAME VALUE", for the table that scripts/migration makes of both logs.
figures() {
	sed "s/^/# figure $container-/"
}

figure() {	# NAME VALUE
	echo "$1 $2" | figures
}

# The whole tree of the host stays below what systemd-nspawn starts, with sizes that are
# nothing of the container's. It wants a machine-id, and makes the last of these itself
# when it starts one.
host_of_nspawn() {
	for d in / /run /tmp /dev/shm; do
		mount -o remount,size=480m,nr_inodes=100k $d
	done
	echo 6d6e746372000000000000000000000b >/etc/machine-id
	echo ID=host >/etc/os-release
	mkdir -p /run/systemd/nspawn/propagate/ct
	touch -d @1000000000 /etc/os-release /run/systemd/nspawn/propagate/ct
}

# What a host has of its own: the container's disk and its cgroup, a volume that it
# shares with it, and what there is one of for all.
host() {
	mkdir -p $disk $volume
	mount -t tmpfs -o size=1m,nr_inodes=100 volume $volume
	mount --make-shared $volume
	mkdir $volume/in
	echo "on the host" >$volume/file
	touch -d @1000000000 $volume/in $volume/file $volume
	mount -t ext4 -o ro,loop $lib/root.img $disk
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t tracefs tracefs /sys/kernel/tracing
	mount -t fusectl fusectl /sys/fs/fuse/connections
	! grep -q nspawn $lib/containers || host_of_nspawn
}

# The layers of an overlay that are in the host's volume, and not the container's to move:
# it is of one container after the other.
layers() {
	mkdir $volume/overlay
	[ -z "$users" ] || chown "$users:$users" $volume/overlay
	touch -d @1000000000 $volume
}

# Something is mounted in each namespace in turn.
all_events() {	# SIDE NSFILE...
	side=$1
	shift
	nth=0
	while [ $nth -lt $# ]; do
		event "$side" event-$nth $nth /mnt "$@" || return 1
		nth=$((nth + 1))
	done
	event "$side" event-memory 0 /run/event "$@" || return 1
	# and on the host
	$lib/migrant mount /proc/self/ns/mnt $volume/in || return 1
	$lib/migrant each mounts "$work/$side" event-volume "$@" || return 1
	umount $volume/in
}
