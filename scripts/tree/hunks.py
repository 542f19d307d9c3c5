#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes, checks and applies diffs whose hunks fit one place only.

Usage: hunks.py diff <old> <new> <path>   prints the diff between two versions of a file
       hunks.py check [<file> <patch>...]  fails if a hunk of a patch fits more than one place

With too little context a hunk also fits where it does not belong, and patch(1) takes the
place that is nearest. With too much it fits fewer releases of the kernel. So a diff has
the least context, the same for all its hunks, with which no hunk fits two places.
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


def diff(old: Optional[str], new: Optional[str], path: str, back: bool = False) -> str:
    """Returns the diff with the least context that fits one place only; if asked, also back."""
    labels = ["/dev/null" if text is None else side + path
              for side, text in (("a/", old), ("b/", new))]
    with tempfile.NamedTemporaryFile() as file:
        file.write((old or "").encode(errors="surrogateescape"))
        file.flush()
        # At last all of the file is context.
        for context in range(1, (old or "").count("\n") + 2):
            made = subprocess.run(
                ["diff", "-p", f"-U{context}", *(f"--label={label}" for label in labels),
                 file.name, "-"], input=(new or "").encode(errors="surrogateescape"),
                stdout=subprocess.PIPE, check=False)
            text = made.stdout.decode(errors="surrogateescape")
            try:
                hunks = parse(text)
                if made.returncode > 1 or apply(old, hunks) != new:
                    raise ValueError(f"diff does not tell how {path} has changed")
                if back:
                    apply(new, [hunk.reverse() for hunk in hunks])
                if back or not is_there(old, hunks):
                    break
            except Misfit:
                pass
    return text


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
