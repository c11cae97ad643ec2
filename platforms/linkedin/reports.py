"""Impressions per company and the exact totals beside them (adAnalytics). It must not estimate anything.

A company that is not in the rows is unknown, never zero: LinkedIn lists the 100 with the most impressions per
creative and day, withholds values below 3, and adds noise of about 3 to each cell. Source:
learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/ads-reporting, 2026-08.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from audiences.model import ImpressionReport, ReportRow, ReportTotal
from platforms.errors import Garbled, Refused
from platforms.linkedin import restli
from platforms.linkedin.rest import Rest
from platforms.linkedin.settings import LinkedInSettings
from platforms.shapes import mapping, need_records, records, whole

FIELDS = restli.Plain("impressions,clicks,costInLocalCurrency,dateRange,pivotValues")
GRAINS = {"all": "ALL", "daily": "DAILY"}


class Reports:
    """Reports of one ad account."""

    def __init__(self, settings: LinkedInSettings, rest: Rest, clock: Callable[[], datetime]) -> None:
        self._settings, self._rest, self._clock = settings, rest, clock

    def account_report(
        self,
        start: date,
        end: date,
        *,
        grain: str,
        campaigns: Sequence[str] = (),
        creatives: Sequence[str] = (),
    ) -> ImpressionReport:
        """Rows per company, ``start`` to ``end`` inclusive, for campaigns, creatives or the ad account.

        grain "all" is one cell per company over the window (less noise), "daily" one per company and day.
        With one campaign or creative its id is put on the rows. ``warnings`` say what may be missing.
        """
        if grain not in GRAINS or start > end or (campaigns and creatives):
            raise Refused("ask for grain all or daily, start <= end, campaigns or creatives", code="report")
        warnings: list[str] = []
        facet, pivot = self._facet(campaigns, creatives)
        rows = self._ask("MEMBER_COMPANY", start, end, grain, facet, warnings)
        totals = self._ask(pivot, start, end, grain, facet, warnings)
        one = {
            "campaign_id": restli.tail(campaigns[0]) if len(campaigns) == 1 else None,
            "creative_id": restli.tail(creatives[0]) if len(creatives) == 1 else None,
        }
        report_rows = tuple(_row(element, grain, **one) for element in rows)
        report_totals = tuple(_total(element, grain, pivot) for element in totals)
        return ImpressionReport(
            platform="linkedin",
            start=start,
            end=end,
            grain=grain,
            rows=tuple(sorted(report_rows, key=lambda row: (row.day or date.min, row.entity))),
            totals=report_totals,
            fetched_at=self._clock(),
            scope=tuple(map(restli.tail, campaigns or creatives)) or (self._settings.ad_account,),
            warnings=tuple(dict.fromkeys(warnings + self._doubts(end, report_rows, report_totals))),
        )

    def _facet(self, campaigns: Sequence[str], creatives: Sequence[str]) -> tuple[dict[str, object], str]:
        if campaigns:
            return {"campaigns": [restli.urn("sponsoredCampaign", one) for one in campaigns]}, "CAMPAIGN"
        if creatives:
            return {"creatives": [restli.urn("sponsoredCreative", one) for one in creatives]}, "CREATIVE"
        return {"accounts": [self._settings.account_urn]}, "ACCOUNT"

    def _ask(
        self, pivot: str, start: date, end: date, grain: str, facet: dict[str, object], warnings: list[str]
    ) -> list[dict[str, Any]]:
        """All elements. Above its limit LinkedIn silently drops the earliest days, so halves are asked."""
        elements = self._call(pivot, start, end, grain, facet, warnings)
        if len(elements) >= self._settings.element_limit:
            if grain == "daily" and start < end:
                middle = start + (end - start) // 2
                first = self._ask(pivot, start, middle, grain, facet, warnings)
                return first + self._ask(pivot, middle + timedelta(days=1), end, grain, facet, warnings)
            warnings.append(f"element_limit:{pivot.lower()}")
        return elements

    def _call(
        self, pivot: str, start: date, end: date, grain: str, facet: dict[str, object], warnings: list[str]
    ) -> list[dict[str, Any]]:
        parameters: dict[str, object] = {
            "q": "analytics",
            "pivot": pivot,
            "timeGranularity": GRAINS[grain],
            "dateRange": {"start": _ymd(start), "end": _ymd(end)},
            **facet,
            "fields": FIELDS,
            "count": self._settings.analytics_count,
        }
        reply = self._rest.get("/adAnalytics", parameters)
        if _looks_cut(reply):
            parameters["count"] = self._settings.analytics_retry_count
            fuller = self._rest.get("/adAnalytics", parameters)
            if len(_elements(fuller)) == len(_elements(reply)) and _looks_cut(fuller):
                warnings.append(f"maybe_truncated:{pivot.lower()}")
            reply = fuller
        elements = _elements(reply)
        if grain == "all" and any(_range(element) != (start, end) for element in elements):
            warnings.append("window_rounded_by_platform")
        return elements

    def _doubts(self, end: date, rows: Sequence[ReportRow], totals: Sequence[ReportTotal]) -> list[str]:
        doubts = []
        if end > self._clock().date() - timedelta(days=self._settings.demographic_delay_days):
            doubts.append("pending")
        if not rows and any(total.impressions for total in totals):
            doubts.append("no_rows_beside_a_total")
        if not rows and not totals:
            doubts.append("empty")  # no activity and no read access look the same
        return doubts


def _looks_cut(reply: dict[str, Any]) -> bool:
    """Some accounts saw ``count`` honoured although the documentation says there is no paging."""
    paging = mapping(reply.get("paging"))
    has_next = any(link.get("rel") == "next" for link in records(paging.get("links")))
    return has_next or (bool(_elements(reply)) and len(_elements(reply)) == paging.get("count"))


def _elements(reply: dict[str, Any]) -> list[dict[str, Any]]:
    return need_records(reply, "elements")


def _row(
    element: dict[str, Any], grain: str, *, campaign_id: str | None, creative_id: str | None
) -> ReportRow:
    """An absent metric was withheld or not measured: None, not 0."""
    return ReportRow(
        day=_range(element)[0] if grain == "daily" else None,
        entity=_company(_pivot(element)),
        impressions=_count(element, "impressions"),
        clicks=_count(element, "clicks"),
        spend=_cost(element),
        campaign_id=campaign_id,
        creative_id=creative_id,
    )


def _total(element: dict[str, Any], grain: str, pivot: str) -> ReportTotal:
    """Totals are exact, so an absent metric is zero there."""
    identifier = restli.tail(_pivot(element))
    return ReportTotal(
        day=_range(element)[0] if grain == "daily" else None,
        impressions=_count(element, "impressions") or 0,
        clicks=_count(element, "clicks"),
        spend=_cost(element) or Decimal(0),
        campaign_id=identifier if pivot == "CAMPAIGN" else None,
        creative_id=identifier if pivot == "CREATIVE" else None,
    )


def _pivot(element: dict[str, Any]) -> str:
    values = element.get("pivotValues")
    if not isinstance(values, list) or not values:
        raise Garbled("a report row names nothing", platform="linkedin")
    return str(values[0])


def _company(urn: str) -> str:
    """One spelling: LinkedIn writes organization, and here and there company."""
    return (
        restli.urn("organization", urn)
        if urn.startswith(("urn:li:organization:", "urn:li:company:"))
        else urn
    )


def _count(element: dict[str, Any], name: str) -> int | None:
    return whole(element.get(name))


def _cost(element: dict[str, Any]) -> Decimal | None:
    value = element.get("costInLocalCurrency")
    try:
        return Decimal(str(value)) if value is not None else None
    except InvalidOperation:
        raise Garbled("a cost is not a number", platform="linkedin") from None


def _ymd(day: date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def _range(element: dict[str, Any]) -> tuple[date, date]:
    window = element.get("dateRange")
    try:
        first, last = window["start"], window.get("end") or window["start"]  # type: ignore[index,union-attr]
        return date(first["year"], first["month"], first["day"]), date(
            last["year"], last["month"], last["day"]
        )
    except (TypeError, KeyError, ValueError):
        raise Garbled("a report row has no date range", platform="linkedin") from None
