"""One reported day as the balancer reads it: what each account was shown, and what its rows may lack.

LinkedIn lists the hundred most-served companies per creative and day, so an
account may be on one creative's list and missing from the next. What a list
hides is at most its smallest entry. Pure: report columns in, arrays out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audiences.store.report_records import ImpressionColumns
from balancer.shares_cells import OUTSIDE
from balancer.types import Indices, Vector

DEPTH, FLOOR = 100, 3  # entries per list; counts below are withheld


@dataclass(frozen=True, eq=False)
class DayCells:
    """``account`` (m,) listed rows; ``impressions`` (m,) added up; ``hidden`` (m,) most they may lack;
    ``floor`` (K,) most an account of the band can have had without being listed at all."""

    account: Indices
    impressions: Vector
    hidden: Vector
    floor: Vector


def day_cells(
    columns: ImpressionColumns,
    place: Indices,
    day: int,
    campaigns: Sequence[str],
    creatives: Mapping[str, Sequence[str]],
    n: int,
) -> DayCells:
    """Read the creative-day lists of one day.

    columns  daily rows per creative   place  (entities,) row of each entity's account, or OUTSIDE
    campaigns  the K campaigns of the day, in band order   creatives  campaign -> its creatives
    """
    shown, hidden, listed = np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.bool_)
    floor = np.zeros(len(campaigns))
    of_day = (columns.first == day) & (columns.impressions >= 0)
    number = {creative: i for i, creative in enumerate(columns.creatives)}
    for b, campaign in enumerate(campaigns):
        lacking, here = np.zeros(n), np.zeros(n, dtype=np.bool_)
        for creative in creatives.get(campaign, ()):
            mine = of_day & (columns.creative == number.get(creative, -1))
            rows, counts = place[columns.entity[mine]], columns.impressions[mine].astype(np.float64)
            most = float(counts.min()) if counts.size >= DEPTH else float(FLOOR - 1)
            own = rows[rows != OUTSIDE]
            shown += np.bincount(own, weights=counts[rows != OUTSIDE], minlength=n)
            present = np.bincount(own, minlength=n) > 0
            lacking += np.where(present, 0.0, most)
            here |= present
            floor[b] += most
        hidden += np.where(here, lacking, 0.0)
        listed |= here
    account = np.flatnonzero(listed)
    return DayCells(account.astype(np.int64), shown[account], hidden[account], floor)
