# SPDX-License-Identifier: GPL-2.0
"""Holds a load for as long as it is told to."""

import re
import time
from dataclasses import replace

from .boots import LOGS, Verdict, judge, two_at_a_time
from .jobs import guests, load
from .verdicts import read_log

# What is counted: its name, the boot that prints it, and how.
HELD = (("round trips", "stress", r"^# ok \d+ (\d+) round trips held"),
        ("faults", "stress", r"^# ok \d+ (\d+) (?:threads|VMMs|CPUs) "),
        ("calls", "fuzz", r"^# ok \d+ (\d+) calls, "),
        ("moves of guests", "guest", r"^ok \d+ .*: it signs on$"))


async def soak(minutes: float) -> bool:
    """Repeats load, random calls and live migration, and says what has been held so far.

    No round begins after that many minutes, nor after a failure. Each has a seed of its own.
    """
    start, held, rounds = time.time(), dict.fromkeys((name for name, *_ in HELD), 0), 0
    bad: list[Verdict] = []
    while not bad and time.time() < start + 60 * minutes:
        seed = int(time.time())
        verdicts = await two_at_a_time(lambda boot: judge(replace(boot, quiet=True)), [
            load("soak-stress", "rust", tests="ptrauth_stress", trips=f"200000 {seed}"),
            load("soak-fuzz", "rust", tests="ptrauth_fuzz", calls=f"200000 {seed}"),
            guests("load-soak-guest", "2,migrated")])
        bad = [verdict for verdict in sum(verdicts, []) if verdict.outcome != "pass"]
        for name, boot, pattern in HELD:
            found = re.findall(pattern, read_log(LOGS / f"boot-load-soak-{boot}.log"), re.M)
            held[name] += sum(int(each) if each.isdigit() else 1 for each in found)
        rounds += 1
        counts = ", ".join(f"{count:,} {name}" for name, count in held.items())
        print(f"    {(time.time() - start) / 60:4.0f} min: {counts}; seed {seed}, {rounds} rounds, "
              f"{len(bad)} failed", flush=True)
    print(*(f"    {'  '.join(each)}" for each in bad),
          *([f"logs: {LOGS}/boot-load-soak-*.log"] if bad else []), sep="\n")
    return not bad
