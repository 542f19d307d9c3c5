# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# apt with a state of its own, so that the machine's is not changed. To be sourced
# after lib.sh.

is_debian() {
	[ -f /etc/debian_version ] && command -v apt-get >/dev/null &&
		grep -qx 'ID=debian' "${OS_RELEASE:-/etc/os-release}"
}

# The machine's release. That of sid has the codename of testing in /etc/os-release.
debian_codename() {
	local codename
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	if [ -z "$(apt_mirror "^$codename$")" ] && [ -n "$(apt_mirror '^sid$')" ]; then
		codename=sid
	fi
	echo "$codename"
}

# debian_suites <release>: that, and what adds to it. What is no release yet has all in one.
debian_suites() {
	case $1 in
	bookworm | trixie) echo "$1 $1-updates $1-backports" ;;
	experimental) echo "sid experimental" ;;
	*) echo "$1" ;;
	esac
}

# apt_mirror <suite pattern>: the mirror that the machine itself uses for a suite.
apt_mirror() {
	# shellcheck disable=SC2016 # apt's own variables
	env -u APT_CONFIG apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(SUITE) $(RELEASE)' |
		awk -v pattern="$1" '{
			for (i = 2; i <= NF; i++)
				if ($i ~ pattern) { print $1; exit }
		}'
}

# apt_state host|source|arm64|<release>: prepares a private state and points APT_CONFIG to it.
#
#  host       the machine's own release with its backports, and its dpkg status;
#  source     the release that has our sources, for any machine;
#  arm64      the same for the other architecture, as if nothing was installed;
#  <release>  another release, as if nothing was installed.
#
# Fails if the package lists cannot be fetched, with a message on standard output.
apt_state() {
	local state suite release=trixie arches=amd64 mirror security key=
	case $1 in
	host) release=$(debian_codename) ;;
	source) arches=amd64,arm64 ;;
	arm64) arches=arm64 ;;
	*) release=$1 ;;
	esac
	state=$(cache_root)/apt/$1
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
	mirror=$(apt_mirror "^$(debian_codename)$")
	security=$(apt_mirror "^$(debian_codename)-security$")
	if [ -z "$mirror" ]; then
		echo "error: this machine's apt knows no mirror of Debian $(debian_codename)"
		return 1
	fi
	[ ! -f /usr/share/keyrings/debian-archive-keyring.gpg ] ||
		key=" signed-by=/usr/share/keyrings/debian-archive-keyring.gpg"
	for suite in $(debian_suites "$release"); do
		echo "deb [arch=$arches$key] $mirror $suite main"
	done >"$state/sources.list"
	[ -z "$security" ] || [ "$(debian_suites "$release" | wc -w)" -lt 3 ] ||
		echo "deb [arch=$arches$key] $security $release-security main" >>"$state/sources.list"
	cat >"$state/apt.conf" <<-END
		Dir::Etc::SourceList "$state/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::State::Lists "$state/lists";
		Dir::Cache "$state/cache";
		APT::Sandbox::User "$(id -un)";
	END
	case $1 in
	host) ;;
	source) echo 'APT::Architectures { "amd64"; "arm64"; };' >>"$state/apt.conf" ;;
	*)
		: >"$state/status"
		cat >>"$state/apt.conf" <<-END
			Dir::State::Status "$state/status";
			APT::Architecture "$arches";
			APT::Architectures { "$arches"; };
		END
		;;
	esac
	export APT_CONFIG=$state/apt.conf
	# Lists that are a day old are good enough, and spare a look at the network.
	if [ -z "$(find "$state/lists" -maxdepth 1 -name '*Packages*' -mtime -1 -print -quit)" ]; then
		apt-get update -o APT::Update::Error-Mode=any || {
			echo "error: cannot fetch the package lists"
			echo "       The mirror of this machine's apt was asked for $(apt_suites)."
			echo "       Without it, what is in $CACHE and KDIR=<a kernel tree> can be used."
			return 1
		}
	fi
}

# The suites of the state, for messages.
apt_suites() {
	local conf=${APT_CONFIG%/*}/sources.list
	awk '{ print $(NF - 1) }' "$conf" | paste -sd' '
}

apt_versions() {
	apt-cache madison "$1" | awk '{ print $3 }' | sort -uV | paste -sd' '
}

# apt_newest_version <package> <upstream version prefix>: package=version.
apt_newest_version() {
	local version
	version=$(apt-cache madison "$1" | awk -v v="$2" '
		index($3, v) == 1 && substr($3, length(v) + 1, 1) ~ /^[.+~-]?$/ { print $3 }' |
		sort -V | tail -n 1)
	[ -n "$version" ] && echo "$1=$version"
}

# apt_download <package=version> <folder>
apt_download() {
	(cd "$2" && apt-get -o APT::Status-Fd=4 download "$1" 4> >(apt_progress))
	show_end
}

# Turns apt's status lines into a line of progress, one for each tenth in a log.
apt_progress() {
	local kind percent text last=-10
	while IFS=: read -r kind _ percent text; do
		[ "$kind" = dlstatus ] || continue
		percent=${percent%.*}
		if [ -t 3 ] || [ "$percent" -ge $((last + 10)) ]; then
			show "$percent % $text"
			last=$percent
		fi
	done
}
