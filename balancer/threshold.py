"""Threshold capping, as commercial products do it: excluded at a count, released later.

For parity and comparison. It counts only what reports list, knows no rates, and does nothing
about the accounts that get too little.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from balancer import guards
from balancer.canon import inputs_hash
from balancer.checks import check_inputs
from balancer.types import UNPLACED, BalancePlan, DayReport, Move, Policy, State, Status, Vector

Band = NDArray[np.int8]
EVEN = 4.0  # default cap, times the even share of the interval
COOL_DOWN = 3  # days between two changes of one account in rolling mode
FIRST, ABSORBED = 0, 1


@dataclass(frozen=True, eq=False)
class Tally:
    """counts (days, n) listed impressions of the last interval; day (days,); home (n,) band to return to."""

    counts: Vector
    days: NDArray[np.int32]
    home: Band
    moved: NDArray[np.int32]
    clock: NDArray[np.int32]  # first day, last absorbed day


@dataclass(frozen=True, slots=True)
class Threshold:
    """``propose(state, policy) -> BalancePlan`` for mode "threshold".

    count    campaigns whose impressions count towards the cap; None = all
    exclude  campaigns an account over the cap is taken out of; None = all
    rolling  False: calendar intervals, everybody is released when a new one starts (so that the
             change lands on its first day). True: the last ``interval_days`` count, and an account is
             released below ``release`` of the cap, at the earliest three days after its last change
    """

    count: frozenset[int] | None = None
    exclude: frozenset[int] | None = None
    rolling: bool = False
    release: float = 0.7

    def propose(self, state: State, policy: Policy) -> BalancePlan:
        """Who is in which campaign from today's command on; the money is left as it is. Raises BadNumbers."""
        check_inputs(state, policy)
        tally = _recall(state)
        unfit = guards.unfit_data(state, policy, int(tally.clock[ABSORBED]), int(tally.clock[FIRST]))
        if unfit is None:
            tally = self._counted(state, policy, tally)
        even = state.baseline * policy.interval_days / max(len(state.accounts), 1)
        cap = policy.threshold or (policy.even_cap or EVEN) * even
        total = tally.counts.sum(axis=0)
        band = state.band.copy() if unfit is not None else self._membership(state, policy, tally, total, cap)
        changed = band != state.band
        tally = Tally(
            tally.counts,
            tally.days,
            tally.home,
            np.where(changed, state.day, tally.moved).astype(np.int32),
            tally.clock,
        )
        return BalancePlan(
            day=state.day,
            mode="threshold",
            accounts=state.accounts,
            target=np.asarray(np.where(band >= 0, state.baseline / max(int((band >= 0).sum()), 1), 0.0)),
            band=band,
            budgets=_budgets(state, tally.home),
            moves=self._moves(state, policy, band, total, cap, int(tally.clock[FIRST])),
            statuses=(unfit or Status("ok"),),
            forecast={},
            memory={
                "tally": tally.counts,
                "days": tally.days,
                "home": tally.home,
                "moved": tally.moved,
                "clock": tally.clock,
            },
            inputs_hash=inputs_hash(state, policy),
        )

    def _membership(self, state: State, policy: Policy, tally: Tally, total: Vector, cap: float) -> Band:
        over = total >= cap
        if self.exclude is not None:
            over &= np.isin(tally.home, sorted(self.exclude))
        band = np.where(over, np.int8(UNPLACED), tally.home)
        if self.rolling:
            out = state.band < 0
            still = out & (total >= self.release * cap)
            waiting = ~guards.rested(tally.moved, state.day, COOL_DOWN)
            band = np.where(still, np.int8(UNPLACED), band)
            band = np.where(waiting, state.band, band)
        elif _starts(state, policy, int(tally.clock[FIRST])):
            band = tally.home.copy()
        band = guards.within_churn(
            state.band, band.astype(np.int8), np.abs(total - cap), policy.operations_per_day
        )
        band = _enough(band, tally.home, state, policy, total)
        return guards.held_out(band, state, policy)

    def _counted(self, state: State, policy: Policy, tally: Tally) -> Tally:
        counts, days, clock = tally.counts, tally.days, tally.clock.copy()
        for report in sorted(state.reports, key=lambda r: r.day):
            if report.day > int(clock[ABSORBED]):
                counts = np.concatenate([counts, self._row(report, counts.shape[1])[None, :]])
                days = np.append(days, report.day).astype(np.int32)
                clock[ABSORBED] = report.day
        begin = state.day - policy.interval_days
        if not self.rolling:
            begin = max(_interval_start(state, policy, int(clock[FIRST])) - 1, int(clock[FIRST]) - 1)
        keep = days > begin
        return Tally(counts[keep], days[keep], tally.home, tally.moved, clock)

    def _row(self, report: DayReport, n: int) -> Vector:
        rows = report.account
        shown = np.maximum(report.impressions, 0.0)
        if self.count is not None:
            shown = np.where(np.isin(report.band[rows], sorted(self.count)), shown, 0.0)
        return np.asarray(np.bincount(rows, weights=shown, minlength=n), dtype=np.float64)

    def _moves(
        self, state: State, policy: Policy, band: Band, total: Vector, cap: float, first: int
    ) -> tuple[Move, ...]:
        release = state.day + COOL_DOWN if self.rolling else _next_start(state, policy, first)
        moves = []
        for i in np.flatnonzero(band != state.band).tolist():
            out = int(band[i]) == UNPLACED
            moves.append(
                Move(
                    account=state.accounts[i],
                    before=int(state.band[i]),
                    after=int(band[i]),
                    reason=_reason(state.accounts[i], policy, out=out, over=bool(total[i] >= cap)),
                    evidence={"counted": float(total[i]), "cap": float(cap)},
                    release=release if out else state.day,
                )
            )
        return tuple(moves)


