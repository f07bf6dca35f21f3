# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Copyright (C) 2026 The mount checkpoint/restore authors
#
# How a script ends what it has started in the background.

# End children, with their process groups if they have any, and wait for all. A
# child that has not yet put away the shell's traps, or not yet become another
# program, loses a signal that comes then: who is still there is sent it again, once
# a second, and killed in the end.
end() {	# [PID]...
	for _pid; do
		_try=0
		while
			if [ $((_try % 10)) != 0 ]; then _sig=0
			elif [ $_try -lt 150 ]; then _sig=TERM
			else _sig=KILL
			fi
			kill -s $_sig -- "-$_pid" 2>/dev/null || kill -s $_sig "$_pid" 2>/dev/null
		do
			sleep 0.1
			_try=$((_try + 1))
		done
	done
	wait
}

# Run a command so that a signal need not wait for it: $running is it, for the EXIT trap.
waited_for() {	# COMMAND...
	"$@" &
	running=$!
	wait "$running" && _rc=0 || _rc=$?
	running=
	return $_rc
}

# How it ends when it is told to: by its EXIT trap, which no second signal cuts short.
trap_signals() {
	trap 'trap "" INT HUP TERM; exit 130' INT
	trap 'trap "" INT HUP TERM; exit 143' HUP TERM
}
