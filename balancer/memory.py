"""What a controller carries from one day to the next, as plain named arrays.

Knows how to start, read and write it; never how to use it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from balancer.rates import Evidence, no_evidence
from balancer.types import Policy, State, Vector

RECENT = 7  # days of totals kept
NEVER = -(10**6)  # a day long before any other
STARTS = {"cautious": 1.1, "fast": 2.0}


@dataclass(frozen=True, eq=False)
class Memory:
    """n accounts, K bands; days are ordinals.

    seen, exposure, hot   per account, see ``rates.Evidence``
    credit                (n,) impressions an account is owed (negative: got too many)
    moved                 (n,) day of the last commanded change
    target                (n,) impressions per day aimed at in the last plan
    limit                 (K,) largest throttle of the band that is known to deliver; inf = not reached yet
    lock                  (K,) day until which the limit is not probed
    centre                (K,) log throttle each band stands for
    recent                (7, 4) day, impressions, spend, budget of the last absorbed days
    clock                 (5,) first day, last absorbed day, last re-banding, last ramp step, last plan's day
    lift                  (1,) largest throttle allowed anywhere
    """

    seen: Vector
    exposure: Vector
    hot: NDArray[np.int8]
    credit: Vector
    moved: NDArray[np.int32]
    target: Vector
    limit: Vector
    lock: NDArray[np.int32]
    centre: Vector
    recent: Vector
    clock: NDArray[np.int32]
    lift: Vector

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.seen, self.exposure, self.hot)

    def with_evidence(self, evidence: Evidence) -> Memory:
        return replace(self, seen=evidence.seen, exposure=evidence.exposure, hot=evidence.hot)

    def as_mapping(self) -> dict[str, NDArray[np.generic]]:
        """For ``BalancePlan.memory``."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def recall(state: State, policy: Policy, bands: int) -> Memory:
    """The memory of the last plan, or a fresh one when there is none or the accounts have changed."""
    old = state.memory
    n = len(state.accounts)
    fits = "seen" in old and old["seen"].shape == (n,) and old["limit"].shape == (bands,)
    return Memory(**old) if fits else _fresh(state, policy, bands)  # type: ignore[arg-type]


def _fresh(state: State, policy: Policy, bands: int) -> Memory:
    n = len(state.accounts)
    nothing = no_evidence(n)
    return Memory(
        seen=nothing.seen,
        exposure=nothing.exposure,
        hot=nothing.hot,
        credit=np.zeros(n),
        moved=np.full(n, NEVER, dtype=np.int32),
        target=np.zeros(n),
        limit=np.full(bands, np.inf),
        lock=np.full(bands, NEVER, dtype=np.int32),
        centre=np.zeros(bands),
        recent=np.zeros((0, 4)),
        clock=np.array([state.day, NEVER, NEVER, state.day, NEVER], dtype=np.int32),
        lift=np.array([min(STARTS[policy.ramp], policy.max_throttle)]),
    )
