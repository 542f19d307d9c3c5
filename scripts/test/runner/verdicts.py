# SPDX-License-Identifier: GPL-2.0
"""Turns the log of a boot into verdicts.

A part of a log is "kselftest", "guest" or "demo" (TAP that the part of that name holds),
"kunit" (KTAP in the kernel's messages), or "splats" (that the kernel had nothing to
complain of). It may be there several times. (K)TAP is read by the kernel's own parser,
tools/testing/kunit.
"""

import re
import sys
from pathlib import Path
from typing import Iterator, NamedTuple


class Verdict(NamedTuple):
    """The verdict on a test. The outcome is pass, fail or skip."""
    outcome: str
    part: str
    test: str


SPLAT = re.compile(r"WARNING: |BUG: |Oops|Unable to handle|Internal error|"
                   r"Kernel panic|rcu: .*stall|soft lockup|kvm .*hyp_panic|"
                   r"kvm: .*panic|Call trace:|UBSAN: |INFO: possible |INFO: lockdep|"
                   r"kmemleak: [0-9]+ new suspected|leak detector disabled")


def read_log(path: Path) -> str:
    """Reads the log of a boot. Returns an empty one if there is none."""
    return path.read_text("utf-8", "replace") if path.exists() else ""


def parts_of(log: str, name: str) -> list[list[str]]:
    """Returns the lines of each part of that name; none if one is not there to its end."""
    parts = re.findall(rf"^@@ begin {name}\n(.*?)^@@ end {name} ", log, re.M | re.S)
    begun = re.findall(rf"^@@ begin {name}$", log, re.M)
    return [part.splitlines() for part in parts] if len(parts) == len(begun) else []


def why_skipped(lines: list[str]) -> str:
    """Returns what a selftest that skips itself as a whole gives as its reason, in brackets."""
    for line in lines:
        if found := re.match(r"# 1\.\.0 # SKIP\W*(.+)", line):
            return f" ({found[1]})"
    return ""


def parse(tree: Path, lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yields outcome and name of each test in (K)TAP lines."""
    sys.path.insert(0, f"{tree}/tools/testing/kunit")
    # pylint: disable=import-error,import-outside-toplevel
    from kunit_parser import Test, TestStatus, parse_run_tests
    from kunit_printer import null_printer

    outcomes = {TestStatus.SUCCESS: "pass", TestStatus.SKIPPED: "skip"}

    def leaves(test: Test, prefix: str) -> Iterator[tuple[str, str]]:
        if not test.subtests:
            yield outcomes.get(test.status, "fail"), prefix
        for sub in test.subtests:
            yield from leaves(sub, f"{prefix}.{sub.name}".lstrip("."))

    root = parse_run_tests(lines, null_printer)
    yield from leaves(root, "")


def of_part(tree: Path, part: str, lines: list[str]) -> Iterator[Verdict]:
    """Yields the verdicts of a part that is there to its end."""
    if part == "splats":
        bad = [line for line in lines if SPLAT.search(line)]
        if not any("Booting Linux" in line for line in lines):
            bad.append("the beginning of the kernel's messages is missing")
        why = f" ({bad[0]})" if bad else ""
        yield Verdict("fail" if bad else "pass", part, f"no warning of the kernel{why}")
        return
    for outcome, name in parse(tree, lines):
        if part == "kselftest":
            name = name.removeprefix("selftests: ").replace(": ", ":")
            name += why_skipped(lines) if outcome == "skip" else ""
        yield Verdict(outcome, part, name or "no results")


def why_unfinished(log: Path) -> str:
    """Returns how a boot ended that did not finish, and what came last: a log is not kept
    everywhere."""
    *before, last = [line for line in read_log(log).splitlines() if line] or [""]
    if not last.startswith("did not finish"):
        return "did not start"
    return f"{last}: {' | '.join(before[-12:])}"[:900]


def of_log(tree: Path, log: Path, parts: list[str]) -> Iterator[Verdict]:
    """Yields the verdicts of those parts of a log."""
    text = read_log(log)
    for part in parts:
        found = parts_of(text, "dmesg" if part in ("kunit", "splats") else part)
        if not found:
            yield Verdict("fail", part, "did not end")
        for lines in found:
            yield from of_part(tree, part, lines)


def of_line(log: Path, line: str) -> Iterator[Verdict]:
    """Yields whether KVM said this, and nothing else, at boot and in debugfs."""
    reason = re.search(r": (.*?)(, draft capability numbers answer too)?$", line)
    fact = f"reason: {reason[1]}" if reason else "algorithm: " + re.split("[()]", line)[1]
    # The console may show a message, too.
    dmesg, debugfs = ("\n".join(sum(parts_of(read_log(log), part), []))
                      for part in ("dmesg", "debugfs"))
    for part, wanted, found in (
            ("boot line", line, re.findall(r"kvm: ptrauth: (.*)", dmesg)),
            ("debugfs", fact, re.findall(r"^(?:algorithm: .*(?=\nlevel: \S)|reason: .*)", debugfs,
                                         re.M))):
        ok = found == [wanted]
        yield Verdict("pass" if ok else "fail", part, wanted if ok else f"{wanted}, found {found}")
