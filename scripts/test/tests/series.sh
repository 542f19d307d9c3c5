# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by test-scripts
#
# What makes a series, or does not, and what becomes of edits.

series() { "$top/scripts/series/series" "$@"; }

# A copy of the project with an unpacked tree of its own, as small as it can be, and the
# commits of the series in $repo.
series_project() {
	local dir=${BUILD/#$TOP/$top}
	tree=$dir/linux repo=$dir/series.git
	export SOURCE_DATE_EPOCH=1000000000
	if [ ! -d "$scratch/project" ]; then
		small_tree
		copy_of_ours
		cp "$TOP/README.md" "$top"
		mkdir -p "$dir"
		mv "$scratch/tree" "$tree"
		ln -s linux "$dir/tree"
		"$top/scripts/tree/apply" "$tree" "$dir/state/linux" >/dev/null
		series make >/dev/null
		mv "$top" "$scratch/project"
	fi
	rm -rf "$top"
	cp -a "$scratch/project" "$top"
}

in_repo() { git -C "$repo" "$@"; }

# commit <subject> <path>...: these files, with a line more each, in a commit of $repo.
commit() {
	local subject=$1 file
	shift
	for file; do echo "$subject" >>"$repo/$file"; done
	in_repo add -- "$@"
	in_repo commit -qm "$subject"
}

# rebase <sed script for the list of commits> <base>
rebase() {
	GIT_SEQUENCE_EDITOR="sed -i '$1'" in_repo rebase -qi "$2" 2>/dev/null
}

# lacks <regular expression> <file>...: not one of them has it.
lacks() { ! grep -q "$@"; }

# The project's own files.
ours() {
	(cd "$top" && find . -path "./build" -prune -o -type f -exec sha256sum {} + | sort)
}

# The patches apply one by one, none of them without a change, and make of the base what
# is in the unpacked tree, which is what the overlay makes of it.
whole() {
	local file
	series make >/dev/null
	rm -rf "$scratch/am"
	git clone -q -n "$repo" "$scratch/am"
	git -C "$scratch/am" checkout -q base
	git -C "$scratch/am" -c user.name=a -c user.email=a@b am -q "${repo%.git}"/*[0-9]-[!c]*.patch
	[ -z "$(git -C "$scratch/am" diff HEAD origin/series)" ]
	while read -r file; do
		cmp "$scratch/am/$file" "$tree/$file" >&2
	done < <(git -C "$scratch/am" diff --name-only base HEAD)
}

# subjects <n>: those of the last n patches.
subjects() {
	sed -n 's/^Subject: \[PATCH.*\] //p' "${repo%.git}"/*.patch | tail -n "$1" | paste -sd ' '
}

each_file_once() {
	local last
	git_tree
	last=$(tail -n 1 "$top/series/order").patch
	sed -i 's|^---$|&\nrust/kernel/absent.rs\narch/arm64/kvm/Makefile|' "$top/series/$last"
	mkdir -p "$top/rust/kernel"
	echo '// new' >"$top/rust/kernel/new.rs"
	refused 'rust/kernel/new.rs is in no patch'
	grep -q 'arch/arm64/kvm/Makefile is listed twice' "$scratch/output"
	grep -q 'rust/kernel/absent.rs is listed, and the overlay has no such file' "$scratch/output"
}

twice_the_same() {
	local out=${BUILD/#$TOP/$top}/series
	git_tree
	series make "$scratch/tree" >/dev/null
	mv "$out" "$scratch/first"
	sleep 1
	series make "$scratch/tree" >/dev/null
	diff -rq "$scratch/first" "$out" >&2
	grep -qx "base-commit: $(in_tree rev-parse HEAD)" "$out"/0000*
	lacks '^Signed-off-by' "$out"/*
}

signed_off() {
	series_project
	lacks '^Signed-off-by' "${repo%.git}"/*
	grep -q '^base: Linux' "${repo%.git}"/0000*
	printf '[user]\nname = A U Thor\nemail = author@example.com\n' >"$scratch/gitconfig"
	export GIT_CONFIG_GLOBAL=$scratch/gitconfig
	SIGNOFF=1 series make >/dev/null
	[ "$(grep -lx 'Signed-off-by: A U Thor <author@example.com>' "${repo%.git}"/* | wc -l)" = \
		"$(series list | wc -l)" ]
	lacks '^From: A U Thor' "${repo%.git}"/0001*
	git config --global format.signOff true
	series make >/dev/null
	grep -q '^Signed-off-by: A U Thor' "${repo%.git}"/0001*
}

# Files do not depend on each other, so that one run does for all of them.
one_line_in_each_file() {
	local file lines part before
	series_project
	while read -r file; do
		lines=$(wc -l <"$tree/$file")
		for part in 1 2 3; do
			sed -i "$((1 + lines * part / 4))s/\$/ edit $part/" "$tree/$file"
		done
	done < <(overlay_files | sed 's/\.patch$//')
	series refresh >/dev/null
	whole
	[ "$(cat "$top"/series/*.patch | grep -c '^+.* edit [123]$')" -gt 0 ]
	before=$(ours)
	series refresh >/dev/null
	[ "$(ours)" = "$before" ]
}

# A line that a later patch adds is changed there, and nowhere else.
edit_of_an_increment() {
	local file=Documentation/virt/kvm/arm/test.rst
	series_project
	commit one "$file"
	commit two "$file"
	commit three "$file"
	series refresh >/dev/null
	sed -i 's/two/second/' "$top/$file"
	fails_saying "series/three.patch is no part of $file" series make
	series refresh >/dev/null
	whole
	grep -qx +second "$top/series/two.patch"
	lacks +second "$top/series/three.patch"
	[ "$(<"$tree/$file")" = $'one\nsecond\nthree' ]
}

rebased() {
	local a=arch/arm64/kvm/a.c b=arch/arm64/kvm/b.c c=arch/arm64/kvm/c.c before
	series_project
	before=$(ours)
	commit 'KVM: A' $a
	commit 'KVM: B' $b $c
	commit 'KVM: C' $c arch/arm64/kvm/pmu.c
	[ ! -e "$top/$a" ]
	series refresh >/dev/null
	whole
	[ "$(subjects 3)" = 'KVM: A KVM: B KVM: C' ]
	[ -f "$top/arch/arm64/kvm/pmu.c" ] && [ "$(<"$tree/$a")" = 'KVM: A' ]

	# B goes before A and is divided, A is reworded, C is mended.
	commit 'fixup! KVM: C' $c
	in_repo config core.editor "sed -i '1s/KVM: A/KVM: First/'"
	rebase '1{h;d};2s/^pick/edit/;2G;2s/\npick/\nreword/;4s/^pick/fixup/' HEAD~4
	in_repo reset -q HEAD^
	in_repo add $b && in_repo commit -qm 'KVM: B1'
	in_repo add $c && in_repo commit -qm 'KVM: B2'
	fails_saying 'is in the middle of a rebase' series refresh
	in_repo rebase --continue >"$scratch/output" 2>&1 || cat "$scratch/output" >&2
	series refresh >/dev/null
	whole
	[ "$(subjects 4)" = 'KVM: B1 KVM: B2 KVM: First KVM: C' ]
	[ "$(tail -n 4 "$top/series/order" | paste -sd ' ')" = 'b1 b2 a c' ]
	[ "$(wc -l <"$top/$c")" = 3 ]

	# What is dropped goes with its files. All of it is as it was before.
	in_repo reset -q --hard HEAD~4
	series refresh >/dev/null
	whole
	[ "$(ours)" = "$before" ]
}

# refuses <text>: series refresh does, and changes nothing.
refuses() {
	local before
	before=$(ours && in_repo rev-parse HEAD)
	fails_saying "$1" series refresh
	[ "$(ours && in_repo rev-parse HEAD)" = "$before" ]
}

edits_refused() {
	series_project
	echo >>"$repo/MAINTAINERS"
	refuses 'has changes that are not committed'
	in_repo commit -qam more
	fails_saying 'has been edited' series make
	echo '// more' >>"$tree/arch/arm64/kvm/arm.c"
	refuses 'was edited in the overlay or'
	in_repo reset -q --hard made
	echo '// more' >>"$top/arch/arm64/kvm/arm.c.patch"
	refuses 'were both edited'
	cp "$TOP/arch/arm64/kvm/arm.c.patch" "$top/arch/arm64/kvm/arm.c.patch"
	echo '// new' >"$top/rust/kernel/new.rs"
	refuses 'these files are in no patch:'
	series refresh new >/dev/null
	whole
	[ "$(subjects 1)" = new ]
}

readme_has_the_patches() {
	diff <(sed -n '/^<!-- patches/,/^<!-- end of patches/{/^<!--/!p}' "$TOP/README.md") \
		<("$TOP/scripts/series/series" table) >&2
}

check each_file_once "each file of the overlay has to be in one patch"
check twice_the_same "making the series twice gives the same"
check signed_off "patches are signed off only by those who ask for it"
check one_line_in_each_file "the series is whole after an edit in each file"
check edit_of_an_increment "an edit of what a later patch adds goes there"
check rebased "commits can be added, reordered, divided, reworded, mended and dropped"
check edits_refused "edits in two places are refused"
check readme_has_the_patches "the README has the patches"
