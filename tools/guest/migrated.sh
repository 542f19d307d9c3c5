# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# A guest that signs all the time while it is moved to another QEMU and on to a third, and
# saved to a file and restored. To be sourced by run-guest, which starts QEMUs and tells
# results.

rounds_needed=3

rounds() {
	grep -c '^round' "$1"
}

# in_time <command>...: waits until the command succeeds. Gives up when it ends with 2, since
# then it never will, or when $guest_patience is at its end.
in_time() {
	# shellcheck disable=SC2154 # from run-guest
	local end=$(($(date +%s) + guest_patience))
	until "$@"; do
		if [ $? = 2 ] || [ "$(date +%s)" -ge $end ]; then return 1; fi
		sleep 1
	done
}

# signed <log>: whether a guest has said that it signed some more, or that it cannot.
signed() {
	[ "$(rounds "$1")" -lt $rounds_needed ] || return 0
	if grep -qE 'FAILED|Kernel panic' "$1"; then return 2; fi
	return 1
}

signs() {
	in_time signed "$1"
}

# start <name> [<option>...]: a guest that signs, and whose QEMU takes orders by QMP.
start() {
	local name=$1
	shift
	mkfifo "/tmp/$name.in" "/tmp/$name.out"
	qemu 900 host 2 loop '' -chardev "pipe,id=qmp,path=/tmp/$name" \
		-mon chardev=qmp,mode=control "$@" >"/tmp/$name.log" &
	# There at once, for grep to look at.
	: >"/tmp/$name.qmp"
	cat "/tmp/$name.out" >>"/tmp/$name.qmp" &
	# Before that, nobody would read the order.
	in_time grep -q QMP "/tmp/$name.qmp"
	order "$name" '{"execute": "qmp_capabilities"}'
}

# start_to_wait <name>: the same for one that waits at a socket for the guest to come.
start_to_wait() {
	start "$1" -incoming "unix:/tmp/$1.socket"
	in_time test -S "/tmp/$1.socket"
}

# order <name> <what to do>: opened for both, the pipe does not wait for a reader that
# may have ended.
order() {
	echo "$2" 1<>"/tmp/$1.in"
}

# migrate <name> <URI>
migrate() {
	order "$1" "{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"$2\"}}"
}

# has_left <name>: whether all of a guest is where it was sent, or will never be. Asks for
# the next time.
has_left() {
	if grep -q '"status": "completed"' "/tmp/$1.qmp"; then return 0; fi
	if grep -q '"status": "failed"' "/tmp/$1.qmp"; then return 2; fi
	order "$1" '{"execute": "query-migrate"}'
	return 1
}

sent() {
	in_time has_left "$1"
}

# The number of the first (head) or last (tail) round that a guest has told of.
round() {
	lines <"/tmp/$2.log" | sed -n 's/^round \([0-9]*\):.*/\1/p' | "$1" -n 1
}

# arrived <from> <to> <what this was>: it goes on there, where it was here.
arrived() {
	local before after
	sent "$1" && signs "/tmp/$2.log"
	result $? "$3: it signs on"
	# It counts its rounds from the start of the guest, not of a QEMU.
	before=$(round tail "$1") after=$(round head "$2")
	echo "# last round there: $before, first here: ${after:-none}"
	tail -n 3 "/tmp/$1.qmp" | cat "/tmp/$2.log" - | lines | sed "s/^/# $2: /"
	order "$1" '{"execute": "quit"}'
	[ "${after:-0}" -gt "$before" ] && signs "/tmp/$2.log"
	result $? "$3: the same guest, signing"
}

moves() {
	# A QEMU takes its time to start, the more so next to a guest that signs.
	start_to_wait second
	start_to_wait third
	start first
	signs /tmp/first.log
	result $? "guest with -cpu host that signs" || return

	migrate first unix:/tmp/second.socket
	arrived first second "moved to another QEMU" || return

	migrate second unix:/tmp/third.socket
	arrived second third "and on to a third" || return

	# The file has to be there in full before it is read.
	migrate third file:/tmp/guest.state
	sent third
	start fourth -incoming file:/tmp/guest.state
	arrived third fourth "saved to a file and restored" || return
	order fourth '{"execute": "quit"}'
}

# A guest that is lost is not there to go on with.
migrated() {
	moves || killall qemu-system-aarch64
	wait
}
