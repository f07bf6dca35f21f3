#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# VM A: a Debian container with systemd and services in sandboxes comes up, is changed,
# held still and dumped; then the next one.
set -eu
. /vm/migration/common.sh
. /vm/migration/debian.sh

# Its processes are below $boss, the first one is $init.
start() {
	case $container in
	nspawn)	by_nspawn ;;
	*)	by_hand ;;
	esac
	init=
	# until then, what is at its root is this machine's
	while [ -z "$init" ] || [ ! -p /proc/"$init"/root/run/ready ]; do
		read -r init 2>/dev/null </proc/$boss/task/$boss/children || :
		init=${init% }
		kill -0 $boss || {
			[ ! -e $work/console ] || sed 's/^/# /' $work/console
			fail "the container's first process starts"
		}
		sleep 0.1
	done
	read -r state </proc/"$init"/root/run/ready
	[ "$state" = running ] && rc=0 || rc=1
	step $rc "systemd says, when it has started all: $state"
	# (it is read-only for the host)
	[ $container != nspawn ] || [ ! -d $sockets ] ||
		touch -d @1000000000 /proc/"$init"/root/run/host/unix-export
	[ $rc = 0 ] || nsenter -t "$init" -a systemctl --failed --no-pager --plain | sed 's/^/# /'
}

# The program is the container's own, and so are its libraries. The host's debugfs is
# not for one that has users of its own, nor are automounts.
by_nspawn() {
	lib64=$disk/usr/lib/x86_64-linux-gnu
	(
		echo 0 >$cgroup/cgroup.procs
		exec $lib64/ld-linux-x86-64.so.2 --library-path $lib64:$lib64/systemd \
			$disk/usr/bin/systemd-nspawn --boot --directory=$disk --machine=ct \
			--read-only --tmpfs=/var:mode=755,size=8m --bind=$volume:/media \
			--private-users=$users:65536 --private-users-ownership=map \
			--private-network --register=no --keep-unit --settings=no \
			--link-journal=no --resolv-conf=off --timezone=off --console=pipe \
			systemd.mask=var-auto.automount
	) </dev/null >$work/console 2>&1 &
	boss=$!
	cgroup=$cgroup/payload
}

by_hand() {
	set -- --mount --pid --uts --ipc --net --cgroup --fork --propagation slave
	as_root=
	if [ $container = user ]; then
		set -- --user --keep-caps "$@"
		as_root="unshare --setuid 0 --setgid 0"
	fi
	cat >$work/start <<END
echo up >$work/up
read -r go <$work/go
exec $as_root sh $lib/debian-init.sh $container $disk $volume
END
	mkfifo $work/up $work/go
	(
		echo 0 >$cgroup/cgroup.procs
		exec unshare "$@" sh $work/start
	) &
	boss=$!
	read -r up <$work/up
	if [ $container = user ]; then
		echo "0 100000 65536" >/proc/$boss/uid_map
		echo "0 100000 65536" >/proc/$boss/gid_map
	fi
	echo go >$work/go
	rm $work/up $work/go
}

stop() {
	echo 1 >$cgroup/cgroup.kill
	wait $boss || :
	# what is the host's to move
	tar --xattrs --xattrs-include="*" -C $volume -cf $work/volume.tar overlay &&
		rc=0 || rc=$?
	rm -r $volume/overlay
	step $rc "layers of an overlay are kept, with the host's volume"
}

change() {
	nsenter -t "$init" -a sh <$lib/debian-change.sh && rc=0 || rc=$?
	step $rc "somebody mounts and writes in there"
}

# A kernel without the series does not say which user namespace a superblock belongs to:
# with services that have one of their own, the container is refused.
without_users() {
	mntcr dump --cgroup $cgroup --freeze -o $work/image 2>$work/err && rc=0 || rc=$?
	sed 's/^/# /' $work/err
	[ $rc = 4 ] && grep -q '\[contents-owner]$' $work/err && [ ! -e $work/image ] &&
		[ "$(cat $cgroup/cgroup.freeze)" = 0 ] && rc=0 || rc=1
	step $rc "refused by name, no image, and thawed"
	nsenter -t "$init" -a systemctl stop mc-users mc-privusers mc-bwrap-users && rc=0 || rc=$?
	step $rc "services with users of their own are stopped"
}

