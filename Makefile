# SPDX-License-Identifier: GPL-2.0
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# make run    the whole way once: base, series, kernel, VM, dump, restore
# make check  every test
# make help   the rest

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# What each of them means stands in "make help".
O ?= $(CURDIR)/.build
V ?= 0
ifneq ($(words $(O)) $(words $(CURDIR)),1 1)
$(error no blank may be in the name of the checkout or of O=)
endif
override O := $(abspath $(O))
export O V LINUX BASE_ARCHIVE BASE_URL DEBUG_KERNEL KCSAN LAZY SMP TARGETS ACCEL LARGE SUITES VM_SLOW FRESH RACES

S := scripts
count = $(if $(COUNT),$(if $(filter all,$(COUNT)),--all,--count $(COUNT)))
# other tools have a variable of this name: it counts when it is given to this make
soak_hosts := $(if $(filter command,$(origin HOSTS)),SOAK_HOSTS="$$HOSTS" )

.PHONY: run check check-all kernel series-check check-each selftests userspace image \
	compare-upstream coverage coverage-userspace mutants-restorer mutants-series fuzz soak migration shell bench clean distclean help

run:		## the main job in the patched VM: dump, restore, verify, compare; a move
	@$(S)/setup-host && $(S)/main-job && $(S)/migration --show debian

check:		## every test there is; ends with passed, failed, skipped
	@$(S)/setup-host && $(S)/check

check-all:	## the same with every mutant, debug kernels and several processors
	@$(S)/setup-host openssh-client llvm && $(S)/check --all

migration:	## containers move to another VM, four of them Debian with systemd
	@$(S)/setup-host && $(S)/migration --show

kernel:		## the stock and the patched kernel
	@$(S)/setup-host && $(S)/kernel stock patched

series-check:	## every patch: applies, builds, no new warnings, round trip
	@$(S)/setup-host && SUITES=series $(S)/check

check-each:	## every patch: its kernel boots and passes the selftests so far (hours)
	@$(S)/setup-host && $(S)/check-each $(PATCHES)

compare-upstream:	## the kernel's own selftests, with the series and without it
	@$(S)/setup-host && $(S)/compare-upstream

coverage:	## which lines of the series its selftests run, by patch
	@$(S)/setup-host && $(S)/coverage $(if $(SWEEPS),--sweeps)

coverage-userspace:	## which lines of the restorer its tests run, by folder
	@$(S)/setup-host llvm && $(S)/coverage-userspace

mutants-restorer: ## do the restorer's tests notice changed lines? COUNT= of them (60), SEED=
	@$(S)/setup-host llvm && $(S)/mutants-restorer $(count)

mutants-series:	## do the selftests notice changed lines? COUNT= of them (20), SEED=
	@$(S)/setup-host && $(S)/mutants-series $(count)

fuzz:		## hostile input, RUNS= executions in all (10,000,000)
	@$(S)/setup-host && $(S)/fuzz $(RUNS)

soak:		## sweeps, races and fuzzing with fresh seeds for HOURS= (1)
	@$(S)/setup-host && $(soak_hosts)$(S)/soak $(or $(HOURS),1)

selftests:	## the kernel selftests, built
	@$(S)/setup-host && $(S)/build-selftests

userspace:	## library, mntcr and their tests, built
	@$(S)/setup-host && $(S)/build-userspace

image: kernel	## what the VM boots and runs, without running it
	@$(S)/build-selftests && $(S)/build-userspace && $(S)/main-job --image

shell:		## an interactive shell in the patched VM
	@$(S)/setup-host && $(S)/main-job --shell

bench:		## dump and restore of many mounts against the floor (LARGE=1: more)
	@$(S)/setup-host && $(S)/bench

clean:		## remove builds and results, keep sources, downloads and ccache
	@$(S)/clean

distclean:	## remove everything that was made or fetched
	@$(S)/clean --all

help:		## this text
	@echo 'Targets:'
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## /\1\t/p' Makefile | \
		awk -F'\t' '{ printf "  %-18s%s\n", $$1, $$2 }'
	@echo 'Variables:'
	@echo '  O=DIR           build directory (.build)'
	@echo '  V=1             show commands and their output'
	@echo '  LINUX=DIR       a 7.3 kernel tree of your own instead of the package'
	@echo '  BASE_ARCHIVE=F  the source package, already here'
	@echo '  BASE_URL=F|URL  the release that it is made from, here or on a mirror'
	@echo '  DEBUG_KERNEL=1  lockdep, KASAN and the like in the kernels'
	@echo '  SMP=1           kernels for several processors; with it'
	@echo '  LAZY=1          with the least preemption there is, or'
	@echo '  KCSAN=1         with a look for data races'
	@echo '  TARGETS="..."   only these selftests'
	@echo '  SUITES="..."    only these parts of check'
	@echo '  PATCHES="..."   check-each: only these, as 2-fixes/0006'
	@echo '  RACES=N         seconds for each test of races on two processors (300): after a'
	@echo '                  change of locking, SUITES=races RACES=3600 make check'
	@echo '  COUNT=N|all     changed lines: so many, or every one (the series: 2 hours, the'
	@echo '                  restorer: days)'
	@echo '  SWEEPS=1        coverage: that of the sweeps, too'
	@echo '  FRESH=1         check: run again what nothing has changed for, too'
	@echo '  SHARD=I/N       sweeps: only every N-th topology, from the I-th, counted from 0; of'
	@echo '                  changed lines the same'
	@echo '  HOSTS="a b:DIR" soak: over these machines, by ssh (scripts/soak-hosts --help)'
	@echo '  SEED=N          sweeps: which random ones'
	@echo '  REACH="..."     sweeps: how far, as -s 7 -n 5 -r 4 (userspace/model/README.md)'
	@echo '  ACCEL=kvm|tcg   how QEMU runs (kvm where a trial boot works)'
	@echo '  VM_SLOW=N       time limits times N, for slow machines'
	@echo '  LARGE=1         bench: 16,000 mounts in the VM too'
