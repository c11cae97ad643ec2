"""What each mode and cap would bring and cost, side by side, before anything is switched on.

Simulations and static frontiers only: it stops at the delivery the user insists on, and promises no share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from balancer.errors import BadNumbers
from balancer.frontier import cost_of_a_point, furthest, power_frontier
from balancer.rehearse import rehearse
from balancer.types import Policy, Vector
from balancer.worlds import WINDOW, open_world

MODES = ("bands", "duty", "threshold")
ELASTICITIES = (0.0, 0.1, 0.3)
FIGURES = ("top100_after", "coverage_after", "delivery", "cpm_ratio", "changes_per_day", "settle_days")


@dataclass(frozen=True, slots=True)
class Row:
    """One mode and cap. ``cap`` in multiples of the even share, None = no cap of its own.

    figures, low, high  means over the seeds, and the 5th and 95th percentile, by the names of ``Rehearsal``
    kept                the mean delivery is not under the floor
    """

    mode: str
    cap: float | None
    figures: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]
    kept: bool


@dataclass(frozen=True, slots=True)
class Frontier:
    """The most even delivery the floor allows when the price rises with pressure to a power.

    share     of the top 100 there          delivery  impressions, of today's, at the same money
    throttle  pressure on the others        a_point   fraction of impressions one more point would cost
    """

    elasticity: float
    share: float
    delivery: float
    throttle: float
    a_point: float | None


@dataclass(frozen=True, slots=True)
class PriceTable:
    """``before`` and ``oracle`` are shares of the top 100; ``best`` is the lowest share that keeps the floor."""

    accounts: int
    before: float
    oracle: float
    floor: float
    rows: tuple[Row, ...]
    frontier: tuple[Frontier, ...]
    best: Row | None
    assumed: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def price_table(
    source: Vector | str,
    *,
    caps: Sequence[float | None],
    plant: str,
    seed: int,
    seeds: int,
    weeks: int,
    floor: float,
    headroom: float,
    modes: Sequence[str] | None = None,
    elasticities: Sequence[float] = ELASTICITIES,
) -> PriceTable:
    """Rehearse every mode at every cap, loosest first; a mode's tighter caps are left out below the floor.

    source  (n,) impressions per account over 28 days, or the letter of a simulated world
    caps    multiples of the even share an account may have, > 1; None = none
    floor   least impressions accepted, as a fraction of today's, in (0, 1]
    elasticities   price responses the frontier is drawn for, >= 0
    Raises BadNumbers.
    """
    _check(caps, floor)
    play = partial(rehearse, source, plant=plant, seed=seed, seeds=seeds, weeks=weeks, headroom=headroom)
    rows: list[Row] = []
    for mode in modes or MODES:
        for cap in sorted(set(caps), key=lambda cap: -(cap or np.inf)):
            last = play(mode=mode, policy=_policy(source, cap, floor, seed, headroom))
            rows.append(_row(mode, cap, last, floor))
            if not rows[-1].kept:
                break
    return PriceTable(
        accounts=last.accounts,
        before=last.top100_before,
        oracle=last.oracle,
        floor=floor,
        rows=tuple(rows),
        frontier=tuple(_frontier(source, e, floor, seed, headroom) for e in elasticities),
        best=min((r for r in rows if r.kept), key=lambda r: r.figures["top100_after"], default=None),
        assumed=(*last.assumed, f"{seeds} seeds", "frontier: every account its own band, delays left out"),
    )


def _check(caps: Sequence[float | None], floor: float) -> None:
    if not 0.0 < floor <= 1.0:
        raise BadNumbers(f"The delivery floor is a fraction of today's impressions, not {floor:g}.")
    if not caps or any(cap is not None and not 1.0 < cap < np.inf for cap in caps):
        raise BadNumbers(
            "A cap is a multiple of the even share and above 1: nobody can all be below the mean."
        )


def _row(mode: str, cap: float | None, found: Any, floor: float) -> Row:
    figures = {name: float(getattr(found, name)) for name in FIGURES}
    low, high = ({name: float(ends[name]) for name in FIGURES} for ends in (found.low, found.high))
    return Row(mode, cap, figures, low, high, kept=figures["delivery"] >= floor - 0.0005)


def _policy(source: Vector | str, cap: float | None, floor: float, seed: int, headroom: float) -> Policy:
    """The cap in impressions: per account and window for bands and turns, per interval for thresholds."""
    policy = Policy(impression_floor=floor, member_cap=None)
    if cap is None:
        return policy
    rates = _rates(source, seed, headroom)[0]
    even = float(rates.sum()) / rates.size
    return replace(
        policy, absolute_cap=cap * even * policy.window_days, threshold=cap * even * policy.interval_days
    )


def _rates(source: Vector | str, seed: int, headroom: float) -> tuple[Vector, Vector | None]:
    """(n,) impressions per day, and (n,) the most there are."""
    if isinstance(source, str):
        world = open_world(source, seed=seed, headroom=headroom)
        return world.rates, world.rates * world.headroom
    counts = np.asarray(source, dtype=np.float64)
    rates = (counts + 0.5) / WINDOW
    return rates, rates * headroom


def _frontier(source: Vector | str, elasticity: float, floor: float, seed: int, headroom: float) -> Frontier:
    rates, inventory = _rates(source, seed, headroom)
    points = power_frontier(rates, elasticity=elasticity, top=100, inventory=inventory)
    point = furthest(points, floor=floor)
    a_point = cost_of_a_point(points, share=point.share)
    return Frontier(
        elasticity,
        point.share,
        point.delivery,
        point.throttle,
        a_point if np.isfinite(a_point) else None,
    )