dump() {
	has_series || without_users
	mntcr dump --cgroup $cgroup --freeze -o $work/image && rc=0 || rc=$?
	step $rc "dumped while it is frozen ($(wc -c <$work/image) bytes)"
	[ "$(cat $cgroup/cgroup.freeze)" = 0 ] && rc=0 || rc=1
	step $rc "and thawed afterwards"
	# now it is left frozen: what is compared is to be what was dumped
	echo 1 >$cgroup/cgroup.freeze
	while ! grep -q "^frozen 1" $cgroup/cgroup.events; do
		sleep 0.1
	done
	before=$(uptime)
	mntcr dump --cgroup $cgroup --freeze -o $work/image && rc=0 || rc=$?
	figure dump-seconds "$(seconds "$before")"
	step $rc "dumped"
	[ "$(cat $cgroup/cgroup.freeze)" = 1 ] && rc=0 || rc=1
	step $rc "it was frozen before, and so it stays"
	mntcr show --json $work/image | sed -n 's/.*"label": "\([0-9]*\)".*/\1/p' >$work/labels
	set --
	while read -r pid; do
		set -- "$@" "/proc/$pid/ns/mnt"
	done <$work/labels
	nr=20
	has_series || nr=$((nr - 3))
	[ $# = $nr ] && rc=0 || rc=1
	step $rc "the main mount namespace is in it, and one of each service that has its own ($#)"
	echo $# >$work/a.namespaces
	mntcr dump --cgroup $cgroup --freeze --check >$work/list && rc=0 || rc=$?
	# (without the series, nobody gets at an unlinked root, to read it)
	has_series || { [ $rc = 4 ] && grep -q '\[deleted-root]$' $work/list && rc=0 || rc=1; }
	step $rc "listed: what a restore elsewhere will need"
	awk '$1 == "superblock" && match($0, /with [0-9]+ bytes of contents in [0-9]+ files/) {
		split(substr($0, RSTART, RLENGTH), word, " ")
		bytes += word[2]
		files += word[7]
	}
	END { printf "bytes %.0f\nfiles %.0f\n", bytes, files }' $work/list | figures
	# all of them, the files' as well; not while it is timed
	strace -f -c -U calls,name -o $work/calls \
		mntcr dump --cgroup $cgroup --freeze -o $work/again && rc=0 || rc=$?
	step $rc "dumped again, its system calls counted"
	figure dump-calls "$(awk '$2 == "total" { print $1 }' $work/calls)"
	rm -f $work/again
	look a mounts memory sizes pids -- "$@" && rc=0 || rc=$?
	step $rc "looked at"
	# what a driver on the other side takes the place of
	sed -n 's/.* - autofs \([^ ]*\) \(.*\)/\1 \2/p' $work/a.0.mounts >$work/automount
	[ -s $work/automount ] && rc=0 || rc=1
	[ -z "$users" ] || { [ $rc = 1 ] && rc=0 || rc=1; }
	step $rc "systemd is the automounter where it may be"
	grep -q ' - hugetlbfs ' $work/a.0.mounts && rc=0 || rc=1
	[ -z "$users" ] || { [ $rc = 1 ] && rc=0 || rc=1; }
	step $rc "huge pages are mounted where they may be"
	mntcr verify --contents $work/image "$@" && rc=0 || rc=$?
	step $rc "the image is what is there"
	all_events a "$@" && rc=0 || rc=$?
	step $rc "events fired"
}

host
for container in $(cat $lib/containers); do
	with $container /sys/fs/cgroup/$container
	layers
	start
	change
	dump
	stop
done
work=$everything about=
send_all
umount $disk
end
