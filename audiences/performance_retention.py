"""Net revenue retention: what the customers of a year ago bring today, as a share of what they brought then.

Works on two numbers per company; it decides nothing about segments or deals.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from audiences.config import Economics
from audiences.performance import LEAST_FOR_A_RATE, Measure
from audiences.scoring_universe import Universe

Revenues = Mapping[str, tuple[float, float]]  # account id -> yearly revenue a year ago, and today


def revenues(universe: Universe, economics: Economics) -> Revenues:
    """Companies that were customers a year ago and of which today's revenue is known (0: they left).

    Empty where the settings do not name both fields, or no source has them.
    """
    if economics.revenue_before is None or economics.revenue_now is None:
        return {}
    before, now = universe.column(economics.revenue_before), universe.column(economics.revenue_now)
    if before is None or now is None:
        return {}
    number = [pl.col(name).cast(pl.Float64, strict=False).fill_nan(None) for name in (before, now)]
    rows = universe.accounts.select("account_id", number[0].alias("before"), number[1].alias("now"))
    known = rows.filter((pl.col("before") > 0) & (pl.col("now") >= 0))
    return {account: (old, new) for account, old, new in known.iter_rows()}


def retention(found: Revenues, ids: Collection[str] | None = None) -> Measure | None:
    """NRR of some companies (None: of all): revenue today / revenue a year ago of those who were customers then.

    1.0 means that growth made up for losses. ``n`` counts companies. None where no revenue is known at all.
    """
    if not found:
        return None
    pairs = list(found.values()) if ids is None else [found[one] for one in ids if one in found]
    if not pairs:
        return Measure(None, 0, enough=False)
    value = sum(new for _, new in pairs) / sum(old for old, _ in pairs)
    return Measure(value, len(pairs), enough=len(pairs) >= LEAST_FOR_A_RATE)
