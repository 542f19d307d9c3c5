# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by test-scripts
#
# What scripts/test/verdicts makes of logs.

# A test must not be able to pass by printing nothing, nor by dying half-way.
verdicts_need_results() {
	printf '@@ begin kselftest\n@@ end kselftest 0\n@@ begin dmesg\n' >"$scratch/log"
	"$TOP/scripts/test/verdicts" "$BUILD/tree" "$scratch/log" kselftest kunit splats >"$scratch/output"
	[ "$(grep -c '^fail' "$scratch/output")" = 3 ] && ! grep -qv '^fail' "$scratch/output"
}

# One that ends does not hide another that does not.
verdicts_need_each_end() {
	printf '@@ begin kselftest\nTAP version 13\n1..1\nok 1 a\n@@ end kselftest 0\n@@ begin kselftest\n' \
		>"$scratch/log"
	"$TOP/scripts/test/verdicts" "$BUILD/tree" "$scratch/log" kselftest | grep -q '^fail'
}

# What the kernel and its sanitizers say when something is wrong.
verdicts_know_splats() {
	local line
	for line in 'WARNING: CPU: 0 PID: 1 at x' 'BUG: KCSAN: data-race in x / y' \
		'UBSAN: shift-out-of-bounds in x.c:1:2' 'INFO: possible recursive locking detected' \
		'kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)'; do
		printf '@@ begin dmesg\n[0.0] Booting Linux\n[1.0] %s\n@@ end dmesg 0\n' "$line" >"$scratch/log"
		"$TOP/scripts/test/verdicts" "$BUILD/tree" "$scratch/log" splats 2>/dev/null | grep -q '^fail'
	done
}

check verdicts_know_splats "a complaint of the kernel is a failure"
check verdicts_need_each_end "each part of a log has to end"
check verdicts_need_results "a log without results is a failure"
