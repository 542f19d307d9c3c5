# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Where downloads are kept. To be sourced after lib.sh.

CACHE=${KVM_PTRAUTH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kvm-ptrauth}

# Where new downloads go: to the cache, or below build/ if that cannot be written.
cache_root() {
	if mkdir -p "$CACHE" 2>/dev/null && [ -w "$CACHE" ]; then
		echo "$CACHE"
	else
		echo "$BUILD/cache"
	fi
}

# cached <name>: where a download is, or goes to.
cached() {
	if [ -e "$CACHE/$1" ]; then
		echo "$CACHE/$1"
	else
		echo "$(cache_root)/$1"
	fi
}

# Waits until no other script downloads, and keeps others waiting until the end of this
# one. The cache may be that of several copies of this.
lock_cache() {
	local root
	root=$(cache_root)
	mkdir -p "$root"
	exec 7>"$root/.lock"
	flock 7
}
