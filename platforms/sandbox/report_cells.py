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
from platforms.sandbox.world import Creative, World

SIZES = (
    (1, "SIZE_1"), (10, "SIZE_2_TO_10"), (50, "SIZE_11_TO_50"), (200, "SIZE_51_TO_200"),
    (500, "SIZE_201_TO_500"), (1000, "SIZE_501_TO_1000"), (5000, "SIZE_1001_TO_5000"),
    (10_000, "SIZE_5001_TO_10000"),
)  # fmt: skip
LARGEST = "SIZE_10001_OR_MORE"


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
    depth, knobs = world.knobs.list_depth, world.knobs
    horizon = world.now - round(knobs.member_delay_hours * HOUR)
    orgs: list[NDArray[np.int64]] = []
    counts: list[NDArray[np.int64]] = []
    clicks: list[NDArray[np.int64]] = []
    cost = shown = 0.0
    for creative in creatives:
        days = [
            d
            for d in _days(world, creative, start, end)
            if day_start(date.fromordinal(d.day)) + DAY <= horizon
        ]
        if sum(int(d.clicks.sum()) for d in days) < knobs.engaged_floor:
            continue
        for day in days:
            orgs.append(day.org[:depth])
            counts.append(day.impressions[:depth])
            clicks.append(day.clicks[:depth])
            cost += day.spend
            shown += float(day.impressions.sum())
    if not orgs:
        return {}
    values, place = np.unique(np.concatenate(orgs), return_inverse=True)
    seen = np.bincount(place, weights=np.concatenate(counts), minlength=values.size)
    clicked = np.bincount(place, weights=np.concatenate(clicks), minlength=values.size)
    grouped = _grouped(world, pivot, values, seen, clicked)
    return _veiled(world, grouped, cost / max(shown, 1.0), question)


def _grouped(
    world: World,
    pivot: str,
    orgs: NDArray[np.int64],
    seen: NDArray[Any],
    clicked: NDArray[Any],
) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for org, count, click in zip(orgs.tolist(), seen.tolist(), clicked.tolist(), strict=True):
        value = _member_value(world, pivot, org)
        if value is None:
            continue
        before = found.get(value, (0, 0))
        found[value] = (before[0] + int(count), before[1] + int(click))
    return found


def _member_value(world: World, pivot: str, org: int) -> str | None:
    """The sandbox knows of a member only the employer; other facets have no rows."""
    if pivot == "MEMBER_COMPANY":
        return f"urn:li:organization:{org}"
    if pivot == "MEMBER_COMPANY_SIZE":
        known = world.directory.known().get(org)
        return size_of(known.members) if known else None
    return None


def size_of(members: int) -> str:
    return next((name for most, name in SIZES if members <= most), LARGEST)


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
