# SPDX-License-Identifier: GPL-2.0
"""Takes mutants from cargo-mutants, and keeps what has become of them."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .boots import BUILD, TOP, VARIANT
from .jobs import matrix, table
from .mutants import Fate, Mutant, hunt

# A line for each mutant that was hunted: the sum of what was tested, what has become of it, where
# it was found, and the fields of Key.
FATES = BUILD / "cargo-mutants.tsv"

# The folders with our Rust, and the root of the crate that cargo-mutants takes each for.
CRATES = {"arch/arm64/kvm/ptrauth": "kvm_ptrauth.rs", "arch/arm64/kvm/hyp/vhe": "ptrauth_switch.rs",
          "rust/kernel": "lib.rs"}
LIB = "mod arm64;\nmod preempt;\n"


class Key(NamedTuple):
    """Names a mutant for as long as its line of source stays the same."""
    file: str
    edit: str
    line: str


def fates() -> list[list[str]]:
    """Returns what is known of mutants hunted before."""
    FATES.touch()
    return table(FATES, 6, "\t")


def tested() -> str:
    """Returns a sum of the sources, of their tests, and of the judge."""
    files = (file for folder in ("arch", "rust", "tools/testing")
             for file in sorted((TOP / folder).rglob("*")) if file.is_file())
    return hashlib.sha256(b"".join([VARIANT.encode(), *(file.read_bytes() for file in files)])
                          ).hexdigest()[:16]


def listing() -> list[dict]:
    """Returns what cargo-mutants would do to copies of the crates. It does not build them."""
    there = BUILD / "cargo-mutants"
    shutil.rmtree(there, ignore_errors=True)
    for folder, root in CRATES.items():
        shutil.copytree(TOP / folder, there / folder)
        (there / folder / "Cargo.toml").write_text(
            f'[package]\nname = "{Path(folder).name}"\n[lib]\npath = "{root}"\n', "utf-8")
    (there / "rust/kernel/lib.rs").write_text(LIB, "utf-8")
    (there / "Cargo.toml").write_text(f"[workspace]\nmembers = {[*CRATES]}\n", "utf-8")
    tool = [TOP / "scripts/build/with", "cargo-mutants"]
    if subprocess.run([*tool, "true"], check=False).returncode:
        raise SystemExit("error: there is no cargo-mutants")
    # The watch is no part of the kernel that is tested.
    return json.loads(subprocess.run(
        [*tool, "cargo", "mutants", "--workspace", "--list", "--json", "--exclude",
         "watch.rs"], cwd=there, check=True, stdout=subprocess.PIPE).stdout)


def replacing(span: dict, text: str) -> Callable[[bytes], bytes]:
    """Returns the edit that puts a text where the span is."""
    def edit(content: bytes) -> bytes:
        lines = content.decode().splitlines(keepends=True)
        (first, before), (last, after) = ((span[end]["line"] - 1, span[end]["column"] - 1)
                                          for end in ("start", "end"))
        return "".join([*lines[:first], lines[first][:before], text, lines[last][after:],
                        *lines[last + 1:]]).encode()
    return edit


def generated() -> dict[Key, Mutant]:
    """Returns the mutants outside of tests. Where one was found before is asked first."""
    places = [*matrix()]
    places = list(dict.fromkeys(["kunit", "nested", *places[:places.index("load")]]))
    before = {Key(*key): where for _, outcome, where, *key in fates() if outcome == "killed"}
    found = {}
    for number, each in enumerate(listing(), 1):
        lines = (TOP / each["file"]).read_text("utf-8").splitlines()
        first = each["span"]["start"]["line"] - 1
        if any(line.startswith("#[") and "kunit_tests(" in line for line in lines[:first]):
            continue
        key = Key(each["file"], each["name"].split(": ", 1)[1], lines[first].strip())
        where = sorted(places, key=lambda place, last=before.get(key): place != last)
        # The same edit may fit twice in one line.
        while key in found:
            key = key._replace(edit=f"{key.edit}, again")
        found[key] = Mutant(f"generated-{number}", tuple(where), key.file,
                            replacing(each["span"], each["replacement"]),
                            f"{Path(key.file).stem}: {key.edit}")
    return found


async def hunt_generated() -> dict[str, list[str]]:
    """Hunts those that were not hunted yet. Returns all by what has become of them."""
    now, mutants = tested(), generated()
    excused = {Key(*key) for *key, _ in table("tools/mutants.excused", 4, "\t")}
    known = {Key(*key): outcome for sum_, outcome, _, *key in fates() if sum_ == now}
    keys = {mutant.name: key for key, mutant in mutants.items()}

    def tell(fate: Fate) -> None:
        key = keys[fate.mutant.name]
        known[key] = fate.outcome
        with open(FATES, "a", encoding="utf-8") as file:
            print(now, fate.outcome, fate.where, *key, sep="\t", file=file)

    print(f"    {len(mutants)} mutants, {len(mutants.keys() & known.keys())} hunted before")
    await hunt([mutant for key, mutant in mutants.items() if key not in known], tell)

    outcomes: dict[str, list[str]] = {"killed": [], "unbuilt": [], "equivalent": [], "SURVIVED": []}
    for key in mutants:
        outcome = known[key]
        outcomes["equivalent" if outcome == "SURVIVED" and key in excused else outcome].append(
            "  ".join(key))
    outcomes["excused for nothing"] = ["  ".join(key) for key in excused
                                       if known.get(key) != "SURVIVED"]
    return outcomes
