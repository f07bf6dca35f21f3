# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
# Commands and tests: plan, execute, bind; the bench.

cmd-y += restore-opts.o
cmd-y += stages.o
cmd-y += cmd-plan.o
cmd-y += cmd-restore.o
cmd-y += cmd-bind.o

test-y += t-execute-scenes
vm-test-y += t-execute-scenes

# The bench is its own program: O/mntcr-bench, native and in the VM.
all: $(O)/mntcr-bench
$(O)/mntcr-bench: $(O)/obj/bench/mntcr-bench.o $(O)/obj/bench/services.o \
		  $(O)/obj/bench/setgroup.o $(O)/libmntcr.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

test-y += t-execute-bind
vm-test-y += t-execute-bind
test-y += t-topology-options
valgrind-y += t-topology-options
test-y += t-topology-cgroup
test-y += t-topology-check
valgrind-y += t-topology-check
valgrind-y += t-topology-cgroup
test-y += t-plan
valgrind-y += t-plan
test-y += t-plan-sources
test-y += t-plan-fresh
test-y += t-plan-unlinked
test-y += t-plan-overlay
valgrind-y += t-plan-sources
valgrind-y += t-plan-fresh
valgrind-y += t-plan-unlinked
valgrind-y += t-plan-overlay
test-y += t-plan-groups
valgrind-y += t-plan-groups
test-y += t-plan-kernel
valgrind-y += t-plan-kernel
test-y += t-plan-names
valgrind-y += t-plan-names
test-y += t-plan-refuse
valgrind-y += t-plan-refuse
test-y += t-plan-owners
valgrind-y += t-plan-owners
test-y += t-namespaces-given
vm-test-y += t-namespaces-given
test-y += t-owners-given
vm-test-y += t-owners-given
test-y += t-plan-parts
valgrind-y += t-plan-parts
test-y += t-plan-nomem
LIBS-t-plan-nomem := $(foreach f,$(NOMEM) mc_plan_alloc,-Wl,--wrap=$f)
valgrind-y += t-plan-nomem
test-y += t-plan-limits
valgrind-y += t-plan-limits
test-y += t-plan-random
# Plans run without a kernel.
$(O)/tests/t-plan-random: $(O)/obj/tests/plan-sim.o
$(O)/$(asan)/tests/t-plan-random: $(O)/$(asan)/obj/tests/plan-sim.o
test-y += t-execute
vm-test-y += t-execute
test-y += t-execute-cost
vm-test-y += t-execute-cost
test-y += t-execute-fresh
vm-test-y += t-execute-fresh
test-y += t-execute-hugetlbfs
vm-test-y += t-execute-hugetlbfs
test-y += t-execute-overlay
vm-test-y += t-execute-overlay
test-y += t-execute-overlay-idmap
vm-test-y += t-execute-overlay-idmap
test-y += t-execute-overlay-closed
vm-test-y += t-execute-overlay-closed
test-y += t-execute-files
vm-test-y += t-execute-files
test-y += t-execute-sources
vm-test-y += t-execute-sources
test-y += t-execute-source-text
vm-test-y += t-execute-source-text
test-y += t-execute-refused
vm-test-y += t-execute-refused
test-y += t-execute-processors
LIBS-t-execute-processors := -Wl,--wrap=sched_setaffinity,--wrap=sched_getaffinity
test-y += t-execute-copies
vm-test-y += t-execute-copies
test-y += t-execute-limits
vm-test-y += t-execute-limits
fuzz-y += fuzz-plan
man-y += mntcr-bench.1
test-y += t-execute-fault
LIBS-t-execute-fault := $(foreach f,syscall open openat ioctl fcntl setns unshare \
	fchdir chdir chroot mount umount2 statx fstat stat fstatat fstatfs fstatvfs \
	mkdir mkdirat mknodat symlink symlinkat fchmod fchmodat fchownat futimens \
	fgetxattr fsetxattr flock pipe2 eventfd mmap \
	sched_getaffinity sched_setaffinity pthread_create \
	malloc calloc realloc strdup strndup opendir fdopendir,-Wl,--wrap=$f)
vm-test-y += t-execute-fault
# Those of tests/each-call.h.
FAULTY	:= syscall open openat ioctl fcntl setns unshare fstat stat fstatat statx fstatfs \
	read pread lseek readlinkat socketpair pipe2 mmap fchdir mount pthread_create malloc \
	calloc realloc strdup strndup opendir fdopendir fopen fdopen
test-y += t-execute-zero
LIBS-t-execute-zero := $(foreach f,$(FAULTY),-Wl,--wrap=$f)
vm-test-y += t-execute-zero
test-y += t-contents-fault
LIBS-t-contents-fault := $(foreach f,$(FAULTY) write pwrite fwrite fgetxattr flistxattr \
	fsetxattr lgetxattr llistxattr lsetxattr fchmod fchown fchmodat fchownat futimens \
	utimensat ftruncate linkat symlinkat mkdirat mknodat fsync renameat mkostemp inotify_init1 \
	inotify_add_watch,-Wl,--wrap=$f)
vm-test-y += t-contents-fault
test-y += t-capture-fault
LIBS-t-capture-fault := $(foreach f,$(FAULTY) name_to_handle_at fmemopen,-Wl,--wrap=$f)
vm-test-y += t-capture-fault
test-y += t-execute-unlinked
vm-test-y += t-execute-unlinked
test-y += t-execute-pins
vm-test-y += t-execute-pins
test-y += t-execute-stages
vm-test-y += t-execute-stages
vm-test-y += t-execute-given
vm-test-y += t-execute-overlay-given
vm-test-y += t-cmd-stages
test-y += t-execute-detached
vm-test-y += t-execute-detached
vm-test-y += t-execute-owners
vm-test-y += t-lib-autofs
vm-test-y += t-lib-fuse
test-y += t-execute-idmap
vm-test-y += t-execute-idmap
vm-test-y += t-execute-idmap-locked
test-y += t-topology-stand-in
vm-test-y += t-topology-stand-in
test-y += t-execute-unlinked-device
vm-test-y += t-execute-unlinked-device
test-y += t-execute-unlinked-overlay
LIBS-t-execute-unlinked-overlay := -Wl,--wrap=renameat2 -Wl,--wrap=unlinkat,--wrap=linkat
vm-test-y += t-execute-unlinked-overlay
test-y += t-execute-devices
LIBS-t-execute-devices := -Wl,--wrap=syscall
vm-test-y += t-execute-devices
test-y += t-contents-elsewhere
vm-test-y += t-contents-elsewhere
test-y += t-execute-hosts
vm-test-y += t-execute-hosts
test-y += t-check-dump
vm-test-y += t-check-dump
test-y += t-check-restore
LIBS-t-check-restore := -Wl,--wrap=syscall
vm-test-y += t-check-restore
test-y += t-execute-killed
vm-test-y += t-execute-killed
test-y += t-execute-changed
vm-test-y += t-execute-changed
