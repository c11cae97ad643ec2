"""Request quotas shared by every process of a workspace, kept in its record. Must not wait, nor send anything."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from platforms.pacing import Rate, later_close, next_arrival

if TYPE_CHECKING:
    from audiences.store import Store
    from audiences.store.pace import Pace


class SharedQuota:
    """Implements ``platforms.pacing.QuotaStore`` on the record: two numbers per bucket.

    ``world`` keeps apart what must not meet: a sandbox's quotas from a real platform's.
    """

    def __init__(self, store: Store, world: str) -> None:
        self._store, self._world = store, world

    def reserve(self, bucket: str, rate: Rate, now: float, *, longest: float = math.inf) -> float:
        """One transaction; seconds to wait. Takes no place where that is more than ``longest``."""

        def take(held: Pace) -> Pace:
            arrival, wait = next_arrival(held[0], rate, now, longest=longest)
            return (arrival, held[1]) if wait <= longest else held

        held = self._store.change_pace(self._name(bucket), take)
        return next_arrival(held[0], rate, now, longest=longest)[1]

    def close(self, bucket: str, until: float) -> None:
        """Let nothing through before ``until``; the latest word of several processes holds."""
        name = self._name(bucket)
        self._store.change_pace(name, lambda held: (held[0], later_close(held[1], until)))

    def closed_until(self, bucket: str) -> float:
        return self._store.pace(self._name(bucket))[1]

    def _name(self, bucket: str) -> str:
        return f"{self._world}|{bucket}"
