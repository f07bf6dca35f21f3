# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# VM A, read by a.sh: a container with a user namespace of its own is dumped.

$lib/migrant make-user $work.user &
user_maker=$!
made $work.user $user_maker "the container with a user namespace is made"
read -r first _ <$work.user
step 0 "the container with a user namespace is made: process $first"
echo "10.0.0.1 elsewhere" >>"/proc/$first/root/etc/hosts"
mntcr dump --container "$first" -o $work/user.image && rc=0 || rc=$?
step $rc "user: dumped with its contents ($(wc -c <$work/user.image) bytes)"
look ua mounts files sizes pids -- "/proc/$first/ns/mnt" && rc=0 || rc=$?
step $rc "user: looked at"
mntcr verify --contents $work/user.image "/proc/$first/ns/mnt" && rc=0 || rc=$?
step $rc "user: the image is what is there"
cat "/proc/$first/uid_map" "/proc/$first/gid_map" "/proc/$first/setgroups" >$work/ua.maps
kill $user_maker
