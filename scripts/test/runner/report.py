# SPDX-License-Identifier: GPL-2.0
"""Compares verdicts, and sums up the results of 'make test-all'."""

import re
import time

from .boots import BUILD, LOGS, RESULTS, TOP, TREE, Verdict, elapsed, read, tally
from .jobs import table
from .verdicts import read_log

PROMISES = BUILD / "promises.md"


def not_passed() -> list[str]:
    """Returns a line for each verdict that is not a pass."""
    return [f"    {file.stem}: " + "  ".join(verdict) for file in sorted(RESULTS.glob("*.tsv"))
            for verdict in read(file.stem) if verdict.outcome != "pass"] or ["    nothing"]


def compare(on_c: list[Verdict], on_rust: list[Verdict]) -> list[Verdict]:
    """Compares tests of the base on the two implementations.

    A test fails if it passes on the base's C but not on Rust. A test that passes on neither is
    skipped.
    """
    # A system that did not finish or that complained has nothing to compare.
    verdicts = [v for v in on_c + on_rust
                if v.part != "kselftest" or v.test in ("did not end", "no results")]
    c, rust = ({v.test: v.outcome for v in on if v not in verdicts} for on in (on_c, on_rust))
    for test in dict.fromkeys([*rust, *c]):
        if rust.get(test) == "pass":
            verdicts.append(Verdict("pass", "kselftest", test))
        else:
            why = f"on c: {c.get(test, 'none')}, on rust: {rust.get(test, 'none')}"
            verdicts.append(Verdict("fail" if c.get(test) == "pass" else "skip", "kselftest",
                                    f"{test} ({why})"))
    return verdicts


def said(boot: str, pattern: str) -> list[str]:
    """Returns all that fits the pattern in what a boot printed."""
    return re.findall(pattern, read_log(LOGS / f"boot-{boot}.log"), re.M)


def held(boot: str, *patterns: str) -> str:
    """Returns the texts of tests that were "ok", without the numbers."""
    found = [said(boot, rf"^# ok \d+ (?:memory afterwards: )?(.*{each}.*)")[:1]
             for each in patterns]
    return ", ".join(sum(found, [])) or "nothing"


def passed(pattern: str, part: str = "") -> str:
    """Returns how many of how many passed in the results of these names."""
    outcomes = [v.outcome for v in read(pattern) if v.outcome != "skip" and part in v.part]
    return f"{outcomes.count('pass')} of {len(outcomes)}"


def promises(start: float) -> str:
    """Makes the table of this run's results, and keeps it for 'make promises'."""
    version = ".".join(re.findall(r"^(?:VERSION|PATCHLEVEL|SUBLEVEL) = (\d+)",
                                  (TREE / "Makefile").read_text("utf-8"), re.M))
    kernels = [f"{name} {passed(f'debug-{name}')}" for name, *_ in
               table("scripts/test/debug-kernels.txt", 6)]
    date = time.strftime("%F", time.localtime(start))
    moved = held("load-stress", "moved", "signal", "stopped", "killed", "taken away")
    PROMISES.write_text(f"""Results of the last `make test-all`:

| Linux {version}, {date}, in {elapsed(start)} | |
|---|---|
| load held | {held("load-stress", "round trips held")} |
| meanwhile | {moved} |
| inputs tried | {held("load-fuzz", "every error")} |
| memory after the load | {held("load-stress", "slab")} |
| memory after the inputs | {held("load-fuzz", "slab")} |
| without memory | {held("debug-kasan", "allocations failed")} |
| guests | {passed("guest*")} checks on QARMA5, QARMA3 and IMPDEF, live migration and restore among \
them |
| checks passed on debug kernels | {", ".join(kernels)}, no report of the kernel in \
{passed("debug-*", "splats")} boots |
| mutants killed | {passed("mutants")} |
| all in all | {tally(read())} |
""", "utf-8")
    return PROMISES.read_text("utf-8").rstrip()


async def publish() -> bool:
    """Puts the results of the last test-all into RESULTS.md, and the main ones into README.md."""
    if not PROMISES.exists():
        raise SystemExit(f"error: there is no {PROMISES}\n       'make test-all' makes it.")
    whole = PROMISES.read_text("utf-8")
    short = re.sub("^. (meanwhile|inputs|memory|without|guests|checks) .*\n", "", whole, flags=re.M)
    for file, text in ((TOP / "RESULTS.md", whole), (TOP / "README.md", short)):
        parts = re.split("(<!-- (?:end of )?promises -->\n)", file.read_text("utf-8"))
        if len(parts) != 5:
            raise SystemExit(f"error: {file.name} has no place for the table\n"
                             "       It goes between the lines '<!-- promises -->' and "
                             "'<!-- end of promises -->'.")
        file.write_text("".join([*parts[:2], text, *parts[3:]]), "utf-8")
    return True
