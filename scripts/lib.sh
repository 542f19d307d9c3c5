# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts share: where things are, and how stages, progress and
# failures look. To be sourced by bash scripts, which set -eu.

# shellcheck disable=SC2034 # used by those who source this

set -o pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What is built of another base than the one that the overlay is made for lies apart.
OWN_BASE=7.3
BASE=${BASE:-$OWN_BASE}
BUILD=$TOP/build
[ "$BASE" = $OWN_BASE ] || BUILD+=/base-$BASE
LOGS=$BUILD/logs
KDIR=${KDIR:-}
VARIANT=${VARIANT:-rust}
JOBS=${JOBS:-$(nproc)}

# The kernel's make must not inherit our flags.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
export -n KDIR VARIANT

mkdir -p "$LOGS" 2>/dev/null || {
	echo "error: cannot write to $BUILD" >&2
	exit 1
}

# die <what was found> [<what is needed or what to do>...]
die() {
	printf 'error: %s\n' "$1" >&2
	shift
	for line; do printf '       %s\n' "$line" >&2; done
	exit 1
}

elapsed() {
	local s=$(($(date +%s) - $1))
	printf '%d:%02d' $((s / 60)) $((s % 60))
}

# stage <name> <log> <command>...: runs the command with its output in the log.
# What it writes to file descriptor 3 is shown as it comes.
stage() {
	local name=$1 log=$LOGS/$2.log start status
	shift 2
	start=$(date +%s)
	printf '==> %s\n' "$name"
	# Not in a condition, which would switch 'set -e' off inside.
	set +e
	(
		set -e
		"$@"
	) 3>&1 >"$log" 2>&1 </dev/null
	status=$?
	set -e
	if [ "$status" -ne 0 ]; then
		printf '==> %s: FAILED after %s, full log: %s\n' "$name" \
			"$(elapsed "$start")" "$log" >&2
		tail -n 20 "$log" | sed 's/^/    /' >&2
		if [ "$(df --output=avail -k "$BUILD" | tail -n 1)" -lt 1024 ]; then
			echo "    the disk that holds $BUILD is full: all in all 6 GiB are needed;" >&2
			echo "    what is there already will be used by the next run" >&2
		fi
		exit "$status"
	fi
	printf '==> %s: done in %s\n' "$name" "$(elapsed "$start")"
}

# verdict <part> <test> <command>...: passes if the command does.
verdict() {
	local part=$1 test=$2 log
	shift 2
	log=$LOGS/$part.log
	if "$@" >"$log" 2>&1; then
		printf 'pass\t%s\t%s\n' "$part" "$test"
	else
		printf 'fail\t%s\t%s\n' "$part" "$test"
		printf '    %s: %s failed, log: %s\n' "$part" "$test" "$log" >&2
		tail -n 20 "$log" | sed 's/^/    /' >&2
	fi
}

# tally [<file>...]: counts verdicts, the first field of each line.
tally() {
	awk -F '\t' '{ n[$1]++ } END {
		printf "%d passed, %d failed, %d skipped\n", n["pass"], n["fail"], n["skip"]
	}' "$@"
}

# show <text>: a line of progress from inside a stage. On a terminal it is
# written over by the next, in a log it stays.
show() {
	if [ -t 3 ]; then
		printf '\r\033[K    %s' "$1" >&3
	else
		printf '    %s\n' "$1" >&3
	fi
}

show_end() {
	if [ -t 3 ]; then printf '\r\033[K' >&3; fi
}

# Waits until no other script builds here, and keeps others waiting until the end
# of this one.
lock() {
	exec 9>"$BUILD/.lock"
	flock -n 9 || {
		echo "    waiting for another run that uses $BUILD"
		flock 9
	}
}

# Lets go of it, to boot what was built: a run of tests may wait for this lock, and holds that of
# the boots.
unlock() { flock -u 9; }
