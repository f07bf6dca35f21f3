# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# apt with lists of its own, for scripts that have read lib.sh: nothing of the
# machine's apt is changed, its archive and keys are used. apt_why says what went
# wrong.

# shellcheck disable=SC2034	# for the scripts that read this file
apt_why=
# each of those has one of its own
apt_dir=$O/apt
apt_quiet=-q
[ ! -t 2 ] || apt_quiet=

# The Debian archive that this machine installs its own release from.
archive_uri() {
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016	# apt's variables
	apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' \
		'Created-By: Packages' 2>/dev/null |
	awk -v c="$codename" '$1 == c && $2 == "main" { print $3; exit }'
}

private_apt() {
	tool=$1
	shift
	d=$apt_dir
	mkdir -p "$d/state/lists/partial" "$d/cache/archives/partial"
	: >"$d/status"
	"$tool" -o Dir::Etc::SourceList="$d/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null -o Dir::State="$d/state" \
		-o Dir::State::status="$d/status" \
		-o Dir::Cache="$d/cache" -o APT::Sandbox::User="$(id -un)" \
		-o Acquire::Languages=none -o Acquire::Retries=3 \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o APT::Get::AllowUnauthenticated=false \
		-o Acquire::AllowInsecureRepositories=false \
		-o Acquire::AllowWeakRepositories=false "$@"
}

# Read the lists of a suite. 1: the archive, or apt, is not there.
apt_lists() {	# SUITE
	command -v apt-get >/dev/null || {
		apt_why="no apt here"
		return 1
	}
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -r $keyring ] || {
		apt_why="$keyring is missing (package debian-archive-keyring)"
		return 1
	}
	uri=$(archive_uri)
	[ -n "$uri" ] || {
		apt_why="no Debian archive in this machine's apt configuration"
		return 1
	}
	mkdir -p "$apt_dir" "$O/logs"
	echo "deb [signed-by=$keyring] $uri $1 main" >"$apt_dir/sources.list"
	apt_log=$O/logs/${apt_dir##*/}.log

	say "reading the package lists of $1"
	if ! private_apt apt-get -q update >"$apt_log" 2>&1 ||
	   grep -q '^[WE]: .*[Ff]ailed to fetch' "$apt_log"; then
		grep '^[WE]:' "$apt_log" >&2 || :
		apt_why="the package archive does not answer or is not signed as it should be: is there a network? (log: $apt_log)"
		return 1
	fi
}

apt_download() {	# DIR NAME[=VERSION]...
	download_to=$1
	shift
	mkdir -p "$download_to"
	# shellcheck disable=SC2086
	(cd "$download_to" && private_apt apt-get $apt_quiet download "$@") >&2 || {
		apt_why="$* could not be fetched: network gone, or disk full?"
		return 1
	}
}
