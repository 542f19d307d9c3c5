# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Finds the source of Rust's own library, which has to be that of the very compiler:
# what $RUST_LIB_SRC says, what belongs to the toolchain, or Debian's rust-src, fetched
# to the cache. To be sourced after lib.sh and apt.sh.

# What version the library source at $1 is of, if that can be told.
rust_src_version() {
	grep -hso '^[0-9.]*' "$1/../version" ||
		realpath "$1" | sed -n 's|.*/rustc-\([0-9.]*\)[^/]*/library$|\1|p'
}

# get_rust_src <version of rustc>
get_rust_src() {
	local state package=
	for state in source host; do
		[ -n "$package" ] || {
			apt_state $state
			package=$(apt_newest_version rust-src "$1" ||
				apt_newest_version rust-web-src "$1" || true)
		}
	done
	[ -n "$package" ] || die "found no library source for rustc $1" \
		"Needed is Debian's rust-src of that version; $(apt_suites) have:" \
		"$(apt_versions rust-src)" \
		"'rustup component add rust-src' adds it to a toolchain of rustup."
	rm -rf "$rust_src.new"
	mkdir -p "$rust_src.new"
	apt_download "$package" "$rust_src.new"
	dpkg-deb -x "$rust_src.new"/*.deb "$rust_src.new/deb"
	mv "$rust_src.new/deb/usr/src/rustc-$1/library" "$rust_src"
	rm -rf "$rust_src.new"
}

# find_rust_src <version of rustc>: sets $rust_src.
find_rust_src() {
	local found
	rust_src=${RUST_LIB_SRC:-$(rustc --print sysroot)/lib/rustlib/src/rust/library}
	if [ -z "${RUST_LIB_SRC:-}" ] && [ ! -f "$rust_src/core/src/lib.rs" ]; then
		rust_src=$(cached "rust-src-$1")
		[ -f "$rust_src/core/src/lib.rs" ] ||
			stage "library source of rustc $1" rust-src get_rust_src "$1"
	fi
	[ -f "$rust_src/core/src/lib.rs" ] || die "RUST_LIB_SRC=$rust_src has no core/src/lib.rs" \
		"Needed is the library source of rustc $1; unset RUST_LIB_SRC to have it fetched."
	found=$(rust_src_version "$rust_src")
	[ "${found:-$1}" = "$1" ] || die "RUST_LIB_SRC=$rust_src is of rustc $found" \
		"Needed is that of rustc $1; unset RUST_LIB_SRC to have it fetched."
}
