#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# Tests of the model's makefile, as TAP: what a header of any folder is in is built
# anew when that changes, and nothing else is; and a folder that calls one that
# stands on it does not build. In a copy of the tree, with a compiler that only
# preprocesses.
set -eu
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS CPPFLAGS SANITIZE V
userspace=$work/userspace
model=$userspace/model
out=$work/out
mkdir "$userspace"
cp -R "$here/.." "$model"
cp -R "$here/../../lib" "$here/../../include" "$userspace"
n=0
bad=0

# Each object is noted, with the headers that it has been made of.
cat >"$work/cc" <<'END'
#!/bin/sh
for f; do
	[ "${o-}" = "" ] && o=$f
	[ "$f" != -o ] || o=
done
echo "${o#"$OUT"/}" >>"$OUT.built"
exec "$REAL_CC" "$@" -E -MF "${o%.o}.d" -MT "$o"
END
chmod +x "$work/cc"

result() {	# NAME RC [FILE]
	n=$((n + 1))
	if [ "$2" = 0 ]; then
		echo "ok $n build_$1"
	else
		bad=1
		echo "not ok $n build_$1"
		[ ! -f "${3-}" ] || sed 's/^/# /' "$3"
	fi
}

objects() {	# into $out.built: what is built
	: >"$out.built"
	OUT=$out REAL_CC=${CC:-cc} make -s -C "$model" O="$out" CC="$work/cc" objects \
		>"$work/log" 2>&1 && rc=0 || rc=$?
	sort -o "$out.built" "$out.built"
}

printf 'TAP version 13\n'
objects
[ "$rc" = 0 ] && [ -s "$out.built" ] || rc=1
result objects "$rc" "$work/log"
cp "$out.built" "$work/all"
objects
[ "$rc" = 0 ] && [ ! -s "$out.built" ] || rc=1
result not_again "$rc" "$out.built"

# What has it, the preprocessor says, of each source on its own.
touched() {	# HEADER, from userspace/ on
	name=$(echo "$1" | tr ./- ___)
	while read -r o; do
		f=${o#*/}
		(cd "$model" && "${CC:-cc}" -DMODEL_MUTANTS -I. -I../lib \
			-I../include -M "${f%.o}.c") >"$work/needs"
		! tr ' ' '\n' <"$work/needs" | grep -qx "\(\.\./\)*${1#model/}" ||
			echo "$o"
	done <"$work/all" >"$work/wanted"
	touch "$userspace/$1"
	objects
	[ -s "$work/wanted" ] || rc=1
	diff "$work/wanted" "$out.built" >"$work/diff" || rc=1
	result "touched_$name" "$rc" "$work/diff"
}

touched model/rules/model.h
touched model/rules/internal.h
touched model/topologies/layout.h
touched model/privilege/priv.h
touched model/privilege/seen.h
touched model/privilege/kernel.h
touched model/kernel/mount.h
touched model/sweep/step.h
touched model/sweep/class.h
touched model/history/history.h
touched model/history/world.h
touched model/tests/tests.h
touched model/tests/priv.h
touched lib/base/sys.h
touched include/mntcr-restore.h

# Of the last file of a folder only those before it may call something.
calls() {	# NAME FOLDER FILE FUNCTION
	echo "void $4(void); void call(void); void call(void) { $4(); }" \
		>>"$model/$3"
	make -s -C "$model" O="$work/real" CFLAGS=-O0 "$work/real/stands-on/$2" \
		>"$work/log" 2>&1 && rc=1 || rc=0
	grep -q "undefined reference to .$4'" "$work/log" || rc=1
	result "calls_$1" "$rc" "$work/log"
	cp "$here/../$3" "$model/$3"
}

make -s -C "$model" O="$work/real" CFLAGS=-O0 "$work/real/stands-on/rules" \
	"$work/real/stands-on/topologies" >"$work/log" 2>&1 && rc=0 || rc=$?
result stands "$rc" "$work/log"
calls folder_above rules rules/model.c topo_hears
calls later_file topologies topologies/topo.c layout_order

echo "1..$n"
exit $bad
