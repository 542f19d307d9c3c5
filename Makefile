# SPDX-License-Identifier: GPL-2.0
#
# Builds, boots and tests Linux with KVM/arm64's pointer authentication in Rust.
# 'make help' lists the targets. The scripts in scripts/ do the work, and each says at
# its top what it does. This file only has their dependencies.

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory

# Where the kernel comes from: a tree of the user's, or a series of Debian's
# linux-source packages. Other series than 7.3 have a build folder of their own.
KDIR ?=
BASE ?= 7.3
BUILD := build$(if $(filter-out 7.3,$(BASE)),/base-$(BASE))
VARIANT ?= rust
export KDIR BASE VARIANT

# How much load, and where its random numbers begin.
TRIPS ?= 1000000
CALLS ?= 1000000
SEED ?= 0x9ac5eed
# Debian's configuration for 'make deb': cloud, arm64, rt or 16k.
FLAVOUR ?= cloud
# CPU and APPEND are for 'make check', FROM for 'make mutants', MINUTES for 'make soak'.
export CPU APPEND FROM MINUTES

# Variables of the user's environment for other builds must not reach the kernel's.
unexport ARCH CROSS_COMPILE CC LD O KBUILD_OUTPUT KCFLAGS KRUSTFLAGS LOCALVERSION

.PHONY: help
help: ## list the targets
	@echo "Targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | \
		awk -F'|' '{ printf "  %-14s %s\n", $$1, $$2 }'
	@echo "Variables:"
	@echo "  KDIR=<tree>  take the kernel from this source tree, which stays as it is"
	@echo "  BASE=7.3     the series of Debian's linux-source packages to take it from otherwise"
	@echo "  VARIANT=c    the base's own implementation instead of ours, for each target that boots or builds one;"
	@echo "               c-nokey, rust-nokey: a kernel that signs no return addresses of its own;"
	@echo "               rust-inline: its C helpers inlined; rust-watch, rust-kasan, rust-kcsan, rust-rt:"
	@echo "               debug kernels"
	@echo "  JOBS=<n>     how many jobs a build runs at once"

.PHONY: run
run: image initramfs-vmm ## build all, boot it, run the ptrauth tests and a guest inside
	@scripts/test/kvmtest run

.PHONY: test
test: images initramfs-vmm ## run the whole test set
	@scripts/test/kvmtest test

.PHONY: test-all
test-all: images-nokey images-debug initramfs-vmm ## test, and slow tests, more kernels and guests, load, builds, and mutants
	@scripts/test/kvmtest test-all

.PHONY: stress
stress: image initramfs ## a million round trips with faults, a million random calls (TRIPS=, CALLS=, SEED=)
	@APPEND='test_timeout=7000 KSELFTEST_PTRAUTH_STRESS_ARGS="$(TRIPS) $(SEED)" \
		KSELFTEST_PTRAUTH_FUZZ_ARGS="$(CALLS) $(SEED)"' \
		scripts/test/kvmtest check ptrauth_stress,ptrauth_fuzz

.PHONY: soak
soak: image initramfs-vmm ## repeat load, random calls and migration for MINUTES=60, and count what has been held
	@scripts/test/kvmtest soak

.PHONY: sequence
sequence: images initramfs ## make the same million calls on C and Rust, which must end alike (MODES=, CALLS=, SEED=)
	@CALLS=$(CALLS) SEED=$(SEED) scripts/test/kvmtest sequence $(MODES)

.PHONY: check
check: image initramfs ## run TESTS=<a,b or kunit> alone in one boot (CPU=, APPEND= to its command line)
	@scripts/test/kvmtest check $(TESTS)

.PHONY: promises
promises: ## put the results of the last test-all into RESULTS.md and README.md
	@scripts/test/kvmtest promises

.PHONY: bench
bench: images-nokey initramfs ## count what C and Rust execute for the same guests, side by side
	@scripts/bench/bench

.PHONY: bench-code
bench-code: images initramfs ## show which instructions a round trip executes, C and Rust (SCENARIO=, FUNCTIONS=)
	@. $(BUILD)/toolchain.env && scripts/bench/code $(or $(SCENARIO),userspace) $(FUNCTIONS)

