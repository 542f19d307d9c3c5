# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Compilers of other versions than the machine's own: Debian's packages, unpacked into the
# cache with all that they depend on, so that they run on any release and nothing is
# installed. To be sourced after lib.sh, cache.sh and apt.sh.

# Where versions are looked for, the oldest first.
TOOLCHAIN_RELEASES="trixie sid experimental"

# get_packages <folder> <release> <suite> <package>...: unpacks them and their dependencies.
# The folder's bin/ gets links to the caller's $tools.
get_packages() {
	local folder=$1 release=$2 suite=$3 deb file tool
	shift 3
	lock_cache
	[ ! -d "$folder" ] || return 0
	apt_state "$release"
	rm -rf "${APT_CONFIG%/*}"/cache/archives/*.deb
	apt-get -o APT::Status-Fd=4 -y --no-install-recommends --download-only -t "$suite" \
		install "$@" 4> >(apt_progress)
	show_end
	rm -rf "$folder.new"
	mkdir -p "$folder.new" "$folder.new/bin"
	for deb in "${APT_CONFIG%/*}"/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -C "$folder.new" --keep-directory-symlink -x \
			--no-wildcards-match-slash \
			--exclude='./usr/share/doc' --exclude='./usr/share/man' \
			--exclude='./usr/share/locale' --exclude='./usr/src/rustc-*/src' \
			--exclude='./usr/src/rustc-*/compiler'
	done
	rm -rf "${APT_CONFIG%/*}"/cache/archives/*.deb

	# They use the C library that came with them.
	find "$folder.new/usr" -type f \( -perm -100 -o -name '*.so*' \) |
		while read -r file; do
		if patchelf --print-interpreter "$file" >/dev/null 2>&1; then
			patchelf --set-interpreter "$folder/usr/lib64/ld-linux-x86-64.so.2" \
				--force-rpath --set-rpath "$folder/usr/lib/x86_64-linux-gnu" "$file"
		elif [ -n "$(patchelf --print-rpath "$file" 2>/dev/null)" ]; then
			patchelf --remove-rpath "$file"
		fi
	done
	for tool in "${tools[@]}"; do ln -s "../usr/bin/$tool" "$folder.new/bin/$tool"; done
	mv "$folder.new" "$folder"
}

# find_version <package> <version>: sets $release and $suite to where it is found, and $full
# to the whole version.
find_version() {
	for release in $TOOLCHAIN_RELEASES; do
		apt_state "$release" || continue
		read -r full suite < <(apt-cache madison "$1" | awk -v v="$2" '
			{ upstream = $3; sub("^[0-9]+:", "", upstream); sub("/.*", "", $6) }
			index(upstream, v) == 1 && substr(upstream, length(v) + 1, 1) ~ /^[.+~-]?$/ {
				print $3, $6
				exit
			}') && return
	done
	return 1
}

# get_rustc <folder> <version>
get_rustc() {
	local release suite full tools=(rustc rustdoc rustfmt clippy-driver)
	find_version rustc "$2" || die "no release of Debian has rustc $2" \
		"Looked at: $TOOLCHAIN_RELEASES."
	get_packages "$1" "$release" "$suite" \
		{rustc,libstd-rust-dev,rust-src,rust-clippy,rustfmt}="$full"
}

# get_qemu <folder> <version>
get_qemu() {
	local release suite full tools=(qemu-system-aarch64)
	find_version qemu-system-arm "$2" || die "no release of Debian has QEMU $2" \
		"Looked at: $TOOLCHAIN_RELEASES."
	get_packages "$1" "$release" "$suite" qemu-system-arm="$full"
}

# get_tools <folder> <release> <packages> <tool>...
get_tools() {
	local folder=$1 release=$2 packages=$3
	shift 3
	local tools=("$@")
	# shellcheck disable=SC2086 # several packages
	get_packages "$folder" "$release" "$release" $packages
}

# get_bindgen <folder> <version>: Debian's, which has its own libclang, or else the crate.
get_bindgen() {
	local release suite full tools=(bindgen)
	if find_version bindgen "$2"; then
		get_packages "$1" "$release" "$suite" bindgen="$full"
		return
	fi
	cargo install bindgen-cli --locked --version "$2" --root "$1" ||
		die "cargo could not install bindgen-cli $2 (see above)" \
			"It takes the crate registry once; the result stays in $1."
}

# use_toolchain <tool>...: puts these before the machine's own, in what is exported to make.
# GCC replaces LLVM, but not libclang, which bindgen uses.
use_toolchain() {
	local name folder version get
	CROSS_COMPILE=''
	for name; do
		version=${name#*-}
		folder=$(cached "$name")
		get=()
		case $name in
		rustc-*)
			[ "$(rustc --version | cut -d' ' -f2)" != "$version" ] || continue
			get=(get_rustc "$folder" "$version")
			RUST_LIB_SRC=$folder/usr/src/rustc-$version/library
			;;
		bindgen-*) get=(get_bindgen "$folder" "$version") ;;
		gcc-14)
			get=(get_tools "$folder" trixie gcc-aarch64-linux-gnu aarch64-linux-gnu-gcc
				aarch64-linux-gnu-{ld,ld.bfd,as,ar,nm,objcopy,objdump,readelf,strip})
			LLVM='' CROSS_COMPILE=aarch64-linux-gnu-
			;;
		clang-*)
			get=(get_tools "$folder" trixie "clang-$version lld-$version llvm-$version"
				{clang,ld.lld}-"$version"
				llvm-{ar,link,nm,objcopy,objdump,readelf,strip}-"$version")
			LLVM=-$version
			;;
		qemu-*) get=(get_qemu "$folder" "$version") ;;
		pahole) get=(get_tools "$folder" trixie pahole pahole) ;;
		cargo-mutants) get=(get_tools "$folder" sid cargo-mutants cargo-mutants) ;;
		*) die "no such tool: $name" ;;
		esac
		[ -d "$folder/bin" ] || stage "$name" "$name" "${get[@]}"
		PATH=$folder/bin:$PATH
		case $name in
		bindgen-*) [ ! -d "$folder/usr" ] || LIBCLANG_PATH=$(echo "$folder"/usr/lib/llvm-*/lib) ;;
		esac
	done
	export PATH LLVM RUST_LIB_SRC CROSS_COMPILE LIBCLANG_PATH
}
