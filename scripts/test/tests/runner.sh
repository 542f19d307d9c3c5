# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by test-scripts
#
# What kvmtest makes of systems that hang or say nothing, and of its own end. QEMU and make
# are scripts here, in a copy of the project.

# sham <tool> <script>: puts a tool of that name in front of PATH.
sham() {
	mkdir -p "$scratch/sham"
	printf '#!/bin/sh\n%s\n' "$2" >"$scratch/sham/$1"
	chmod +x "$scratch/sham/$1"
}

# kvmtest <argument>...: the output is in $scratch/output.
kvmtest() { PATH="$scratch/sham:$PATH" "$top/scripts/test/kvmtest" "$@" >"$scratch/output" 2>&1; }

# not <command>...: that fails. "!" would not end a test.
not() { if "$@"; then return 1; fi; }

# A project in which all is built, whose QEMU boots well.
built() {
	copy_of_ours
	there=${BUILD/#$TOP/$top}
	rm -rf "$scratch/sham"
	mkdir -p "$there/"{logs,selftests/install} "$top/tools"
	ln -s "$BUILD/tree" "$there/tree"
	echo kvm:a >"$there/selftests/install/kselftest-list.txt"
	printf '%s\n' '@@ begin kselftest' 'TAP version 13' '1..1' 'ok 1 selftests: kvm: a' \
		'@@ end kselftest 0' '@@ begin dmesg' '[ 0.0] Booting Linux' '@@ end dmesg 0' >"$scratch/log"
	sham qemu-system-aarch64 "cat $scratch/log"
}

# check_ends <status> <last line>: of a check of the selftest a.
check_ends() {
	local status=0
	kvmtest check a || status=$?
	[ "$status $(tail -n 1 "$scratch/output")" = "$1 $2" ] || {
		cat "$scratch/output" >&2
		return 1
	}
}

status_and_count() {
	built
	check_ends 0 "2 passed, 0 failed, 0 skipped"
	grep -qx 'ok 1 selftests: kvm: a' "$scratch/output"
	sed -i 's/^ok 1/not &/' "$scratch/log"
	check_ends 1 "1 passed, 1 failed, 0 skipped"
	sed -i 's/^not ok 1.*/ok 1 a # SKIP/' "$scratch/log"
	check_ends 1 "1 passed, 0 failed, 1 skipped"
	sed -i '/^@@ end kselftest/d' "$scratch/log"
	check_ends 1 "1 passed, 1 failed, 0 skipped"
	printf 'Kernel panic\n\nRebooting\n' >"$scratch/log"
	check_ends 1 "0 passed, 1 failed, 0 skipped"
	grep -q 'did not finish (exit status 0): Kernel panic | Rebooting$' "$scratch/output"
	: >"$scratch/log"
	check_ends 1 "0 passed, 1 failed, 0 skipped"
	fails_saying "there is no KVM selftest 'b'" "$top/scripts/test/kvmtest" check a,b
}

no_qemu() {
	built
	sham qemu-system-aarch64 'exit 127'
	check_ends 1 "0 passed, 1 failed, 0 skipped"
	grep -q 'boot check: .*(exit status 127)' "$scratch/output"
}

# runs_until <command>...: kvmtest, which is $running, has to run until that succeeds.
runs_until() {
	until "$@"; do
		kill -0 "$running" || return
		sleep 0.1
	done
}

# hangs <kvmtest arguments>...: its last QEMU or make, $hanging, goes on without end.
hangs() {
	rm -f "$scratch/hanging"
	PATH="$scratch/sham:$PATH" "$top/scripts/test/kvmtest" "$@" >"$scratch/output" 2>&1 &
	running=$!
	runs_until [ -s "$scratch/hanging" ]
	hanging=$(<"$scratch/hanging")
}

hang="echo \$\$ >$scratch/hanging.new; mv $scratch/hanging.new $scratch/hanging; exec sleep 300"

# ends_with <status> <signal>
ends_with() {
	local status=0
	kill "-$2" "$running"
	wait "$running" || status=$?
	[ "$status" = "$1" ]
}

not_judged() {
	grep -qx $'fail\tboot\twas not judged' "$there/results/check.tsv"
}

ends_what_it_runs() {
	local signal
	built
	sham qemu-system-aarch64 "$hang"
	for signal in TERM HUP; do
		hangs check a
		ends_with 130 $signal
		not kill -0 "$hanging" 2>/dev/null
		[ -z "$(ls -d "$there"/boot.* 2>/dev/null)" ]
		not_judged
	done
}

# What a run that is killed leaves behind still uses build/, which the next waits for.
killed() {
	built
	sham qemu-system-aarch64 "$hang"
	hangs check a
	ends_with 137 KILL 2>/dev/null
	not_judged
	not flock -n "$there/.results.lock" true
	kill "$hanging"
	sham qemu-system-aarch64 "cat $scratch/log"
	check_ends 0 "2 passed, 0 failed, 0 skipped"
}

# One that waits for another ends when told to, and leaves the other's results.
ends_while_waiting() {
	local status=0
	built
	mkdir -p "$there/results"
	touch "$there/results/other.tsv"
	exec 8>"$there/.results.lock"
	flock 8
	: >"$scratch/output"
	# What a shell runs in the background ignores this signal otherwise.
	env --default-signal=INT "$top/scripts/test/kvmtest" run >"$scratch/output" 2>&1 8>&- &
	running=$!
	runs_until grep -q 'waiting for another run' "$scratch/output"
	kill -INT "$running"
	for _ in {1..50}; do
		kill -0 "$running" 2>/dev/null || break
		sleep 0.1
	done
	exec 8>&-
	wait "$running" || status=$?
	[ "$status" = 130 ]
	[ -e "$there/results/other.tsv" ]
}

# The tests get the seed that is shown.
each_soak_has_a_seed() {
	local seed
	built
	sham qemu-system-aarch64 "echo \"\$*\" >>$scratch/arguments"
	not kvmtest soak
	seed=$(grep -oE 'seed [0-9]+' "$scratch/output" | cut -d' ' -f2)
	grep -qE " KSELFTEST_PTRAUTH_STRESS_ARGS=\"[0-9]+ $seed\" " "$scratch/arguments"
	grep -qE " KSELFTEST_PTRAUTH_FUZZ_ARGS=\"[0-9]+ $seed\" " "$scratch/arguments"
}

# A tree with a mutant to build, and a make that makes an image, but hangs if it is broken.
mutable() {
	built
	rm "$there/tree"
	small_tree
	mv "$scratch/tree" "$there/tree"
	mkdir -p "$there/tree/tools/testing"
	ln -sfn "$BUILD/tree/tools/testing/kunit" "$there/tree/tools/testing/kunit"
	mkdir -p "$there/rust/arch/arm64/boot" "$there/mutant-rust"
	touch "$there/rust/arch/arm64/boot/Image" "$there/mutant-rust/old" "$there/toolchain.env"
	cp "$TOP/scripts/test/boot-matrix.txt" "$top/scripts/test"
	file=arch/arm64/kvm/arm.c
	echo "a|sve-off|$file|1s/^/broken/" >"$top/tools/mutants.list"
	sham make "if grep -q ^broken $there/tree/$file; then $1; fi"
	sed -i "s/^@@ begin dmesg/@@ begin debugfs\nalgorithm: IMPDEF\nlevel: PAuth\n@@ end debugfs 0\n&/
		s/^@@ end dmesg/[ 0.1] kvm: ptrauth: address+generic (IMPDEF), key switch in Rust\n\
[ 0.2] KTAP version 1\n[ 0.2] 1..1\n[ 0.2] ok 1 a\n&/" "$scratch/log"
}

intact() { cmp -s "$there/tree/$file" "$originals/$file"; }

mutants_are_told_apart() {
	mutable :
	not kvmtest mutants
	grep -q 'SURVIVED a  *by nothing  (' "$scratch/output"
	[ "$(tail -n 1 "$scratch/output")" = "0 killed, 1 survived" ]
	intact
	[ ! -e "$there/mutant-rust/old" ]
	sham qemu-system-aarch64 "case \"\$*\" in *mutants/a/*) sed 's/^ok 1/not &/' $scratch/log ;;
		*) cat $scratch/log ;; esac"
	kvmtest mutants a
	grep -q 'killed   a  *by kvm:a  (' "$scratch/output"
	[ "$(cat "$there/mutants/killers.tsv")" = $'a\tkselftest\tkvm:a' ]
	[ "$(tail -n 1 "$scratch/output")" = "1 killed, 0 survived" ]
	# What the tests find without a defect, none can be blamed for.
	sham qemu-system-aarch64 "sed 's/^ok 1/not &/' $scratch/log"
	not kvmtest mutants
	grep -q 'without any defect there is something to find' "$scratch/output"
	sham make false
	not kvmtest mutants
	grep -q 'the kernel does not build without a defect' "$scratch/output"
	sed -i 's/|sve-off|/|nowhere|/' "$top/tools/mutants.list"
	fails_saying 'mutant a: no system nowhere' "$top/scripts/test/kvmtest" mutants
}

