# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # set by test-scripts
#
# What scripts/build/setup and those who build do with tools that are missing or too old.

unknown_variant() {
	fails_saying 'VARIANT=d is not known' "$TOP/scripts/build/kernel" d
}

menuconfig_off_terminal() {
	fails_saying 'menuconfig needs a terminal' "$TOP/scripts/build/kernel" rust menuconfig </dev/null
}

# A library source whose version says that it is of another compiler.
wrong_rust_src() {
	mkdir -p "$scratch/rustc-1.0.0/library/core/src"
	touch "$scratch/rustc-1.0.0/library/core/src/lib.rs"
	fails_saying 'is of rustc 1.0.0' \
		env RUST_LIB_SRC="$scratch/rustc-1.0.0/library" "$TOP/scripts/build/setup"
	fails_saying 'has no core/src/lib.rs' \
		env RUST_LIB_SRC="$scratch/empty" "$TOP/scripts/build/setup"
}

# fake <tool> <what it prints>: puts a tool of that name in front of PATH.
fake() {
	mkdir -p "$scratch/bin"
	printf '#!/bin/sh\necho "%s"\n' "$2" >"$scratch/bin/$1"
	chmod +x "$scratch/bin/$1"
}

old_rustc() {
	fake rustc 'rustc 1.63.0 (old)'
	fails_saying "rustc (1.85.0 or newer; $scratch/bin/rustc is 1.63.0)" \
		env PATH="$scratch/bin:$PATH" "$TOP/scripts/build/setup"
	rm "$scratch/bin/rustc"
}

# Off Debian nothing is installed, and the list is exact.
other_system() {
	fake qemu-system-aarch64 'QEMU emulator version 7.2.0'
	fails_saying "qemu-system-arm (10.0 or newer; $scratch/bin/qemu-system-aarch64 is 7.2.0)" \
		env OS_RELEASE=/dev/null PATH="$scratch/bin:$PATH" "$TOP/scripts/build/setup"
	rm "$scratch/bin/qemu-system-aarch64"
}

check unknown_variant "an unknown variant is refused"
check menuconfig_off_terminal "menuconfig without a terminal is refused"
check wrong_rust_src "a library source of another rustc is refused"
check old_rustc "an old rustc is refused"
check other_system "without apt the missing packages are listed"
