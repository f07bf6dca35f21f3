# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# What a test says of a mutant, here (scripts/mutants-restorer) and in the VM
# (qemu-images/mutant.sh).

passed() {	# OUT: how many
	grep -c '^ok ' "$1" || :
}

# Did the test see something? Not so when all of it was skipped, it could not be started,
# or memory was short.
noticed() {	# STATUS OUT PASSED: of the test, and how many pass without a mutant
	! grep -q '^not ok\|^Bail out' "$2" || return 0
	case $1 in
	124) return 0 ;;			# took too long
	132 | 134 | 135 | 136 | 139) return 0 ;;	# ILL, ABRT, BUS, FPE, SEGV
	126 | 127 | 137) return 1 ;;
	esac
	! grep -q '^1\.\.0 *# *SKIP' "$2" || return 1
	[ "$(passed "$2")" -lt "$3" ] || ! grep -q '^1\.\.[0-9]' "$2"
}
