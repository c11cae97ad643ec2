"""What an impression brings and costs at each account, from stored reports: clicks and money per impression.

Small accounts are judged mostly by the segment as a whole: two clicks on ten
impressions are no rate of one in five. Reads the store; limits nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from audiences.store.report_records import ImpressionColumns
from balancer.shares_cells import OUTSIDE
from balancer.types import Indices, Vector
from flows.bands import band_campaigns
from flows.exposure import places
from flows.wiring import App

WORTH = 1.0  # clicks of evidence the segment's own rate counts for at every account
WORTH_IMPRESSIONS = 200.0  # the same for money


def click_rates(app: App, segment: str, accounts: Sequence[str], start: date, end: date) -> Vector | None:
    """(n,) clicks per impression in ``start`` .. ``end``; None where no click was reported."""
    columns, place = _rows(app, segment, accounts, start, end)
    told = (columns.clicks >= 0) & (columns.impressions > 0) & (place != OUTSIDE)
    clicks = _sum(columns.clicks, place, told, len(accounts))
    shown = _sum(columns.impressions, place, told, len(accounts))
    pooled = float(clicks.sum()) / max(float(shown.sum()), 1.0)
    return (clicks + WORTH) / (shown + WORTH / pooled) if pooled > 0.0 else None


def costs(app: App, segment: str, accounts: Sequence[str], start: date, end: date) -> Vector | None:
    """(n,) money per impression in ``start`` .. ``end``; None where reports say nothing of single accounts."""
    columns, place = _rows(app, segment, accounts, start, end)
    told = np.isfinite(columns.spend) & (columns.impressions > 0) & (place != OUTSIDE)
    money = _sum(columns.spend, place, told, len(accounts))
    shown = _sum(columns.impressions, place, told, len(accounts))
    pooled = float(money.sum()) / max(float(shown.sum()), 1.0)
    return (money + pooled * WORTH_IMPRESSIONS) / (shown + WORTH_IMPRESSIONS) if pooled > 0.0 else None


def _rows(
    app: App, segment: str, accounts: Sequence[str], start: date, end: date
) -> tuple[ImpressionColumns, Indices]:
    """Daily rows of the segment's creatives, and the account of each."""
    campaigns = band_campaigns(app, segment)
    columns = app.store.impressions(campaigns.platform, start, end, grain="daily", source="api")
    ours = {creative for ids in campaigns.creatives.values() for creative in ids}
    mine = np.array([creative in ours for creative in columns.creatives], dtype=np.bool_)
    place = places(columns, accounts)[columns.entity]
    return columns, np.where(mine[columns.creative], place, OUTSIDE) if mine.size else place


def _sum(
    values: NDArray[np.int64] | NDArray[np.float64], place: Indices, rows: NDArray[np.bool_], n: int
) -> Vector:
    weights = values[rows].astype(np.float64)
    return np.bincount(place[rows], weights=weights, minlength=n).astype(np.float64)
