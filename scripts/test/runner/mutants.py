# SPDX-License-Identifier: GPL-2.0
"""Builds defects into the kernel, and says which tests find them."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from .boots import BUILD, LOGS, RESULTS, TOP, TREE, VARIANT, Boot, Verdict, call, judge, lock
from .jobs import guests, matrix, table
from .report import said

SAVED = BUILD / "mutant.saved"
IMAGES = BUILD / "mutants"
# One line for each test that found a mutant: mutant, part, test.
KILLERS = IMAGES / "killers.tsv"
# What make() says of a kernel that the compilers refuse.
ASSERTED, UNBUILT = ": an assertion fails", ": it does not build"
# A kernel that watches its own keys. Mutants marked with "watch" are found by that alone.
WATCH = "rust-watch"

# Runs a command with the functions that the scripts share, and with two that build an image
# <name> of a <variant>: first, in a new copy of its objects, and build, in the same copy. A defect
# may leave something unused, which must not stop the build.
SHELL = ("bash", "-euc", """
    . "$0/scripts/lib.sh"; . "$0/scripts/tree/overlay.sh"; . "$BUILD/toolchain.env"
    first() {
        rm -rf "$BUILD/mutant-$2"
        cp -a "$BUILD/$2" "$BUILD/mutant-$2"
        build "$@"
    }
    build() {
        image=arch/arm64/boot/Image out=$BUILD/mutant-$2
        make -C "$(realpath "$BUILD/tree")" ARCH=arm64 O="$out" -j"$JOBS" \\
            KRUSTFLAGS="--cap-lints allow" Image
        install -D -m 644 "$out/$image" "$BUILD/mutants/$1/$image"
    }
    "$@"
