"""``/rest/adAnalytics``: what a caller is allowed to see of what was delivered. It changes nothing.

The pipeline of a MEMBER_* pivot, in order: rows by facet and date, days younger than the delay hidden;
the 100 largest values per creative and day; creatives below the engagement floor dropped; aggregated;
values below 3 dropped; noise of at most 3; fields; 15,000 elements. Everything else is exact.
Source: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/ads-reporting (2026-06),
docs.microsoft.com/en-us/linkedin/marketing/lms-faq for noise and minimum.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox.clock import day_of
from platforms.sandbox.linkedin_gate import Quotas, listed, query_of, role_on
from platforms.sandbox.report_cells import Cell, member_cells, total_cells
from platforms.sandbox.report_query import Asked, read_query
from platforms.sandbox.restli import last_part
from platforms.sandbox.wire import Answer, Call, json_answer
from platforms.sandbox.world import Creative, World

DAILY_MONTHS = 6
MEMBER_YEARS = 2
EXACT_YEARS = 10


def analytics(world: World, call: Call, quotas: Quotas) -> Answer:
    """``q=analytics`` (one pivot) and ``q=statistics`` (one to three, never MEMBER_*)."""
    query = query_of(world, call)
    asked = read_query(query)
    creatives = list(_creatives(world, call, query))
    elements = list(_elements(world, asked, creatives))
    if asked.sort is not None:
        field, descending = asked.sort
        elements.sort(key=lambda e: float(e.get(field, 0)), reverse=descending)
    elements = _cut(world, asked, elements, query)
    shown = [{k: v for k, v in e.items() if k in asked.fields} for e in elements]
    if not quotas.charge(world, len(asked.fields) * len(shown)):
        raise err.too_much_data()
    return json_answer(200, {"paging": {"start": 0, "count": 10, "links": []}, "elements": shown})


def _cut(
    world: World, asked: Asked, elements: list[dict[str, Any]], query: dict[str, Any]
) -> list[dict[str, Any]]:
    """15,000 elements at most, the earliest dates lost first; no next page exists."""
    if len(elements) > world.knobs.element_limit:
        if asked.sort is None:
            elements.sort(key=lambda e: _day_number(e["dateRange"]["start"]), reverse=True)
        elements = elements[: world.knobs.element_limit]
    if world.knobs.honour_count_default_10:
        elements = elements[: int(query.get("count", 10))]
    return elements


def _day_number(parts: dict[str, int]) -> int:
    return date(parts["year"], parts["month"], parts["day"]).toordinal()


def _creatives(world: World, call: Call, query: dict[str, Any]) -> Iterator[Creative]:
    """Creatives inside every facet given, on accounts the member may read; no access is just empty."""
    tails = {
        name: {last_part(v) for v in listed(query.get(name))}
        for name in ("accounts", "campaigns", "campaignGroups", "creatives")
        if name in query
    }
    for creative in world.creatives.values():
        campaign = world.campaigns.get(creative.campaign_id)
        group = last_part(str(campaign.fields.get("campaignGroup", ""))) if campaign else ""
        own = {
            "accounts": creative.account,
            "campaigns": str(creative.campaign_id),
            "campaignGroups": group,
            "creatives": str(creative.creative_id),
        }
        if all(own[name] in wanted for name, wanted in tails.items()) and role_on(
            world, call, creative.account
        ):
            yield creative


def _elements(world: World, asked: Asked, creatives: list[Creative]) -> Iterator[dict[str, Any]]:
    today = day_of(world.now)
    for start, end in _periods(asked, today):
        if asked.member:
            yield from _member_rows(world, asked, creatives, start, end, today)
        else:
            first = max(start, _years_before(today, EXACT_YEARS))
            for key, cell in total_cells(world, creatives, asked.pivots, first, end, asked.fields).items():
                yield _element(list(key), cell, start, end)


def _periods(asked: Asked, today: date) -> Iterator[tuple[date, date]]:
    """The ranges of the answer's rows; ALL reaching beyond six months is rounded out to whole months."""
    start, end = asked.start, asked.end or today
    oldest = _months_before(today, DAILY_MONTHS)
    if asked.grain == "ALL":
        if start < oldest or end < oldest:
            start, end = start.replace(day=1), _month_end(end)
        yield start, end
    elif asked.grain == "DAILY":
        first = max(start, oldest)
        for i in range((min(end, today) - first).days + 1):
            yield first + timedelta(days=i), first + timedelta(days=i)
    else:
        yield from _calendar(start, end, yearly=asked.grain == "YEARLY")


def _calendar(start: date, end: date, *, yearly: bool) -> Iterator[tuple[date, date]]:
    here = start
    while here <= end:
        last = date(here.year, 12, 31) if yearly else _month_end(here)
        yield here, min(last, end)
        here = last + timedelta(days=1)


def _months_before(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, min(day.day, 28))


def _years_before(day: date, years: int) -> date:
    return day.replace(year=day.year - years, day=min(day.day, 28))


def _month_end(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _member_rows(
    world: World, asked: Asked, creatives: list[Creative], start: date, end: date, today: date
) -> Iterator[dict[str, Any]]:
    """Demographic rows; each cell keeps its noise as long as the same question is asked."""
    oldest = _years_before(today, MEMBER_YEARS)
    question = (asked.pivots[0], asked.grain, start, end, tuple(sorted(c.creative_id for c in creatives)))
    for value, cell in member_cells(
        world, creatives, asked.pivots[0], max(start, oldest), end, question
    ).items():
        if cell.impressions or cell.clicks:
            yield _element([value], cell, start, end)


def _element(pivot_values: list[str], cell: Cell, start: date, end: date) -> dict[str, Any]:
    return {
        "pivotValues": pivot_values,
        "dateRange": {"start": _parts(start), "end": _parts(end)},
        **cell.metrics(),
    }


def _parts(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}
