"""What the best customers have more often than all customers: the raw material of a fit score.

Compares shares per attribute and value; it writes no points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from audiences.scoring_frames import ATTRIBUTE

STRONG, WEAK = 1.5, 1.15  # ratio of the shares: 75 % against 40 % is 1.9, 90 % against 70 % is 1.3
LEAST_CUSTOMERS = 10
EMPLOYEE_BANDS = ((1, 49), (50, 99), (100, 500), (501, 1000), (1001, None))
REVENUE_BANDS = ((0, 1e6), (1e6, 1e7), (1e7, 1e8), (1e8, 1e9), (1e9, None))
_SKIPPED = frozenset({"account_id", "name", "domain", "linkedin_url", "organization_urn", "city", "region"})
_MOST_VALUES = 50  # a field with more distinct values among customers describes companies one by one


@dataclass(frozen=True, slots=True)
class Contrast:
    """One value of one attribute. Shares are of the companies for which the attribute is known."""

    field: str
    value: str
    top_share: float
    all_share: float
    top_known: int
    all_known: int
    strength: str  # "strong" | "weak" | "none" | "against" | "too few to say"

    @property
    def ratio(self) -> float:
        """Share among the top customers over share among all."""
        return self.top_share / self.all_share if self.all_share else float("inf")


def contrasts(
    accounts: pl.DataFrame,
    won: Mapping[str, float],
    *,
    top: int = 20,
    fields: Sequence[str] | None = None,
) -> tuple[Contrast, ...]:
    """The ``top`` customers by won amount against all customers, strongest contrast first.

    ``won``: account_id -> amount of closed-won deals. ``fields``: column names, else every column that
    describes companies. Employees and revenue are cut into bands. Ties in amount go by account_id.
    """
    ranked = sorted(won, key=lambda account_id: (-won[account_id], account_id))
    customers = accounts.filter(pl.col("account_id").is_in(ranked)).sort("account_id")
    best = customers["account_id"].is_in(ranked[:top])
    names = [name for name in customers.columns if name not in _SKIPPED] if fields is None else list(fields)
    found = [contrast for name in names for contrast in _contrasts(name, customers[name], best)]
    return tuple(sorted(found, key=_rank))


_ORDER = {"strong": 0, "against": 1, "weak": 2, "none": 3, "too few to say": 4}


def _rank(contrast: Contrast) -> tuple[int, float, str, str]:
    return (
        _ORDER[contrast.strength],
        -abs(contrast.top_share - contrast.all_share),
        contrast.field,
        contrast.value,
    )


def _contrasts(name: str, values: pl.Series, best: pl.Series) -> Iterator[Contrast]:
    frame = pl.DataFrame(
        {"row": range(len(values)), "value": _banded(name, values), "best": best}
    ).drop_nulls("value")
    rows = frame.select("row", "best")
    if isinstance(frame.schema["value"], pl.List):
        frame = frame.explode("value").drop_nulls("value")
    all_known, top_known = rows.height, int(rows["best"].sum())
    if not top_known or frame["value"].n_unique() > _MOST_VALUES:
        return
    counts = (
        frame.with_columns(pl.col("value").cast(pl.String))
        .group_by("value")
        .agg(pl.len().alias("all"), pl.col("best").sum().alias("top"))
        .sort("value")
    )
    for value, everyone, leading in counts.iter_rows():
        shares = leading / top_known, everyone / all_known
        strength = _strength(*shares, top_known)
        yield Contrast(name.removeprefix(ATTRIBUTE), value, *shares, top_known, all_known, strength)


def _strength(top_share: float, all_share: float, known: int) -> str:
    if known < LEAST_CUSTOMERS:
        return "too few to say"
    ratio = top_share / all_share if all_share else 1.0
    if ratio >= STRONG:
        return "strong"
    if ratio >= WEAK:
        return "weak"
    return "against" if ratio <= 1.0 / STRONG else "none"


def _banded(name: str, values: pl.Series) -> pl.Series:
    bands = {"employees": EMPLOYEE_BANDS, "revenue_usd": REVENUE_BANDS}.get(name)
    if bands is None:
        return (values // 10 * 10) if name == "founded_year" else values
    return pl.Series([_band(value, bands) for value in values], dtype=pl.String)


def _band(value: float | None, bands: Sequence[tuple[float, float | None]]) -> str | None:
    if value is None:
        return None
    for low, high in bands:
        if value >= low and (high is None or value <= high):
            return f"{low:,.0f} and more" if high is None else f"{low:,.0f} to {high:,.0f}"
    return None
