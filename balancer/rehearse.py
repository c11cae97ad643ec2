"""What a policy would bring, before it is switched on: share, delivery, churn, days to settle.

Four weeks without control, then ``weeks`` with it, on invented traffic; the last four weeks are
compared with the first four. Every number is conditional on the plant: this module measures
simulations and promises nothing about a platform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from balancer.auto import Auto
from balancer.bands import Bands
from balancer.course import PRICE, Course, run
from balancer.duty import Duty
from balancer.errors import BadNumbers
from balancer.hiding import COMPLETE, ReportRule
from balancer.plants import Auction, Plant, PowerPrice, Proportional
from balancer.threshold import Threshold
from balancer.types import Controller, Policy, Vector
from balancer.worlds import WINDOW, World, open_world, world_headroom, world_members

PLANTS: Mapping[str, Plant] = {
    "proportional": Proportional(),
    "power": PowerPrice(0.1),
    "auction": Auction(),
}
CONTROLLERS: Mapping[str, Callable[[], Controller]] = {
    "bands": Bands,
    "duty": Duty,
    "threshold": Threshold,
    "auto": Auto,
}
WEEK = 7
COVERED = 0.25  # of the even share


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """Means over the seeds; fractions of 1 unless said otherwise.

    top100_before, top100_after  share of the hundred most served accounts, re-ranked in each window
    oracle            what a bid per account with known rates would reach on the same days
    delivery          impressions of the last four weeks over those the money bought without control
    spend             money spent over money available, last four weeks
    gini_after, coverage_after   coverage = accounts with at least a quarter of the even share
    changes_per_day   list changes, last four weeks
    settle_days       days until the weekly share stays put; more than there were where it never did
    weekly_sd         sd of the four last weekly shares of the hundred that led before control
    cpm_ratio         cost of an impression after over before
    weekly_share      (weeks,) re-ranked top-100 share of each controlled week
    low, high         the same figures at the 5th and 95th percentile of the seeds
    """

    mode: str
    plant: str
    accounts: int
    seeds: tuple[int, ...]
    weeks: int
    top100_before: float
    top100_after: float
    oracle: float
    delivery: float
    spend: float
    gini_before: float
    gini_after: float
    coverage_before: float
    coverage_after: float
    changes_per_day: float
    settle_days: float
    weekly_sd: float
    cpm_ratio: float
    weekly_share: Vector
    weekly_delivery: Vector
    low: Mapping[str, float] = field(default_factory=dict)
    high: Mapping[str, float] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()

    @property
    def realised(self) -> float:
        """Fraction of the possible reduction of the top-100 share that was reached."""
        return (self.top100_before - self.top100_after) / max(self.top100_before - self.oracle, 1e-12)


def rehearse(
    source: World | Vector | str,
    *,
    mode: str = "bands",
    plant: Plant | str = "proportional",
    seed: int = 0,
    seeds: int = 1,
    weeks: int = 8,
    policy: Policy | None = None,
    headroom: float = 5.0,
    rule: ReportRule = COMPLETE,
    members: Vector | None = None,
) -> Rehearsal:
    """Run ``mode`` for ``weeks`` on ``source`` and measure the last four weeks.

    source    world letter, a World, or (n,) impressions per account over 28 days (then headroom and
              members are assumed: see ``Rehearsal.assumed``)
    seeds     consecutive seeds from ``seed``; several give the spread in ``low`` and ``high``
    headroom  largest multiple of today's delivery an account can take, on average (not for a World)
    rule      what the reports show
    members   (n,) matched members where impressions are given and they are known; None = drawn

    Raises BadNumbers for fewer than four weeks, an unknown mode, plant or world, a seed or headroom that is
    none, or impressions that are not counts.
    """
    _check(mode, plant, weeks)
    _check_numbers(seed, headroom)
    settled = PLANTS[plant] if isinstance(plant, str) else plant
    wanted = replace(policy or Policy(), mode=mode)
    numbers = tuple(range(seed, seed + max(1, seeds)))
    play = partial(run, controller=CONTROLLERS[mode](), policy=wanted, plant=settled, weeks=weeks, rule=rule)
    courses = [play(_world(source, number, headroom, members), seed=number) for number in numbers]
    return _summary(
        courses,
        mode=mode,
        plant=type(settled).__name__,
        seeds=numbers,
        weeks=weeks,
        source=source,
        headroom=headroom,
        counted=members is not None,
    )


def _check(mode: str, plant: Plant | str, weeks: int) -> None:
    if not isinstance(weeks, int | np.integer) or weeks < 4:
        raise BadNumbers(f"A rehearsal compares four-week windows; {weeks} weeks of control are too few.")
    if mode not in CONTROLLERS:
        raise BadNumbers(f"There is no mode {mode!r}; choose one of {', '.join(CONTROLLERS)}.")
    if isinstance(plant, str) and plant not in PLANTS:
        raise BadNumbers(f"There is no plant {plant!r}; choose one of {', '.join(PLANTS)}.")


def _check_numbers(seed: int, headroom: float) -> None:
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise BadNumbers(f"Seeds are whole numbers from 0 up, not {seed}.")
    if not 0.0 < headroom < np.inf:
        raise BadNumbers(f"The headroom is a multiple of today's delivery above 0, not {headroom}.")


def _world(source: World | Vector | str, seed: int, headroom: float, members: Vector | None) -> World:
    if isinstance(source, World):
        return source
    if isinstance(source, str):
        return open_world(source, seed=seed, headroom=headroom)
    counts = np.asarray(source, dtype=np.float64)
    if counts.ndim != 1 or counts.size == 0 or not np.isfinite(counts).all() or (counts < 0.0).any():
        raise BadNumbers("Impressions to rehearse must be one finite count per account, 0 or more.")
    if counts.sum() <= 0.0:
        raise BadNumbers("There is nothing to rehearse: no impressions in the file.")
    rng = np.random.default_rng([seed, 5])
    rates = (counts + 0.5) / WINDOW
    room, drawn = world_headroom(counts.size, rng, around=headroom), world_members(rates, rng)
    return World("given", seed, rates, room, drawn if members is None else members)


_FIGURES = (
    "top100_before", "top100_after", "oracle", "delivery", "spend", "gini_before", "gini_after",
    "coverage_before", "coverage_after", "changes_per_day", "settle_days", "weekly_sd", "cpm_ratio",
)  # fmt: skip


def _summary(
    courses: list[Course],
    *,
    mode: str,
    plant: str,
    seeds: tuple[int, ...],
    weeks: int,
    source: object,
    headroom: float,
    counted: bool,
) -> Rehearsal:
    rows = [figures(course) for course in courses]
    table = {name: np.array([row[name] for row in rows]) for name in _FIGURES}
    assumed = [f"plant {plant}", "log-rate drift sd 0.20 keeping 0.97 a day", "day noise cv 0.35"]
    if not isinstance(source, str | World):
        assumed += [f"headroom log-normal around {headroom:g}"]
        assumed += [] if counted else ["members drawn, not known"]
    return Rehearsal(
        mode=mode,
        plant=plant,
        accounts=int(courses[0].impressions.shape[1]),
        seeds=seeds,
        weeks=weeks,
        **{name: float(values.mean()) for name, values in table.items()},
        weekly_share=np.mean([weekly_share(course) for course in courses], axis=0),
        weekly_delivery=np.mean([_weekly_delivery(course) for course in courses], axis=0),
        low={name: float(np.quantile(values, 0.05)) for name, values in table.items()},
        high={name: float(np.quantile(values, 0.95)) for name, values in table.items()},
        assumed=tuple(assumed),
    )


def figures(course: Course) -> dict[str, float]:
    """The figures of one course, by the names of ``Rehearsal``."""
    before, after = course.impressions[:WINDOW], course.impressions[-WINDOW:]
    old, new = before.sum(axis=0), after.sum(axis=0)
    money, spent = float(course.budget[-WINDOW:].sum()), float(course.spend[-WINDOW:].sum())
    leaders = np.argsort(-old, kind="stable")[:100]
    weekly = [float(w[:, leaders].sum() / w.sum()) for w in np.split(after, 4)]
    cpm = course.spend[:WINDOW].sum() / max(float(old.sum()), 1.0)
    return {
        "top100_before": top_share(old),
        "top100_after": top_share(new),
        "oracle": top_share(course.oracle[-WINDOW:].sum(axis=0)),
        "delivery": float(new.sum()) * cpm / max(money, 1e-300),
        "spend": spent / max(money, 1e-300),
        "gini_before": gini(old),
        "gini_after": gini(new),
        "coverage_before": float((old >= COVERED * old.mean()).mean()),
        "coverage_after": float((new >= COVERED * new.mean()).mean()),
        "changes_per_day": float(course.changes[-WINDOW:].mean()),
        "settle_days": float(_settle_days(course)),
        "weekly_sd": float(np.std(weekly)),
        "cpm_ratio": spent / max(float(new.sum()), 1.0) / max(float(cpm), 1e-300),
    }


def top_share(counts: Vector, count: int = 100) -> float:
    """Share of the ``count`` largest; 0 when there is nothing to share."""
    total = float(counts.sum())
    k = min(count, counts.size)
    return (
        float(np.partition(counts, counts.size - k)[counts.size - k :].sum()) / total if total > 0.0 else 0.0
    )


def gini(counts: Vector) -> float:
    """Gini coefficient of (n,) counts."""
    x = np.sort(counts)
    n, total = x.size, float(x.sum())
    if total <= 0.0:
        return 0.0
    return float(2.0 * (np.arange(1, n + 1) * x).sum() / (n * total) - (n + 1) / n)


def weekly_share(course: Course) -> Vector:
    """(weeks,) re-ranked top-100 share of each controlled week."""
    weeks = course.impressions[course.start :].reshape(-1, WEEK, course.impressions.shape[1]).sum(axis=1)
    return np.array([top_share(week) for week in weeks])


def _weekly_delivery(course: Course) -> Vector:
    out = course.impressions[course.start :].sum(axis=1).reshape(-1, WEEK).sum(axis=1)
    money = course.budget[course.start :].reshape(-1, WEEK).sum(axis=1)
    return np.asarray(out * PRICE / np.maximum(money, 1e-300))


def _settle_days(course: Course) -> int:
    """First controlled day from which the trailing week's share stays within a tenth of the reduction."""
    out = course.impressions[course.start :]
    total = np.cumsum(np.vstack([np.zeros(out.shape[1]), out]), axis=0)
    trailing = np.array([top_share(total[t] - total[t - WEEK]) for t in range(WEEK, total.shape[0])])
    end = float(trailing[-3 * WEEK :].mean())
    band = 0.1 * max(top_share(course.impressions[: course.start].sum(axis=0)) - end, 0.0) + 0.01
    outside = np.flatnonzero(np.abs(trailing - end) > band)
    return int(outside[-1]) + 1 + WEEK if outside.size else WEEK
