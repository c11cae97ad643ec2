"""Why an account changes band, in codes and numbers. Words live elsewhere; nothing is decided here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from balancer.resting import TURN
from balancer.types import UNPLACED, Move, Policy, State, Vector

REASONS = ("first_split", "newcomer", "shock", "small_audience", "held", "too_much", "too_little",
           "waiting_turn", "turn_came")  # fmt: skip


def explain(
    state: State,
    policy: Policy,
    band: NDArray[np.int8],
    *,
    wanted: NDArray[np.int8],
    shocked: NDArray[np.bool_],
    rate: Vector,
    want: Vector,
    turns: bool = False,
    back: NDArray[np.bool_] | None = None,
) -> tuple[Move, ...]:
    """One Move per changed account, in account order, each with exactly one reason and its numbers.

    wanted  (n,) band before small audiences were merged and held accounts taken out
    rate, want  (n,) impressions per day: without control, and aimed at
    turns   accounts are on and off by turns: whoever is off may be on again from the next plan on
    back    (n,) bool, sat out until today
    """
    changed = np.flatnonzero(band != state.band)
    first = bool((state.band < 0).all())
    moves = []
    for i in changed.tolist():
        name, before, after = state.accounts[i], int(state.band[i]), int(band[i])
        reason = (
            _turn(name, policy, after, int(wanted[i]))
            if turns
            else _reason(before, after, int(wanted[i]), shocked=bool(shocked[i]), first=first)
        )
        if back is not None and back[i]:
            reason = "turn_came"
        numbers = {"natural_per_day": float(rate[i]), "wanted_per_day": float(want[i])}
        release = _release(reason, state.day, policy, turns=turns)
        moves.append(Move(name, before, after, reason, evidence=numbers, release=release))
    return tuple(moves)


def _release(reason: str, day: int, policy: Policy, *, turns: bool) -> int | None:
    """Earliest day of a change back: turns are short, bands rest for the dwell time."""
    if reason == "held":
        return None
    if turns and reason != "small_audience":
        return day + 1
    return day + (TURN if reason in ("waiting_turn", "turn_came") else policy.dwell_days)


def _turn(account: str, policy: Policy, after: int, wanted: int) -> str:
    if after == UNPLACED:
        return "held" if account in policy.held else "waiting_turn"
    return "turn_came" if after == wanted else "small_audience"


def _reason(before: int, after: int, wanted: int, *, shocked: bool, first: bool) -> str:
    if after == UNPLACED:
        return "waiting_turn" if wanted == UNPLACED else "held"
    if after != wanted:
        return "small_audience"
    if before == UNPLACED:
        return "first_split" if first else "newcomer"
    if shocked and after < before:
        return "shock"
    return "too_much" if after < before else "too_little"
