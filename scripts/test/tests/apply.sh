# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by test-scripts
#
# What scripts/tree/apply and scripts/tree/apply-check make of trees that the overlay fits, and
# that it does not.

apply() { "$TOP/scripts/tree/apply" "$scratch/tree"; }

# A file that the overlay brings.
new=arch/arm64/kvm/ptrauth/kvm_ptrauth.rs

apply_twice() {
	local before
	small_tree
	apply >/dev/null
	cmp -s "$scratch/tree/arch/arm64/kvm/arm.c" "$BUILD/tree/arch/arm64/kvm/arm.c"
	before=$(content)
	apply | grep -q '^overlay: 0 files changed'
	[ "$(content)" = "$before" ]
}

# The last of the patches does not fit: nothing may come of the others either.
apply_is_atomic() {
	local before
	small_tree
	sed -i 's/psci_test/psci_tests/' "$scratch/tree/tools/testing/selftests/kvm/Makefile.kvm"
	before=$(content)
	fails_saying 'Makefile.kvm.patch' apply
	fails_saying 'Hunk #1 FAILED' apply
	[ "$(content)" = "$before" ]
}

apply_misses_a_file() {
	local before
	small_tree
	rm "$scratch/tree/arch/arm64/kvm/Makefile"
	before=$(content)
	fails_saying 'the tree has no arch/arm64/kvm/Makefile' apply
	[ "$(content)" = "$before" ]
}

# The tree of an overlay that loses a new file and a patch later on.
apply_takes_back() {
	small_tree
	copy_of_ours
	"$top/scripts/tree/apply" "$scratch/tree" "$scratch/state" >/dev/null
	[ -f "$scratch/tree/$new" ]
	rm "$top/$new" "$top/arch/arm64/kvm/arm.c.patch"
	"$top/scripts/tree/apply" "$scratch/tree" "$scratch/state" >/dev/null
	[ ! -e "$scratch/tree/$new" ]
	cmp -s "$scratch/tree/arch/arm64/kvm/arm.c" "$originals/arch/arm64/kvm/arm.c"
	! cmp -s "$scratch/tree/rust/kernel/lib.rs" "$originals/rust/kernel/lib.rs"
}

# patch looks for the place of a hunk near the line that the hunk names.
hunks_fit_one_place() {
	local file lines more
	for lines in 3 30 300; do
		small_tree
		more=$(printf '//%.0s\n' $(seq $lines))
		(cd "$originals" && find . -type f) >"$scratch/files"
		while read -r file; do
			printf '%s\n' "$more" | cat - "$originals/$file" >"$scratch/tree/$file"
		done <"$scratch/files"
		apply >/dev/null
		while read -r file; do
			printf '%s\n' "$more" | cat - "$BUILD/tree/$file" | cmp - "$scratch/tree/$file" >&2
		done <"$scratch/files"
	done
}

# All of a file is there twice.
hunks_fit_two_places() {
	local before file=arch/arm64/kvm/arm.c
	small_tree
	cat "$originals/$file" "$originals/$file" >"$scratch/tree/$file"
	before=$(content)
	fails_saying "$file.patch: hunk 1 fits more than one place" apply
	[ "$(content)" = "$before" ]
}

# Whatever it is, it is not ours to replace.
file_of_the_users() {
	local before
	small_tree
	mkdir -p "$scratch/tree/$(dirname $new)"
	echo mine >"$scratch/tree/$new"
	before=$(content)
	fails_saying "$new: the tree has another file of this name" apply
	[ "$(content)" = "$before" ]
	told "$new  *is there, and is another file\$"
}

no_kernel_tree() {
	mkdir -p "$scratch/empty"
	fails_saying 'is no Linux source tree' env KDIR="$scratch/empty" "$TOP/scripts/tree/base"
	fails_saying 'is no Linux source tree' env KDIR="$scratch/absent" "$TOP/scripts/tree/base"
	fails_saying 'is no Linux source tree' "$TOP/scripts/tree/apply" "$scratch/empty"
}

another_series() {
	small_tree
	sed -i 's/^PATCHLEVEL = .*/PATCHLEVEL = 1/' "$scratch/tree/Makefile"
	fails_saying "Wanted is Linux $BASE" env KDIR="$scratch/tree" "$TOP/scripts/tree/base"
}

# told <text>: apply-check says so, and does nothing.
told() {
	local before
	before=$(content)
	"$TOP/scripts/tree/apply-check" "$scratch/tree" >"$scratch/output" 2>&1 || true
	[ "$(content)" = "$before" ]
	grep -q -- "$1" "$scratch/output"
}

fit_is_told() {
	local header=arch/arm64/include/asm/kvm_ptrauth.h
	small_tree
	told "$header  *fits\$"
	told "$new  *is new\$"
	sed -i '1i //' "$scratch/tree/$header"
	told "$header  *fits, with \([0-9]*\) of \1 hunks at other lines\$"
	sed -i 's/psci_test/psci_tests/' "$scratch/tree/tools/testing/selftests/kvm/Makefile.kvm"
	rm "$scratch/tree/arch/arm64/kvm/Makefile"
	fails_saying 'see 2 of the files above' "$TOP/scripts/tree/apply-check" "$scratch/tree"
	told 'arch/arm64/kvm/Makefile  *is not in the tree$'
	told 'Makefile.kvm  *does not fit: of 2 hunks, number 1 (line [0-9]*)$'
}

check apply_twice "applying twice changes nothing"
check apply_is_atomic "a patch that does not fit is named and leaves the tree as it was"
check apply_misses_a_file "a missing file is named and leaves the tree as it was"
check file_of_the_users "a file in the way is named and leaves the tree as it was"
check apply_takes_back "what leaves the overlay leaves the tree"
check hunks_fit_one_place "hunks find their place in files that have grown"
check hunks_fit_two_places "a hunk that fits two places is refused"
check no_kernel_tree "a folder that is no kernel tree is refused"
check another_series "a tree of another series is refused"
check fit_is_told "apply-check tells what fits and changes nothing"
