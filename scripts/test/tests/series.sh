# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by test-scripts
#
# What makes a series, or does not.

manifest_has_each_file_once() {
	git_tree
	sed -i '\|^rust/kernel/kvm/vcpu.rs$|d; s|^rust/kernel/kvm/keys.rs$|&\n&|; s|^rust/kernel/kvm.rs$|&\nrust/kernel/absent.rs|' \
		"$top/series/manifest"
	refused 'rust/kernel/kvm/vcpu.rs is in no patch'
	grep -q 'rust/kernel/kvm/keys.rs is listed twice' "$scratch/output"
	grep -q 'rust/kernel/absent.rs is listed, and the overlay has no such file' "$scratch/output"
}

# What a later patch adds has to be in the file.
increment_of_something_else() {
	git_tree
	sed -i 's/^+mod traps;/+mod snares;/' "$top/series/traps/arch/arm64/kvm/ptrauth/kvm_ptrauth.rs.patch"
	refused 'series/traps/arch/arm64/kvm/ptrauth/kvm_ptrauth.rs.patch is no part of'
}

twice_the_same() {
	local series=${BUILD/#$TOP/$top}/series
	git_tree
	"$top/scripts/series/series" "$scratch/tree" >/dev/null
	mv "$series" "$scratch/first"
	sleep 1
	"$top/scripts/series/series" "$scratch/tree" >/dev/null
	diff -rq "$scratch/first" "$series" >&2
}

check manifest_has_each_file_once "each file of the overlay has to be in one patch"
check increment_of_something_else "what a patch adds has to be in the file"
check twice_the_same "making the series twice gives the same"