.PHONY: mutants
mutants: image images initramfs-vmm ## build in defects that the tests must find (all, MUTANTS="<names>" or FROM=cargo-mutants)
	@scripts/test/kvmtest mutants $(MUTANTS)

.PHONY: guest
guest: image initramfs-vmm ## boot a Linux guest with QEMU as the VMM inside the booted kernel
	@scripts/test/kvmtest guest

.PHONY: shell
shell: image initramfs ## an interactive shell inside the booted kernel
	@scripts/test/boot shell $(VARIANT) shell

.PHONY: debug
debug: image-rust initramfs ## the same shell, with QEMU waiting for gdb; says how to start gdb
	@scripts/test/debug

.PHONY: image
image: tree ## build the kernel in build/$(VARIANT)
	@scripts/build/kernel $(VARIANT)

.PHONY: image-rust
image-rust: tree
	@scripts/build/kernel rust

.PHONY: images
images: tree
	@scripts/build/kernel rust
	@scripts/build/kernel c

.PHONY: images-nokey
images-nokey: images
	@scripts/build/kernel rust-nokey
	@scripts/build/kernel c-nokey

.PHONY: images-debug
images-debug: tree
	@for kernel in kasan kcsan rt watch; do scripts/build/kernel rust-$$kernel || exit; done

.PHONY: menuconfig
menuconfig: tree ## edit the kernel's configuration; our options are under Virtualization
	@scripts/build/setup /usr/include/ncurses.h:libncurses-dev
	@scripts/build/kernel $(VARIANT) menuconfig

.PHONY: initramfs
initramfs: tree ## make build/initramfs.cpio.gz with the KVM selftests
	@scripts/build/selftests
	@scripts/build/initramfs

.PHONY: initramfs-vmm
initramfs-vmm: tree
	@scripts/build/selftests
	@scripts/build/initramfs vmm

.PHONY: tree
tree: setup
	@scripts/tree/base

.PHONY: setup
setup:
	@scripts/build/setup

.PHONY: distro-check
distro-check: ## 'make run' and 'make test' in a pristine Debian (DISTRO=bookworm, trixie or sid)
	@scripts/build/distro-check "$(DISTRO)"

.PHONY: builds
builds: image-rust initramfs ## build the kernels of scripts/build/builds.txt (all, or BUILDS="<names>")
	@scripts/build/builds $(BUILDS)

.PHONY: builds-results
builds-results: ## put the results of 'make builds' into RESULTS.md and README.md
	@scripts/build/builds results

.PHONY: deb
deb: initramfs ## packages for hardware: a kernel in Debian's configuration (FLAVOUR=cloud), and tests
	@scripts/build/deb $(FLAVOUR) $(VARIANT)

.PHONY: htmldocs
htmldocs: image-rust ## build the kernel's pages on KVM and the rustdoc of our crates, without warnings
	@scripts/docs/htmldocs

.PHONY: apply
apply: need-kdir ## apply all or nothing to KDIR: as commits if that is a git tree
	@scripts/tree/apply$(if $(wildcard $(KDIR)/.git),-git) "$(KDIR)"

.PHONY: apply-check
apply-check: need-kdir ## list which patches fit KDIR, of any version, and change nothing
	@scripts/tree/apply-check "$(KDIR)"

.PHONY: need-kdir
need-kdir:
	@test -n "$(KDIR)" || { echo "error: no tree given: set KDIR=<a kernel tree>" >&2; exit 1; }

.PHONY: series
series: tree ## write the patches to mail to build/series
	@scripts/series/series make

.PHONY: series-refresh
series-refresh: ## take edits in build/series.git or build/tree back (new files go to PATCH=)
	@scripts/series/series refresh $(PATCH)

.PHONY: series-check
series-check: images initramfs ## apply, check and build the patches one by one
	@scripts/series/series-check

.PHONY: refresh
refresh: ## take edits in build/tree (and new FILES=) back into the overlay
	@scripts/tree/refresh $(FILES)

.PHONY: clean
clean: ## remove what was built, keep the unpacked base and the downloads
	rm -rf $(addprefix $(BUILD)/,rust* c c[.-]* mutant-* mutants selftests root host results \
		bench builds deb series series-* logs htmldocs snippets *.cpio.gz boot.* apply.* test.* debug.sock promises.md)

.PHONY: distclean
distclean: ## remove all of build/; downloads stay in the cache
	rm -rf build
