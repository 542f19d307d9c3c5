#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes, checks and applies diffs whose hunks fit one place only.

Usage: hunks.py diff <old> <new> <path>   prints the diff between two versions of a file
       hunks.py check [<file> <patch>...]  fails if a hunk of a patch fits more than one place

With too little context a hunk also fits where it does not belong, and patch(1) takes the
place that is nearest. With too much it fits fewer releases of the kernel. So each hunk has
the least context with which it fits one place only.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple, Optional


class Hunk(NamedTuple):
    """The lines that a hunk replaces, and those that it puts there."""

    old: str
    new: str

    def reverse(self) -> "Hunk":
        """Returns the hunk that undoes this one."""
        return Hunk(self.new, self.old)


class Misfit(Exception):
    """A hunk fits no place, or several."""


def read(path: Path) -> str:
    """Returns what a file contains, with its bytes and line ends as they are."""
    return path.read_bytes().decode(errors="surrogateescape")


def parse(diff: str) -> list[Hunk]:
    """Returns the hunks of a diff of one file."""
    hunks = []
    for body in re.split(r"^@@ .*\n", diff, flags=re.M)[1:]:
        lines = re.findall(r"[ +-].*\n", body)
        hunks.append(Hunk(*("".join(line[1:] for line in lines if line[0] in signs)
                            for signs in (" -", " +"))))
    return hunks


def places(text: str, lines: str) -> list[int]:
    """Returns the offsets at which the text has these lines."""
    found = []
    # The newline before the first line belongs to no line.
    text, lines = "\n" + text, "\n" + lines
    at = text.find(lines)
    while at >= 0:
        found.append(at)
        at = text.find(lines, at + 1)
    return found


def apply(text: Optional[str], hunks: list[Hunk]) -> Optional[str]:
    """Returns the text with the hunks applied. None stands for a file that is not there."""
    if text is None:
        if [hunk.old for hunk in hunks] != [""]:
            raise Misfit("there is no such file")
        return hunks[0].new
    spots = []
    for number, hunk in enumerate(hunks, 1):
        found = places(text, hunk.old)
        if len(found) != 1:
            raise Misfit(f"hunk {number} of {len(hunks)} fits {len(found) or 'no'} "
                         f"place{'s' if found else ''}")
        spots.append((found[0], hunk))
    for at, hunk in sorted(spots, reverse=True):
        text = text[:at] + hunk.new + text[at + len(hunk.old):]
    return text or None


def is_there(text: Optional[str], hunks: list[Hunk]) -> bool:
    """Returns whether a text has what the hunks make."""
    return text is not None and all(places(text, hunk.new) for hunk in hunks)


class Piece(NamedTuple):
    """A hunk as diff(1) writes it, and the lines of the old text that it covers."""

    start: int
    stop: int
    text: str

    def covers(self, other: "Piece") -> bool:
        """Returns whether it covers all lines of another."""
        return self.start <= other.start and other.stop <= self.stop


def pieces(old: str, new: str, context: int) -> list[Piece]:
    """Returns what differs, with as many lines of context."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(old.encode(errors="surrogateescape"))
        file.flush()
        made = subprocess.run(
            ["diff", "-p", f"-U{context}", file.name, "-"], stdout=subprocess.PIPE, check=False,
            input=new.encode(errors="surrogateescape")).stdout.decode(errors="surrogateescape")
    found = []
    for text in re.split(r"^(?=@@ )", made, flags=re.M)[1:]:
        start, _, count = text.split()[1][1:].partition(",")
        found.append(Piece(int(start), int(start) + int(count or 1), text))
    return found


def diff(old: Optional[str], new: Optional[str], path: str, back: bool = False) -> str:
    """Returns the diff with the least context that fits one place only; if asked, also back."""
    before, after = old or "", new or ""
    chosen = pieces(before, after, 1)
    # At last all of the file is context.
    for context in range(2, before.count("\n") + 2):
        hunks = parse("".join(piece.text for piece in chosen))
        unsure = [piece for piece, hunk in zip(chosen, hunks)
                  if len(places(before, hunk.old)) != 1
                  or (back and len(places(after, hunk.new)) != 1)]
        if not unsure and not back and is_there(old, hunks):
            unsure = chosen
        if not unsure:
            break
        # Hunks that come to overlap are one in what diff makes.
        wider = [wide for wide in pieces(before, after, context)
                 if any(wide.covers(piece) for piece in unsure)]
        chosen = sorted(wider + [piece for piece in chosen
                                 if not any(wide.covers(piece) for wide in wider)])
    text = "".join(piece.text for piece in chosen)
    if text and apply(old, parse(text)) != new:
        raise ValueError(f"diff does not tell how {path} has changed")
    names = ["/dev/null" if side is None else prefix + path
             for side, prefix in ((old, "a/"), (new, "b/"))]
    return f"--- {names[0]}\n+++ {names[1]}\n{text}" if text else ""


def ambiguous(text: str, hunks: list[Hunk]) -> list[int]:
    """Returns the numbers of the hunks that fit more than one place."""
    return [number for number, hunk in enumerate(hunks, 1) if len(places(text, hunk.old)) > 1]


def main() -> None:
    """Does what the command line says."""
    command, *arguments = sys.argv[1:]
    if command == "diff":
        old, new, path = arguments
        text = diff(read(Path(old)), read(Path(new)), path)
        sys.stdout.buffer.write(text.encode(errors="surrogateescape"))
        return
    found = [f"{patch}: hunk {number} fits more than one place"
             for file, patch in zip(arguments[::2], arguments[1::2])
             for number in ambiguous(read(Path(file)), parse(read(Path(patch))))]
    print("".join(line + "\n" for line in found), end="")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
