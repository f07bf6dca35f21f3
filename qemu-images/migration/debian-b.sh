#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# VM B: the Debian containers' mounts are restored on a machine that has their disk.
set -eu
. /vm/migration/common.sh
. /vm/migration/debian.sh

# What a checkpoint/restore program would do: it restores stage by stage, and makes the
# processes that mounts wait for, which stay until it goes.
drive() {	# COMMAND...
	rm -f $work/driven
	source= options=
	read -r source options <$work/automount || :
	$lib/driver $work/driven "$source" "$options" "$@" &
	driver=$!
	while [ ! -e $work/driven ]; do
		kill -0 $driver 2>/dev/null || return 1
		sleep 0.1
	done
	read -r status <$work/driven
	return $status
}

let_go() {
	kill $driver
	wait $driver || :
}

# The host's volume has come with layers of an overlay.
give_layers() {
	rm -rf $volume/overlay
	tar --xattrs --xattrs-include="*" -C $volume -xf $work/volume.tar || return 1
	touch -d @1000000000 $volume
}

# What systemd-nspawn has mounted on host A is not there without it.
give_sockets() {
	mkdir -p $sockets
	mount -t tmpfs -o size=4m,nr_inodes=64,mode=755 tmpfs $sockets
	chown $users:$users $sockets
	touch -d @1000000000 $sockets
}

# Without the series: which namespace a sysfs or mqueue shows is not in the image, nor
# is what was in an unlinked root. Only that is refused.
refused() {	# RESTORE-OPTION...
	mntcr restore --check "$@" $work/image >$work/list && rc=0 || rc=$?
	sed -n 's/^refused .*\[\([a-z-]*\)]$/\1/p' $work/list | sort -u >$work/rules
	printf '%s\n' callers-namespace deleted-root no-source >$work/known
	cmp -s $work/known $work/rules || rc=1
	[ $rc = 4 ] && rc=0 || { sed 's/^/# /' $work/list; rc=1; }
	step $rc "what such kernels do not say of it is refused by name, and no more"
	mntcr restore --pin $pins --verify "$@" $work/image 2>$work/err && rc=0 || rc=$?
	[ $rc = 4 ] && grep -q '\[callers-namespace]$' $work/err &&
		grep -q '\[deleted-root]$' $work/err && [ ! -e $pins/0 ] && rc=0 || rc=1
	[ $rc = 0 ] || sed 's/^/# /' $work/err
	step $rc "and nothing is made"
}