""", TOP)


@dataclass(frozen=True)
class Mutant:
    """Describes a defect: an edit of a file in the kernel tree, and where tests must find it.

    Where are lines of boot-matrix.txt, which are asked until one finds it; kunit, for the KUnit
    tests alone; guest-<one of the guests of tools/guest/run-guest>; or build, if an assertion must
    fail there.
    """
    name: str
    where: tuple[str, ...]
    file: str
    edit: Callable[[bytes], bytes]
    text: str = ""

    @property
    def variant(self) -> str:
        """Returns the kernel to build it into."""
        if self.file == "arch/arm64/kvm/pauth.c":
            return "c"
        return WATCH if VARIANT == WATCH else "rust"


@dataclass(frozen=True)
class Fate:
    """Tells what has become of a mutant: killed, SURVIVED, or not built."""
    outcome: str
    mutant: Mutant
    where: str = ""
    tests: tuple[Verdict, ...] = ()
    why: str = ""

    def __str__(self) -> str:
        by = self.tests[0].test if self.tests else "nothing"
        by += f" and {len(self.tests) - 1} more" if len(self.tests) > 1 else ""
        if any(verdict.part == "boot" for verdict in self.tests):
            by = "a kernel that does not finish"
        return f"{self.outcome:8} {self.mutant.text or self.mutant.name:34} by {by}{self.why}"


class Unsound(Exception):
    """Says what the tests find in a kernel without a defect."""


def listed(names: list[str]) -> list[Mutant]:
    """Returns the mutants of tools/mutants.list, or those of these names."""
    def sed(script: str) -> Callable[[bytes], bytes]:
        return lambda content: subprocess.run(["sed", "-E", script], input=content, check=False,
                                              stdout=subprocess.PIPE).stdout or content

    rows, systems = table("tools/mutants.list", 4), {"build", *matrix()}
    for unknown in set(names) - {row[0] for row in rows}:
        raise SystemExit(f"error: no mutant {unknown}\n       tools/mutants.list has all")
    for name, where, *_ in rows:
        if where.split(",")[0] not in systems and not where.startswith("guest-"):
            raise SystemExit(f"error: mutant {name}: no system {where} in boot-matrix.txt")
    return [Mutant(name, (where.split(",")[0],), file, sed(script))
            for name, where, file, script in rows
            if (not names or name in names)
            and (",watch" in where if VARIANT == WATCH else not where.endswith(",watch alone"))]


def unfit() -> list[str]:
    """Returns the names of the mutants whose rule changes nothing in the tree."""
    def fits(mutant: Mutant) -> bool:
        file = TREE / mutant.file
        return file.exists() and mutant.edit(file.read_bytes()) != file.read_bytes()

    return [mutant.name for mutant in listed([]) if not fits(mutant)]


def restore() -> None:
    """Restores the file that this run, or an interrupted one, has left broken."""
    subprocess.run([*SHELL, "restore_mutant"], check=True)


async def make(mutant: Mutant) -> str:
    """Builds a mutant, or says why it cannot. Afterwards the tree is as before."""
    file, saved, log = TREE / mutant.file, SAVED / "file", LOGS / "mutant.log"
    SAVED.mkdir()
    try:
        shutil.copy2(file, saved)
        (SAVED / "name").write_text(mutant.file, "utf-8")
        file.write_bytes(mutant.edit(saved.read_bytes()))
        if file.read_bytes() == saved.read_bytes():
            return f": the rule does not fit {mutant.file}"
        with open(log, "w", encoding="utf-8") as output:
            failed = await call(*SHELL, "build", mutant.name, mutant.variant, stdout=output,
                                stderr=output)
        if not failed:
            return ""
        return ASSERTED if b"assertion failed" in log.read_bytes() else UNBUILT
    except FileNotFoundError:
        return f": there is no {mutant.file}"
    finally:
        restore()


async def failures(where: str, name: str, image: str, variant: str) -> list[Verdict]:
    """Boots an image there, and returns what failed. The first failure is enough."""
    if where.startswith("guest-"):
        boot = guests("", where.removeprefix("guest-"), seconds=300, append="guest_patience=60")
    elif where == "kunit":
        boot = Boot("", "", parts="kunit splats", cpu="max", seconds=240)
    else:
        # C has no KUnit test, and says nothing at boot. The watch is asked alone.
        boot, every = matrix()[where], variant == "rust"
        boot = replace(boot, parts="kunit " * every + "kselftest splats", seconds=240,
                       line=boot.line * every,
                       append=f"{boot.append} test_timeout=120 stop_at_failure=1")
    # What a kernel says before it dies is on the console alone.
    verdicts = await judge(replace(boot, name=f"mutant-{name}", variant=f"mutants/{image}",
                                   append=f"{boot.append} oops=panic ignore_loglevel", quiet=True))
    (RESULTS / f"mutant-{name}.tsv").unlink()
    if variant == WATCH:
        return [Verdict("fail", "watch", line) for line in said(
            f"mutant-{name}", "kvm: ptrauth: ((?:before|after|in memory) .*)")]
    return [verdict for verdict in verdicts if verdict.outcome == "fail"]


async def find(mutant: Mutant, sound: Callable) -> Fate:
    """Boots a mutant until a test finds it, on a system that is sound without it."""
    for where in mutant.where:
        found = await failures(where, mutant.name, mutant.name, mutant.variant)
        if found:
            await sound(mutant.variant, where)
            return Fate("killed", mutant, where, tuple(found))
    return Fate("SURVIVED", mutant)


async def hunt(mutants: list[Mutant], tell: Callable[[Fate], None]) -> None:
    """Builds and boots the mutants: the next is built while one boots."""
    sound_there: dict[tuple[str, str], asyncio.Task] = {}

    async def sound(variant: str, where: str) -> None:
        place = (variant, where)
        name = f"nothing-{variant}"
        if place not in sound_there:
            sound_there[place] = asyncio.create_task(
                failures(where, f"{name}-{where}", name, variant))
        if found := await sound_there[place]:
            raise Unsound("\n       ".join(["error: without any defect there is something to "
                                            "find:", *map("  ".join, found),
                                            f"log: {LOGS}/boot-mutant-{name}-{where}.log"]))

    async def report(mutant: Mutant, start: float, trouble: str, number: int) -> None:
        if trouble == ASSERTED and mutant.where == ("build",):
            fate = Fate("killed", mutant, "build", (Verdict("fail", "build", "an assertion"),))
        elif trouble or mutant.where == ("build",):
            outcome = "unbuilt" if trouble in (ASSERTED, UNBUILT) else "SURVIVED"
            fate = Fate(outcome, mutant, why=trouble)
        else:
            fate = await find(mutant, sound)
        print(f"    {number:3}/{len(mutants)} {fate}  ({int(time.time() - start)} s)", flush=True)
        shutil.rmtree(IMAGES / mutant.name, ignore_errors=True)
        with open(KILLERS, "a", encoding="utf-8") as killers:
            killers.writelines(f"{mutant.name}\t{part}\t{test}\n"
                               for _, part, test in fate.tests)
        tell(fate)

    lock(".lock", "uses")
    restore()
    shutil.rmtree(IMAGES, ignore_errors=True)
    for variant in sorted({mutant.variant for mutant in mutants}):
        if await call(*SHELL, "stage", f"kernel for mutants, {variant}", f"mutant-{variant}",
                      "first", f"nothing-{variant}", variant):
            raise SystemExit("error: the kernel does not build without a defect")
    print("==> defects", flush=True)
    last = None
    try:
        for number, mutant in enumerate(mutants, 1):
            start, trouble = time.time(), await make(mutant)
            if last:
                await last
            last = asyncio.create_task(report(mutant, start, trouble, number))
        if last:
            await last
    except Unsound as error:
        raise SystemExit(error) from None
