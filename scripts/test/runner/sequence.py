# SPDX-License-Identifier: GPL-2.0
"""Compares what both implementations answer to one sequence of calls, and names the first call
that they answer differently."""

from itertools import zip_longest

from . import report
from .boots import Verdict, judge, two_at_a_time
from .jobs import BOTH, SHOW_EVERY, sequence


def first_difference(c: list[str], rust: list[str]) -> int | None:
    """Returns the first place in which the two differ, if any."""
    return next((i for i, (one, other) in enumerate(zip_longest(c, rust)) if one != other), None)


def difference(c: list[str], rust: list[str]) -> str:
    """Returns the call in which the lines of its log differ, and how."""
    first = first_difference(c, rust)
    if first is None:
        return "not when made again"
    call = next((line for line in reversed(c[:first + 1]) if line.startswith("call ")), "none")
    one, other = (lines[first].strip() if first < len(lines) else "nothing" for lines in (c, rust))
    return f"{call}; on c: {one}; on rust: {other}"


async def compare(mode: str, calls: int) -> Verdict:
    """Compares the digests of the boots of a mode, which have been judged."""
    text = f"{mode}: {calls} calls end alike on c and rust"
    digests = [report.said(sequence(mode, variant, calls).name, r"\d+ calls: digest .*")
               for variant in BOTH]
    first = first_difference(*digests)
    if first is None and len(digests[0]) == calls // SHOW_EVERY:
        return Verdict("pass", "sequence", text)
    if first is None or not all(len(each) > first for each in digests):
        return Verdict("fail", "sequence", f"{text}, but did not get to their end")

    # The first range of calls that is not the same, once more, with each call shown.
    again = [sequence(mode, variant, (first + 1) * SHOW_EVERY, first * SHOW_EVERY + 1)
             for variant in BOTH]
    await two_at_a_time(judge, again)
    found = difference(*(report.said(boot.name, r"^(?:# )+(call .*|  .*)") for boot in again))
    return Verdict("fail", "sequence", f"{text}, which differ: {found}")
