#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# VM B: another boot with other memory. The container is restored from the image
# alone, and what is seen of it compared with what was seen on A.
set -eu
. /vm/migration/common.sh

receive_all
cat /proc/self/mountinfo >$work/before
mntcr restore --check --pin /run/migrated $work/image >$work/list && rc=0 || rc=$?
sed 's/^/# /' $work/list
[ $rc = 0 ] && [ "$(grep -c '^superblock .*: fresh[;,]' $work/list)" = 5 ] &&
	[ "$(wc -l <$work/list)" = 5 ] && rc=0 || rc=1
step $rc "nothing stands in the way of a restore"
cmp -s $work/before /proc/self/mountinfo && [ ! -e /run/migrated ] && rc=0 || rc=1
step $rc "and nothing is left of looking"
mntcr restore --pin /run/migrated --verify --stats $work/image && rc=0 || rc=$?
[ $rc = 0 ] || fail "restored from the image alone"
step 0 "restored from the image alone"
set -- /run/migrated/0 /run/migrated/1
mntcr verify --contents $work/image "$@" && rc=0 || rc=$?
step $rc "verify --contents, image against live"
look b mounts files sizes pids -- "$@" && rc=0 || rc=$?
step $rc "looked at"
same_mounts "mountinfo is the same up to ids, devices, groups and sizes" mounts
for i in 0 1; do
	same "namespace $i: every file is the same" $work/a.$i.files $work/b.$i.files
	same "namespace $i: every filesystem has its size" $work/a.$i.sizes $work/b.$i.sizes
done
[ -s $work/a.0.pids ] && [ ! -s $work/b.0.pids ] && rc=0 || rc=1
step $rc "proc shows a pid namespace without processes, not this machine's"
mkfifo /tmp/never
# its first process is an init there, and the restored proc shows it
pidns=$(echo /run/migrated/pid-*)
nsenter --pid="$pidns" cat /tmp/never &
entered=$!
tries=0
while [ $tries -lt 1000 ] && [ "$($lib/migrant pids "$1")" != 1 ]; do
	tries=$((tries + 1))
done
[ "$($lib/migrant pids "$1")" = 1 ] && [ "$($lib/migrant pids "$2")" = 1 ] && rc=0 || rc=1
step $rc "what is forked into the pinned pid namespace is shown as 1"
: >/tmp/never
wait $entered || :
events b "$@" && rc=0 || rc=$?
step $rc "events fired"
for e in peer-0 peer-1 master slave; do
	same_mounts "event $e: it came out the same" event-$e
done
# the comparison is one: it finds what is changed
$lib/migrant mount /run/migrated/1 /shared/event
look b mounts -- "$@"
cat $work/a.[0-9]*.mounts | awk -f $lib/mounts.awk >$work/a.text
cat $work/b.[0-9]*.mounts | awk -f $lib/mounts.awk >$work/b.text
cmp -s $work/a.text $work/b.text && rc=1 || rc=0
step $rc "a mount more is found by the comparison"
mntcr verify -q --ignore contents $work/image "$@" && rc=0 || rc=$?
[ $rc = 3 ] && rc=0 || rc=1
step $rc "and by verify"
umount "$pidns" "$@"
! has_series || . $lib/user-b.sh
end