def _reason(account: str, policy: Policy, *, out: bool, over: bool) -> str:
    if account in policy.held:
        return "held"
    if out:
        return "over_threshold"
    return "small_audience" if over else "released"


def _interval_start(state: State, policy: Policy, first: int) -> int:
    """First day of the interval that today's command will fall into."""
    at = state.day + policy.actuation_delay - first
    return first + at // policy.interval_days * policy.interval_days


def _next_start(state: State, policy: Policy, first: int) -> int:
    return _interval_start(state, policy, first) + policy.interval_days - policy.actuation_delay


def _starts(state: State, policy: Policy, first: int) -> bool:
    return _interval_start(state, policy, first) == state.day + policy.actuation_delay


def _enough(band: Band, home: Band, state: State, policy: Policy, total: Vector) -> Band:
    """Put the least served accounts back while an audience would fall below the platform's minimum."""
    if state.members.sum() <= 0.0:
        return band
    band = band.copy()
    for b in np.unique(home[home >= 0]).tolist():
        missing = policy.minimum_members - float(state.members[band == b].sum())
        out = np.flatnonzero((home == b) & (band != b))
        if missing > 0.0 and out.size:
            order = out[np.argsort(total[out], kind="stable")]
            count = int(np.searchsorted(np.cumsum(state.members[order]), missing)) + 1
            band[order[:count]] = b
    return band


def _budgets(state: State, home: Band) -> Vector:
    """All the money; with several campaigns, by the number of accounts that belong to each."""
    k = max(1, int(home.max(initial=0)) + 1)
    size = np.bincount(home[home >= 0], minlength=k)[:k].astype(np.float64)
    return np.asarray(state.budget * size / max(float(size.sum()), 1.0))


def _recall(state: State) -> Tally:
    old = state.memory
    n = len(state.accounts)
    if "tally" in old and old["tally"].ndim == 2 and old["tally"].shape[1] == n:
        home = np.where(state.band >= 0, state.band, np.asarray(old["home"])).astype(np.int8)
        return Tally(
            np.asarray(old["tally"], dtype=np.float64),
            np.asarray(old["days"], dtype=np.int32),
            home,
            np.asarray(old["moved"], dtype=np.int32),
            np.asarray(old["clock"], dtype=np.int32),
        )
    never = np.full(n, -(10**6), dtype=np.int32)
    clock = np.array([state.day, -(10**6)], dtype=np.int32)
    home = np.where(state.band >= 0, state.band, 0).astype(np.int8)
    return Tally(np.zeros((0, n)), np.zeros(0, dtype=np.int32), home, never, clock)
