"""What became of the companies of a segment: conversion, velocity, win rate, CAC, LTV.

Joins deals to segments and counts. Every number carries the n behind it, and
says so when that is too few; nothing here reads a CRM or judges a segment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import sqrt

from audiences.config import Economics

STAGES = ("visitor", "lead", "mql", "sql", "opportunity", "won")
LEAST_FOR_A_RATE = 20  # below this a 95 % interval of a rate is wider than +-20 points
LEAST_FOR_A_MEAN = 5
EVERYTHING = "(all companies)"


@dataclass(frozen=True, slots=True)
class Deal:
    """One chance of a sale. ``stages`` holds the day each stage was entered, as far as the CRM knows."""

    deal_id: str
    account_id: str
    stages: Mapping[str, date]
    outcome: str = "open"  # "open" | "won" | "lost"
    amount: float | None = None
    closed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A number with what it rests on. ``low`` and ``high`` are a 95 % interval where one is known."""

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    enough: bool = True

    @property
    def words(self) -> str:
        """``too few to say (n = 7)`` where so, else ""."""
        return "" if self.enough else f"too few to say (n = {self.n})"


@dataclass(frozen=True, slots=True)
class Step:
    """From one stage to the next. ``waiting`` deals are still in the stage and count for neither side."""

    stage: str
    next_stage: str
    moved: int
    stopped: int
    waiting: int
    rate: Measure


@dataclass(frozen=True, slots=True)
class Performance:
    """One segment over one set of deals."""

    segment: str
    accounts: int
    deals: int
    open_opportunities: int
    customers: int  # companies that bought
    conversion: tuple[Step, ...]
    win_rate: Measure  # won / (won + lost)
    average_deal: Measure  # of won deals, in the currency of the deals
    cycle_days: Measure  # opportunity (or first stage) to won
    velocity: Measure  # money per day
    cac: Measure | None  # None: no spend was given
    ltv: Measure | None  # None: margin or churn was not given
    nrr: Measure | None = None  # net revenue retention; None: revenue then and now was not given


def performance(
    members: Mapping[str, Collection[str]],
    deals: Iterable[Deal],
    *,
    economics: Economics,
    stages: Sequence[str] = STAGES,
) -> dict[str, Performance]:
    """Measures per segment, and over all companies with a deal under ``EVERYTHING``.

    ``members``: segment -> account ids. ``stages``: in order, the last one is the sale. Spend without a
    segment counts for EVERYTHING alone; it is never spread over segments by guess.
    """
    everything = list(deals)
    found = {name: _measure(name, ids, everything, economics, stages) for name, ids in members.items()}
    touched = {deal.account_id for deal in everything}
    found[EVERYTHING] = _measure(EVERYTHING, touched, everything, economics, stages)
    return found


def _measure(
    name: str, ids: Collection[str], deals: Sequence[Deal], economics: Economics, stages: Sequence[str]
) -> Performance:
    inside = ids if isinstance(ids, set | frozenset) else frozenset(ids)
    own = [deal for deal in deals if deal.account_id in inside]
    won = [deal for deal in own if deal.outcome == "won"]
    lost = sum(deal.outcome == "lost" for deal in own)
    selling = [deal for deal in own if deal.outcome == "open" and _reached(deal, stages[-2], stages)]
    win_rate = rate(len(won), len(won) + lost)
    average = mean([deal.amount for deal in won if deal.amount is not None])
    cycle = mean([days for deal in won if (days := _cycle(deal, stages)) is not None])
    customers = len({deal.account_id for deal in won})
    return Performance(
        segment=name,
        accounts=len(inside),
        deals=len(own),
        open_opportunities=len(selling),
        customers=customers,
        conversion=tuple(_step(own, stage, then, stages) for stage, then in pairwise(stages)),
        win_rate=win_rate,
        average_deal=average,
        cycle_days=cycle,
        velocity=_velocity(len(selling), win_rate, average, cycle),
        cac=_cac(name, customers, economics),
        ltv=_ltv(won, customers, economics),
    )


# -- stages ------------------------------------------------------------------------


def _reached(deal: Deal, stage: str, stages: Sequence[str]) -> bool:
    """A deal that skipped a stage has passed it all the same."""
    if deal.outcome == "won":
        return True
    return any(later in deal.stages for later in stages[stages.index(stage) : -1])


def _step(deals: Sequence[Deal], stage: str, then: str, stages: Sequence[str]) -> Step:
    entered = [deal for deal in deals if _reached(deal, stage, stages)]
    moved = sum(_passed(deal, then, stages) for deal in entered)
    waiting = sum(deal.outcome == "open" and not _passed(deal, then, stages) for deal in entered)
    stopped = len(entered) - moved - waiting
    return Step(stage, then, moved, stopped, waiting, rate(moved, moved + stopped))


