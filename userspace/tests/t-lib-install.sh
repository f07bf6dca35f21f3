#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# Installed like any library: programs are built against the installed files, with
# what pkg-config says and nothing else, and run with them; nothing is left when it
# is uninstalled.  Called with O, a directory in which it is built.

here=$(cd "$(dirname "$0")/.." && pwd)
: "${O:?}"
. "$here/tests/cli.sh"

root=$tmp/root
# PREFIX and what else was given to the make that runs this are not meant
unset MAKEFLAGS MFLAGS MAKEOVERRIDES DESTDIR
in_make()
{
	make -s -C "$here" O="$O" DESTDIR="$root" "$@"
}

check "make install" 0 "" in_make PREFIX=/opt/m install
(cd "$root" && find . ! -type d | sort) >"$tmp/installed"
cat >"$tmp/wanted" <<END
./opt/m/bin/mntcr
./opt/m/include/mntcr-restore.h
./opt/m/include/mntcr-stages.h
./opt/m/include/mntcr.h
./opt/m/lib/libmntcr.a
./opt/m/lib/libmntcr.so
./opt/m/lib/libmntcr.so.0
./opt/m/lib/pkgconfig/mntcr.pc
END
grep -v '/share/man/' "$tmp/installed" >"$tmp/got"
is "headers, libraries, command" "$tmp/wanted" "$tmp/got"
for f in "$here"/man/*; do
	echo "./opt/m/share/man/man${f##*.}/${f##*/}"
done | sort >"$tmp/wanted"
grep '/share/man/' "$tmp/installed" >"$tmp/got"
is "manual pages" "$tmp/wanted" "$tmp/got"
check "the version" 0 "^$("$MNTCR" --version | sed 's/^mntcr //')\$" \
	env PKG_CONFIG_LIBDIR="$root/opt/m/lib/pkgconfig" \
	pkg-config --modversion mntcr

# Nothing of the library's own names is anybody else's.
nm -D --defined-only "$root/opt/m/lib/libmntcr.so.0" |
	awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$tmp/exported"
: >"$tmp/none"
grep -v '^mntcr_' "$tmp/exported" >"$tmp/others"
is "only mntcr_* is exported" "$tmp/none" "$tmp/others"
# and everything that the headers declare
cat "$here"/include/*.h | sed -n 's/^[^ \t#*].*[ *]\(mntcr_[a-z_]*\)(.*/\1/p' |
	sort >"$tmp/declared"
is "all that the headers declare is exported" "$tmp/declared" "$tmp/exported"
check "the soname" 0 'SONAME.*libmntcr\.so\.0$' \
	objdump -p "$root/opt/m/lib/libmntcr.so.0"

cat >"$tmp/prog.c" <<'END'
#include <mntcr-restore.h>
#include <mntcr-stages.h>
#include <mntcr.h>

int main(int argc, char **argv)
{
	struct mntcr_topology *t;
	struct mntcr_error e;
	size_t nr = 1;

	if (argc < 2 || mntcr_image_read(argv[1], &t, &e)) {
		fprintf(stderr, "%s\n", argc < 2 ? "usage" : e.text);
		return 2;
	}
	if (mntcr_verify(t, t, NULL, &nr, &e) || nr ||
	    mntcr_render(t, MNTCR_FORMAT_TREE, stdout, &e))
		return 1;
	mntcr_topology_free(t);
	return 0;
}
END
cp "$tmp/prog.c" "$tmp/prog.cc"

# What pkg-config says of the installed files, found below DESTDIR.
flags()
{
	PKG_CONFIG_LIBDIR="$root/opt/m/lib/pkgconfig" \
		PKG_CONFIG_SYSROOT_DIR="$root" pkg-config "$@" mntcr
}

# build NAME COMPILER-AND-FLAGS
build()
{
	# shellcheck disable=SC2046
	check "$1 builds" 0 "" $2 -Wall -Wextra -Wpedantic -Werror \
		$(flags --cflags) -o "$tmp/$3" "$tmp/$4" $(flags --libs $5)
}

run()
{
	check "$1 runs" 0 "tmpfs" env \
		LD_LIBRARY_PATH="$root/opt/m/lib" "$tmp/$2" \
		"$here/tests/data/seeds/files.json"
}

