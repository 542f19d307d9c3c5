# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by test-scripts
#
# What ptrauth_switch_check.sh lets pass and what not, with the objdump of LLVM and of GNU.

# The word before a function that CFI puts there; here one that is a PACIASP, too.
HASH=0xd503233f

# switch_object <what is before f> <f> <what is between f and g> <g>
switch_object() {
	cat >"$scratch/switch.S" <<-END
		.section .noinstr.text, "ax"
		.globl f, g
		$1
		f:
		$2
		$3
		g:
		$4
	END
	"clang$LLVM" --target=aarch64-linux-gnu -march=armv8.3-a -c \
		-o "$scratch/switch.o" "$scratch/switch.S"
}

# Each objdump's output of the check, which is nothing if it has nothing to say.
switch_check() {
	local objdump
	for objdump in "llvm-objdump$LLVM" aarch64-linux-gnu-objdump; do
		sh "$TOP/arch/arm64/kvm/hyp/vhe/ptrauth_switch_check.sh" "$objdump" \
			"$scratch/switch.o" f g 2>&1 || echo refused
	done
}

switch_passes() {
	. "$BUILD/toolchain.env"
	switch_object "" "msr apiakeylo_el1, x9; cbz x0, 1f; nop; 1: ret" "" "isb; ret"
	[ -z "$(switch_check)" ]
	switch_object ".word $HASH" ret "nop; .inst $HASH" ret
	[ -z "$(switch_check)" ]
}

# switch_refused <text> <parts of switch_object>...: by both, for that reason.
switch_refused() {
	local text=$1
	shift
	switch_object "$@"
	switch_check >"$scratch/output"
	if [ "$(grep -c "$text" "$scratch/output")" -lt 2 ] ||
		[ "$(grep -cx refused "$scratch/output")" != 2 ]; then
		echo "not refused for \"$text\": $*" >&2
		cat "$scratch/output" >&2
		return 1
	fi
}

switch_is_refused() {
	. "$BUILD/toolchain.env"
	switch_refused 'g: pointer authentication' "" ret "" "paciasp; ret"
	switch_refused 'g: pointer authentication' "" ret "" "retaa"
	switch_refused 'f: call' "" "blr x3; ret" "" ret
	switch_refused 'f: stack' "" "str x1, [sp]; ret" "" ret
	switch_refused 'f: x18' "" "mov x18, x1; ret" "" ret
	switch_refused 'f: SP_EL0' "" "mrs x1, sp_el0; ret" "" ret
	switch_refused 'f: trap' "" "brk #1" "" ret
	switch_refused 'f: refers to elsewhere' "" "b elsewhere" "" ret
	# What is no hash: it can be reached, there is another, or no function follows.
	switch_refused 'f: pointer authentication' "" "mov x0, x1" ".inst $HASH" ret
	switch_refused 'f: jump to what is no instruction' "" "b 2f" "ret; 2: .inst $HASH" ret
	switch_refused 'f: jump to what is no instruction' "" "cbz x0, 2f; ret" \
		"2: nop; .inst $HASH" ret
	switch_refused 'f: pointer authentication' "" ret ".inst $HASH; .inst $HASH" ret
	switch_refused 'g: pointer authentication' "" ret "" "ret; .inst $HASH"
	switch_refused 'f: data' "" ".word $HASH; ret" "" ret
}

check switch_passes "the check of the key switch lets pass what keeps its rules"
check switch_is_refused "the check of the key switch refuses what breaks one"
