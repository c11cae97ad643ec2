"""The level below the lowest band: who is served too much even there sits out for a while.

A handful of accounts are so loud that no band fits them without pulling its money away from
everybody else in it. They take turns with themselves instead, judged every day: a whole week on the
list can be several times what the loudest should get in a month. It only ever names accounts of the
lowest band, and never empties that band.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from balancer import guards
from balancer.memory import Memory
from balancer.outlook import Outlook
from balancer.types import Policy, State

OUT = 0.5  # of the lowest band's throttle: who wants less sits out
BACK = 0.8  # who wants more returns
TURN = 2  # days a turn lasts at least, on or out
LONGEST = 3  # dwell times: nobody is out for a whole window


def sits_out(
    state: State, policy: Policy, memory: Memory, view: Outlook, band: NDArray[np.int8]
) -> NDArray[np.int64]:
    """Rows that should leave the lowest band and sit out, loudest first. ``band`` (n,) as wanted so far.

    The band keeps the members it needs; who changed a day ago or is pinned stays. Without credit (gain 0)
    nobody would come back, so nobody goes.
    """
    if (state.band < 0).all() or policy.gain <= 0.0:
        return np.zeros(0, dtype=np.int64)
    lowest: NDArray[np.int64] = np.flatnonzero((band == 0) & (state.band == 0))
    want = view.want[lowest] / view.rate[lowest]
    rested = guards.rested(memory.moved[lowest], state.day, TURN)
    loud = rested & ~view.starved[lowest] & (want < OUT * np.exp(memory.centre[0]))
    order = np.argsort(want[loud], kind="stable")
    rows: NDArray[np.int64] = lowest[loud][order]
    if policy.pins:
        rows = np.array([i for i in rows.tolist() if state.accounts[i] not in policy.pins], dtype=np.int64)
    if state.members.sum() <= 0.0:
        return rows[: max(0, int((band == 0).sum()) - 1)]
    spare = float(state.members[band == 0].sum()) - policy.minimum_members
    return rows[: int(np.searchsorted(np.cumsum(state.members[rows]), spare, side="right"))]


def still_out(state: State, policy: Policy, memory: Memory, view: Outlook) -> NDArray[np.int64]:
    """Rows that go on sitting out, because they are not owed enough yet."""
    rows: NDArray[np.int64] = np.flatnonzero(memory.rests & (state.band < 0))
    rested = guards.rested(memory.moved[rows], state.day, TURN)
    owed = view.want[rows] >= BACK * np.exp(memory.centre[0]) * view.rate[rows]
    long = guards.rested(memory.moved[rows], state.day, LONGEST * policy.dwell_days)
    stays: NDArray[np.bool_] = ~(rested & (owed | long))
    return np.asarray(rows[stays])
