# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# VM A, read by a.sh: a kernel without the series does not say which user namespace a
# superblock belongs to, so a container with one of its own is refused.

$lib/migrant make-user $work.user &
user_maker=$!
made $work.user $user_maker "the container with a user namespace is made"
read -r first _ <$work.user
step 0 "the container with a user namespace is made: process $first"
mntcr dump --container "$first" -o $work/user.image 2>$work.err && rc=0 || rc=$?
[ $rc = 4 ] && grep -q '\[contents-owner]$' $work.err && [ ! -e $work/user.image ] &&
	rc=0 || rc=1
step $rc "user: refused by name, and no image"
kill $user_maker