restore() {
	pins=/run/$container now=/machine/$container
	mntcr plan $work/image >$work/plan 2>&1 && rc=1 || rc=0
	sed 's/^/# /; s/, would help.*//' $work/plan | cut -c1-150
	step $rc "what is the host's is refused by name until it is named"
	mntcr restore --check $work/image >$work/list && rc=1 || rc=0
	case $container in
	plain|trixie)
		places="$disk $volume /sys/fs/cgroup /sys/kernel/debug /sys/kernel/tracing
			/sys/fs/fuse/connections" ;;
	user)	places="$disk $volume /sys/fs/cgroup /dev" ;;
	# the host's whole tree is below the container's root, hidden by locked mounts
	nspawn)	places="/ /dev /dev/mqueue /dev/pts /dev/shm /proc /run /sys
			/sys/fs/cgroup /sys/fs/fuse/connections /sys/kernel/debug
			/sys/kernel/tracing /tmp $disk
			$volume"
		# since systemd 257 it is not
		! grep -q trixie $lib/containers || {
			places="/ /run $sockets /sys/fs/cgroup $disk $volume"
			give_sockets
		} ;;
	esac
	set --
	for place in $places; do
		grep -q "^external  *--host $place for \|--host=$place keeps it" $work/list || { rc=1; echo "# not $place"; }
		set -- "$@" --host $place
	done
	grep -q "^master  *--host $volume for .*:\(/media\|$volume\)" $work/list || rc=1
	[ $rc = 0 ] || sed 's/^/# /' $work/list
	step $rc "what of it is found where host A had it"
	# both as it is by now: a place of the host's may have been made meanwhile
	mntcr restore --check --stages - $work/image >$work/staged || :
	mntcr restore --check $work/image |
		sed -n 's/^options .*\(--host [^ ]*\).*/\1/p' >$work/hosts
	sed -n 's/^options .*\(--host [^ ]*\).*/\1/p' $work/staged | cmp -s - $work/hosts &&
		[ -s $work/hosts ] && rc=0 || { rc=1; sed 's/^/# /' $work/staged; }
	step $rc "and so it is of a restore in stages, in which it could be given"
	set -- "$@" --map-cgroup $was=$now
	relative=$(sed -n 's/.*--layer \([0-9]*:[0-9]*\)=.*/\1/p' $work/plan)
	[ -n "$relative" ] && rc=0 || rc=1
	step $rc "where relative layers of an overlay are from is asked for"
	set -- "$@" --layer "$relative=$volume/overlay"
	if ! has_series; then
		refused "$@"
		return
	fi
	mntcr restore --check "$@" $work/image >$work/list && rc=0 || rc=$?
	sed -n 's/^refused .*(\([a-z]*\), [0-9:]*).*\[\([a-z-]*\)]$/\1 \2/p' $work/list |
		sort >$work/rules
	{
		# autofs is for the initial user namespace alone
		[ -n "$users" ] || echo "autofs no-source"
		echo "proc callers-namespace"
	} >$work/known
	[ $rc = 4 ] && [ "$(grep -c ^refused $work/list)" = "$(wc -l <$work/known)" ] &&
		cmp -s $work/known $work/rules && rc=0 || { rc=1; sed 's/^/# /' $work/list; }
	step $rc "nothing stands in the way of a restore but what waits for a process"
	awk '$1 == "superblock" { sub(/; mounted at .*/, ""); sub(/ \[.*/, ""); sub(/, read-only$/, ""); nr[$NF == "refused" ? "given" : $NF]++ }
		END { for (from in nr) print "superblocks-" from, nr[from] }' $work/list | figures
	# its system calls; not while it is timed
	drive strace -f -c -U calls,name -o $work/calls \
		mntcr restore --stages 100 "$@" $work/image 2>$work/out && rc=0 || rc=$?
	[ $rc = 0 ] || { sed 's/^/# /' $work/out; fail "restored, stage by stage"; }
	let_go
	step $rc "restored, stage by stage, its system calls counted"
	figure restore-calls "$(awk '$2 == "total" { print $1 }' $work/calls)"
	before=$(uptime)
	drive mntcr restore --stages 100 --pin $pins --verify --stats "$@" $work/image \
		>$work/stats && rc=0 || rc=$?
	figure restore-seconds "$(seconds "$before")"
	sed 's/^/# /' $work/stats
	[ $rc = 0 ] || fail "restored, stage by stage"
	awk '$2 == "API:" { print "mounts", $3 "\ngroups", $5 }
		/ system calls, / { print "restore-mount-calls", $1 }' $work/stats | figures
	step 0 "restored, stage by stage"
	nr=$(cat $work/a.namespaces)
	set --
	while [ $# -lt "$nr" ]; do
		set -- "$@" $pins/$#
	done
	[ ! -e $pins/"$nr" ] && rc=0 || rc=1
	step $rc "$nr namespaces and no more"
	mntcr verify --contents --map-cgroup $was=$now $work/image "$@" && rc=0 || rc=$?
	step $rc "verify --contents, image against live"
	mntcr verify $work/image "$@" >$work/out && rc=0 || rc=$?
	[ $rc = 3 ] && grep -q "/sys/fs/cgroup: root: '$was' against '$now'" $work/out &&
		rc=0 || rc=1
	step $rc "without a word of its other cgroup, verify sees that"
	look b mounts memory sizes pids -- "$@" && rc=0 || rc=$?
	mounts_were="-v cgroup=$was -v now=$now"
	step $rc "looked at"
	same_mounts "mountinfo is the same up to ids, devices, groups and sizes" mounts
	i=0
	while [ $i -lt "$nr" ]; do
		same "namespace $i: every file in memory is the same" $work/a.$i.memory $work/b.$i.memory
		same "namespace $i: every filesystem has its size" $work/a.$i.sizes $work/b.$i.sizes
		i=$((i + 1))
	done
	# the driver's: an init, and in there that of the pid namespace below
	[ -s $work/a.0.pids ] && [ "$(echo $(cat $work/b.0.pids))" = "1 2" ] && rc=0 || rc=1
	step $rc "proc shows the processes of its pid namespace, not this machine's"
	nested=
	for i in $work/a.*.pids; do
		[ "$(cat "$i")" != 1 ] || nested=${i#"$work/a"}
	done
	[ -n "$nested" ] && cmp -s $work/a"$nested" $work/b"$nested" && rc=0 || rc=1
	step $rc "in the namespace of a service, that of the pid namespace below (${nested#.})"
	# a program of the container's
	next=$(nsenter --mount="$1" --pid="$(echo $pins/pid-*)" readlink /proc/self) || :
	[ "$next" = 3 ] && rc=0 || rc=1
	step $rc "what is forked into the pinned pid namespace is shown as the next one"
	all_events b "$@" && rc=0 || rc=$?
	step $rc "events fired"
	i=0
	while [ $i -lt "$nr" ]; do
		same_mounts "event in namespace $i: it came out the same" event-$i
		i=$((i + 1))
	done
	same_mounts "event in memory: it came out the same" event-memory
	same_mounts "event in the host's volume: it came out the same" event-volume
	figure namespaces "$nr"
	figure events $((nr + 2))
	figure differences $differences
	# the comparison is one: it finds what is changed
	$lib/migrant mount "$2" /mnt
	look b mounts -- "$@"
	cat $work/a.[0-9]*.mounts | awk -f $lib/mounts.awk >$work/a.text
	cat $work/b.[0-9]*.mounts | awk -f $lib/mounts.awk >$work/b.text
	cmp -s $work/a.text $work/b.text && rc=1 || rc=0
	step $rc "a mount more is found by the comparison"
	umount $pins/*
	let_go
}

receive_all
host
for container in $(cat $lib/containers); do
	with $container /sys/fs/cgroup/machine/$container
	give_layers && rc=0 || rc=$?
	step $rc "layers of an overlay come with the host's volume"
	restore
done
umount $disk $volume
end
