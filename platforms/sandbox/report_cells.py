"""Delivered counts gathered into report cells: exact ones, and what the privacy rules leave of others.

It must never hand out a demographic count that did not pass truncation, floor and noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from platforms.sandbox.clock import DAY, HOUR, day_start
from platforms.sandbox.market import CreativeDay
from platforms.sandbox.report_query import REACH
from platforms.sandbox.report_values import PIVOTS
from platforms.sandbox.world import Creative, World


@dataclass(slots=True)
class Cell:
    impressions: int = 0
    clicks: int = 0
    spend: float = 0.0
    reach: int | None = None
    members: int | None = None

    def metrics(self) -> dict[str, Any]:
        """Counts are ints, money a decimal string with as many digits as it has."""
        shown: dict[str, Any] = {
            "impressions": self.impressions,
            "clicks": self.clicks,
            "landingPageClicks": self.clicks * 2 // 3,
            "totalEngagements": self.clicks + self.impressions // 400,
            "costInLocalCurrency": str(round(self.spend, 5)),
            "costInUsd": str(round(self.spend, 5)),
        }
        if self.reach is not None:
            shown["approximateMemberReach"] = self.reach
            shown["audiencePenetration"] = round(self.reach / self.members, 4) if self.members else 0.0
        return shown


def _days(world: World, creative: Creative, start: date, end: date) -> Iterator[CreativeDay]:
    first, last = start.toordinal(), end.toordinal()
    for day in world.market.delivered.get(creative.creative_id, ()):
        if first <= day.day <= last:
            yield day


def total_cells(
    world: World,
    creatives: list[Creative],
    pivots: tuple[str, ...],
    start: date,
    end: date,
    fields: frozenset[str],
) -> dict[tuple[str, ...], Cell]:
    """Exact totals by non-demographic pivot values; a value with nothing delivered has no cell."""
    found: dict[tuple[str, ...], Cell] = {}
    people: dict[tuple[str, ...], dict[int, int]] = {}
    for creative in creatives:
        key = tuple(_pivot_value(world, creative, pivot) for pivot in pivots)
        for day in _days(world, creative, start, end):
            cell = found.setdefault(key, Cell())
            cell.impressions += int(day.impressions.sum())
            cell.clicks += int(day.clicks.sum())
            cell.spend += day.spend
            if fields & REACH:
                book = people.setdefault(key, {})
                for org, count in zip(day.org.tolist(), day.impressions.tolist(), strict=True):
                    book[org] = book.get(org, 0) + count
    for key, book in people.items():
        found[key].reach, found[key].members = _reach(world, book)
    return found


def _reach(world: World, book: dict[int, int]) -> tuple[int, int]:
    """People reached when impressions fall on a company's members at random."""
    known = world.directory.known()
    members = np.array([known[o].members if o in known else 1 for o in book], float)
    counts = np.array(list(book.values()), float)
    return round(float((members * -np.expm1(-counts / members)).sum())), round(float(members.sum()))


def _pivot_value(world: World, creative: Creative, pivot: str) -> str:
    campaign = world.campaigns.get(creative.campaign_id)
    fields = campaign.fields if campaign else {}
    values = {
        "ACCOUNT": f"urn:li:sponsoredAccount:{creative.account}",
        "CAMPAIGN": f"urn:li:sponsoredCampaign:{creative.campaign_id}",
        "CREATIVE": f"urn:li:sponsoredCreative:{creative.creative_id}",
        "CAMPAIGN_GROUP": str(fields.get("campaignGroup", "")),
        "COMPANY": str(fields.get("associatedEntity", "urn:li:organization:1")),
        "SHARE": str(creative.content.get("reference", "")),
        "OBJECTIVE_TYPE": str(fields.get("objectiveType", "")),
    }
    return values.get(pivot, "UNDEFINED")


