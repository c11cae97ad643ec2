"""Why an account changes band, in codes and numbers. Words live elsewhere; nothing is decided here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from balancer.resting import TURN
from balancer.types import UNPLACED, Indices, Move, Policy, State, Vector

REASONS = ("first_split", "newcomer", "shock", "small_audience", "held", "too_much", "too_little",
           "waiting_turn", "turn_came")  # fmt: skip
Flags = NDArray[np.bool_]
Codes = NDArray[np.int8]


@dataclass(frozen=True, eq=False, slots=True)
class Moves(Sequence[Move]):
    """The moves of a plan as columns: each Move is made when it is looked at, for there can be millions.

    row, before, after, reason (an index of REASONS), rate, want: (m,), in account order
    """

    accounts: tuple[str, ...]
    day: int
    dwell_days: int
    turns: bool
    row: Indices
    before: Codes
    after: Codes
    reason: Codes
    rate: Vector
    want: Vector

    def __len__(self) -> int:
        return int(self.row.size)

    @overload
    def __getitem__(self, at: int) -> Move: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Move, ...]: ...
    def __getitem__(self, at: int | slice) -> Move | tuple[Move, ...]:
        if isinstance(at, slice):
            return tuple(self[i] for i in range(*at.indices(len(self))))
        reason = REASONS[self.reason[at]]
        return Move(
            self.accounts[self.row[at]],
            int(self.before[at]),
            int(self.after[at]),
            reason,
            evidence={"natural_per_day": float(self.rate[at]), "wanted_per_day": float(self.want[at])},
            release=self._release(reason),
        )

    def _release(self, reason: str) -> int | None:
        """Earliest day of a change back: turns are short, bands rest for the dwell time."""
        if reason == "held":
            return None
        if self.turns and reason != "small_audience":
            return self.day + 1
        return self.day + (TURN if reason in ("waiting_turn", "turn_came") else self.dwell_days)


def explain(
    state: State,
    policy: Policy,
    band: Codes,
    *,
    wanted: Codes,
    shocked: Flags,
    rate: Vector,
    want: Vector,
    turns: bool = False,
    back: Flags | None = None,
) -> Moves:
    """One Move per changed account, in account order, each with exactly one reason and its numbers.

    wanted  (n,) band before small audiences were merged and held accounts taken out
    rate, want  (n,) impressions per day: without control, and aimed at
    turns   accounts are on and off by turns: whoever is off may be on again from the next plan on
    back    (n,) bool, sat out until today
    """
    row = np.flatnonzero(band != state.band)
    before, after = state.band[row], band[row]
    if turns:
        reason = _turns(state, policy, row, after, wanted[row])
    else:
        first = bool((state.band < 0).all())
        reason = _reasons(before, after, wanted[row], shocked[row], first=first)
    if back is not None:
        reason = np.where(back[row], REASONS.index("turn_came"), reason)
    return Moves(
        state.accounts, state.day, policy.dwell_days, turns,
        row, before, after, reason.astype(np.int8), rate[row], want[row],
    )  # fmt: skip


def _turns(state: State, policy: Policy, row: Indices, after: Codes, wanted: Codes) -> NDArray[np.int64]:
    out = after == UNPLACED
    held = np.zeros(row.size, dtype=np.bool_)
    if policy.held:
        held = np.fromiter((state.accounts[i] in policy.held for i in row.tolist()), np.bool_, row.size)
    return _first_of(
        {"held": out & held, "waiting_turn": out, "turn_came": after == wanted}, otherwise="small_audience"
    )


def _reasons(before: Codes, after: Codes, wanted: Codes, shocked: Flags, *, first: bool) -> NDArray[np.int64]:
    out, fewer = after == UNPLACED, after < before
    return _first_of(
        {
            "waiting_turn": out & (wanted == UNPLACED),
            "held": out,
            "small_audience": after != wanted,
            "first_split" if first else "newcomer": before == UNPLACED,
            "shock": shocked & fewer,
            "too_much": fewer,
        },
        otherwise="too_little",
    )


def _first_of(cases: dict[str, Flags], *, otherwise: str) -> NDArray[np.int64]:
    """(m,) index into REASONS of the first case that holds for each row."""
    codes = [np.int64(REASONS.index(name)) for name in cases]
    return np.select(list(cases.values()), codes, np.int64(REASONS.index(otherwise)))
