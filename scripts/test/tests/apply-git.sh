# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by test-scripts
#
# What becomes of a git tree that the series is put onto.

# The small tree as a git tree. Its commits have a name and a date.
git_tree() {
	small_tree
	copy_of_ours
	export SOURCE_DATE_EPOCH=1000000000
	in_tree init -q
	in_tree config user.name "A U Thor"
	in_tree config user.email author@example.com
	in_tree add -A
	in_tree commit -q -m base
}

in_tree() { git -C "$scratch/tree" "$@"; }

# state: the commit, and all files that are not git's own.
state() {
	in_tree rev-parse HEAD
	(cd "$scratch/tree" && find . -path ./.git -prune -o -type f -exec sha256sum {} + | sort)
}

# refused <text>: the tree is refused with these words, and stays as it is.
refused() {
	local before
	before=$(state)
	fails_saying "$1" "$top/scripts/tree/apply-git" "$scratch/tree"
	[ "$(state)" = "$before" ]
}

commits_on_a_git_tree() {
	local before
	git_tree
	cp "$TOP/Makefile" "$top"
	make -C "$top" apply KDIR="$scratch/tree" >/dev/null
	[ "$(in_tree log --oneline | wc -l)" = $(($("$TOP/scripts/series/series" list | wc -l) + 1)) ]
	[ "$(in_tree log -1 --format='author %an <%ae>')" = "$(grep ^author "$top/series/order")" ]
	[ "$(in_tree log -1 --format=%cn)" = "A U Thor" ]
	[ -z "$(in_tree log --grep=Signed-off-by)" ]
	[ -z "$(in_tree status --porcelain)" ]
	cmp -s "$scratch/tree/arch/arm64/kvm/arm.c" "$BUILD/tree/arch/arm64/kvm/arm.c"
	before=$(state)
	"$top/scripts/tree/apply-git" "$scratch/tree" | grep -q 'has all of it already'
	[ "$(state)" = "$before" ]
}

uncommitted_changes() {
	git_tree
	echo >>"$scratch/tree/arch/arm64/kvm/arm.c"
	refused 'has changes that are not committed'
}

half_an_am() {
	git_tree
	mkdir "$scratch/tree/.git/rebase-apply"
	refused 'is in the middle of a git am or rebase'
}

does_not_fit() {
	git_tree
	sed -i 's/psci_test/psci_tests/' "$scratch/tree/tools/testing/selftests/kvm/Makefile.kvm"
	in_tree commit -qam changed
	refused 'does not fit: of 2 hunks, number 1 (line '
}

# git am finds out when it is half through.
file_in_the_way() {
	git_tree
	mkdir -p "$scratch/tree/arch/arm64/kvm/ptrauth"
	echo mine >"$scratch/tree/arch/arm64/kvm/ptrauth/kvm_ptrauth.rs"
	refused 'git am did not take the patches'
	[ ! -d "$scratch/tree/.git/rebase-apply" ]
}

# Stopped in the middle, right after a commit. SIGINT would do, but what runs in the
# background may have been told to ignore that.
interrupted() {
	git_tree
	# shellcheck disable=SC2016 # for the hook
	printf '#!/bin/sh\nkill -TERM $(ps -o ppid= -p $PPID) $PPID\n' \
		>"$scratch/tree/.git/hooks/post-applypatch"
	chmod +x "$scratch/tree/.git/hooks/post-applypatch"
	# The shell's own word on it would look like trouble.
	refused '' 2> >(grep -vx Terminated >&2)
	[ ! -d "$scratch/tree/.git/rebase-apply" ]
}

a_part_of_it_is_there() {
	git_tree
	"$top/scripts/tree/apply-git" "$scratch/tree" >/dev/null
	in_tree reset -q --hard HEAD~2
	refused 'the tree has a part of the series already'
}

check commits_on_a_git_tree "a git tree gets a commit for each patch, once"
check uncommitted_changes "a git tree with changes is refused"
check half_an_am "a git tree in the middle of something is refused"
check does_not_fit "a git tree that does not fit stays as it was"
check file_in_the_way "a git tree with a file in the way stays as it was"
check interrupted "a git tree stays as it was when git am is interrupted"
check a_part_of_it_is_there "a git tree with a part of the series stays as it was"
