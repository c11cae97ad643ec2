"""What every run of work needs: a lease on what it changes, patience, and a line in the record.

Knows no list and no platform; it decides nothing.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from audiences.store.records import AuditLine
from flows.wiring import App

T = TypeVar("T")
LEASE = timedelta(hours=1)
JUMP = timedelta(hours=25)  # a clock that is set wrong is mostly off by hours, or by a day


class Busy(Exception):
    """Somebody else is working on the same list."""

    retryable = True
    remedy = "Nothing to do; run again when the other run has ended."


@contextmanager
def leased(app: App, name: str) -> Iterator[Callable[[], None]]:
    """Hold one list (or plan) for this run, so that two workers never write to it at once. Raises Busy.

    Yields what renews it, to be called before each step of long work; that raises Busy where another machine
    took the lease when its time was over. On this machine the clock decides nothing: the lease of a process
    that has ended is taken over at once, that of one that runs is respected, also when the clock jumped.
    """
    holder = _holder()

    def renew() -> None:
        now = app.now()
        if not app.store.take_lease(name, holder, now=now, until=now + LEASE):
            raise Busy(f"{name} is being worked on by another run")

    other = app.store.lease(name)
    if other is not None and other.holder != holder:
        runs = _runs(other.holder)
        if runs and app.now() - other.until < JUMP:
            raise Busy(f"{name} is being worked on by another run")
        if runs is False:
            app.store.release_lease(name, other.holder)
    renew()
    try:
        yield renew
    finally:
        app.store.release_lease(name, holder)


def _holder() -> str:
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_started(pid)}:{threading.get_ident()}"


def _runs(holder: str) -> bool | None:
    """Whether the holder is a process of this machine that runs; None where that cannot be known from here."""
    host, _, rest = holder.partition(":")
    pid, _, tail = rest.partition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return None
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as somebody else
    started = _started(int(pid))
    return started == tail.partition(":")[0] if started else None


def _started(pid: int) -> str:
    """When a process began, in the system's own count: numbers of processes are given out again. "" if unknown."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def patiently(app: App, act: Callable[[], T], *, attempts: int = 5, wait: float = 20.0) -> T:
    """Do ``act``, again after a wait while its error says that this helps. For runs without a scheduler."""
    for attempt in range(1, attempts + 1):
        try:
            return act()
        except Exception as error:
            if attempt == attempts or not getattr(error, "retryable", False):
                raise
            app.sleep(getattr(error, "wait", 0.0) or wait * attempt)
    raise AssertionError("unreachable")


def audit(app: App, what: str, subject: str, detail: Mapping[str, object]) -> None:
    """One line in the append-only record: who did what to which list or plan."""
    app.store.audit(audit_line(app, what, subject, detail))


def audit_line(app: App, what: str, subject: str, detail: Mapping[str, object]) -> AuditLine:
    """The line itself, for the store to write in one transaction with the deed."""
    run = engine_run()
    traced = dict(detail) | ({"run": run} if run else {})
    return AuditLine(at=app.now(), who=app.who, what=what, subject=subject, detail=traced)


def engine_run() -> str:
    """The id of the Prefect flow run this happens in, "" outside one; the page links it."""
    if "prefect" not in sys.modules:
        return ""
    from prefect.runtime import flow_run

    return str(flow_run.get_id() or "")
