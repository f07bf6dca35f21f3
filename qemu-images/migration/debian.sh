# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# What both sides of the Debian container's migration do.

cgroup=${cgroup:-/sys/fs/cgroup/ct}
disk=/tmp/disk
volume=/tmp/volume

# What a host has of its own: the container's disk and its cgroup, a volume that it
# shares with it, and what there is one of for all.
host() {
	mkdir -p $disk $cgroup $volume
	mount -t tmpfs -o size=1m,nr_inodes=100 volume $volume
	mount --make-shared $volume
	mkdir $volume/in
	echo "on the host" >$volume/file
	touch -d @1000000000 $volume/in $volume/file $volume
	mount -t ext4 -o ro,loop $lib/root.img $disk
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t fusectl fusectl /sys/fs/fuse/connections
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
	i=0
	for file; do
		$lib/migrant mounts "$file" >$work/"$side.$i.event-volume" || return 1
		i=$((i + 1))
	done
	umount $volume/in
}