# fates <last line>: of the mutants that cargo-mutants makes, which here is one.
fates() {
	FROM=cargo-mutants kvmtest mutants || true
	[ "$(tail -n 1 "$scratch/output")" = "$1" ] || {
		cat "$scratch/output" >&2
		return 1
	}
}

generated_mutants() {
	local source=rust/kernel/preempt.rs
	mutable :
	sed -i -E '/^(sve-off|nested|load)\|/!d' "$top/scripts/test/boot-matrix.txt"
	mkdir -p "$there/tree/rust/kernel"
	cp "$top/$source" "$there/tree/$source"
	cat >"$scratch/listing" <<-END
		[{"file": "$source", "name": "$source:1:1: replace a with b", "replacement": "broken",
		  "span": {"start": {"line": 1, "column": 1}, "end": {"line": 1, "column": 3}}}]
	END
	# Like the script, it needs the lock of the builds.
	# shellcheck disable=SC2016 # for the script
	printf '#!/bin/sh\nflock -n %q true || exit\n[ "$2" = true ] || cat %q\n' "$there/.lock" \
		"$scratch/listing" >"$top/scripts/build/with"
	: >"$top/tools/mutants.excused"
	fates "0 killed, 0 unbuilt, 0 equivalent, 1 SURVIVED, 0 excused for nothing"
	printf '%s\treplace a with b\t%s\tno reason\n' "$source" "$(head -n 1 "$top/$source")" \
		>"$top/tools/mutants.excused"
	fates "0 killed, 0 unbuilt, 1 equivalent, 0 SURVIVED, 0 excused for nothing"
	grep -q '1 mutants, 1 hunted before' "$scratch/output"
	# A change of what is tested makes it new.
	echo >>"$top/rust/kernel/arm64.rs"
	sham qemu-system-aarch64 "case \"\$*\" in *mutants/generated-*) ;; *) cat $scratch/log ;; esac"
	fates "1 killed, 0 unbuilt, 0 equivalent, 0 SURVIVED, 1 excused for nothing"
	cmp "$top/$source" "$there/tree/$source"
}

