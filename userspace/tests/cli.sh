# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# For scripts that run the command: TAP, exit codes, what is on which stream.
# A directory tmp goes at the end, and so does the process holder, if there is one: by
# SIGKILL, since unshare(1) --fork takes no other.

set -u
: "${MNTCR:?}" "${VARIANT:=gcc}"
n=0
bad=0
tmp=$(mktemp -d) || exit 1
holder=
cleanup()
{
	[ -n "$holder" ] && kill -KILL "$holder" 2>/dev/null
	rm -rf "$tmp"
}
trap cleanup EXIT
: >"$tmp/out"
: >"$tmp/err"

ok()
{
	n=$((n + 1))
	echo "ok $n $1"
}

skip()
{
	ok "$1 # SKIP $2"
}

fail()
{
	n=$((n + 1))
	bad=1
	echo "# $2"
	sed 's/^/# stdout: /' "$tmp/out" | head -20
	sed 's/^/# stderr: /' "$tmp/err" | head -20
	echo "not ok $n $1"
}

# check NAME CODE PATTERN COMMAND...: exit code, and a line of stderr (or of
# stdout with code 0) that matches; the other stream is empty with an error
check()
{
	name=$1
	code=$2
	pattern=$3
	shift 3
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	got=$?
	where=err
	[ "$code" -eq 0 ] && where=out
	if [ $got -ne "$code" ]; then
		fail "$name" "exit code $got, not $code"
	elif [ -n "$pattern" ] && ! grep -q -e "$pattern" "$tmp/$where"; then
		fail "$name" "nothing like '$pattern' on std$where"
	elif [ "$code" -ne 0 ] && [ "$code" -ne 3 ] && [ -s "$tmp/out" ]; then
		fail "$name" "output besides the error"
	else
		ok "$name"
	fi
}

# is NAME FILE FILE: the same to the byte
is()
{
	: >"$tmp/err"
	if diff "$2" "$3" >"$tmp/out" 2>&1; then
		ok "$1"
	else
		fail "$1" "$2 and $3 differ"
	fi
}

finished()
{
	echo "1..$n"
	exit $bad
}