def _passed(deal: Deal, stage: str, stages: Sequence[str]) -> bool:
    return deal.outcome == "won" if stage == stages[-1] else _reached(deal, stage, stages)


def _cycle(deal: Deal, stages: Sequence[str]) -> int | None:
    """Days from becoming an opportunity (or, unknown, from the first stage) to the sale."""
    closed = deal.closed_on or deal.stages.get(stages[-1])
    start = deal.stages.get(stages[-2]) or min(deal.stages.values(), default=None)
    if closed is None or start is None or closed < start:
        return None
    return (closed - start).days


# -- measures ------------------------------------------------------------------------


def rate(hits: int, n: int) -> Measure:
    """A share with its Wilson interval (Wilson 1927), which stays inside 0..1 and works for few."""
    if n == 0:
        return Measure(None, 0, enough=False)
    z, share = 1.96, hits / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Measure(share, n, max(0.0, centre - half), min(1.0, centre + half), n >= LEAST_FOR_A_RATE)


def mean(values: Sequence[float]) -> Measure:
    """The mean with a normal 95 % interval; no interval for fewer than two."""
    n = len(values)
    if n == 0:
        return Measure(None, 0, enough=False)
    centre = sum(values) / n
    if n == 1:
        return Measure(centre, 1, enough=False)
    half = 1.96 * sqrt(sum((value - centre) ** 2 for value in values) / (n - 1) / n)
    return Measure(centre, n, centre - half, centre + half, n >= LEAST_FOR_A_MEAN)


def _velocity(opportunities: int, win_rate: Measure, average: Measure, cycle: Measure) -> Measure:
    """Opportunities x win rate x average deal / cycle days: money per day."""
    n = min(win_rate.n, average.n, cycle.n)
    if win_rate.value is None or average.value is None or not cycle.value:
        return Measure(None, n, enough=False)
    value = opportunities * win_rate.value * average.value / cycle.value
    return Measure(value, n, enough=win_rate.enough and average.enough and cycle.enough)


def _cac(name: str, customers: int, economics: Economics) -> Measure | None:
    spend = economics.spend_by_segment.get(name)
    if name == EVERYTHING and (economics.marketing_spend is not None or economics.sales_spend is not None):
        spend = (economics.marketing_spend or 0.0) + (economics.sales_spend or 0.0)
    if spend is None:
        return None
    value = spend / customers if customers else None
    return Measure(value, customers, enough=customers >= LEAST_FOR_A_MEAN)


def _ltv(won: Sequence[Deal], customers: int, economics: Economics) -> Measure | None:
    """Revenue per account and year x gross margin / yearly churn."""
    if economics.gross_margin is None or not economics.churn:
        return None
    revenue = economics.revenue_per_account
    if revenue is None and customers:
        revenue = sum(deal.amount or 0.0 for deal in won) / customers
    value = None if revenue is None else revenue * economics.gross_margin / economics.churn
    return Measure(value, customers, enough=customers >= LEAST_FOR_A_MEAN)


@dataclass(frozen=True, slots=True)
class Divergence:
    """A rate that moved further from the segment's own past than chance explains."""

    segment: str
    measure: str
    before: float
    now: float
    z: float


def split_deals(deals: Iterable[Deal], *, since: date) -> tuple[list[Deal], list[Deal]]:
    """Deals whose newest known day is ``since`` or after, and those before it; undated ones are in neither."""
    now, before = list[Deal](), list[Deal]()
    for deal in deals:
        days = [*deal.stages.values(), *([deal.closed_on] if deal.closed_on else [])]
        if days:
            (now if max(days) >= since else before).append(deal)
    return now, before


def divergences(now: Performance, before: Performance) -> tuple[Divergence, ...]:
    """Rates that left their own past by more than two standard errors, where both rest on enough deals."""
    pairs = [("win_rate", now.win_rate, before.win_rate)]
    pairs += [
        (f"{new.stage}_to_{new.next_stage}", new.rate, old.rate)
        for new, old in zip(now.conversion, before.conversion, strict=True)
    ]
    found = []
    for name, new, old in pairs:
        z = _z(new, old)
        if abs(z) > 2.0 and new.value is not None and old.value is not None:
            found.append(Divergence(now.segment, name, old.value, new.value, z))
    return tuple(found)


def _z(new: Measure, old: Measure) -> float:
    if new.value is None or old.value is None or not (new.enough and old.enough):
        return 0.0
    pooled = (new.value * new.n + old.value * old.n) / (new.n + old.n)
    error = sqrt(pooled * (1 - pooled) * (1 / new.n + 1 / old.n))
    return (new.value - old.value) / error if error else 0.0
