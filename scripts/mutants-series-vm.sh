# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2154
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# What mutants-series runs: the tests, with a changed line in effect or with none.

# In the background and waited for, so that a signal's trap ends it.
vm() {	# NAME KERNEL ARGUMENT...
	name=$1 kernel=$2
	shift 2
	rm -rf "$O/artifacts/$name"
	"$S/run-vm" --kernel "$kernel" --name "$name" "$@" 9>&- 8>&- \
		>"$O/logs/$name.log" 2>&1 </dev/null &
	running=$!
	wait "$running" && rc=0 || rc=$?
	running=
	[ "$rc" != 2 ] || { cat "$O/logs/$name.log" >&2; die "the VM could not be run"; }
}

selftests() {	# NAME KERNEL RUN-VM-OPTION...
	vm_name=$1 vm_kernel=$2
	shift 2
	# shellcheck disable=SC2046,SC2086
	vm "$vm_name" "$vm_kernel" --skips "$top/qemu-images/skips.allow" $total --until-failure \
		--tests "$list_of_tests" $(cat "$work/vm.add") "$@"
}
total= list_of_tests=$work/vm.list

programs_of_sweeps="propsweep privsweep history"
# As scripts/mutants has them.
sweeps() {	# NAME KERNEL RUN-VM-OPTION...
	vm_name=$1 vm_kernel=$2
	shift 2
	vm "$vm_name" "$vm_kernel" --timeout 600 "$@" \
		"$O/model/vm-tests/propsweep -s 5 -n 2 -r 2 -b 0 -x 0 -g 400 -y 0 -w api SEED=1" \
		"$O/model/vm-tests/privsweep 8 SEED=1" \
		"$O/model/vm-tests/history --extended --uncut SEED=1"
}

# What of the VM's end: the test that failed, or how it ended.
says() {	# NAME
	awk -F'\t' '$1 == "not-ok" { print $2; exit }' "$O/artifacts/$1/tests" 2>/dev/null |
		grep . || cut -f2 "$O/artifacts/$1/result"
}

# None of them in effect: all passes, and so long it may take.
unmutated() {
	# what takes longest comes last
	awk '{ n = $2; sub(/.*\//, "", n); print (n ~ /_(looks|rounds)_/), n, $3, "/vm/tests.d/" n }' \
		"$O/selftests/list" | sort -s -k1,1n | cut -d' ' -f2- >"$work/vm.list"
	selftests mutant-series-none "$work/all/vmlinux" --append "$hung"
	[ "$rc" = 0 ] || die "the selftests fail without a mutant: $(cat "$O/logs/$name.log")"
	# ten times as long is too long: what hangs one of them may hang all
	awk 'NR == FNR { if (/^# .*: [0-9]+ ms$/) took[substr($2, 1, length($2) - 1)] = $3; next }
		{ $2 = int(took[$1] / 100) + 20; print }' \
		"$O/artifacts/$name/ktap" "$work/vm.list" >"$work/vm.limits"
	sweeps mutant-series-none "$work/all/vmlinux" --append "$hung"
	[ "$rc" = 0 ] || die "the sweeps fail without a mutant: $(cat "$O/logs/$name.log")"
	mv "$work/vm.limits" "$work/vm.list"
	limit
}

# Of the whole VM: three times as long as its tests took.
limit() {
	total="--total $(awk '{ n += $2 - 20 } END { print int(n / 10) * 3 + 60 }' "$work/vm.list")"
}
# Who waits for a lock that is not let go panics: the tests left would wait for it as well.
# So does what is a splat at the end, if it comes to that.
hung="sysctl.kernel.hung_task_timeout_secs=20 sysctl.kernel.hung_task_panic=1 \
softlockup_panic=1 panic_on_warn=1"

# $became: "noticed BY" or "survived".
try() {
	for by in selftests sweeps; do
		$by mutant-series "$tree/vmlinux"
		[ "$rc" != 0 ] || continue
		case $rc in
		3 | 7 | 8)	# is it the machine that takes so long?
			$by mutant-series-none "$series/vmlinux"
			[ "$rc" = 0 ] || die "the $by fail without a mutant, too"
			$by mutant-series "$tree/vmlinux"
			[ "$rc" != 0 ] || continue ;;
		esac
		became="noticed $(says mutant-series)"
		return
	done
	became=survived
}

