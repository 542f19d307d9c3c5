# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Reads series/manifest, which says what each patch of the series brings. To be
# sourced after overlay.sh.

MANIFEST=$TOP/series/manifest

# The patches, in order.
patches() {
	sed -n 's/^\[\(.*\)\]$/\1/p' "$MANIFEST"
}

# files_of <patch>: the overlay's files that begin with it.
files_of() {
	awk -v patch="[$1]" '
		/^\[/ { here = $0 == patch; next }
		here && NF && !/^#/ && !/^ignore / { print }
	' "$MANIFEST"
}

# increments_of <patch>: the files of the kernel that began earlier and that it goes
# on with.
increments_of() {
	(cd "$TOP/series/$1" && find . -name '*.patch' | sed 's|^\./||; s|\.patch$||' | LC_ALL=C sort)
}

# ignored_by <patch>: the messages of checkpatch that do not count for it.
ignored_by() {
	awk -v patch="[$1]" '
		BEGIN { here = 1 }
		/^\[/ { here = $0 == patch; next }
		here && /^ignore [A-Z_]*: ./ { sub(":", "", $2); print $2 }
	' "$MANIFEST" | paste -sd,
}

# Each file of the overlay has to be in one patch, and each patch has to have a message.
check_manifest() {
	local patch wrong
	wrong=$(
		for patch in $(patches); do
			[ -s "$TOP/series/$patch/message" ] || echo "series/$patch/message is missing"
		done
		patches | sort | uniq -d | sed 's/$/: there are two patches of this name/'
		for patch in $(patches); do files_of "$patch"; done | LC_ALL=C sort >"$1"
		uniq -d "$1" | sed 's/$/ is listed twice/'
		overlay_files | comm -23 - <(uniq "$1") | sed 's/$/ is in no patch/'
		overlay_files | comm -13 - <(uniq "$1") | sed 's/$/ is listed, and the overlay has no such file/'
	)
	[ -z "$wrong" ] || die "series/manifest does not match the overlay" "$wrong" \
		"Its first lines say how it is written."
}
