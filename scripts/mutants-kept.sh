# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# What is known of mutants of the restorer from before, for scripts/mutants-restorer: what
# became of one, which tests have missed it, and which run its line. All of it holds for
# as long as what it depends on stays the same. $kept, $work, $tests, $vm_tests and
# $vm_kernel are the caller's.

# The row of a test that is what it was; printed to NEW.
as_before() {	# TEST OLD NEW
	grep "^$1	.*	$(key_of "with $1")\$" "$2" >>"$3"
}

# What a test is made of: its source, and those headers of tests/ that it includes.
key_of_test() {	# TEST [FILE...]
	t=$1
	shift
	case $t in
	*.sh) cat "$@" "tests/$t" ;;
	*) tr ' ' '\n' <"$built/obj/tests/$t.d" | grep '^tests/[^:]*$' | sort -u | xargs cat "$@" ;;
	esac | cksum | tr ' ' -
}

# That of each test, and of all.
keys() {
	for t in $tests; do
		printf '%s %s\n' "$t" "$(key_of_test "$t")"
	done
	for t in $vm_tests; do
		printf 'vm:%s %s\n' "$t" "$(key_of_test "$t" "$vm_kernel.meta/build.key")"
	done
	printf 'survived %s\n' "$(cat "$work/key")"
}

# What a verdict holds for: what the test is made of, or all of them.
key_of() {	# VERDICT
	awk -v what="$(echo "${1#* }" | sed 's/^asan://')" '$1 == what { print $2 }' "$work/keys"
}

id_of() {	# FILE LINE TEXT
	printf '%s\t%s\t%s\t%s' "$(cat "$1" "$work/headers" | cksum | tr ' ' -)" "$@"
}

keep() {	# ID VERDICT
	printf '%s\t%s\t%s\n' "$1" "$2" "$(key_of "$2")" >>"$kept"
}

# Tests that did not notice it, each with what it was made of.
missed_by() {	# ID
	[ "${FRESH:-0}" = 0 ] || return 0
	id=$1 awk -F'\t' '
		$1 "\t" $2 "\t" $3 "\t" $4 == ENVIRON["id"] && sub(/^missed /, "", $5) {
			printf " %s=%s ", $5, $6
		}' "$kept"
}

# With this test nothing new would be learned: it does not run the line, or it has not
# noticed the mutant the last time.
needless() {	# TEST [AS], uses $runs and $missed
	case "$runs" in
	all | *" $1 "* | *" ${1%.sh} "*) ;;
	*) return 0 ;;
	esac
	case $missed in
	*" ${2:-$1}=$(key_of "missed $1") "*) return 0 ;;
	esac
	return 1
}

# FILE or TEST, and what it is made of, as far as it tells who runs a line.
sums() {
	for f in lib/*/*.c; do
		printf '%s %s\n' "$f" "$(cksum <"$f" | tr ' ' -)"
	done
	cat "$work/keys"
}

# Who runs which line, if not a tenth of all is another since it was last found out.
cover() {
	sums >"$work/sums"
	touch "$work/covered.sums"
	if [ "${FRESH:-0}" = 0 ] && awk '
		FILENAME == ARGV[1] { was[$0]; next }
		{ n++; same += $0 in was }
		END { exit same < n * 0.9 }' "$work/covered.sums" "$work/sums"; then
		return
	fi
	command -v clang llvm-profdata llvm-cov >"$work/out" || {
		say "no LLVM: each test is supposed to run every line"
		: >"$work/covered.sums"
		: >"$work/covered"
		return
	}
	if [ -n "$native" ]; then
		set -- --native
	else
		set -- --vm "$(awk -F'\t' '$3 > 0 { sub(/^vm:/, ""); sub(/\.sh$/, "", $1); print $1 }' \
			"$work/vm.baseline" | tr '\n' ' ')"
	fi
	"$S/coverage-userspace" --by-test "$@" >&2 9>&- &
	running=$!
	wait "$running" || [ $? = 1 ] || die "who runs which line was not found out"
	running=
	mv "$O/coverage-userspace/by-test" "$work/covered"
	mv "$work/sums" "$work/covered.sums"
}

# Tests that run a line, or are others since then; "all" where nobody knows.
who_runs() {	# FILE LINE
	if ! grep -qxF "$1 $(cksum <"$1" | tr ' ' -)" "$work/covered.sums" ||
	   ! grep -q "^-	$1	$2\$" "$work/covered"; then
		echo all
		return
	fi
	{ grep "	$1	$2\$" "$work/covered" | cut -f1
		grep -vxFf "$work/covered.sums" "$work/keys" | cut -d' ' -f1; } |
		sed 's/.*/ & /' | tr -d '\n'
}

was_kept() {	# ID: $became, if it still holds
	became=$(id=$1 awk -F'\t' '
		$1 "\t" $2 "\t" $3 "\t" $4 == ENVIRON["id"] && $5 !~ /^missed/ {
			v = $5 "\t" $6
		}
		END { print v }' "$kept")
	with=${became#*	}
	became=${became%%	*}
	[ "${FRESH:-0}" = 0 ] && [ -n "$became" ] && [ "$(key_of "$became")" = "$with" ]
}
