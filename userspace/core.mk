# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
# Commands and tests: topology, capture, image, verify, render.

cmd-y += main.o
cmd-y += input.o
cmd-y += cmd-dump.o
cmd-y += cmd-show.o
cmd-y += line.o
cmd-y += cmd-verify.o
cmd-y += cmd-features.o

test-y += t-image
test-y += t-image-bounds
test-y += t-image-files
test-y += t-render
test-y += t-verify
test-y += t-capture
vm-test-y += t-capture
test-y += t-capture-roots
vm-test-y += t-capture-roots

valgrind-y += t-image
valgrind-y += t-image-bounds
valgrind-y += t-image-files
valgrind-y += t-render
valgrind-y += t-verify
fuzz-y += fuzz-image
fuzz-y += fuzz-line
test-y += t-lib-scale
test-y += t-lib-nomem
LIBS-t-lib-nomem := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
valgrind-y += t-lib-nomem
test-sh-y += t-cmd
test-sh-y += t-cmd-show
vm-test-sh-y += t-cmd-line
vm-test-sh-y += t-cmd-options
test-y += t-capture-change
LIBS-t-capture-change := -Wl,--wrap=syscall,--wrap=lseek,--wrap=read
vm-test-y += t-capture-change
test-y += t-capture-stack
LIBS-t-capture-stack := -Wl,--wrap=syscall
vm-test-y += t-capture-stack
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
LIBS-t-verify-events := -Wl,--wrap=syscall
vm-test-y += t-verify-events
test-y += t-verify-hiding
vm-test-y += t-verify-hiding
test-y += t-base-child
vm-test-y += t-base-child
test-once-sh-y += t-lib-install
test-once-sh-y += t-build
test-y += t-base-sizes
valgrind-y += t-base-sizes