def member_cells(
    world: World, creatives: list[Creative], pivot: str, start: date, end: date, question: tuple[Any, ...]
) -> dict[str, Cell]:
    """What is left of the truth after truncation, floors and noise, by pivot value."""
    days = [day for creative in creatives for day in _seen_days(world, creative, start, end)]
    if not days:
        return {}
    price = sum(d.spend for d in days) / max(sum(float(d.impressions.sum()) for d in days), 1.0)
    return _veiled(world, _grouped(world, pivot, days), price, question)


def _seen_days(world: World, creative: Creative, start: date, end: date) -> list[CreativeDay]:
    """Days old enough to be processed, of a creative that enough people engaged with."""
    horizon = world.now - round(world.knobs.member_delay_hours * HOUR)
    days = [
        d for d in _days(world, creative, start, end) if day_start(date.fromordinal(d.day)) + DAY <= horizon
    ]
    enough = sum(int(d.clicks.sum()) for d in days) >= world.knobs.engaged_floor
    return days if enough else []


def _grouped(world: World, pivot: str, days: list[CreativeDay]) -> dict[str, tuple[int, int]]:
    """(impressions, clicks) per value: of each creative and day the largest values only, then added up."""
    shares, values_of = PIVOTS[pivot]
    top = world.knobs.list_depth if pivot == "MEMBER_COMPANY" else None  # a day has its companies in order
    orgs, known = np.unique(np.concatenate([d.org[:top] for d in days])), world.directory.known()
    wide = [values_of(world, org, known.get(org)) for org in orgs.tolist()]
    names = list(dict.fromkeys(name for row in wide for name in row))  # ties fall to the lower company
    code = {name: i for i, name in enumerate(names)}
    codes = np.array([[code[name] for name in row] for row in wide], dtype=np.int64).reshape(
        len(orgs), len(shares)
    )
    upto = np.cumsum(shares)
    sums = np.zeros((2, len(names)), dtype=np.int64)
    for day in days:
        place = codes[np.searchsorted(orgs, day.org[:top])].ravel()
        found = np.stack(
            [
                np.bincount(place, weights=_divided(part, upto).ravel(), minlength=len(names)).astype(
                    np.int64
                )
                for part in (day.impressions[:top], day.clicks[:top])
            ]
        )
        order = np.lexsort((np.arange(len(names)), -found[0]))
        kept = order[: world.knobs.list_depth]
        kept = kept[found[0][kept] > 0]
        sums[:, kept] += found[:, kept]
    return {
        name: (seen, clicked)
        for name, seen, clicked in zip(names, *sums.tolist(), strict=True)
        if seen or clicked
    }


def _divided(counts: NDArray[np.int64], upto: NDArray[Any]) -> NDArray[Any]:
    """(n,) counts as (n, shares) whole numbers that add up to them; ``upto`` are the shares cumulated."""
    bounds = np.rint(counts[:, None] * np.minimum(upto, 1.0))
    bounds[:, -1] = counts
    return np.diff(bounds, axis=1, prepend=0.0)


def _veiled(
    world: World, cells: dict[str, tuple[int, int]], price: float, question: tuple[Any, ...]
) -> dict[str, Cell]:
    """Drop values below the floor and shift the rest by the cell's own noise, never below 0."""
    floor, noise = world.knobs.count_floor, world.knobs.noise
    found: dict[str, Cell] = {}
    for value, (count, click) in cells.items():
        if count < floor:
            continue
        shift, click_shift = _noise(world.seed, value, question, noise)
        noisy = max(0, count + shift)
        found[value] = Cell(
            impressions=noisy,
            clicks=max(0, click + click_shift) if click >= floor else 0,
            spend=noisy * price,
        )
    return found


def _noise(seed: int, value: str, question: tuple[Any, ...], most: int) -> tuple[int, int]:
    if most <= 0:
        return 0, 0
    text = f"{seed}|{value}|{question}".encode()
    raw = blake2b(text, digest_size=8).digest()
    span = 2 * most + 1
    first, second = int.from_bytes(raw[:4], "big"), int.from_bytes(raw[4:], "big")
    return first % span - most, second % span - most
