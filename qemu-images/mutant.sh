#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# usage: mutant.sh MUTANT TEST SECONDS [PASSED]
# In the VM: one test with the library of /vm/mutants/MUTANT. PASSED of it pass without
# a mutant: does it notice this one, and not so again with that of /vm/mutants/none?
# Without PASSED: does it pass, and how many? Once one test has noticed a mutant, the
# others need not look.
set -eu
. /vm/mutants-seen.sh

mutant=$1 test=$2 seconds=$3 want=${4:-}
state=/run/mutants
told=$state/$mutant
mkdir -p $state
if [ -e "$told" ]; then
	echo "1..0 # SKIP noticed already"
	exit 4
fi

run() {	# MUTANT: $rc, $state/out
	program=/vm/mutants/$1/$test
	[ -e "$program" ] || program=/vm/tests.d/$test
	rc=0
	LD_LIBRARY_PATH=/vm/mutants/$1 VM_TEST=$test timeout -k 2 "$seconds" \
		unshare --mount --propagation unchanged "$program" >$state/out 2>&1 || rc=$?
}

run "$mutant"
if [ -z "$want" ]; then
	echo "# mutant $mutant $test: $rc $(passed $state/out)"
	[ $rc = 0 ] || sed 's/^/# /' $state/out
elif ! noticed $rc $state/out "$want"; then
	echo "# mutant $mutant missed $test"
else
	grep '^not ok' $state/out | sed 's/^/# /' || :
	run none
	if [ $rc = 0 ] && [ "$(passed $state/out)" = "$want" ]; then
		: >"$told"
		echo "# mutant $mutant noticed $test"
	fi
fi
echo 1..1
echo "ok 1 $test"
