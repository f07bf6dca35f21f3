# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# VM B, read by b.sh: the container with a user namespace of its own, which is made
# anew.

mntcr plan $work/user.image >$work/plan || :
grep -q "^owner .* of uid 1000, uids 0:100000:65535,65535:300000:1, gids 0:200000:65536, without setgroups" $work/plan &&
	rc=0 || rc=1
step $rc "user: the plan says which user namespace is made"
mntcr restore --pin /run/user --verify $work/user.image && rc=0 || rc=$?
[ $rc = 0 ] || fail "user: restored from the image alone"
step 0 "user: restored from the image alone"
mntcr verify --contents $work/user.image /run/user/0 && rc=0 || rc=$?
step $rc "user: verify --contents, image against live"
look ub mounts files sizes pids -- /run/user/0 && rc=0 || rc=$?
step $rc "user: looked at"
awk -f $lib/mounts.awk <$work/ua.0.mounts >$work/a.text
awk -f $lib/mounts.awk <$work/ub.0.mounts >$work/b.text
same "user: mountinfo is the same up to ids, devices, groups and sizes" $work/a.text $work/b.text
same "user: every file is the same" $work/ua.0.files $work/ub.0.files
same "user: every filesystem has its size" $work/ua.0.sizes $work/ub.0.sizes
userns=$(echo /run/user/user-*)
pidns=$(echo /run/user/pid-*)
mkfifo /tmp/never-user
nsenter --user="$userns" --pid="$pidns" cat /tmp/never-user &
entered=$!
tries=0
while [ $tries -lt 1000 ] && [ "$($lib/migrant pids /run/user/0)" != 1 ]; do
	tries=$((tries + 1))
done
[ "$($lib/migrant pids /run/user/0)" = 1 ] && rc=0 || rc=1
step $rc "user: what is forked into its pid namespace is shown as 1"
inner=
for p in /proc/[0-9]*; do
	[ "$(readlink "$p/ns/user")" != "$(readlink /proc/self/ns/user)" ] || continue
	[ "$(stat -Lc %i "$p/ns/user")" = "$(stat -c %i "$userns")" ] || continue
	inner=$p
done
cat "$inner/uid_map" "$inner/gid_map" "$inner/setgroups" >$work/ub.maps || :
same "user: ids are mapped as they were" $work/ua.maps $work/ub.maps
: >/tmp/never-user
wait $entered || :
umount "$pidns" "$userns" /run/user/0
