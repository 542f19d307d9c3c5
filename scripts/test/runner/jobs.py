# SPDX-License-Identifier: GPL-2.0
"""Lists the boots, the longest first, so that none runs alone at the end."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from .boots import BUILD, TOP, VARIANT, Boot

# Our own KVM selftests: a few that suffice on most systems, the others, those that need the
# nested mode, and those that put a load on a system for as long as they are told to.
FEW = "ptrauth_caps,ptrauth_features,ptrauth_keys"
OTHERS = "ptrauth_enomem,ptrauth_host,ptrauth_regs,ptrauth_residency,ptrauth_undef"
NESTED = "ptrauth_nested,ptrauth_eretax"
LOAD = "ptrauth_stress,ptrauth_fuzz"

# Tests of the base: only test-all runs those that take more than 20 seconds of emulation each.
# None runs those that take many minutes and have no use for keys.
SLOW = "arch_timer_edge_cases|debug-exceptions"
LONG = ("access_tracking_perf_test|demand_paging_test|dirty_log_.*test|irqfd_test|"
        "kvm_page_table_test|memslot_.*_test|mmu_stress_test|page_fault_test|rseq_test|"
        "set_memory_region_test")
NOT_QUICK = f"ptrauth_.*|{SLOW}|{LONG}"

# The two implementations.
BOTH = ("c", "rust")

# The calls of a sequence of ptrauth_fuzz, which must end alike on both implementations, by KVM's
# mode. Each number of calls after which there is a digest is the test's own.
SEQUENCE = {"nested": 50_000}
LONG_SEQUENCE = dict.fromkeys(("nested", "protected", "nvhe", "vhe"), 1_000_000)
SEED = os.environ.get("SEED") or "0x9ac5eed"
SHOW_EVERY = 1000

MODE = "kvm-arm.mode=nested"
EXPECT = "PTRAUTH_EXPECT=1"


def table(file: str | Path, fields: int, separator: str = "|") -> list[list[str]]:
    """Reads a list of lines with that many fields."""
    lines = (TOP / file).read_text("utf-8").splitlines()
    return [line.split(separator, fields - 1) for line in lines
            if line and not line.startswith("#")]


def of_base(wanted: str, but: str = "ptrauth_.*") -> list[str]:
    """Returns the installed tests that fit a pattern, but not another."""
    installed = (BUILD / "selftests/install/kselftest-list.txt").read_text("utf-8")
    return [test for test in re.findall("^kvm:(.*)", installed, re.M)
            if re.fullmatch(wanted, test) and not re.fullmatch(but, test)]


def of_ours(kind: str, append: str) -> str:
    """Returns our tests of a kind, few, load, eretax or all, for that command line."""
    # Nested tests go before the longest, so that they find mutants soon.
    every = f"{FEW},{NESTED},{OTHERS}" if MODE in append else f"{FEW},{OTHERS}"
    return {"few": FEW, "load": LOAD, "eretax": "ptrauth_eretax", "all": every}[kind]


def guests(name: str, which: str, variant: str = "rust", cpu: str = "max", seconds: int = 600,
           append: str = "", options: tuple[str, ...] = ()) -> Boot:
    """Returns a host for those guests of tools/guest/run-guest."""
    return Boot(name, variant, "", f"guests={which} {append}", "guest splats", "guest", cpu, 4,
                seconds, options=("-m", "3G", *options))


def load(name: str, variant: str, append: str = "", tests: str = LOAD,
         trips: int | str = 20_000, calls: int | str = 50_000) -> Boot:
    """Returns a boot with that many round trips and random calls. A seed may follow the number."""
    return Boot(f"load-{name}", variant, tests,
                f'test_timeout=1500 KSELFTEST_PTRAUTH_STRESS_ARGS="{trips}" '
                f'KSELFTEST_PTRAUTH_FUZZ_ARGS="{calls}" {append}', smp=4, seconds=1500)


def sequence(mode: str, variant: str, calls: int, show_from: int = 0) -> Boot:
    """Returns a boot with that many calls in sequence, each shown from there on.

    It has one CPU: there is one thread, and the digest has the number of CPUs in it.
    """
    append = "" if mode == "vhe" else f"kvm-arm.mode={mode}"
    return Boot(f"sequence-{mode}-{variant}{'-shown' * bool(show_from)}", variant, "ptrauth_fuzz",
                f'test_timeout=1500 KSELFTEST_PTRAUTH_FUZZ_ARGS="-s {calls} {SEED}'
                f'{f" {show_from} {calls}" * bool(show_from)}" {append}', smp=1, seconds=1500)


def sequences(calls: dict[str, int]) -> Iterator[Boot]:
    """Yields the boots with those sequences on both implementations."""
    for mode, number in calls.items():
        for variant in BOTH:
            yield sequence(mode, variant, number)


def compared(name: str, tests: list[str], seconds: int, append: str = "") -> Iterator[Boot]:
    """Yields boots of both implementations with tests of the base, that long for each."""
    for variant in BOTH:
        yield Boot(f"base-{variant}{name}", variant, ",".join(tests),
                   f"test_timeout={seconds} {append}", seconds=1200)


def of_kind(kind: str) -> Iterator[Boot]:
    """Yields the boots that show how both implementations do in kernels of that kind."""
    yield Boot(f"kunit{kind}", f"rust{kind}", parts="kunit splats", cpu="max", smp=4)
    yield Boot(f"perf{kind}", f"rust{kind}", "ptrauth_perf",
               f'KSELFTEST_PTRAUTH_PERF_ARGS="wfi nested" {MODE}')
    # The boot matrix covers rust.
    yield Boot(f"ptrauth-c{kind}", f"c{kind}", f"{FEW},{OTHERS},ptrauth_nested", f"{EXPECT} {MODE}")
    if kind:
        yield Boot(f"ptrauth-rust{kind}", f"rust{kind}", of_ours("all", MODE), f"{EXPECT} {MODE}")
    else:
        # As many returns as it takes for one digest, with LPA2 and without FEAT_FPACCOMBINE.
        for variant in BOTH:
            for name, cpu in (("lpa2", "max"), ("v1", "neoverse-v1")):
                yield Boot(f"eretax-{name}-{variant}", variant, "ptrauth_eretax",
                           f"KSELFTEST_PTRAUTH_ERETAX_ARGS=100000 test_timeout=900 {MODE}",
                           cpu=cpu, seconds=1000)


def debug_kernels() -> Iterator[Boot]:
    """Yields the boots of debug-kernels.txt."""
    for name, variant, kind, trips, calls, append in table("scripts/test/debug-kernels.txt", 6):
        yield Boot(f"debug-{name}", variant,
                   of_ours(kind, append) + ("" if kind == "load" else f",{LOAD}"),
                   f"{EXPECT} test_timeout=600 KSELFTEST_PTRAUTH_STRESS_ARGS={trips} "
                   f"KSELFTEST_PTRAUTH_FUZZ_ARGS={calls} KSELFTEST_PTRAUTH_ERETAX_ARGS=10000 "
                   f"{append}", "kunit kselftest splats", smp=4, seconds=3600, options=("-m", "3G"))


def matrix() -> dict[str, Boot]:
    """Returns the boots of boot-matrix.txt by the names of their lines."""
    return {name: Boot(f"matrix-{name}", "rust", of_ours(kind, append),
                       f"PTRAUTH_EXPECT={expect} {append}", cpu=cpu, smp=int(cpus), line=line)
            for name, kind, cpu, cpus, append, expect, line in table("scripts/test/boot-matrix.txt",
                                                                     7)}


def of_test(everything: bool) -> Iterator[Boot]:
    """Yields the boots of 'make test', with more guests if that is test-all."""
    yield guests("guest", ("1,4," if everything else "") + "2,off,migrated")
    yield from compared("", of_base(".*", NOT_QUICK), 60)
    yield from of_kind("")
    if not everything:
        yield from sequences(SEQUENCE)
    yield from matrix().values()


def of_test_all() -> Iterator[Boot]:
    """Yields the boots of 'make test-all' that come before those."""
    yield from sequences(LONG_SEQUENCE)
    yield load("stress", "rust", tests="ptrauth_stress", trips=1_000_000)
    yield load("fuzz", "rust", tests="ptrauth_fuzz", calls=1_000_000)
    yield from compared("-slow", of_base(SLOW), 180)
    yield from debug_kernels()
    # A second kernel takes over while guests run. It would not know that the first one's tables
    # for LPIs stay in use.
    for job, append in (("crash", "crashkernel=512M"), ("kexec", "irqchip.gicv3_nolpi=1")):
        yield Boot(job, "rust-kasan", FEW, f"{EXPECT} test_timeout=120 {append}", job=job, smp=4,
                   seconds=600, options=("-m", "3G"))
    yield Boot("sleep", "rust-watch", "ptrauth_stress",
               "test_timeout=600 KSELFTEST_PTRAUTH_STRESS_ARGS=20000 suspend.pm_test_delay=1",
               "kselftest sleeps splats", "sleep", smp=4, seconds=700)
    # There QEMU itself takes more than a minute to start: its own code is signed, too.
    for algorithm in ("qarma5", "qarma3"):
        yield guests(f"guest-{algorithm}", "2,migrated", "rust", f"max,pauth-{algorithm}=on", 1200)
    yield guests("guest-c", "2,migrated", "c")
    yield guests("guest-l1", "l1", "rust", "max,lpa2=off", 1500, f"guest_patience=60 {MODE}",
                 ("-i",))
    yield from compared("-nested", of_base(".*", NOT_QUICK), 60, MODE)
    yield from of_kind("-nokey")
    yield load("c", "c")
    yield load("nested", "rust", MODE)
    yield load("nvhe", "rust", "kvm-arm.mode=nvhe")
    yield load("nokey", "rust-nokey")


def of_run() -> Iterator[Boot]:
    """Yields the boots of 'make run'."""
    yield guests("run-guest", "1,off", VARIANT, seconds=1800)
    yield Boot("run-kunit", VARIANT, parts="kunit splats", cpu="max", smp=4)
    yield Boot("run-demo", VARIANT, "", EXPECT, "demo splats", "demo", cpu="max", smp=4)
    yield Boot("run-selftests", VARIANT, f"{FEW},{OTHERS}", EXPECT, cpu="max", smp=4)


def of_guest() -> Iterator[Boot]:
    """Yields the boots of 'make guest': all kinds of guests on all kinds of hosts."""
    for name, cpu in (("", "max"), ("-qarma5", "max,pauth-qarma5=on"),
                      ("-qarma3", "max,pauth-qarma3=on")):
        yield guests(f"run-guest{name}", "1,2,4,off,migrated", VARIANT, cpu, 1800)