mutant_is_taken_back() {
	mutable "$hang"
	hangs mutants
	not intact
	ends_with 130 TERM
	intact
	hangs mutants
	ends_with 137 KILL 2>/dev/null
	not intact
	kill "$hanging"
	sham make 'exit 1'
	not kvmtest mutants
	intact
}

# on_both <outcome on c> <outcome on rust>: what becomes of these.
on_both() {
	(cd "$TOP/scripts/test" && python3 -B -c '
import sys
from runner.report import Verdict, compare
c, rust = ([Verdict(*each.split(":"))] if each else [] for each in sys.argv[1:])
print(*("\t".join(verdict) for verdict in compare(c, rust)), sep="\n")' "$@")
}

comparisons() {
	[ "$(on_both pass:kselftest:a pass:kselftest:a)" = $'pass\tkselftest\ta' ]
	[ "$(on_both fail:kselftest:a pass:kselftest:a)" = $'pass\tkselftest\ta' ]
	[ "$(on_both pass:kselftest:a fail:kselftest:a)" = \
		$'fail\tkselftest\ta (on c: pass, on rust: fail)' ]
	[ "$(on_both pass:kselftest:a skip:kselftest:a)" = \
		$'fail\tkselftest\ta (on c: pass, on rust: skip)' ]
	[ "$(on_both pass:kselftest:a '')" = $'fail\tkselftest\ta (on c: pass, on rust: none)' ]
	[ "$(on_both fail:kselftest:a fail:kselftest:a)" = \
		$'skip\tkselftest\ta (on c: fail, on rust: fail)' ]
	[ "$(on_both 'fail:boot:did not finish' '')" = $'fail\tboot\tdid not finish' ]
	[ "$(on_both '' 'fail:kselftest:did not end')" = $'fail\tkselftest\tdid not end' ]
}

# sequences_of <log on c> <log on rust>: where these differ, with a line after each ";".
sequences_of() {
	(cd "$TOP/scripts/test" && python3 -B -c '
import sys
from runner.sequence import difference
print(difference(*(each.split(";") for each in sys.argv[1:])))' "$@")
}

calls_are_named() {
	[ "$(sequences_of 'call 1: a;call 2: b' 'call 1: a;call 2: b')" = "not when made again" ]
	[ "$(sequences_of 'call 1: a;call 2: b' 'call 1: a;call 2: c')" = \
		"call 2: b; on c: call 2: b; on rust: call 2: c" ]
	[ "$(sequences_of 'call 1: a;  x' 'call 1: a;  y;call 2: b')" = \
		"call 1: a; on c: x; on rust: y" ]
	[ "$(sequences_of 'call 1: a' 'call 1: a;call 2: b')" = \
		"call 1: a; on c: nothing; on rust: call 2: b" ]
}

check status_and_count "kvmtest counts, and fails unless all passed"
check no_qemu "kvmtest tells of a QEMU that does not start"
check ends_what_it_runs "what kvmtest runs ends with it"
check killed "a kvmtest that is killed leaves a failure and a lock"
check ends_while_waiting "a kvmtest that waits for another can be ended"
check each_soak_has_a_seed "each round of 'make soak' has a seed of its own"
check mutants_are_told_apart "mutants are killed or survive"
check generated_mutants "mutants that a tool makes are kept account of"
check mutant_is_taken_back "a mutant does not stay in the tree"
check comparisons "a test that passes on C alone fails"
check calls_are_named "the first call that ends differently is named"
