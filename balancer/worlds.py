"""Synthetic account lists with the concentration seen in the field, and their daily traffic.

Four shapes (anchors: the hundred most served accounts took 38 % of the impressions, the
top tenth took 80 %). It invents accounts; it never delivers an impression (``plants`` does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from balancer.errors import BadNumbers
from balancer.normal import quantile
from balancer.types import Vector

WINDOW = 28
IMPRESSIONS = 1_000_000.0  # per window, whatever the size of the list
TOP100, TOP_DECILE = 0.38, 0.80
SIZES = {"A": 2_500, "B": 13_200, "C": 2_500, "D": 2_500}
SPREAD_B = 2.14  # the one log-normal spread that meets both anchors, at n of about 13,200
SPREAD_LIGHT = 1.0  # of the light nine tenths of world A; gives a Gini of 0.80
DRIFT_SD, DRIFT_KEEP, NOISE_CV, WEEKEND = 0.20, 0.97, 0.35, 0.7
HEADROOM_SPREAD = 0.30
MEMBERS_MEDIAN, MEMBERS_SPREAD, MEMBERS_TIE = 250.0, 1.3, 0.5


@dataclass(frozen=True, eq=False)
class World:
    """One list of accounts as nature made it.

    rates     (n,) impressions per day without control, mean over the weekdays
    headroom  (n,) largest multiple of its rate an account can take, >= 1
    members   (n,) matched members, >= 1
    """

    name: str
    seed: int
    rates: Vector
    headroom: Vector
    members: Vector


@dataclass(frozen=True, eq=False)
class Day:
    """Traffic of one day: ``expected`` knows the drift, ``rates`` also the noise of the day."""

    day: int
    factor: float  # of the weekday; mean 1 over a week
    expected: Vector  # (n,) impressions at throttle 1, before the noise of the day
    rates: Vector  # (n,) impressions at throttle 1
    inventory: Vector  # (n,) most impressions at any throttle


def open_world(name: str, *, seed: int, n: int | None = None, headroom: float = 5.0) -> World:
    """World "A", "B", "C" or "D". ``n`` defaults to the size at which the shape was described."""
    if name not in SIZES:
        raise BadNumbers(f"There is no world {name!r}; choose one of {', '.join(SIZES)}.")
    rng = np.random.default_rng([seed, ord(name)])
    size = SIZES[name] if n is None else n
    rates = world_rates(name, size, rng, moving=True)
    return World(
        name=name,
        seed=seed,
        rates=rates,
        headroom=world_headroom(size, rng, around=headroom),
        members=world_members(rates, rng),
    )


def world_rates(
    shape: str, n: int, rng: np.random.Generator, *, total: float = IMPRESSIONS / WINDOW, moving: bool = False
) -> Vector:
    """(n,) impressions per day, summing to ``total``, in random order, as concentrated as the field.

    shape   "A" plateau (a tenth of the accounts near-equal and heavy, then a cliff), "B" log-normal
            spread 2.14, "C" log-normal with the top-100 anchor, "D" log-normal with the top-tenth anchor
    moving  True where daily drift and noise will be added on top: the spread they bring to a window
            of 28 days is then left out here, so that the *observed* window has the anchors

    Below 1,000 accounts "top 100" is read as "top 4 %". A plateau of fewer than 2,105 accounts cannot
    have both anchors (100 of 210 near-equal accounts hold 38 of 80 %); there the top-100 anchor wins.
    """
    if n < 1:
        raise BadNumbers("A world needs at least one account.")
    if n < 10:
        return np.asarray(np.full(n, total / n))
    deviates = quantile((np.arange(n, 0, -1) - 0.5) / n)  # largest first
    if shape == "A":
        rates = _plateau(deviates, window_variance() if moving else 0.0)
    elif shape == "B":
        rates = np.exp(SPREAD_B * deviates)
    elif shape in ("C", "D"):
        k, share = (_top(n), TOP100) if shape == "C" else (max(1, n // 10), TOP_DECILE)
        spread = _solve(lambda s: _top_share(np.exp(s * deviates), k), share)
        rates = np.exp(spread * deviates)
    else:
        raise BadNumbers(f"There is no shape {shape!r}; choose one of {', '.join(SIZES)}.")
    return np.asarray(rng.permutation(rates * (total / rates.sum())))


def world_headroom(n: int, rng: np.random.Generator, *, around: float = 5.0) -> Vector:
    """(n,) log-normal with mean ``around``, never below 1: today's delivery is always available."""
    spread = HEADROOM_SPREAD * rng.standard_normal(n) - HEADROOM_SPREAD**2 / 2.0
    return np.asarray(np.maximum(1.0, around * np.exp(spread)))


