#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# Topologies that are written as lines are made, by each API that there is.
# What they make is the same, and so is what mounts in it bring about.

set -u
# Natively in a mount namespace of its own, and with the command that is to be tested.
if [ -n "${MNTCR:-}" ] && [ -z "${APART:-}" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "1..0 # SKIP needs root"
		exit 4
	fi
	# on one processor ids of namespaces ascend, on all kernels
	cpu=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*\([0-9]*\).*/\1/p' /proc/self/status)
	exec env APART=1 taskset -c "$cpu" unshare --mount --propagation private sh "$0"
fi
n=0
bad=0
failed=
tmp=$(mktemp -d) || exit 1
[ -z "${MNTCR:-}" ] || { mkdir "$tmp/bin" && ln -s "$MNTCR" "$tmp/bin/mntcr"; } || exit 1
PATH=$tmp/bin:$PATH

result()	# NAME
{
	n=$((n + 1))
	if [ -z "$failed" ]; then
		echo "ok $n $1"
	else
		bad=1
		echo "# failed: $failed"
		echo "not ok $n $1"
	fi
	failed=
}

try()
{
	"$@" >"$tmp/log" 2>&1 && return
	sed 's/^/# /' "$tmp/log"
	failed=$*
}

apis=upstream
mntcr features >/dev/null && apis="extended upstream"

while read -r line; do
	try mntcr show --topology "$line"
	if ! mntcr show --json --topology "$line" >"$tmp/image"; then
		failed=image
	fi
	for api in $apis; do
		try mntcr restore --api "$api" --verify --pin "$tmp/$n.$api" "$tmp/image"
	done
	if [ "$apis" != upstream ] && [ -z "$failed" ]; then
		try mntcr verify --order "$tmp/$n.extended" "$tmp/$n.upstream"
		try mntcr verify --events "$tmp/$n.extended" "$tmp/$n.upstream"
		grep -q '^[1-9][0-9]* events* compared' "$tmp/log" ||
			failed="no event was compared"
	fi
	for api in $apis; do
		[ -n "$failed" ] || try umount -l "$tmp/$n.$api"
	done
	result "$line"
done <<'END'
p u
[m m]
[m m@1 s s@1]
[m/a m/b]
[m/a s]
[m/a [m]]
[m [m [m] [m/a [m]] [m]]]
[m m@1 s/a [m/b/a]] p u : 2>0 3^2 4>3
[m@1 m/a@2 s/b/b@5 [m/b/a m [m@1]]] u@3 [m/a m/b] : 4>3
[m m/a [m/a/a m/b@1 s [m s/a]] s@2] [m@2 m] : 1>0 4^2 6>4
END
rm -rf "$tmp"
echo "1..$n"
exit $bad
