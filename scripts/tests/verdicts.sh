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
	printf '@@ begin dmesg\n[1.0] WARNING: CPU: 0 PID: 1 at x\n@@ end dmesg 0\n' >"$scratch/log"
	"$TOP/scripts/verdicts" "$BUILD/tree" "$scratch/log" splats 2>/dev/null | grep -q '^fail'
}

check verdicts_need_results "a log without results is a failure"
