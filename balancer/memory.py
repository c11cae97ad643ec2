"""What a controller carries from one day to the next, as plain named arrays.

Knows how to start, keep, and re-align it; never how to use it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from balancer.rates import Evidence, no_evidence
from balancer.types import Policy, State, Vector

RECENT = 28  # days of totals kept
NEVER = -(10**6)  # a day long before any other
STARTS = {"cautious": 1.1, "fast": 2.0}
FIRST, ABSORBED, REBANDED, RAMPED, PLANNED = range(5)  # of ``clock``
_PER_ACCOUNT = ("seen", "exposure", "hot", "credit", "room", "moved", "target", "rests", "home")
_SINGLE = frozenset({"seen", "exposure", "credit", "room", "target"})
_BLANK = {"moved": NEVER, "room": np.inf}
_PER_DAY = {
    "flight": True,
    "tally": 0,
}  # (days, n) of turns and thresholds: a newcomer was on, and counted nothing


@dataclass(frozen=True, eq=False)
class Memory:
    """n accounts, K bands; days are ordinals.

    seen, exposure, hot   (n,) see ``rates.Evidence``
    credit                (n,) impressions an account is owed (negative: it got too many)
    room                  (n,) most impressions per day an account was seen to take; inf = never seen full
    moved                 (n,) day of the last commanded change
    target                (n,) impressions per day aimed at in the last plan
    centre                (K,) log throttle each band stands for, increasing
    price                 (5,) sums of the price fit, see ``price``
    recent                (<= 28, 4) day, impressions, spend, budget of the last absorbed days
    clock                 (5,) first day, last absorbed day, last re-banding, last ramp step, last plan
    lift                  (1,) largest throttle allowed anywhere
    reach                 (4,) low, high, level, binding of the last ``affordable.Reach``; zeros = none yet
    trim                  (1,) correction of the impression floor learned from what was delivered
    rests                 (n,) bool, the last plan lets the account sit out, see ``resting``
    """

    seen: Vector
    exposure: Vector
    hot: NDArray[np.int8]
    credit: Vector
    room: Vector
    moved: NDArray[np.int32]
    target: Vector
    centre: Vector
    price: Vector
    recent: Vector
    clock: NDArray[np.int32]
    lift: Vector
    reach: Vector
    trim: Vector
    rests: NDArray[np.bool_]

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.seen, self.exposure, self.hot)

    def with_evidence(self, evidence: Evidence) -> Memory:
        return replace(self, seen=evidence.seen, exposure=evidence.exposure, hot=evidence.hot)

    def at(self, which: int) -> int:
        """One day of the clock."""
        return int(self.clock[which])

    def ticked(self, **days: int) -> Memory:
        """The same memory with clock entries replaced, by lower-case name."""
        clock = self.clock.copy()
        for name, day in days.items():
            clock[_CLOCK.index(name)] = day
        return replace(self, clock=clock)

    def as_mapping(self) -> dict[str, NDArray[np.generic]]:
        """For ``BalancePlan.memory``: account figures in single precision, at half the room."""
        stored: dict[str, NDArray[np.generic]] = {}
        for field in fields(self):
            value: NDArray[np.generic] = getattr(self, field.name)
            stored[field.name] = value.astype(np.float32, copy=False) if field.name in _SINGLE else value
        return stored

    def narrowed(self) -> Memory:
        """The same figures in the precision they are stored in, so that long lists fit into memory."""
        return Memory(**self.as_mapping())  # type: ignore[arg-type]


_CLOCK = ("first", "absorbed", "rebanded", "ramped", "planned")


def recall(state: State, policy: Policy, bands: int) -> Memory:
    """The memory of the last plan, or a fresh one where there is none.

    What was learned about accounts survives a change of the number of bands; what was
    learned about the bands does not. Use ``realign`` when accounts joined or left.
    """
    old = state.memory
    if "seen" not in old or old["seen"].shape != (len(state.accounts),):
        return _fresh(state, policy, bands)
    blank = {"rests": np.zeros(len(state.accounts), dtype=np.bool_)}
    kept = Memory(**{field.name: {**blank, **old}[field.name] for field in fields(Memory)})  # type: ignore[arg-type]
    if kept.centre.shape == (bands,):
        return kept
    return replace(kept, centre=np.zeros(bands)).ticked(rebanded=NEVER)


def realign(
    memory: Mapping[str, NDArray[np.generic]], before: Sequence[str], after: Sequence[str]
) -> dict[str, NDArray[np.generic]]:
    """A stored memory for a changed list of accounts: newcomers start with nothing, leavers are forgotten.

    before, after  account ids in the order of the arrays, each without repeats
    """
    row = {account: i for i, account in enumerate(before)}
    source = np.array([row.get(account, -1) for account in after], dtype=np.int64)
    known = source >= 0
    result = dict(memory)
    for name in _PER_ACCOUNT:
        if name in memory:
            old = memory[name]
            blank = np.full(len(after), _BLANK.get(name, 0), dtype=old.dtype)
            blank[known] = old[source[known]]
            result[name] = blank
    for name in _PER_DAY.keys() & memory.keys():
        rows = np.full((memory[name].shape[0], len(after)), _PER_DAY[name], dtype=memory[name].dtype)
        rows[:, known] = memory[name][:, source[known]]
        result[name] = rows
    return result


def _fresh(state: State, policy: Policy, bands: int) -> Memory:
    n = len(state.accounts)
    nothing = no_evidence(n)
    return Memory(
        seen=nothing.seen,
        exposure=nothing.exposure,
        hot=nothing.hot,
        credit=np.zeros(n),
        room=np.full(n, np.inf),
        moved=np.full(n, NEVER, dtype=np.int32),
        target=np.zeros(n),
        centre=np.zeros(bands),
        price=np.zeros(5),
        recent=np.zeros((0, 4)),
        clock=np.array([state.day, NEVER, NEVER, state.day, NEVER], dtype=np.int32),
        lift=np.array([max(1.0, min(STARTS[policy.ramp], policy.max_throttle))]),
        reach=np.zeros(4),
        trim=np.zeros(1),
        rests=np.zeros(n, dtype=np.bool_),
    )
