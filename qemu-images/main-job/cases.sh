# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# Small topologies, one rule of sharing each, in a namespace of their own:
# case_NAME makes it below /srv (a private tmpfs), title_NAME says what it is.
# shellcheck disable=SC2034	# titles are read by the main job
cases="plain peers chain file_bind covered_elsewhere covered unbindable
	orphan_slave disjoint_peers disjoint_slaves wide_slave"
# what stock kernels' calls are to be able to make as well
must_upstream="plain peers chain file_bind covered_elsewhere covered unbindable
	wide_slave"

title_plain='binds of one tmpfs'
case_plain() {
	mkdir a b c d
	touch a/file
	mount --bind a b
	mount --bind a c
	mount -o bind,ro,nosuid,nodev,noexec a d
}

title_peers='a peer group of three, below a shared root'
case_peers() {
	mkdir a b c
	mount -t tmpfs t a
	mount --make-shared a
	mount --bind a b
	mount --bind a c
}

title_chain='master, slave that is shared, slave of that'
case_chain() {
	mkdir a b c
	mount -t tmpfs t a
	mount --make-shared a
	mount --bind a b
	mount --make-slave b
	mount --make-shared b
	mount --bind b c
	mount --make-slave c
}

title_file_bind='a file over a file, read-only'
case_file_bind() {
	echo 1 >one
	echo 2 >two
	mount --bind one two
	mount -o remount,bind,ro two
}

title_covered_elsewhere='an overmount; what is covered is mounted elsewhere too'
case_covered_elsewhere() {
	mkdir a b
	mount -t tmpfs lower a
	mount --bind a b
	mount -t tmpfs upper a
}

title_covered='an overmount that hides the only mount of a tmpfs'
case_covered() {
	mkdir a
	mount -t tmpfs lower a
	mount -t tmpfs upper a
}

title_unbindable='an unbindable mount beside a bindable one'
case_unbindable() {
	mkdir a b
	mount -t tmpfs t a
	mount --bind a b
	mount --make-unbindable b
}

title_orphan_slave='slaves whose master lives in no dumped namespace'
case_orphan_slave() {
	mkdir a b c
	mount -t tmpfs t a
	mount --make-shared a
	mount --bind a b
	mount --make-slave b
	mount --make-shared b
	mount --bind b c
	# a namespace that is not dumped keeps the master
	mkfifo held
	unshare --mount --propagation unchanged \
		sh -c 'echo made >held; exec sleep 1000000' 8>&- &
	read -r _ <held
	rm held
	umount a
	grep -q master: /proc/self/mountinfo
}

title_disjoint_peers='peers on two subtrees, the wide mount gone'
case_disjoint_peers() {
	mkdir a b w
	mount -t tmpfs t w
	mount --make-shared w
	mkdir w/a w/b
	mount --bind w/a a
	mount --bind w/b b
	umount w
}

title_disjoint_slaves='slaves on two subtrees of one master'
case_disjoint_slaves() {
	mkdir a b w
	mount -t tmpfs t w
	mount --make-shared w
	mkdir w/a w/b
	mount --bind w/a a
	mount --bind w/b b
	mount --make-slave b
	umount w
}

title_wide_slave='a slave wider than its master'
case_wide_slave() {
	mkdir n w s
	mount -t tmpfs t w
	mount --make-shared w
	mkdir w/sub
	mount --bind w s
	mount --make-slave s
	mount --bind w/sub n
	umount w
}
