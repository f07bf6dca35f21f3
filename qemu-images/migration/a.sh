#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# VM A: a container is made, changed as a user would, and dumped. The image, and
# what was seen of it, go out over a serial line; then the machine is off.
set -eu
. /vm/migration/common.sh

$lib/migrant make $work.pids &
maker=$!
made $work.pids $maker "the container is made"
read -r first second <$work.pids
step 0 "the container is made: processes $first and $second"

root=/proc/$first/root
echo "10.0.0.1 elsewhere" >>"$root/etc/hosts"
mkdir "$root/shared/later"
echo later >"$root/shared/later/file"
mv "$root/a/x" "$root/shared/event/../moved"
rm "$root/etc/empty"
chmod 600 "$root/etc/sparse"
touch "$root/shared/slave/made-by-a-user"
step 0 "it was changed"

set -- "/proc/$first/ns/mnt" "/proc/$second/ns/mnt"
# what it must not take for a container's
mntcr dump --container 1 -o $work/none 2>$work.err && rc=0 || rc=$?
[ $rc = 4 ] && grep -q "the caller's own \[namespace-of-others]" $work.err && rc=0 || rc=1
step $rc "the machine is no container: the dumper is in it"
$lib/migrant hold "$1" &
holder=$!
while [ "$(readlink /proc/$holder/ns/mnt)" != "$(readlink "$1")" ]; do
	kill -0 $holder 2>/dev/null || fail "a task from outside enters"
done
mntcr dump --container "$first" -o $work/none 2>$work.err && rc=0 || rc=$?
[ $rc = 4 ] && grep -q "task $holder, which is not in it \[namespace-of-others]" $work.err &&
	rc=0 || rc=1
step $rc "refused with a task from outside in it, which is named"
kill $holder
wait $holder || :
[ ! -e $work/none ] && rc=0 || rc=1
step $rc "no image of what was refused"
cat /proc/self/mountinfo >$work/before
mntcr dump --container "$first" --check >$work/list && rc=0 || rc=$?
sed 's/^/# /' $work/list
[ $rc = 0 ] && [ "$(grep -c '^superblock .*; fresh' $work/list)" = 5 ] &&
	[ "$(grep -vc '^superblock' $work/list)" = 0 ] && rc=0 || rc=1
step $rc "listed beforehand: everything comes back by itself"
cmp -s $work/before /proc/self/mountinfo && [ ! -e $work/image ] && rc=0 || rc=1
step $rc "and nothing is left of that"
mntcr dump --container "$first" -o $work/image && rc=0 || rc=$?
step $rc "dumped with its contents ($(wc -c <$work/image) bytes)"
look a mounts files sizes pids -- "$@" && rc=0 || rc=$?
step $rc "looked at"
mntcr verify --contents $work/image "$@" && rc=0 || rc=$?
step $rc "the image is what is there"
events a "$@" && rc=0 || rc=$?
step $rc "events fired"
if has_series; then
	. $lib/user-a.sh
else
	. $lib/user-a-stock.sh
fi
send_all
kill $maker
end
