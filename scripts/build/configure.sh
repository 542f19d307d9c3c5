# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Configurations that people use: the kernel's own, Debian's, and ours. To be sourced after
# lib.sh, cache.sh, apt.sh and toolchain.sh. $tree is the kernel's source, $out the folder to
# build in.

# shellcheck disable=SC2154 # those who source this set tree and out

# fragments <from> <symbols and fragments>: the files of ours that the configuration is made of.
fragments() {
	local word names=()
	case $1 in lean*) names=(lean "base-$BASE" rust thp key net) ;; esac
	for word in $2; do
		case $word in +*) names+=("${word#+}") ;; esac
	done
	[ ${#names[@]} -eq 0 ] || printf "$TOP/scripts/build/config/%s.config\n" "${names[@]}"
}

# configure <from> <symbols and fragments>: makes the configuration in $out.
configure() {
	local from=$1 differs=$2 word parts=() start
	for word in $differs; do
		case $word in
		+*) cat "$TOP/scripts/build/config/${word#+}.config" ;;
		*=n) echo "# CONFIG_${word%=n} is not set" ;;
		*) echo "CONFIG_$word" ;;
		esac
	done >"$out/differs.config"

	case $from in
	lean*)
		mapfile -t parts < <(fragments "$from" '')
		merge -n "${parts[@]}" "$out/differs.config"
		;;
	allmodconfig) kmake KCONFIG_ALLCONFIG="$out/differs.config" allmodconfig ;;
	defconfig)
		kmake defconfig
		cp "$out/.config" "$out/start.config"
		merge "$out/start.config" "$out/differs.config"
		;;
	debian-*)
		start=$(debian_config "${from#debian-}")
		xz -dc "$start" >"$out/start.config"
		merge "$out/start.config" "$out/differs.config"
		;;
	*) die "no such configuration: $from" ;;
	esac
	# What was asked for and did not come. An option that is not there is off, too.
	while read -r line; do
		case $line in
		CONFIG_*) grep -qx "$line" "$out/.config" || echo "$line" ;;
		'# CONFIG_'*)
			word=${line#\# } word=${word% is not set}
			! grep -q "^$word=" "$out/.config" || echo "$line"
			;;
		esac
	done <"$out/differs.config" >"$out/missing"
}

# merge [-n] <file>...: the kernel's own way; all that is not said gets its default, or "no".
merge() {
	local target=olddefconfig
	if [ "$1" = -n ]; then
		target=allnoconfig
		shift
	fi
	(cd "$tree" && ARCH=arm64 scripts/kconfig/merge_config.sh -m -Q -O "$out" "$@")
	cp "$out/.config" "$out/merged.config"
	kmake KCONFIG_ALLCONFIG="$out/merged.config" "$target"
}

# debian_config <flavour>: the file that has it. Call it in a command substitution, which does
# not inherit -e.
debian_config() {
	set -e
	local package folder
	folder=$(cached "linux-config-$BASE")
	if [ ! -d "$folder" ]; then
		lock_cache
		apt_state source >&2
		package=$(apt_newest_version "linux-config-$BASE:arm64" "$BASE")
		rm -rf "$folder.new"
		mkdir -p "$folder.new"
		apt_download "$package" "$folder.new" >&2
		dpkg-deb -x "$folder.new"/*.deb "$folder.new"
		mv "$folder.new" "$folder"
	fi
	find "$folder/usr/src" -name "config.arm64_none_$1.xz" \
		-o -name "config.arm64_none_$1-arm64.xz" -o -name "config.arm64_none_arm64-$1.xz" |
		head -n 1
}

kmake() {
	make -C "$tree" ARCH=arm64 O="$out" -j"$JOBS" "$@"
}

c_compiler() {
	if [ -n "$LLVM" ]; then echo "clang$LLVM"; else echo "${CROSS_COMPILE}gcc"; fi
}
