# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
# Commands and tests: topology, capture, image, verify, render.

cmd-y += main.o
cmd-y += input.o
cmd-y += contents.o
cmd-y += key.o
cmd-y += contradict.o
cmd-y += cmd-dump.o
cmd-y += cmd-show.o
cmd-y += line.o
cmd-y += cmd-verify.o
cmd-y += cmd-features.o

test-y += t-contents
vm-test-y += t-contents
test-y += t-contents-limits
LIBS-t-contents-limits := -Wl,--wrap=lseek -Wl,--wrap=mmap
vm-test-y += t-contents-limits
test-y += t-contents-places
valgrind-y += t-contents-places
test-y += t-contents-rules
test-y += t-contents-shift
valgrind-y += t-contents-shift
test-y += t-image
test-y += t-image-bounds
test-y += t-image-files
LIBS-t-image-files := -Wl,--wrap=openat
test-y += t-image-superblocks
test-y += t-image-layers
test-y += t-image-owners
test-y += t-image-detached
valgrind-y += t-image-detached
test-y += t-render
test-y += t-verify
test-y += t-capture
vm-test-y += t-capture
test-y += t-capture-container
vm-test-y += t-capture-container
test-y += t-capture-whose
vm-test-y += t-capture-whose
vm-test-y += t-capture-cgroup
test-y += t-capture-refused
vm-test-y += t-capture-refused
test-y += t-capture-roots
vm-test-y += t-capture-roots

valgrind-y += t-image
valgrind-y += t-image-bounds
valgrind-y += t-image-files
valgrind-y += t-image-superblocks
valgrind-y += t-image-layers
valgrind-y += t-image-owners
valgrind-y += t-render
valgrind-y += t-verify
fuzz-y += fuzz-image
fuzz-y += fuzz-line
fuzz-y += fuzz-contents
fuzz-y += fuzz-mountinfo
fuzz-y += fuzz-stages
test-y += t-lib-scale
test-y += t-lib-nomem
LIBS-t-lib-nomem := $(foreach f,malloc calloc realloc strdup strndup,-Wl,--wrap=$f)
valgrind-y += t-lib-nomem
test-sh-y += t-cmd
test-sh-y += t-cmd-show
test-sh-y += t-cmd-contents
test-sh-y += t-cmd-contradict
test-sh-y += t-cmd-line
test-sh-y += t-cmd-options
vm-test-sh-y += t-cmd-line
vm-test-sh-y += t-cmd-options
test-y += t-capture-change
LIBS-t-capture-change := -Wl,--wrap=syscall,--wrap=ioctl,--wrap=lseek,--wrap=read
vm-test-y += t-capture-change
test-y += t-capture-moment
vm-test-y += t-capture-moment
test-y += t-capture-stack
LIBS-t-capture-stack := -Wl,--wrap=syscall
vm-test-y += t-capture-stack
test-y += t-capture-twice
LIBS-t-capture-twice := -Wl,--wrap=syscall
vm-test-y += t-capture-twice
test-y += t-capture-nomem
NOMEM	:= malloc calloc realloc strdup mc_grow
LIBS-t-capture-nomem := $(foreach f,$(NOMEM) mc_topology_str mc_topology_strn \
	mc_topology_alloc mc_topology_get_idmap,-Wl,--wrap=$f)
vm-test-y += t-capture-nomem
test-y += t-capture-unseen
vm-test-y += t-capture-unseen

man-y += mntcr.1
man-y += mntcr-dump.1
man-y += mntcr-show.1
man-y += mntcr-plan.1
man-y += mntcr-restore.1
man-y += mntcr-verify.1
man-y += mntcr-bind.1
man-y += mntcr-features.1
man-y += libmntcr.3
test-y += t-base-features
LIBS-t-base-features := -Wl,--wrap=syscall,--wrap=ioctl
test-y += t-verify-events
LIBS-t-verify-events := -Wl,--wrap=syscall,--wrap=send,--wrap=recv
vm-test-y += t-verify-events
test-y += t-verify-fault
LIBS-t-verify-fault = $(foreach f,$(FAULTY) send recv mntcr_capture,-Wl,--wrap=$f)
vm-test-y += t-verify-fault
test-y += t-verify-hiding
vm-test-y += t-verify-hiding
test-y += t-base-child
vm-test-y += t-base-child
test-once-sh-y += t-lib-install
test-once-sh-y += t-build
test-y += t-example
vm-test-y += t-example
test-y += t-base-fds
test-y += t-base-sizes
valgrind-y += t-base-sizes
