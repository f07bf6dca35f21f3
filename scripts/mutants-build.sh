# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=sh disable=SC2154,SC2034
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# A changed restorer, for scripts/mutants-restorer: its library and its tests are built
# once, in two variants; of a mutant one file is compiled, and the library linked anew.
# $built, $work and $top are the caller's, and so are the tests, $tests and $all_tests.

# A variable of the makefile.
variable() {
	make -s O="$built" --eval "print-it: ; @echo \$($1)" print-it
}

compiled() {	# PREFIX TEST...: those that are programs
	prefix=$1
	shift
	for t; do
		case $t in
		*.sh) ;;
		*) echo "$prefix$t" ;;
		esac
	done
}

# Two variants, as "make check" has them: without a name, and with sanitizers.
variant() {	# NAME: $v, where its files are, and $cc, how they are compiled
	v=${1:+$san/}
	cc=gcc
	[ -z "$1" ] || cc="$san_cc"
	objs=$(for o in $lib; do echo "$built/${v}obj/lib/$o"; done)
}

build() {
	say "building the restorer and its tests"
	san=$(variable asan)
	san_cc="$(variable SAN_CC) $(variable SAN)"
	# shellcheck disable=SC2046,SC2086
	logged "$O/logs/mutants-restorer.log" make -j"$(nproc)" O="$built" CFLAGS=-O1 all \
		$(compiled "$built/tests/" $all_tests) \
		$(compiled "$built/$san/tests/" $tests) "$built/$san/mntcr" ||
		die "the restorer does not build"
	lib=$(variable lib-y)
	cppflags=$(variable CPPFLAGS_ALL)
	libs=$(variable LIBS)
	variant ""
	# shellcheck disable=SC2086,SC2116	# names
	make -s O="$built" --eval "print-it: ; @\$(foreach t,$(echo $all_tests),echo '\$t	\$(LIBS-\$t)';)" \
		print-it >"$work/wraps"
}

# All tests but those that replace calls of the library share one of it: to link that
# is all that it takes. -Bsymbolic: none of its own functions is looked up by name.
link() {	# DIR OBJECT...
	into=$1
	shift
	# shellcheck disable=SC2086
	mkdir -p "$into/$v"
	$cc -shared -Wl,-Bsymbolic -o "$into/${v}libmutant.so" "$@" $libs
}

link_programs() {	# DIR TEST...: for all mutants
	to=$1/$v
	shift
	mkdir -p "${to}tests"
	for t; do
		case $t in
		*.sh) install -m 755 "tests/$t" "${to}tests/$t"; continue ;;
		esac
		! wrapped "$t" && ! [ "${to}tests/$t" -nt "$built/${v}obj/tests/$t.o" ] || continue
		more=
		[ "$t" != t-plan-random ] || more=$built/${v}obj/tests/plan-sim.o
		# shellcheck disable=SC2086
		$cc -o "${to}tests/$t" "$built/${v}obj/tests/$t.o" $more -L"$work/none/$v" \
			-lmutant $libs
	done
	# shellcheck disable=SC2086
	$cc -o "${to}mntcr" "$built/${v}obj"/cmd/*.o -L"$work/none/$v" -lmutant \
		"$built/${v}model/libtopologies.a" $libs
}

wrapped() {	# TEST
	grep -q "^$1	." "$work/wraps"
}

# Of a test with wrapped calls, with its own copy of the library.
link_wrapped() {	# TEST DIR OBJECT...
	t=$1 into=$2
	shift 2
	# shellcheck disable=SC2046,SC2086
	mkdir -p "$into/${v}tests"
	ln -sf "$work/programs/${v}mntcr" "$into/${v}mntcr"
	$cc -o "$into/${v}tests/$t" "$built/${v}obj/tests/$t.o" "$@" $libs \
		$(sed -n "s/^$t	//p" "$work/wraps")
}

# The library as it is, and all programs.
link_all() {
	mkdir -p "$work/none"
	# shellcheck disable=SC2086
	link "$work/none" $objs
	# shellcheck disable=SC2086
	link_programs "$work/programs" $all_tests
	for t in $all_tests; do
		# shellcheck disable=SC2086
		! wrapped "$t" || link_wrapped "$t" "$work/none" $objs
	done
	variant asan
	# shellcheck disable=SC2086
	link "$work/none" $objs
	# shellcheck disable=SC2086
	link_programs "$work/programs" $tests
	variant ""
}

# What FILE becomes of TEXT, compiled as the library's are. False: it does not compile;
# of a compiler that dies nobody knows.
compile() {	# DIR FILE
	rc=0
	mkdir -p "$1/$v"
	# shellcheck disable=SC2086
	$cc -std=gnu11 $cppflags -I"$(dirname "$2")" -w -fPIC -O1 -c -o "$1/${v}mutant.o" \
		"$1/mutant.c" 2>"$1/err" || rc=$?
	[ $rc != 0 ] || return 0
	[ $rc = 1 ] && grep -q 'mutant\.c:.*error: ' "$1/err" &&
		! grep -q 'internal compiler\|Killed\|terminated\|No such file' "$1/err" ||
		{ cat "$1/err" >&2; die "the compiler fails"; }
	return 1
}

# What is compiled here must be what the makefile compiles, or all of it is a change.
unchanged() {	# FILE
	mkdir -p "$work/unchanged"
	cp "$1" "$work/unchanged/mutant.c"
	compile "$work/unchanged" "$1" || die "$1: does not compile as it is"
	same "$work/unchanged/mutant.o" "$built/obj/${1%.c}.o" "$work/unchanged" ||
		die "$1: does not become the same without a change"
}

# A mutant's library, and $with, what it is made of; or $became: "no program", or "same",
# which is no other.
make_mutant() {	# DIR FILE LINE TEXT
	dir=$1 file=$2 nr=$3 became=
	text=$4 awk -v nr="$nr" 'NR == nr { match($0, /^[ \t]*/)
		$0 = substr($0, 1, RLENGTH) ENVIRON["text"] } { print }' "$file" >"$dir/mutant.c"
	object=$built/obj/${file%.c}.o
	compile "$dir" "$file" || { became="no program"; return; }
	! same "$dir/mutant.o" "$object" "$dir" || { became=same; return; }
	link_mutant
}

link_mutant() {	# uses what make_mutant has left
	object=$built/${v}obj/${file%.c}.o
	with=$(for o in $objs; do [ "$o" = "$object" ] && echo "$dir/${v}mutant.o" || echo "$o"; done)
	# shellcheck disable=SC2086
	link "$dir" $with || die "$file:$nr: does not link"
}

# Is it the same code?
same() {	# OBJECT OBJECT DIR
	objcopy -O binary -j '.text*' -j '.rodata*' -j '.data*' "$1" "$3/a" &&
		objcopy -O binary -j '.text*' -j '.rodata*' -j '.data*' "$2" "$3/b" &&
		objdump -dr --no-show-raw-insn "$1" | tail -n +4 | cksum >"$3/a.asm" &&
		objdump -dr --no-show-raw-insn "$2" | tail -n +4 | cksum >"$3/b.asm" &&
		cmp -s "$3/a" "$3/b" && cmp -s "$3/a.asm" "$3/b.asm"
}
