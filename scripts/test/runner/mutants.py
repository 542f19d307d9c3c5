# SPDX-License-Identifier: GPL-2.0
"""Builds defects into the kernel, and says which tests find them."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from .boots import BUILD, LOGS, RESULTS, TOP, TREE, Verdict, call, judge, two_at_a_time
from .jobs import guests, matrix, table

SAVED = BUILD / "mutant.saved"
IMAGES = BUILD / "mutants"
# One line for each test that found a mutant: mutant, part, test.
KILLERS = IMAGES / "killers.tsv"

# Runs a command with the functions that the scripts share, and with build <name> <variant>. A
# defect may leave something unused, which must not stop the build.
SHELL = ("bash", "-euc", """
    . "$0/scripts/lib.sh"; . "$0/scripts/tree/overlay.sh"; . "$BUILD/toolchain.env"
    build() {
        image=arch/arm64/boot/Image out=$BUILD/mutant-$2
        [ -d "$out" ] ||
            { rm -rf "$out.new"; cp -a "$BUILD/$2" "$out.new"; mv "$out.new" "$out"; }
        make -C "$(realpath "$BUILD/tree")" ARCH=arm64 O="$out" -j"$JOBS" \\
            KRUSTFLAGS="--cap-lints allow" Image
        install -D -m 644 "$out/$image" "$BUILD/mutants/$1/$image"
    }
    "$@"
""", TOP)


@dataclass(frozen=True)
class Mutant:
    """Describes a defect: an edit of a file in the kernel tree, and where tests must find it.

    Where is a line of boot-matrix.txt, or guest-<one of the guests of tools/guest/run-guest>.
    """
    name: str
    where: str
    file: str
    edit: Callable[[bytes], bytes]

    @property
    def variant(self) -> str:
        """Returns the kernel that the file is part of."""
        return "c" if self.file == "arch/arm64/kvm/pauth.c" else "rust"


def listed(names: list[str]) -> list[Mutant]:
    """Returns the mutants of tools/mutants.list, or those of these names."""
    def sed(script: str) -> Callable[[bytes], bytes]:
        return lambda content: subprocess.run(["sed", "-E", script], input=content, check=False,
                                              stdout=subprocess.PIPE).stdout or content

    rows = table("tools/mutants.list", 4)
    for unknown in set(names) - {row[0] for row in rows}:
        raise SystemExit(f"error: no mutant {unknown}\n       tools/mutants.list has all")
    return [Mutant(name, where, file, sed(script)) for name, where, file, script in rows
            if not names or name in names]


def restore() -> None:
    """Restores the file that this run, or an interrupted one, has left broken."""
    subprocess.run([*SHELL, "restore_mutant"], check=True)


async def make(mutant: Mutant) -> str:
    """Builds a mutant, or says why it cannot. Afterwards the tree is as before."""
    file, saved, log = TREE / mutant.file, SAVED / "file", LOGS / f"mutant-{mutant.name}.log"
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
        return f": it does not build, log: {log}" if failed else ""
    except FileNotFoundError:
        return f": there is no {mutant.file}"
    finally:
        restore()


async def failures(where: str, name: str, image: str, variant: str) -> list[Verdict]:
    """Boots an image there, and returns what failed. The first failure is enough."""
    if where.startswith("guest-"):
        boot = guests("", where.removeprefix("guest-"), seconds=300, append="guest_patience=60")
    else:
        boot = {boot.name: boot for boot in matrix()}[f"matrix-{where}"]
        boot = replace(boot, parts="kunit kselftest splats", seconds=120,
                       append=f"{boot.append} test_timeout=60 stop_at_failure=1")
        # C has no KUnit test, and says nothing at boot.
        boot = replace(boot, parts="kselftest splats", line="") if variant == "c" else boot
    verdicts = await judge(replace(boot, name=f"mutant-{name}", variant=f"mutants/{image}",
                                   append=f"{boot.append} oops=panic", quiet=True))
    (RESULTS / f"mutant-{name}.tsv").unlink()
    return [verdict for verdict in verdicts if verdict.outcome == "fail"]


async def report(mutant: Mutant, start: float, trouble: str) -> Verdict:
    """Boots a mutant, unless there was trouble, and tells what came of it."""
    found = [] if trouble else await failures(mutant.where, mutant.name, mutant.name,
                                              mutant.variant)
    by = found[0].test if found else f"nothing{trouble}"
    by += f" and {len(found) - 1} more" if len(found) > 1 else ""
    if any(verdict.part == "boot" for verdict in found):
        by = "a kernel that does not finish"
    print(f"    {'killed' if found else 'SURVIVED':8} {mutant.name:34} by {by}  "
          f"({int(time.time() - start)} s)", flush=True)
    with open(KILLERS, "a", encoding="utf-8") as killers:
        killers.writelines(f"{mutant.name}\t{part}\t{test}\n" for _, part, test in found)
    shutil.rmtree(IMAGES / mutant.name, ignore_errors=True)
    return Verdict("pass" if found else "fail", "mutants", mutant.name)


async def hunt(mutants: list[Mutant]) -> list[Verdict]:
    """Builds and boots the mutants: the next is built while one boots."""
    restore()
    shutil.rmtree(IMAGES, ignore_errors=True)
    for variant in sorted({mutant.variant for mutant in mutants}):
        if await call(*SHELL, "stage", f"kernel for mutants, {variant}", f"mutant-{variant}",
                      "build", f"nothing-{variant}", variant):
            raise SystemExit("error: the kernel does not build without a defect")
    print("==> the same systems without a defect", flush=True)
    found = await two_at_a_time(
        lambda place: failures(place[1], f"nothing-{place[0]}-{place[1]}", f"nothing-{place[0]}",
                               place[0]),
        sorted({(mutant.variant, mutant.where) for mutant in mutants}))
    if any(found):
        raise SystemExit("\n       ".join(["error: without any defect there is something to find:",
                                           *map("  ".join, sum(found, [])),
                                           f"logs: {LOGS}/boot-mutant-nothing-*.log"]))
    print("==> defects", flush=True)
    verdicts: list[Verdict] = []
    last = None
    for mutant in mutants:
        start, trouble = time.time(), await make(mutant)
        verdicts += [await last] if last else []
        last = asyncio.create_task(report(mutant, start, trouble))
    return verdicts + ([await last] if last else [])
