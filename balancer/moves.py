"""Why an account changes band, in codes and numbers. Words live elsewhere; nothing is decided here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from balancer.types import UNPLACED, Move, Policy, State, Vector

REASONS = ("first_split", "newcomer", "shock", "small_audience", "held", "too_much", "too_little")


def explain(
    state: State,
    policy: Policy,
    band: NDArray[np.int8],
    *,
    wanted: NDArray[np.int8],
    shocked: NDArray[np.bool_],
    rate: Vector,
    want: Vector,
) -> tuple[Move, ...]:
    """One Move per changed account, in account order, each with exactly one reason and its numbers.

    wanted  (n,) band before small audiences were merged and held accounts taken out
    rate, want  (n,) impressions per day: without control, and aimed at
    """
    changed = np.flatnonzero(band != state.band)
    first = bool((state.band < 0).all())
    release = state.day + policy.dwell_days
    moves = []
    for i in changed.tolist():
        before, after = int(state.band[i]), int(band[i])
        moves.append(
            Move(
                account=state.accounts[i],
                before=before,
                after=after,
                reason=_reason(before, after, int(wanted[i]), shocked=bool(shocked[i]), first=first),
                evidence={"natural_per_day": float(rate[i]), "wanted_per_day": float(want[i])},
                release=None if after == UNPLACED else release,
            )
        )
    return tuple(moves)


def _reason(before: int, after: int, wanted: int, *, shocked: bool, first: bool) -> str:
    if after == UNPLACED:
        return "held"
    if after != wanted:
        return "small_audience"
    if before == UNPLACED:
        return "first_split" if first else "newcomer"
    if shocked and after < before:
        return "shock"
    return "too_much" if after < before else "too_little"
