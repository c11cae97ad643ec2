"""One trial: a copy of a world, a command killed at a random point, the same command again, and the verdict.

Knows no command; ``failing_lists`` and ``failing_balance`` say what must hold.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from flows.sandbox_link import START
from flows.wiring import App, open_app
from platforms.sandbox.server import start
from tests.flows.failing_nursery import POINTS, Ended, Nursery

Since = Callable[[], list[dict[str, Any]]]
UNREPEATED = shutil.ignore_patterns("address", "lock")


@dataclass(frozen=True, slots=True)
class Operation:
    """A command on a world. ``check`` (App, what asks for the calls the sandbox got) raises what is wrong."""

    name: str
    world: Path
    words: tuple[str, ...]
    check: Callable[[App, Since], None]


@dataclass
class Tally:
    """What the trials of one operation came to."""

    killed: Counter[str] = field(default_factory=Counter)
    too_late: int = 0  # the command had ended before its moment came

    def __str__(self) -> str:
        points = ", ".join(f"{n} {point}" for point, n in sorted(self.killed.items()))
        return f"{self.killed.total()} kills ({points}), {self.too_late} too late"


def trials(operation: Operation, nursery: Nursery, room: Path, *, kills: int, seed: int = 1) -> Tally:
    """Kill the operation until it was killed ``kills`` times, each time in a world of its own."""
    whole = _undisturbed(operation, nursery, room)
    chance, tally = random.Random(f"{operation.name} {seed}"), Tally()
    for number, kill in enumerate(_moments(whole, chance)):
        if tally.killed.total() == kills:
            return tally
        ended = trial(operation, nursery, room, kill=kill, name=f"{operation.name}-{number}")
        if ended.killed:
            tally.killed[kill[0]] += 1
        else:
            tally.too_late += 1
            assert tally.too_late <= kills + 5, "the command hardly ever lives as long as measured"
    raise AssertionError("unreachable: there is always another moment")


def _undisturbed(operation: Operation, nursery: Nursery, room: Path) -> Ended:
    """How long the command lives, and which points it passes."""
    folder, log = room / f"{operation.name}-whole", room / "whole.log"
    shutil.copytree(operation.world, folder, ignore=UNREPEATED)
    with start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox"):
        ended = nursery.run(_line(operation, folder), log)
    assert ended.code == 0, log.read_text()[-2000:]
    shutil.rmtree(folder)
    return ended


def _line(operation: Operation, folder: Path) -> list[str]:
    return [*operation.words, "--workspace", str(folder), "--json"]


def _moments(whole: Ended, chance: random.Random) -> Iterator[tuple[str, float]]:
    """Every other kill at a random time, the rest at a random request or commit."""
    points = [name for name in POINTS if whole.passed.get(name)]
    while True:
        name = chance.choice(points)
        yield name, chance.randint(1, whole.passed[name])
        yield "seconds", chance.uniform(0.0, whole.seconds)


def trial(operation: Operation, nursery: Nursery, room: Path, *, kill: tuple[str, float], name: str) -> Ended:
    """Once. Raises AssertionError naming the moment when something is not as it must be."""
    folder, log = room / name, room / f"{name}.log"
    shutil.copytree(operation.world, folder, ignore=UNREPEATED)
    words = _line(operation, folder)
    before = (folder / "sandbox" / "journal.bin").stat().st_size
    with start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox"):
        ended = nursery.run(words, log, kill)
        again = nursery.run(words, log)
        assert again.code == 0, f"killed at {kill}, the next run failed:\n{log.read_text()[-2000:]}"
        try:
            with open_app(folder) as app:
                operation.check(app, lambda: calls(folder, after=before))
        except AssertionError as error:
            error.add_note(f"{operation.name} killed at {kill}; see {folder}")
            raise
    shutil.rmtree(folder)
    log.unlink()
    return ended


def calls(folder: Path, *, after: int = 0) -> list[dict[str, Any]]:
    """What the sandbox was asked to change, from its own journal: m(ethod), p(ath), body."""
    raw = (folder / "sandbox" / "journal.bin").read_bytes()
    found, at = [], after
    while at < len(raw):
        end = raw.index(b"\n", at)
        head = orjson.loads(raw[at:end])
        body = raw[end + 1 : end + 1 + head["n"]]
        at = end + 2 + head["n"]
        if head["k"] == "call" and not head["p"].startswith("/sandbox"):
            found.append({"m": head["m"], "p": head["p"], "body": body})
    return found
