# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which files make up the overlay, and where in a kernel tree each belongs. To be
# sourced after lib.sh.

OVERLAY_DIRS=(arch include lib rust Documentation tools/testing)
OVERLAY_FILES=(MAINTAINERS.patch)

# The overlay's files, relative to the top.
overlay_files() {
	(cd "$TOP" && find "${OVERLAY_DIRS[@]}" "${OVERLAY_FILES[@]}" -type f \
		\( ! -name '.*' -o -name .kunitconfig \) ! -name '*~' ! -name '*.orig' ! -name '*.rej' \
		2>/dev/null | LC_ALL=C sort)
}

# overlay_target <overlay file>: the kernel's file that it makes or changes.
overlay_target() { echo "${1%.patch}"; }

# Where 'make mutants' keeps the file of the tree that it has broken, as it was.
MUTANT_SAVED=$BUILD/mutant.saved

# Mends what an interrupted run has left broken.
restore_mutant() {
	local file
	if [ -f "$MUTANT_SAVED/name" ]; then
		file=$BUILD/tree/$(<"$MUTANT_SAVED/name")
		cp -p "$MUTANT_SAVED/file" "$file"
		# Older than what was built from the defect, it has to be built again.
		touch "$file"
	fi
	# Without a name there is nothing to restore, if this is interrupted.
	rm -rf "$MUTANT_SAVED/name" "$MUTANT_SAVED"
}

check_kernel_tree() {
	if [ ! -f "$1/Makefile" ] || [ ! -f "$1/arch/arm64/kvm/arm.c" ]; then
		die "$1 is no Linux source tree: it has no arch/arm64/kvm/arm.c" \
			"KDIR= takes the top folder of a source tree of Linux $BASE."
	fi
}

# Reads the version from the Makefile itself, which works on any tree and without
# a compiler.
kernel_version() {
	awk '$1 == "VERSION" { v = $3 } $1 == "PATCHLEVEL" { p = $3 }
	     $1 == "SUBLEVEL" { s = $3 }
	     v != "" && p != "" && s != "" { print v "." p "." s; exit }' "$1/Makefile"
}
