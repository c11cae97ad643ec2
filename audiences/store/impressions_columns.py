"""Stored report rows as arrays: one pass per column, nothing per row. Reads no table; must not estimate."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiences.store.report_records import ImpressionColumns

FIELDS = (
    "first",
    "last",
    "entity",
    "campaign_id",
    "creative_id",
    "impressions",
    "clicks",
    "members",
    "spend",
)
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Named:
    """A column of names: the distinct ones in order, and per row the place among them."""

    names: tuple[str, ...]
    codes: Ints

    def take(self, rows: NDArray[Any]) -> Named:
        """The chosen rows; names that none of them has are left out."""
        codes = self.codes[rows]
        used, places = np.unique(codes, return_inverse=True)
        return Named(tuple(self.names[i] for i in used.tolist()), places.reshape(-1).astype(np.int64))


def columns_of(
    rows: Sequence[Sequence[Any]], links: Mapping[str, str], *, inside: Collection[str] | None = None
) -> ImpressionColumns:
    """Rows of ``FIELDS`` (days as dates or ISO texts, counts or None, spend as text or None) by column, in order.

    links    entity -> our account
    inside   keep only rows whose entity is linked to one of these accounts; None = every row
    """
    values = list(zip(*rows, strict=True)) if rows else [()] * len(FIELDS)
    first, last = _days(values[0]), _days(values[1])
    entity, campaign, creative = (_named(column) for column in values[2:5])
    keep = np.arange(len(first)) if inside is None else _linked(entity, links, inside)
    ranked = np.lexsort(
        [column[keep] for column in (last, entity.codes, creative.codes, campaign.codes, first)]
    )
    order = keep[ranked]
    entity, campaign, creative = (column.take(order) for column in (entity, campaign, creative))
    impressions, clicks, members = (_counts(column)[order] for column in values[5:8])
    return ImpressionColumns(
        first=first[order],
        last=last[order],
        entity=entity.codes,
        campaign=campaign.codes,
        creative=creative.codes,
        impressions=impressions,
        clicks=clicks,
        members=members,
        spend=_money(values[8])[order],
        entities=entity.names,
        accounts=tuple(map(links.get, entity.names)),
        campaigns=campaign.names,
        creatives=creative.names,
    )


def _linked(entity: Named, links: Mapping[str, str], inside: Collection[str]) -> NDArray[np.intp]:
    wanted = set(inside)
    kept = np.array([links.get(name) in wanted for name in entity.names], dtype=np.bool_)
    return np.flatnonzero(kept[entity.codes])


def _named(column: Sequence[str]) -> Named:
    names = tuple(sorted(set(column)))
    place = {name: i for i, name in enumerate(names)}
    return Named(names, np.fromiter(map(place.__getitem__, column), dtype=np.int64, count=len(column)))


def _days(column: Sequence[Any]) -> Ints:
    """Proleptic ordinals; a window holds few distinct days. SQLite's driver gives them as ISO texts."""
    number = {
        day: (date.fromisoformat(day) if isinstance(day, str) else day).toordinal() for day in set(column)
    }
    return np.fromiter(map(number.__getitem__, column), dtype=np.int64, count=len(column))


def _counts(column: Sequence[int | None]) -> Ints:
    """-1 where the platform withheld the figure."""
    return np.array([-1 if value is None else value for value in column], dtype=np.int64)


def _money(column: Sequence[str | None]) -> NDArray[np.float64]:
    """NaN where it was not said."""
    return np.array([np.nan if value is None else float(value) for value in column], dtype=np.float64)
