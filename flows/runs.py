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
from typing import TypeVar

from audiences.store.records import AuditLine
from flows.wiring import App

T = TypeVar("T")
LEASE = timedelta(hours=1)


class Busy(Exception):
    """Somebody else is working on the same list."""

    retryable = True
    remedy = "Nothing to do; run again when the other run has ended."


@contextmanager
def leased(app: App, name: str) -> Iterator[None]:
    """Hold one list (or plan) for this run, so that two workers never write to it at once. Raises Busy.

    A lease left behind by a process of this machine that no longer runs is taken over.
    """
    holder, now = _holder(), app.now()
    if not app.store.take_lease(name, holder, now=now, until=now + LEASE):
        stale = app.store.lease(name)
        if stale is None or not _dead(stale.holder) or not app.store.release_lease(name, stale.holder):
            raise Busy(f"{name} is being worked on by another run")
        if not app.store.take_lease(name, holder, now=now, until=now + LEASE):
            raise Busy(f"{name} is being worked on by another run")
    try:
        yield
    finally:
        app.store.release_lease(name, holder)


def _holder() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"


def _dead(holder: str) -> bool:
    """Whether the holder is a process of this machine that has ended."""
    host, pid, _ = holder.rsplit(":", 2)
    if host != socket.gethostname():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


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
