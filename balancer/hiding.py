"""What a platform's report shows of one true day, and what it hides.

The simulated side of truncation; the estimator (``rates``) never sees the truth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from balancer.sums import by_band
from balancer.types import DayReport, Vector


@dataclass(frozen=True, slots=True)
class ReportRule:
    """How a day is reported.

    top        accounts listed per creative and day; None = all
    floor      smallest count that is shown (LinkedIn: 3)
    creatives  equal creatives per campaign; each has its own list
    noise      each cell is off by a uniform integer in [-noise, noise]
    """

    top: int | None = None
    floor: int = 1
    creatives: int = 1
    noise: int = 0


COMPLETE = ReportRule()
SUPPRESSED = ReportRule(floor=3)
TRUNCATED = ReportRule(top=100, floor=3)
LINKEDIN = ReportRule(top=100, floor=3, creatives=5, noise=3)


@dataclass(frozen=True, eq=False)
class _Cells:
    """One campaign's day: rows (m,), shown (m,) counts, most a row may lack (m,), floor of its lists."""

    rows: NDArray[np.int64]
    shown: Vector
    hidden: Vector
    floor: float


def report_day(
    day: int,
    impressions: Vector,
    band: NDArray[np.int8],
    *,
    believed: NDArray[np.int8],
    spend: Vector,
    budgets: Vector,
    rule: ReportRule,
    rng: np.random.Generator,
) -> DayReport:
    """The DayReport of one true day under ``rule``.

    impressions (n,) true counts, band (n,) really in force, believed (n,) what the caller thinks was in
    force (late changes make them differ), spend and budgets (K,).
    ``list_floor`` and ``hidden`` are what the lists themselves prove, so the truth stays inside them
    (with noise: within ``noise`` per cell).
    """
    k = budgets.size
    parts = [_campaign(np.flatnonzero(band == b), impressions, rule, rng) for b in range(k)]
    return DayReport(
        day=day,
        band_total=by_band(band, impressions, k),
        band_spend=spend,
        band_budget=budgets,
        account=np.concatenate([part.rows for part in parts]),
        impressions=np.concatenate([part.shown for part in parts]),
        list_floor=np.array([part.floor for part in parts]),
        band=believed.copy(),
        hidden=np.concatenate([part.hidden for part in parts]),
    )


def _campaign(
    members: NDArray[np.int64], impressions: Vector, rule: ReportRule, rng: np.random.Generator
) -> _Cells:
    counts = impressions[members].astype(np.int64)
    cells = _by_creative(counts, rule.creatives, rng)
    shown, hidden, floor = np.zeros(members.size), np.zeros(members.size), 0.0
    listed = np.zeros(members.size, dtype=np.bool_)
    for cell in cells:
        on_list, most = _list(cell, rule)
        noise = rng.integers(-rule.noise, rule.noise + 1, cell.size) if rule.noise else 0
        shown += np.where(on_list, np.maximum(cell + noise, 0), 0)
        hidden += np.where(on_list, 0.0, most)
        listed |= on_list
        floor += most
    return _Cells(members[listed], shown[listed], hidden[listed], floor)


def _by_creative(
    counts: NDArray[np.int64], creatives: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Each account's impressions spread over the creatives at random."""
    cells, left = [], counts
    for remaining in range(creatives, 1, -1):
        part = rng.binomial(left, 1.0 / remaining)
        cells.append(part)
        left = left - part
    return [*cells, left]


def _list(cell: NDArray[np.int64], rule: ReportRule) -> tuple[NDArray[np.bool_], float]:
    """Which accounts one creative's list shows, and the most an unlisted one can have on it."""
    eligible = cell >= rule.floor
    if rule.top is None or int(eligible.sum()) <= rule.top:
        return eligible, float(rule.floor - 1)
    order = np.argsort(-cell, kind="stable")[: rule.top]
    on_list = np.zeros(cell.size, dtype=np.bool_)
    on_list[order] = True
    return on_list, float(cell[order[-1]])