def world_members(rates: Vector, rng: np.random.Generator) -> Vector:
    """(n,) whole matched members: heavy tailed, weakly tied to the rate."""
    score = np.log(rates)
    score = (score - score.mean()) / max(float(score.std()), 1e-12)
    free = rng.standard_normal(rates.size)
    mixed = MEMBERS_TIE * score + np.sqrt(1.0 - MEMBERS_TIE**2) * free
    return np.asarray(np.maximum(1.0, np.rint(MEMBERS_MEDIAN * np.exp(MEMBERS_SPREAD * mixed))))


def weekday_factor(day: int, *, weekend: float = WEEKEND) -> float:
    """Traffic of the weekday of an ordinal day; the mean over a week is 1."""
    mean = (5.0 + 2.0 * weekend) / 7.0
    return (weekend if (day + 6) % 7 >= 5 else 1.0) / mean


def start_drift(n: int, rng: np.random.Generator, *, sd: float = DRIFT_SD) -> Vector:
    """(n,) log-rate deviations from their stationary law."""
    return sd * rng.standard_normal(n)


def next_drift(
    drift: Vector, rng: np.random.Generator, *, sd: float = DRIFT_SD, keep: float = DRIFT_KEEP
) -> Vector:
    """One day later: AR(1) that keeps ``keep`` of the deviation and the stationary ``sd``."""
    return np.asarray(keep * drift + sd * np.sqrt(1.0 - keep**2) * rng.standard_normal(drift.size))


def day_noise(n: int, rng: np.random.Generator, *, cv: float = NOISE_CV) -> Vector:
    """(n,) gamma factors with mean 1 and coefficient of variation ``cv`` (0 = none)."""
    if cv <= 0.0:
        return np.ones(n)
    shape = 1.0 / cv**2
    return np.asarray(rng.gamma(shape, 1.0 / shape, n))


def traffic(
    world: World,
    *,
    first: int,
    count: int,
    rng: np.random.Generator,
    drift_sd: float = DRIFT_SD,
    noise_cv: float = NOISE_CV,
) -> Iterator[Day]:
    """``count`` consecutive days of one world from ordinal day ``first``. Same generator state, same days."""
    drift = start_drift(world.rates.size, rng, sd=drift_sd)
    for day in range(first, first + count):
        factor = weekday_factor(day)
        expected = world.rates * np.exp(drift - drift_sd**2 / 2.0) * factor
        rates = expected * day_noise(world.rates.size, rng, cv=noise_cv)
        yield Day(day=day, factor=factor, expected=expected, rates=rates, inventory=rates * world.headroom)
        drift = next_drift(drift, rng, sd=drift_sd)


def window_variance(*, days: int = WINDOW) -> float:
    """Variance that drift and day noise add to the log of an account's count over one window."""
    lags = np.arange(1, days)
    drift = DRIFT_SD**2 * (days + 2.0 * float(((days - lags) * DRIFT_KEEP**lags).sum())) / days**2
    return drift + NOISE_CV**2 / days


def _plateau(deviates: Vector, already: float) -> Vector:
    n = deviates.size
    k = _top(n)
    heavy = max(n // 10, min(250, n // 4)) if n >= 1_000 else max(k + 1, n // 10)
    inner = quantile((np.arange(heavy, 0, -1) - 0.5) / heavy)
    spread = _solve(lambda s: _top_share(np.exp(s * inner), k), TOP100 / TOP_DECILE)
    spread = float(np.sqrt(max(spread**2 - already, 0.0)))
    top = np.exp(spread * inner)
    rest = np.exp(SPREAD_LIGHT * quantile((np.arange(n - heavy, 0, -1) - 0.5) / (n - heavy)))
    return np.concatenate([TOP_DECILE * top / top.sum(), (1.0 - TOP_DECILE) * rest / rest.sum()])


def _top(n: int) -> int:
    return 100 if n >= 1_000 else max(1, round(n / 25))


def _top_share(values: Vector, k: int) -> float:
    return float(values[:k].sum() / values.sum())


def _solve(share: Callable[[float], float], wanted: float) -> float:
    """Spread in [0, 6] with the wanted share: bisection on an increasing function."""
    low, high = 0.0, 6.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if share(middle) < wanted else (low, middle)
    return (low + high) / 2.0
