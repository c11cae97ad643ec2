"""What every part of the page's service shares: the App, a clock that runs, workers, the audit log.

It answers no question of the page itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from audiences.store.errors import StoreBusy
from audiences.store.records import AuditLine
from flows.approvers import NotAnApprover
from flows.exposure import NothingCollected
from flows.report.catalogue import say
from flows.runs import Busy as ListBusy
from flows.web.errors import Busy, Invalid, NotAllowed, NotFound, NothingYet, PageError
from flows.web.limits import Failures
from flows.wiring import App

log = logging.getLogger(__name__)
FAILURES = "page/failed sign-ins"


@dataclass
class Workers:
    """Threads that carry out what was decided on the page, one per subject. They end with the process."""

    running: dict[str, threading.Thread] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    def start(self, subject: str, act: Callable[[], None]) -> bool:
        """Run ``act`` beside the page; False when something runs for this subject already."""
        with self.guard:
            if self.busy(subject):
                return False
            thread = threading.Thread(target=act, name=f"page {subject}", daemon=True)
            self.running[subject] = thread
            thread.start()
            return True

    def busy(self, subject: str) -> bool:
        thread = self.running.get(subject)
        return thread is not None and thread.is_alive()

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until everything that was started has ended; for tests and for leaving in good order."""
        until = time.monotonic() + seconds
        for thread in list(self.running.values()):
            thread.join(max(0.0, until - time.monotonic()))


class PageClock:
    """The workspace's time, running: a simulated clock stands still between flows, a visitor's minute does not."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._read: datetime | None = None
        self._at = 0.0

    def __call__(self) -> datetime:
        if self._app.sandbox is None:
            return self._app.now()
        age = time.monotonic() - self._at
        if self._read is None or age > 30.0:  # the sandbox is asked over HTTP: not several times a page
            self._read, self._at, age = self._later(age), time.monotonic(), 0.0
        return self._read + timedelta(seconds=age)

    def _later(self, age: float) -> datetime:
        """The sandbox's time, never behind what was shown; when its process has ended, time just goes on."""
        passed = self._read + timedelta(seconds=age) if self._read is not None else None
        try:
            now = self._app.now()
        except httpx.TransportError:
            if passed is None:
                raise
            return passed
        return now if passed is None else max(now, passed)


@dataclass
class PagePart:
    """One theme of the service. The parts share one App, one clock, one set of workers."""

    app: App
    clock: Callable[[], datetime]
    workers: Workers
    may_write: bool = False
    prefect_ui: str = ""
    guard: threading.RLock = field(default_factory=threading.RLock)  # costly things are computed once
    assessing: threading.RLock = field(default_factory=threading.RLock)  # and who belongs where, beside them

    def known(self, segment: str) -> str:
        """The name, if there is such a segment. Raises NotFound."""
        if segment not in self.app.config.segments:
            raise NotFound(say("error.no_segment"))
        return segment

    def acting(self, who: str) -> App:
        """The same App, acting and signing as this visitor."""
        return replace(self.app, settings=self.app.settings.model_copy(update={"who": who}))

    def failures(self) -> Failures:
        """Recent failed sign-ins; in the store, because several processes may serve the page."""
        found: Failures = self.app.store.get(FAILURES, {})
        return found

    def change_failures(self, change: Callable[[Failures], Failures]) -> Failures:
        """Replace them by ``change`` of them, one process at a time: no failure is lost to another's count."""
        found: Failures = self.app.store.change(FAILURES, lambda kept: change(kept or {}), at=self.app.now())
        return found

    def note_sign_in(self, what: str, who: str, *, address: str, failures: int = 0) -> None:
        """A sign-in, a failed one or a sign-out in the audit log."""
        counted = {"failures": failures} if failures else {}
        self.note(who, what, "page", address=address, **counted)

    def note(self, who: str, what: str, subject: str, **detail: Any) -> None:
        """One line in the audit log."""
        line = AuditLine(at=self.app.now(), who=who, what=what, subject=subject, detail=detail)
        self.app.store.audit(line)


def told(error: Exception) -> str:
    """An error of ours as words for the page: what happened, and what to do."""
    remedy = str(getattr(error, "remedy", ""))
    said = str(error)
    return said if remedy and remedy in said else f"{said.rstrip('.')}. {remedy}".strip()


@contextmanager
def in_page_words(fields: Mapping[str, str] | None = None) -> Iterator[None]:
    """Errors of the rooms become errors the page knows how to show."""
    try:
        yield
    except PageError:
        raise
    except NothingCollected as error:
        raise NothingYet(say("error.no_report")) from error
    except (ListBusy, StoreBusy) as error:
        raise Busy(say("error.busy")) from error
    except NotAnApprover as error:
        raise NotAllowed(told(error)) from error
    except Exception as error:
        if not getattr(error, "remedy", ""):  # none of ours: a fault, which belongs into the log
            raise
        if getattr(error, "retryable", False):
            raise Busy(told(error)) from error
        raise Invalid(told(error), fields=fields) from error