build "C" "cc -std=c99" c prog.c ""
run "C" c
build "C++" "c++ -std=c++11" cc prog.cc ""
run "C++" cc
check "it is the shared one" 0 'NEEDED.*libmntcr\.so\.0$' objdump -p "$tmp/c"
# each header by itself, in both languages
for h in mntcr.h mntcr-restore.h mntcr-stages.h; do
	echo "#include <$h>" >"$tmp/h.c"
	cp "$tmp/h.c" "$tmp/h.cc"
	# shellcheck disable=SC2046
	check "$h alone, C" 0 "" cc -std=c99 -Wall -Wextra -Wpedantic -Werror \
		$(flags --cflags) -fsyntax-only "$tmp/h.c"
	# shellcheck disable=SC2046
	check "$h alone, C++" 0 "" c++ -std=c++11 -Wall -Wextra -Wpedantic \
		-Werror $(flags --cflags) -fsyntax-only "$tmp/h.cc"
done
# the examples, as doc/criu.md says
for x in stages two-namespaces; do
	cp "$here/examples/$x.c" "$tmp/"
done
build "the example with stages" cc stages stages.c ""
check "the example with system calls builds" 0 "" cc -Wall -Wextra -Werror \
	-o "$tmp/two-namespaces" "$tmp/two-namespaces.c"
check "without an image the example says how it is called" 2 "usage: stages IMAGE" \
	env LD_LIBRARY_PATH="$root/opt/m/lib" "$tmp/stages"
rm "$root/opt/m/lib/libmntcr.so" "$root/opt/m/lib/libmntcr.so.0"
build "static C" "cc -std=c99" static prog.c --static
run "static C" static

check "make uninstall" 0 "" in_make PREFIX=/opt/m uninstall
(cd "$root" && find . ! -type d) >"$tmp/left"
is "nothing is left" "$tmp/none" "$tmp/left"

# where a distribution wants it
check "make install LIBDIR=" 0 "" in_make PREFIX=/usr \
	LIBDIR=/usr/lib/x86 INCLUDEDIR=/usr/include/m install
check "pkg-config knows" 0 "^-I/usr/include/m -L/usr/lib/x86 -lmntcr *\$" \
	env PKG_CONFIG_LIBDIR="$root/usr/lib/x86/pkgconfig" \
	PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 \
	pkg-config --cflags --libs mntcr
check "make uninstall LIBDIR=" 0 "" in_make PREFIX=/usr \
	LIBDIR=/usr/lib/x86 INCLUDEDIR=/usr/include/m uninstall
(cd "$root" && find . ! -type d) >"$tmp/left"
is "nothing is left of that" "$tmp/none" "$tmp/left"

# blanks do not split a path into names of other files
root="$tmp/a b"
mkdir "$root"
echo mine >"$tmp/a"
check "make install, a blank in DESTDIR" 0 "" in_make PREFIX=/usr install
check "make uninstall, a blank in DESTDIR" 0 "" in_make PREFIX=/usr uninstall
(cd "$root" && find . ! -type d) >"$tmp/left"
is "nothing is left there" "$tmp/none" "$tmp/left"
check "what is not its own stays" 0 "^mine\$" cat "$tmp/a"

# nor does what a shell or sed(1) reads, and pkg-config says it back
root="$tmp/r'&"
odd="/opt/a&b|c d'e,f"
check "make install, an odd PREFIX" 0 "" in_make PREFIX="$odd" install
eval "set -- $(PKG_CONFIG_LIBDIR="$root$odd/lib/pkgconfig" \
	pkg-config --cflags --libs mntcr)"
printf '%s\n' "-I$odd/include" "-L$odd/lib" -lmntcr >"$tmp/wanted"
printf '%s\n' "$@" >"$tmp/got"
is "pkg-config knows that" "$tmp/wanted" "$tmp/got"
check "make uninstall, an odd PREFIX" 0 "" in_make PREFIX="$odd" uninstall
(cd "$root" && find . ! -type d) >"$tmp/left"
is "nothing is left of the odd one" "$tmp/none" "$tmp/left"

# what it could not say is refused, and nothing is installed
root=$tmp/refused
mkdir "$root"
for c in "\\" '"' '#' '`' '$$'; do
	for v in PREFIX LIBDIR INCLUDEDIR; do
		check "make install $v=/a$c" 2 "$v=.*: mntcr.pc can have no " \
			in_make "$v=/a$c" install
	done
done
(cd "$root" && find . ! -type d) >"$tmp/left"
is "nothing was installed" "$tmp/none" "$tmp/left"

finished
