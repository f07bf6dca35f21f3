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
		--tests "$work/vm.list" $(cat "$work/vm.add") "$@"
}
total=

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
	selftests mutant-series-none "$work/all/vmlinux"
	[ "$rc" = 0 ] || die "the selftests fail without a mutant: $(cat "$O/logs/$name.log")"
	# ten times as long is too long: what hangs one of them may hang all
	awk 'NR == FNR { if (/^# .*: [0-9]+ ms$/) took[substr($2, 1, length($2) - 1)] = $3; next }
		{ $2 = int(took[$1] / 100) + 20; print }' \
		"$O/artifacts/$name/ktap" "$work/vm.list" >"$work/vm.limits"
	sweeps mutant-series-none "$work/all/vmlinux"
	[ "$rc" = 0 ] || die "the sweeps fail without a mutant: $(cat "$O/logs/$name.log")"
	mv "$work/vm.limits" "$work/vm.list"
	limit
}

# Of the whole VM: half of what its tests may take.
limit() {
	total="--total $(awk '{ n += $2 } END { print int(n / 2) + 60 }' "$work/vm.list")"
}

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

# Each N-th of $work/unknown, from the I-th. What only takes too long is not kept: it is
# tried again by itself.
lane() {	# I/N
	awk -v shard="$1" 'BEGIN { split(shard, s, "/") } NR % s[2] == s[1] % s[2]' \
		"$work/unknown" >"$work/unknown.${1%/*}"
	while IFS=$tab read -r n file nr kind text <&3; do
		for by in selftests sweeps; do
			$by "mutant-series-${1%/*}" "$work/all/vmlinux" --append "mutant_tried=$n"
			[ "$rc" = 0 ] || break
		done
		case $rc in
		0) became=passed ;;
		3 | 7 | 8) became= ;;
		*) became="noticed $(says "$name")" ;;
		esac
		identify
		[ -z "$became" ] || keep
		say "$file:$nr: $text: ${became:-took too long}"
	done 3<"$work/unknown.${1%/*}"
}

try_all() {
	[ -s "$work/unknown" ] || return 0
	say "the tests without a mutant"
	unmutated
	lanes= i=0 n=$(nproc)
	while [ $i -lt "$n" ]; do
		setsid "$S/mutants-series" --lane $i/"$n" 9>&- 8>&- &
		lanes="$lanes $!"
		running=$lanes
		i=$((i + 1))
	done
	for pid in $lanes; do
		wait "$pid" || die "mutants could not be tried"
	done
	running=
}
