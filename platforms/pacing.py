"""Request rates, owned by whoever owns the quota: (member, app, endpoint). It must not know any platform.

State per bucket is two numbers, so that several processes can share it through one database row: the
theoretical arrival time of the next request (generic cell rate algorithm) and a time before which nothing
may be sent at all (a day quota that was used up).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from platforms.errors import QuotaSpent, Throttled

# Quotas reset within a day (LinkedIn: midnight UTC, Google: midnight Pacific time; 2026-08). A moment further ahead
# was written under another clock (set back since, or of a sandbox that started over) and means nothing now.
FURTHEST = 25 * 3600.0


@dataclass(frozen=True, slots=True)
class Rate:
    """``per_minute`` requests on average, up to ``burst`` of them at once."""

    per_minute: float
    burst: int = 10

    def __post_init__(self) -> None:
        if self.per_minute <= 0 or self.burst < 1:
            raise ValueError("a rate needs per_minute > 0 and burst >= 1")


class QuotaStore(Protocol):
    """Where buckets live. Every call is atomic; times are seconds since the epoch (UTC)."""

    def reserve(self, bucket: str, rate: Rate, now: float, *, longest: float = math.inf) -> float:
        """Take one place in the queue; returns the seconds to wait before using it, >= 0.

        When that is more than ``longest``, no place is taken: whoever gives up leaves no gap behind.
        """
        ...

    def close(self, bucket: str, until: float) -> None:
        """Let nothing through before ``until``."""
        ...

    def closed_until(self, bucket: str) -> float:
        """0.0 when the bucket was never closed."""
        ...


def next_arrival(arrival: float, rate: Rate, now: float, *, longest: float = FURTHEST) -> tuple[float, float]:
    """One step of the generic cell rate algorithm: (new arrival time, seconds to wait).

    Any window of length T then holds at most ``burst + T * per_minute / 60`` requests. Nobody queues for more
    than ``longest`` seconds, so an arrival further ahead was written before the clock was set back.
    """
    gap = 60.0 / rate.per_minute
    ahead = min(longest, FURTHEST) + rate.burst * gap
    start = arrival if now < arrival <= now + ahead else now
    wait = max(0.0, start - (rate.burst - 1) * gap - now)
    return start + gap, wait


def later_close(held: float, until: float) -> float:
    """Until when a bucket stays closed: the later word, unless it came from another clock."""
    return held if until < held <= until + FURTHEST else until


class InMemoryQuota:
    """Buckets of one process. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arrival: dict[str, float] = {}
        self._closed: dict[str, float] = {}

    def reserve(self, bucket: str, rate: Rate, now: float, *, longest: float = math.inf) -> float:
        with self._lock:
            arrival, wait = next_arrival(self._arrival.get(bucket, 0.0), rate, now, longest=longest)
            if wait <= longest:
                self._arrival[bucket] = arrival
            return wait

    def close(self, bucket: str, until: float) -> None:
        with self._lock:
            self._closed[bucket] = later_close(self._closed.get(bucket, 0.0), until)

    def closed_until(self, bucket: str) -> float:
        with self._lock:
            return self._closed.get(bucket, 0.0)


class Pacer:
    """Makes callers wait their turn. ``owner`` owns the quota: member and app, or cloud project.

    Waits longer than ``longest`` seconds are not slept through but raised as ``Throttled``: minutes belong
    to the scheduler.
    """

    def __init__(
        self,
        owner: str,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        store: QuotaStore | None = None,
        longest: float = 60.0,
    ) -> None:
        self._owner, self._clock, self._sleep, self._longest = owner, clock, sleep, longest
        self._store: QuotaStore = store if store is not None else InMemoryQuota()

    def turn(self, endpoint: str, rate: Rate | None) -> None:
        """Return when one request to ``endpoint`` may be sent; without a rate, at once.

        Raises QuotaSpent, Throttled.
        """
        bucket, now = self._bucket(endpoint), self._clock().timestamp()
        closed = self._store.closed_until(bucket)
        if now < closed <= now + FURTHEST:
            reset = datetime.fromtimestamp(closed, UTC)
            raise QuotaSpent(f"the day quota of {endpoint} is used up", reset_at=reset, code="closed")
        if rate is None:
            return
        wait = self._store.reserve(bucket, rate, now, longest=self._longest)
        if wait > self._longest:
            raise Throttled(f"the queue for {endpoint} is too long", wait=wait, code="queue")
        if wait > 0.0:
            self._sleep(wait)

    def close(self, endpoint: str, until: datetime) -> None:
        """The platform said the day quota is spent: stop every user of this bucket until then."""
        self._store.close(self._bucket(endpoint), until.timestamp())

    def _bucket(self, endpoint: str) -> str:
        return f"{self._owner}|{endpoint}"
