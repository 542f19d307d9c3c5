# SPDX-License-Identifier: GPL-2.0
"""Boots systems and judges what they print."""

import asyncio
import fcntl
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from .verdicts import Verdict, of_line, of_log, why_unfinished

TOP = Path(__file__).resolve().parents[3]
OWN_BASE = "7.3"
BASE = os.environ.get("BASE") or OWN_BASE
BUILD = TOP / "build" / ("" if BASE == OWN_BASE else f"base-{BASE}")
LOGS, RESULTS, TREE = BUILD / "logs", BUILD / "results", BUILD / "tree"
VARIANT = os.environ.get("VARIANT") or "rust"


@dataclass(frozen=True)
class Boot:
    """Says what to boot, and which parts of its log to judge.

    The job is one of tools/guest/init. KUnit runs if it is a part. The line is what KVM must
    say of ptrauth at boot; any will do if it is empty. The options are scripts/test/boot's.
    """
    name: str
    variant: str
    tests: str = ""
    append: str = ""
    parts: str = "kselftest splats"
    job: str = "tests"
    cpu: str = "max,lpa2=off"
    smp: int = 2
    seconds: int = 300
    line: str = ""
    options: tuple[str, ...] = ()
    quiet: bool = False


def read(pattern: str = "*") -> list[Verdict]:
    """Reads the verdicts in the results of these names."""
    return [Verdict(*line.split("\t", 2)) for file in sorted(RESULTS.glob(f"{pattern}.tsv"))
            for line in file.read_text("utf-8").splitlines()]


def write(name: str, *verdicts: Verdict) -> None:
    """Writes verdicts to the results, all or none."""
    new = RESULTS / f"{name}.tsv.new"
    new.write_text("".join("\t".join(verdict) + "\n" for verdict in verdicts), "utf-8")
    new.rename(RESULTS / f"{name}.tsv")


def tally(verdicts: Iterable[Verdict]) -> str:
    """Counts verdicts."""
    outcomes = [verdict.outcome for verdict in verdicts]
    counts = [outcomes.count(each) for each in ("pass", "fail", "skip")]
    return f"{counts[0]} passed, {counts[1]} failed, {counts[2]} skipped"


def elapsed(start: float) -> str:
    """Returns the minutes and seconds since then."""
    minutes, seconds = divmod(int(time.time() - start), 60)
    return f"{minutes}:{seconds:02}"


def lock(file: str, whose: str) -> None:
    """Waits for another run that holds this lock, and holds it to the end of this one."""
    BUILD.mkdir(parents=True, exist_ok=True)
    held = os.open(BUILD / file, os.O_WRONLY | os.O_CREAT)
    # A process that outlives a killed run keeps the lock.
    os.set_inheritable(held, True)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"    waiting for another run that {whose} {BUILD}", flush=True)
        fcntl.flock(held, fcntl.LOCK_EX)


async def call(*command, **options) -> int:
    """Runs a program and returns its exit status. Ends its processes if this run ends."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, start_new_session=True, close_fds=False,
        **options)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGTERM)
            await process.wait()


async def two_at_a_time(do: Callable[..., Awaitable], jobs: Iterable) -> list:
    """Does the jobs, starting in this order, and returns their results."""
    free = asyncio.Semaphore(2)

    async def one(job) -> object:
        async with free:
            return await do(job)

    return await asyncio.gather(*map(one, jobs))


async def judge(boot: Boot) -> list[Verdict]:
    """Boots, writes the verdicts to build/results, and shows one line when it is done."""
    start, log = time.time(), LOGS / f"boot-{boot.name}.log"
    # The verdict that stays if this does not finish. A log of before must not be judged.
    write(boot.name, Verdict("fail", "boot", "was not judged"))
    log.unlink(missing_ok=True)
    status = await call(
        TOP / "scripts/test/boot", boot.name, boot.variant, boot.job, "-c", boot.cpu, "-n",
        str(boot.smp), "-t", str(boot.seconds), *boot.options, f"tests={boot.tests}", boot.append,
        *([] if "kunit" in boot.parts else ["kunit.enable=0"]),
        stderr=asyncio.subprocess.DEVNULL if boot.quiet else None)
    try:
        verdicts = [Verdict("fail", "boot", why_unfinished(log))] if status else list(
            of_log(TREE, log, boot.parts.split()))
    except Exception as error:  # pylint: disable=broad-except # in the kernel's parser
        verdicts = [Verdict("fail", "boot", f"was not judged: {error!r}")]
    verdicts += of_line(log, boot.line) if boot.line else []
    write(boot.name, *verdicts)
    if not boot.quiet:
        print(f"    {boot.name:22} {tally(verdicts)}  ({elapsed(start)})", flush=True)
    return verdicts
