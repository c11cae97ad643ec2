"""How often and how much: failed sign-ins per name and address, bytes per request. Bounded; it stores nothing itself."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flows.report.catalogue import say
from flows.web.errors import TooLarge

FAILURES = 5  # wrong passwords for one name before the wait begins
FAILURES_FROM = 50  # and from one address, which a whole office or a proxy may share
WINDOW = 15 * 60  # seconds a failure is remembered
_REMEMBERED = 2_000  # keys; the oldest is forgotten first


Failures = dict[str, list[float]]


class FailedSignIns(Protocol):
    """Where failures are kept: one place for every process that serves the page."""

    def failures(self) -> Failures:
        """Opaque key -> epoch seconds of its failures, oldest first."""
        ...

    def change_failures(self, change: Callable[[Failures], Failures]) -> Failures:
        """Replace them by ``change`` of them, one caller at a time over all processes; returns the new ones."""
        ...


class SignInLimit:
    """Counts failed sign-ins by name and by address; too many make the next attempt wait.

    Keys are "name:<mark>" and "from:<mark>"; a mark tells names apart and says nothing about them.
    ``turn`` lets one password be checked at a time: each check takes 64 MB on purpose.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        kept: FailedSignIns,
        *,
        failures: int = FAILURES,
        failures_from: int = FAILURES_FROM,
        window: int = WINDOW,
    ):
        self._now, self._kept, self._window = now, kept, window
        self._most = {"name": failures, "from": failures_from}
        self.turn = threading.Lock()

    def wait(self, *keys: str) -> int:
        """Seconds until an attempt is looked at; 0 = now."""
        at = self._now().timestamp()
        seen = self._recent(self._kept.failures(), at)
        return max((self._wait(key, seen.get(key, []), at) for key in keys), default=0)

    def _wait(self, key: str, recent: list[float], at: float) -> int:
        most = self._most[key.partition(":")[0]]
        if len(recent) < most:
            return 0
        return max(1, int(recent[-most] + self._window - at) + 1)

    def _recent(self, kept: Failures, at: float) -> Failures:
        found = {key: [t for t in times if at - t < self._window] for key, times in kept.items()}
        return {key: times for key, times in found.items() if times}

    def failed(self, *keys: str) -> int:
        """Count a failure against each key; gives how many the first key has now."""
        at = self._now().timestamp()

        def counted(kept: Failures) -> Failures:
            seen = self._recent(kept, at)
            for key in keys:
                times = [*seen.pop(key, []), at]
                seen[key] = times[-self._most[key.partition(":")[0]] :]
            return dict(sorted(seen.items(), key=lambda one: one[1][-1])[-_REMEMBERED:])

        return len(self._kept.change_failures(counted)[keys[0]])

    def succeeded(self, key: str) -> None:
        """Forget a name's failures once its owner is in; an address keeps its own."""
        if key in self._kept.failures():
            self._kept.change_failures(lambda kept: {k: times for k, times in kept.items() if k != key})


class BodyLimit:
    """Refuses a request body above ``most`` bytes, whether its length was announced or not."""

    def __init__(self, app: ASGIApp, *, most: int):
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self._most:
            await _refuse(send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._most:
                raise TooLarge(say("error.upload"))
            return message

        await self._app(scope, counted, send)


async def _refuse(send: Send) -> None:
    text = say("error.body").encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": text})
