"""Runs commands in children of one warm process, and kills them where told. Judges nothing.

As a program it reads one JSON order a line (``words``, ``log``, ``kill``) and answers with one JSON line. A
child begins in a few milliseconds, because everything it needs is imported before it is born.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WARM = (
    "flows.cli",
    "flows.verbs.lists",
    "flows.verbs.reports",
    "flows.verbs.outcome",
    "flows.activate_plan",
    "flows.adapters",
    "flows.assess",
    "flows.load",
    "flows.push",
    "flows.reporting",
    "platforms.linkedin",
    "platforms.google",
    "audiences.migrations.first",
    "babel.dates",
    "babel.numbers",
    "flows.alerts_brakes",
    "flows.alerts_entries",
    "alembic.command",
    "sqlalchemy.dialects.sqlite",
)
POINTS = ("before request", "after answer", "before commit", "after commit")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: exit code (-9 = killed), seconds, and how often it passed each point."""

    code: int
    seconds: float
    passed: dict[str, int] = field(default_factory=dict)

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


class Nursery:
    """The warm process, and orders to it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.flows.failing_nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        )

    def run(self, words: list[str], log: Path, kill: tuple[str, float] | None = None) -> Ended:
        """One command to its end, or to its death: ("seconds", 0.25) or (a point, which one)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"words": words, "log": str(log), "kill": kill}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the nursery died"
        return Ended(**json.loads(answer))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=120)
        if self._process.stdout is not None:
            self._process.stdout.close()


@contextmanager
def nursery() -> Iterator[Nursery]:
    opened = Nursery()
    try:
        yield opened
    finally:
        opened.close()


def _serve() -> None:
    for name in WARM:
        importlib.import_module(name)
    _warm()
    gc.freeze()  # children share the pages of what is imported
    for line in sys.stdin:
        ended = _born(json.loads(line))
        sys.stdout.write(json.dumps(ended) + "\n")
        sys.stdout.flush()


def _warm() -> None:
    """What is read once a process. Nothing of polars: its threads would be missing in a child."""
    import httpx

    from audiences.sources_layout import load_layouts

    load_layouts()
    httpx.Client(http2=True).close()


def _born(order: dict[str, Any]) -> dict[str, Any]:
    kill = order["kill"]
    seconds = kill[1] if kill and kill[0] == "seconds" else 300.0
    reader, writer = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _live(order, writer)
    os.close(writer)
    watch = os.pidfd_open(child)
    ready, _, _ = select.select([watch], [], [], seconds)
    if not ready:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    took = time.monotonic() - began
    os.close(watch)
    with os.fdopen(reader, "rb") as told:
        passed = json.loads(told.read() or b"{}")
    return {"code": os.waitstatus_to_exitcode(status), "seconds": took, "passed": passed}


def _live(order: dict[str, Any], writer: int) -> None:
    """The child: never returns."""
    code = 70
    try:
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        passed = _marked(order["kill"])
        from flows.cli import main

        code = main(order["words"])
        sys.stdout.flush()
        os.write(writer, json.dumps(passed).encode())
    except BaseException:
        import traceback

        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _marked(kill: tuple[str, float] | None) -> Counter[str]:
    """Count every request to a platform and every commit, and die at the chosen one."""
    import httpx

    from audiences.store.database import Database

    passed: Counter[str] = Counter()

    def point(name: str) -> None:
        passed[name] += 1
        if kill is not None and kill[0] == name and passed[name] == kill[1]:
            os.kill(os.getpid(), signal.SIGKILL)

    send, write = httpx.HTTPTransport.handle_request, Database.write

    def sent(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/sandbox"):
            return send(self, request)
        point("before request")
        response = send(self, request)
        point("after answer")
        return response

    @contextmanager
    def written(self: Database) -> Iterator[Any]:
        with write(self) as connection:
            yield connection
            point("before commit")
        point("after commit")

    httpx.HTTPTransport.handle_request = sent  # type: ignore[method-assign]
    Database.write = written  # type: ignore[method-assign]
    return passed


if __name__ == "__main__":
    _serve()
