# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by test-scripts
#
# What scripts/verdicts makes of logs.

# A test must not be able to pass by printing nothing, nor by dying half-way.
verdicts_need_results() {
	printf '@@ begin kselftest\n@@ end kselftest 0\n@@ begin dmesg\n' >"$scratch/log"
	"$TOP/scripts/verdicts" "$BUILD/tree" "$scratch/log" kselftest kunit splats >"$scratch/output"
	[ "$(grep -c '^fail' "$scratch/output")" = 3 ] && ! grep -qv '^fail' "$scratch/output"
}

# What the kernel and its sanitizers say when something is wrong.
verdicts_know_splats() {
	local line
	for line in 'WARNING: CPU: 0 PID: 1 at x' 'BUG: KCSAN: data-race in x / y' \
		'UBSAN: shift-out-of-bounds in x.c:1:2' 'INFO: possible recursive locking detected' \
		'kmemleak: 1 new suspected memory leaks (see /sys/kernel/debug/kmemleak)'; do
		printf '@@ begin dmesg\n[1.0] %s\n@@ end dmesg 0\n' "$line" >"$scratch/log"
		"$TOP/scripts/verdicts" "$BUILD/tree" "$scratch/log" splats 2>/dev/null | grep -q '^fail'
	done
}

check verdicts_know_splats "a complaint of the kernel is a failure"
check verdicts_need_results "a log without results is a failure"
