"""Numbers per list through GAQL: sizes and audience performance. Google shows none per company.

Source: developers.google.com/google-ads/api/fields/v26 (user_list, ad_group_audience_view,
campaign_audience_view) and /docs/query, 2026-11. int64 values are strings, cost is in millionths.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import orjson

from platforms.errors import Garbled
from platforms.google.settings import GoogleSettings
from platforms.http import Call, Lane, Wire
from platforms.shapes import mapping, records, whole

MILLION = Decimal(1_000_000)
LEVELS = {
    "ad_group": ("ad_group_audience_view", "ad_group_criterion", "adGroupCriterion"),
    "campaign": ("campaign_audience_view", "campaign_criterion", "campaignCriterion"),
}


@dataclass(frozen=True, slots=True)
class ListSize:
    """People reachable on one list. None means Google does not say (not computed, or too few)."""

    list_id: str
    name: str
    for_display: int | None
    for_search: int | None
    match_rate: float | None  # 0..1
    status: str  # "OPEN" | "CLOSED"


@dataclass(frozen=True, slots=True)
class ListPerformance:
    """What one list attached to one campaign was shown on one day. ``cost`` in the account's currency."""

    day: date
    list_id: str
    campaign_id: str
    ad_group_id: str | None
    impressions: int
    clicks: int
    cost: Decimal


class Gaql:
    """Reads one customer."""

    def __init__(self, settings: GoogleSettings, wire: Wire) -> None:
        self._settings, self._wire = settings, wire

    def list_sizes(self) -> tuple[ListSize, ...]:
        """Every Customer Match list the customer owns."""
        rows = self._search(
            "SELECT user_list.id, user_list.name, user_list.size_for_display, user_list.size_for_search,"
            " user_list.match_rate_percentage, user_list.membership_status FROM user_list"
            " WHERE user_list.type = 'CRM_BASED' AND user_list.access_reason = 'OWNED'"
        )
        return tuple(_size(_part(row, "userList")) for row in rows)

    def audience_performance(
        self, start: date, end: date, *, level: str = "ad_group"
    ) -> tuple[ListPerformance, ...]:
        """Per list, campaign and day, both ends inclusive. ``level``: where the list is attached.

        Days without impressions have no row. A list in "observation" mode does not restrict delivery.
        """
        view, criterion, key = LEVELS[level]
        group = ", ad_group.id" if level == "ad_group" else ""
        where = " AND ad_group_criterion.type = 'USER_LIST'" if level == "ad_group" else ""
        rows = self._search(
            f"SELECT segments.date, campaign.id{group}, {criterion}.criterion_id,"  # noqa: S608 - names, dates
            f" {criterion}.user_list.user_list, metrics.impressions, metrics.clicks, metrics.cost_micros"
            f" FROM {view} WHERE segments.date BETWEEN '{start:%Y-%m-%d}' AND '{end:%Y-%m-%d}'{where}"
        )
        found = (_performance(row, key) for row in rows)
        return tuple(one for one in found if one is not None)

    def _search(self, query: str) -> list[dict[str, Any]]:
        customer = f"{self._settings.ads_base_url}/{self._settings.ads_version}/customers"
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._settings.login_customer_id:
            headers["login-customer-id"] = self._settings.login_customer_id
        url = f"{customer}/{self._settings.customer_id}/googleAds:searchStream"
        call = Call("POST", url, headers, orjson.dumps({"query": query}), lane=Lane("gaql"))
        return self._wire.fetch(call, _rows)


def _rows(response: httpx.Response) -> list[dict[str, Any]]:
    """searchStream answers a list of chunks; an empty result is ``[]`` or a chunk without results."""
    chunks: Any = None
    try:
        chunks = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        chunks = None
    if not isinstance(chunks, list) or not all(isinstance(chunk, dict) for chunk in chunks):
        raise Garbled("the answer is not a list of chunks", platform="google", status=response.status_code)
    return [row for chunk in chunks for row in records(chunk.get("results"))]


def _size(row: Mapping[str, Any]) -> ListSize:
    rate = whole(row.get("matchRatePercentage"))
    return ListSize(
        list_id=str(row.get("id", "")),
        name=str(row.get("name", "")),
        for_display=whole(row.get("sizeForDisplay")),
        for_search=whole(row.get("sizeForSearch")),
        match_rate=rate / 100 if rate is not None else None,
        status=str(row.get("membershipStatus", "")),
    )


def _performance(row: Mapping[str, Any], key: str) -> ListPerformance | None:
    """None for criteria that are not lists (campaign_audience_view mixes them)."""
    target = _part(_part(row, key), "userList").get("userList")
    if not target:
        return None
    metrics, group = _part(row, "metrics"), _part(row, "adGroup").get("id")
    try:
        day = date.fromisoformat(str(_part(row, "segments").get("date")))
    except ValueError:
        raise Garbled("a performance row has no day", platform="google") from None
    return ListPerformance(
        day=day,
        list_id=str(target).rsplit("/", 1)[-1],
        campaign_id=str(_part(row, "campaign").get("id", "")),
        ad_group_id=str(group) if group else None,
        impressions=whole(metrics.get("impressions")) or 0,
        clicks=whole(metrics.get("clicks")) or 0,
        cost=Decimal(whole(metrics.get("costMicros")) or 0) / MILLION,
    )


def _part(row: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return mapping(row.get(name))
