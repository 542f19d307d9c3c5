# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The plugin that counts inside QEMU. To be sourced after lib.sh. To build it
# needs toolchain.env, too.

PLUGIN=$BUILD/bench/target/release/libcounter.so

build_plugin() {
	CARGO_TARGET_DIR=$BUILD/bench/target cargo build --release --locked "$@" \
		--manifest-path "$TOP/tools/bench/Cargo.toml"
}

# Why QEMU does not load it: nothing if it does. A machine without anything would run on.
plugin_refused() {
	timeout 5 qemu-system-aarch64 -machine none -display none -monitor none -serial none \
		-plugin "$PLUGIN,out=/dev/null,path=0-0" </dev/null 2>&1 |
		sed -n "s|.*Could not load plugin $PLUGIN: ||p" || true
}
