"""Saved JSON answers (adAnalytics, accountIntelligence) -> ImpressionReport. It must not fetch them.

``accountIntelligence`` knows trailing windows only, so its window has to be given.
Sources: learn.microsoft.com/en-us/linkedin/marketing, ads-reporting and account-intel-api, 2026-08.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

from audiences.model import ImpressionReport, ReportRow
from platforms.errors import FileNotUnderstood

ORGANIZATION = ("urn:li:organization:", "urn:li:company:")


def read_json(
    data: bytes, *, name: str, fetched_at: datetime, window: tuple[date, date] | None
) -> ImpressionReport:
    """Raises FileNotUnderstood."""
    elements = _elements(data, name)
    if all("pivotValues" in element for element in elements):
        return _analytics(elements, name, fetched_at, window)
    if all("paidImpressions" in element for element in elements):
        return intelligence_report(elements, name=name, fetched_at=fetched_at, window=window)
    raise FileNotUnderstood("neither an adAnalytics nor an accountIntelligence answer", file=name)


def _elements(data: bytes, name: str) -> list[dict[str, Any]]:
    value: Any = None
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        line = error.lineno
    else:
        line = 1
    found = value.get("elements") if isinstance(value, dict) else None
    if not isinstance(found, list) or not all(isinstance(element, dict) for element in found) or not found:
        raise FileNotUnderstood("not a JSON answer with elements", file=name, line=line)
    return found


def _analytics(
    elements: Sequence[Mapping[str, Any]], name: str, fetched_at: datetime, window: tuple[date, date] | None
) -> ImpressionReport:
    ranges = [_range(element, number, name) for number, element in enumerate(elements)]
    daily = any(first != last for first, last in ranges) is False and len(set(ranges)) > 1
    start, end = min(first for first, _ in ranges), max(last for _, last in ranges)
    if window is not None and not (window[0] <= start and end <= window[1]):
        raise FileNotUnderstood("the window in the file is not the one that was given", file=name)
    rows = tuple(
        ReportRow(
            day=ranges[number][0] if daily else None,
            entity=_organization(element, number, name),
            impressions=_count(element, "impressions"),
            clicks=_count(element, "clicks"),
            spend=_cost(element, number, name),
        )
        for number, element in enumerate(elements)
    )
    return ImpressionReport(
        platform="linkedin",
        start=window[0] if window else start,
        end=window[1] if window else end,
        grain="daily" if daily else "all",
        rows=rows,
        totals=(),
        fetched_at=fetched_at,
        source="export",
        warnings=("no_total",),
    )


def intelligence_report(
    elements: Sequence[Mapping[str, Any]],
    *,
    name: str,
    fetched_at: datetime,
    window: tuple[date, date] | None,
) -> ImpressionReport:
    """Company-grain rows over the whole list, keyed by page number, or by name where it has none."""
    if window is None:
        raise FileNotUnderstood("the file does not say its window; give start and end", file=name)
    rows = tuple(
        ReportRow(
            day=None,
            entity=_page_entity(element, number, name),
            impressions=_count(element, "paidImpressions"),
            clicks=_count(element, "paidClicks"),
        )
        for number, element in enumerate(elements)
    )
    return ImpressionReport(
        platform="linkedin",
        start=window[0],
        end=window[1],
        grain="all",
        rows=rows,
        totals=(),
        fetched_at=fetched_at,
        source="export",
        list_depth=None,
        warnings=("no_total",),
    )


def _page_entity(element: Mapping[str, Any], number: int, name: str) -> str:
    tail = str(element.get("companyPageUrl", "")).rstrip("/").rsplit("/", 1)[-1]
    entity = f"urn:li:organization:{tail}" if tail.isdigit() else str(element.get("companyName", ""))
    if not entity:
        raise FileNotUnderstood(f"element {number} names no company", file=name, column="companyName")
    return entity


def _organization(element: Mapping[str, Any], number: int, name: str) -> str:
    values = element.get("pivotValues")
    urn = str(values[0]) if isinstance(values, list) and values else ""
    if not urn.startswith(ORGANIZATION):
        raise FileNotUnderstood(f"element {number} is not about a company", file=name, column="pivotValues")
    return f"urn:li:organization:{urn.rsplit(':', 1)[-1]}"


def _range(element: Mapping[str, Any], number: int, name: str) -> tuple[date, date]:
    try:
        first, last = element["dateRange"]["start"], element["dateRange"]["end"]
        return date(first["year"], first["month"], first["day"]), date(
            last["year"], last["month"], last["day"]
        )
    except (KeyError, TypeError, ValueError):
        raise FileNotUnderstood(f"element {number} has no window", file=name, column="dateRange") from None


def _count(element: Mapping[str, Any], field: str) -> int | None:
    value = element.get(field)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _cost(element: Mapping[str, Any], number: int, name: str) -> Decimal | None:
    value = element.get("costInLocalCurrency")
    try:
        return Decimal(str(value)) if value is not None else None
    except InvalidOperation:
        raise FileNotUnderstood(
            f"element {number} has a cost that is no number", file=name, column="costInLocalCurrency"
        ) from None
