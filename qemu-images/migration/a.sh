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
while [ ! -e $work.pids ]; do
	kill -0 $maker 2>/dev/null || fail "the container is made"
	sleep 0.1
done
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
mntcr dump --contents -o $work/image "$@" && rc=0 || rc=$?
step $rc "dumped with its contents ($(wc -c <$work/image) bytes)"
look a mounts files sizes pids -- "$@" && rc=0 || rc=$?
step $rc "looked at"
mntcr verify --contents $work/image "$@" && rc=0 || rc=$?
step $rc "the image is what is there"
events a "$@" && rc=0 || rc=$?
step $rc "events fired"
tr -d - </proc/sys/kernel/random/boot_id >$work/a.boot
tar -C $work -cf - . | $lib/migrant send /dev/ttyS2 && rc=0 || rc=$?
step $rc "sent"
kill $maker
end
