"""Stored reports as they are read back: columns of rows, totals, answered windows. Frozen data, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ImpressionColumns:
    """Report rows by column, in order of day, campaign, creative, entity.

    first, last    (n,) int64 proleptic ordinals; equal for a daily row
    entity         (n,) int64 rows of ``entities``; ``accounts[i]`` is our account of ``entities[i]``, or None
    campaign, creative   (n,) int64 rows of ``campaigns`` / ``creatives``; "" where the report did not say
    impressions, clicks, members   (n,) int64, -1 where the platform withheld the figure
    spend          (n,) float64 money, NaN where it was not said
    """

    first: NDArray[np.int64]
    last: NDArray[np.int64]
    entity: NDArray[np.int64]
    campaign: NDArray[np.int64]
    creative: NDArray[np.int64]
    impressions: NDArray[np.int64]
    clicks: NDArray[np.int64]
    members: NDArray[np.int64]
    spend: NDArray[np.float64]
    entities: tuple[str, ...]
    accounts: tuple[str | None, ...]
    campaigns: tuple[str, ...]
    creatives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TotalRow:
    first: date
    last: date
    campaign_id: str
    creative_id: str
    impressions: int
    clicks: int | None
    spend: Decimal


@dataclass(frozen=True, slots=True)
class ReportWindow:
    """One answered day or window. A day without one was never asked for or never answered."""

    scope: tuple[str, ...]
    first: date
    last: date
    fetched_at: datetime
    list_depth: int | None
    floor: int
    noise: int
    warnings: tuple[str, ...]
