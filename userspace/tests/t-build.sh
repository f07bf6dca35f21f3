#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# A header that changes has everything built again that includes it, and nothing
# else, in every folder.  What would be is what make says for a header that it is
# told to take for new; what should be is what the compiler wrote down.  Called
# with O, in which all is built.

here=$(cd "$(dirname "$0")/.." && pwd)
: "${O:?}"
. "$here/tests/cli.sh"
cd "$here" || exit 1
unset MAKEFLAGS MFLAGS MAKEOVERRIDES

# would DIRECTORY HEADER ARGUMENT...: objects that make would build
would()
{
	dir=$1
	header=$2
	shift 2
	make -n V=1 "$@" ${header:+-W "$header"} 2>"$tmp/err" |
		sed -n "s|.* -c -o \\($dir/[^ ]*\\.o\\) .*|\\1|p" | sort -u
}

# should DIRECTORY HEADER: objects that the compiler read it for
should()
{
	find "$1" -name '*.d' -exec grep -l -e "[ :]$2\\( \\|\$\\)" {} + |
		sed 's/d$/o/' | sort
}

# All that were read for known objects, not the system's.  (What an older list of
# files has left is nobody's.)
headers()
{
	sed 's/o$/d/' "$tmp/known" | xargs cat | tr ' \\' '\n\n' |
		sed -n '/^\/\|^$/d; s/\.h:*$/.h/p' | sort -u
}

: >"$tmp/none"

# A folder's objects that make knows, with the files that say what they need.
whole()	# NAME DIRECTORY ARGUMENT...
{
	name=$1
	dir=$2
	shift 2
	would "$dir" "" "$@" >"$tmp/stale"
	is "$name: all of it is built" "$tmp/none" "$tmp/stale"
	make -n V=1 -B "$@" 2>/dev/null |
		sed -n "s|.* -c -o \\($dir/[^ ]*\\.o\\) .*|\\1|p" |
		sort -u >"$tmp/known"
	: >"$tmp/without"
	while read -r o; do
		[ -s "${o%o}d" ] || echo "$o" >>"$tmp/without"
	done <"$tmp/known"
	is "$name: what each needs is known" "$tmp/none" "$tmp/without"
}

follows()	# NAME HEADER DIRECTORY ARGUMENT...
{
	name=$1
	header=$2
	dir=$3
	shift 3
	should "$dir" "$header" | comm -12 - "$tmp/known" >"$tmp/should"
	would "$dir" "$header" "$@" >"$tmp/would"
	if [ -s "$tmp/should" ]; then
		is "$name: $header ($(wc -l <"$tmp/should"))" \
			"$tmp/should" "$tmp/would"
	else
		fail "$name: $header" "nothing includes it"
	fi
}

# shellcheck disable=SC2046
set -- O="$O" $(sed -n 's|^test-y += \(.*\)|'"$O"'/tests/\1|p' core.mk exec.mk) \
	"$O/mntcr"
whole "the restorer" "$O/obj" "$@"
for h in $(headers); do
	case $h in
	include/*|lib/*/*|cmd/*|tests/*) follows "the restorer" "$h" "$O/obj" "$@" ;;
	esac
done
# by name, so that one who writes all down wrongly does not agree with himself
would "$O/obj" lib/plan/priv.h "$@" | sed "s|^$O/obj/||" >"$tmp/would"
check "a folder's own header reaches that folder" 0 "^lib/plan/group\\.o\$" \
	cat "$tmp/would"
grep -v '^lib/plan/' "$tmp/would" >"$tmp/others"
is "and no other" "$tmp/none" "$tmp/others"
would "$O/obj" tests/tap.h "$@" | sed "s|^$O/obj/tests/t-.*||" | grep . >"$tmp/others"
is "a header of tests has tests built again, and nothing else" "$tmp/none" "$tmp/others"

M=$O/model
whole "the model" "$M/obj" -C model O="$M" "$M/libmodel.a"
for h in $(headers | grep -v '^\.\./'); do
	follows "the model" "$h" "$M/obj" -C model O="$M" "$M/libmodel.a"
done

finished
