"""How fast each account takes impressions when nobody holds it back.

A forgetting gamma estimate per account from delayed, cut-off, noisy day reports.
It reads reports; it never decides what an account should get.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from balancer.allocate import water_fill
from balancer.blocks import blocks
from balancer.sums import by_account, by_band
from balancer.types import DayReport, Vector

PRIOR = 0.5  # impressions' worth of belief in the prior rate
FORGET = 0.96  # per day: half of the evidence is gone after 17 days
TEMPER = 8.0  # a day with mean m counts as 1 / (1 + m / 8) of a Poisson day: real days vary more
IMPUTED = 0.5  # weight of an inferred count; much less would believe the lucky days on which one is listed
SHOCK_TIMES, SHOCK_PLUS, SHOCK_DAYS, SHOCK_KEEP = 3.0, 8.0, 2, 0.02


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known per account, all (n,). ``seen`` impressions over ``exposure`` throttle-days."""

    seen: Vector
    exposure: Vector
    hot: NDArray[np.int8]  # consecutive reported days far above expectation


@dataclass(frozen=True, eq=False)
class Absorbed:
    """One report read.

    evidence  afterwards
    counts    (n,) reported or imputed impressions of the day; they sum to the campaigns' totals
    shocked   (n,) bool, the account has just shown that its rate is several times what was believed
    """

    evidence: Evidence
    counts: Vector
    shocked: NDArray[np.bool_]


def no_evidence(n: int) -> Evidence:
    """Nothing seen yet of n accounts."""
    return Evidence(np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int8))


def rates(evidence: Evidence, prior: Vector) -> Vector:
    """(n,) posterior mean impressions per day at throttle 1, > 0. ``prior`` (n,) > 0 in the same unit."""
    believed = evidence.seen + PRIOR
    below = PRIOR / prior
    below += evidence.exposure
    believed /= below
    return np.asarray(believed)


def absorb(
    evidence: Evidence,
    report: DayReport,
    prior: Vector,
    *,
    forget: float = FORGET,
    temper: float = TEMPER,
    imputed: float = IMPUTED,
    believed: Vector | None = None,
) -> Absorbed:
    """Add one reported day. ``believed`` spares computing ``rates(evidence, prior)`` again.

    The throttle of a campaign that day is its exact total over the believed rates of its members.
    Accounts that were served but not listed share what is left of the total, in proportion to their
    believed rates and never above what the list could have hidden (``report.list_floor``).
    """
    believed = rates(evidence, prior) if believed is None else believed
    n, k = believed.size, report.band_total.size
    mass = by_band(report.band, believed, k)
    q = np.divide(report.band_total, mass, out=np.zeros(k), where=mass > 0.0)
    rows = by_account(report.account, np.maximum(report.impressions, 0.0), n)
    listed = np.zeros(n, dtype=np.bool_)
    listed[report.account] = True
    counts = completed_counts(report, believed, rows=rows, listed=listed)
    day = _Day(q, report.list_floor <= 0.0, forget, temper, imputed)
    seen, exposure, hot = np.empty(n), np.empty(n), np.empty(n, dtype=np.int8)
    shocked = np.empty(n, dtype=np.bool_)
    for at in blocks(n):
        old = Evidence(evidence.seen[at], evidence.exposure[at], evidence.hot[at])
        new, shocked[at] = _updated(old, day, report.band[at], believed[at], counts[at], listed[at])
        seen[at], exposure[at], hot[at] = new.seen, new.exposure, new.hot
    return Absorbed(Evidence(seen, exposure, hot), counts, shocked)


@dataclass(frozen=True, eq=False)
class _Day:
    """What one report says of each campaign, and how much to believe it."""

    throttle: Vector  # (K,)
    complete: NDArray[np.bool_]  # (K,) a missing account had no impression
    forget: float
    temper: float
    imputed: float


def _updated(
    old: Evidence,
    day: _Day,
    band: NDArray[np.int8],
    believed: Vector,
    counts: Vector,
    listed: NDArray[np.bool_],
) -> tuple[Evidence, NDArray[np.bool_]]:
    placed = band >= 0
    home = np.where(placed, band, 0)
    exposure = np.where(placed, day.throttle[home], 0.0)
    expected = exposure * believed
    certain = listed | (placed & day.complete[home])
    weight = np.where(certain, 1.0, day.imputed) / (1.0 + expected / day.temper if day.temper > 0.0 else 1.0)
    far = listed & placed & (counts > SHOCK_TIMES * expected + SHOCK_PLUS)
    hot = np.where(far, np.minimum(old.hot + 1, 100), np.where(certain, 0, old.hot)).astype(np.int8)
    shocked = hot >= SHOCK_DAYS
    # what was believed of a misjudged account is nearly worthless, and its loud day counts in full
    keep = day.forget * np.where(shocked, SHOCK_KEEP, 1.0)
    weight = np.where(shocked, 1.0, np.where(placed, weight, 0.0))
    return Evidence(keep * old.seen + weight * counts, keep * old.exposure + weight * exposure, hot), shocked


def completed_counts(
    report: DayReport, believed: Vector, *, rows: Vector, listed: NDArray[np.bool_]
) -> Vector:
    """(n,) the day's impressions: rows as reported, the rest of each campaign's total guessed.

    What the rows leave of an exact total sits in the cells no list showed: all of an unlisted account,
    the unlisted creatives of a listed one. It is water-filled over them in proportion to the believed
    rate and the part that is unlisted, never above what the lists can have hidden. Where perturbed rows
    exceed the total nothing is added; where the lists leave too little room the rest stays unattributed.
    """
    shown = by_band(report.band, rows, report.band_total.size)
    if not ((report.band_total > shown) & (report.list_floor > 0.0)).any():
        rows[report.band < 0] = 0.0
        return rows
    lacking = np.zeros(rows.size)
    if report.hidden is not None:
        lacking = by_account(report.account, report.hidden, rows.size)
    counts = np.zeros(rows.size)
    for b in range(report.band_total.size):
        members = np.flatnonzero(report.band == b)
        counts[members] = rows[members]
        rest = float(report.band_total[b] - rows[members].sum())
        floor = float(report.list_floor[b])
        if rest <= 0.0 or floor <= 0.0 or not members.size:
            continue
        most = np.where(listed[members], lacking[members], floor)
        part = np.minimum(1.0, most / floor) if np.isfinite(floor) else np.where(most > 0.0, 1.0, 0.0)
        counts[members] += water_fill(rest, weight=believed[members] * part, floor=0.0, cap=most).target
    return counts