# The next line is near this one: what has noticed this one is first to look at it, unless
# that takes so long that the others are done before.
first() {	# LIST
	by=$(says "$name") awk -v long=60 '
		{ split(ENVIRON["by"], at, "/") }
		$1 == at[1] && $2 < long { print; next }
		{ rest = rest $0 "\n" }
		END { printf "%s", rest }' "$1" >"$1.new"
	mv "$1.new" "$1"
}

# $changed: the programs that are other ones now.
find_changed() {	# KEY
	grep -vxFf "$work/tests.d/$1" "$work/tests" | cut -d' ' -f2 >"$changed" || :
}

# What has changed of the selftests, where only that is to be tried: false, if nothing has.
some_selftests() {	# LIST
	list_of_tests=$1
	[ -n "$stale" ] || return 0
	list_of_tests=$1.changed
	awk 'FILENAME == ARGV[1] { changed[$1]; next } $1 in changed' "$changed" "$1" >"$list_of_tests"
	[ -s "$list_of_tests" ]
}

# Has it been found before that the sweeps, as they are, do not notice it either?
sweeps_known() {
	case $stale in
	passed | survived) ;;
	*) return 1 ;;
	esac
	for program in $programs_of_sweeps; do
		! grep -qxF "$program" "$changed" || return 1
	done
}

# Those of $work/unknown that these tests are still to look at.
untried() {	# selftests or sweeps
	while IFS=$tab read -r n file nr kind text <&3; do
		identify
		was_kept || became=
		case $1/$became in
		selftests/ | "sweeps/past selftests")
			printf '%s\t%s\t%s\t%s\t%s\n' "$n" "$file" "$nr" "$kind" "$text" ;;
		esac
	done 3<"$work/unknown"
}

# Each N-th of $work/untried, from the I-th. What only takes too long is not kept: it is
# tried again by itself. What ends the VM is noticed when it does so twice.
lane() {	# I/N selftests or sweeps
	order=$work/vm.list.${1%/*} changed=$work/changed.${1%/*}
	cp "$work/vm.list" "$order"
	awk -v shard="$1" 'BEGIN { split(shard, s, "/") } NR % s[2] == s[1] % s[2]' \
		"$work/untried" >"$work/untried.${1%/*}"
	while IFS=$tab read -r n file nr kind text <&3; do
		identify
		was_kept || :
		[ -z "$stale" ] || find_changed "$with"
		rc=0
		# shellcheck disable=SC2034
		for again in 1 2; do
			[ "$2" = sweeps ] || some_selftests "$order" || break
			"$2" "mutant-series-${1%/*}" "$work/all/vmlinux" \
				--append "mutant_tried=$n $hung"
			[ "$rc" = 7 ] || [ "$rc" = 8 ] || break
		done
		case $2/$rc in
		selftests/0)
			became="past selftests"
			! sweeps_known || became=$stale ;;
		sweeps/0) became=passed ;;
		*/3) became= ;;
		*)
			became="noticed $(says "$name")"
			[ "$2" = sweeps ] || first "$order" ;;
		esac
		[ -z "$became" ] || keep
		say "$file:$nr: $text: ${became:-took too long}"
	done 3<"$work/untried.${1%/*}"
}

try_all() {
	[ -s "$work/unknown" ] || return 0
	say "the tests without a mutant"
	unmutated
	for by in selftests sweeps; do
		untried $by >"$work/untried"
		say "$(wc -l <"$work/untried") mutants, the $by"
		lanes= i=0 n=$(nproc)
		while [ $i -lt "$n" ]; do
			setsid "$S/mutants-series" --lane $i/"$n" $by 9>&- 8>&- &
			lanes="$lanes $!"
			running=$lanes
			i=$((i + 1))
		done
		for pid in $lanes; do
			wait "$pid" || die "mutants could not be tried"
		done
		running=
	done
}
