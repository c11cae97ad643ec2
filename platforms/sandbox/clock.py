"""The sandbox's time and what is due when. It must never read the wall clock in simulated mode."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

SECOND = 1000
HOUR = 3600 * SECOND
DAY = 24 * HOUR


def to_ms(moment: datetime) -> int:
    """Epoch milliseconds of an aware datetime."""
    return round(moment.timestamp() * 1000)


def to_datetime(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, tz=UTC)


def day_of(ms: int) -> date:
    return to_datetime(ms).date()


def day_start(day: date) -> int:
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=UTC))


def iso(ms: int) -> str:
    return to_datetime(ms).isoformat().replace("+00:00", "Z")


class Agenda:
    """Events in time order; equal times keep the order they were put in.

    How often ``due`` is asked never changes what happens: an event runs at its own time, not at the
    time of asking. That is what makes a replay equal to the first run.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, str, Any]] = []
        self._count = 0

    def put(self, when: int, kind: str, data: Any) -> None:
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, kind, data))

    def next_time(self) -> int | None:
        return self._heap[0][0] if self._heap else None

    def pop(self) -> tuple[int, str, Any]:
        when, _, kind, data = heapq.heappop(self._heap)
        return when, kind, data


class Clock:
    """Simulated: stands still unless moved. Real: the wall clock, shifted to begin at ``start``."""

    def __init__(self, *, mode: str, start: int, wall: Callable[[], float] = time.time) -> None:
        if mode not in {"simulated", "real"}:
            raise ValueError(f"clock is 'simulated' or 'real', not {mode!r}")
        self.mode = mode
        self._now = start
        self._wall = wall
        self._offset = 0
        self.settle(start)

    def settle(self, now: int) -> None:
        """Make ``now`` the present (start, replay, advance)."""
        self._now = now
        self._offset = now - round(self._wall() * 1000) if self.mode == "real" else 0

    def now(self) -> int:
        if self.mode == "real":
            self._now = max(self._now, round(self._wall() * 1000) + self._offset)
        return self._now

    def move(self, ms: int) -> None:
        """Let simulated time pass; a real clock moves by itself."""
        if self.mode == "simulated":
            self._now += ms
