"""The parameters of an adAnalytics call, checked. It must not see any delivery.

Enum and field lists: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads-reporting/
ads-reporting-schema (as of 2026-10).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox.linkedin_gate import listed

PIVOTS = frozenset(
    "COMPANY ACCOUNT SHARE CAMPAIGN CREATIVE CAMPAIGN_GROUP CONVERSION CONVERSATION_NODE "
    "CONVERSATION_NODE_OPTION_INDEX SERVING_LOCATION CARD_INDEX MEMBER_COMPANY_SIZE MEMBER_INDUSTRY "
    "MEMBER_SENIORITY MEMBER_JOB_TITLE MEMBER_JOB_FUNCTION MEMBER_COUNTRY_V2 MEMBER_REGION_V2 "
    "MEMBER_COUNTY MEMBER_COMPANY PLACEMENT_NAME IMPRESSION_DEVICE_TYPE EVENT_STAGE OBJECTIVE_TYPE".split()
)
METRICS = frozenset(
    "impressions clicks landingPageClicks companyPageClicks totalEngagements costInLocalCurrency costInUsd "
    "oneClickLeads externalWebsiteConversions likes comments shares follows reactions videoViews "
    "videoCompletions viralImpressions actionClicks adUnitClicks cardClicks cardImpressions "
    "viralCardImpressions viralCardClicks commentLikes conversionValueInLocalCurrency qualifiedLeads "
    "downloadClicks opens sends otherEngagements approximateMemberReach audiencePenetration "
    "externalWebsitePostClickConversions externalWebsitePostViewConversions viralClicks".split()
)
MEMBER_ONLY_FORBIDDEN = frozenset(
    "conversionValueInLocalCurrency cardImpressions cardClicks viralCardImpressions viralCardClicks "
    "approximateMemberReach audiencePenetration".split()
)
REACH = frozenset({"approximateMemberReach", "audiencePenetration"})
GRAINS = ("ALL", "DAILY", "MONTHLY", "YEARLY")
FACETS = ("accounts", "campaigns", "campaignGroups", "creatives", "shares", "companies")
KNOWN = {
    "q", "pivot", "pivots", "timeGranularity", "dateRange", "fields", "campaignType", "objectiveType",
    "sortBy", "count", "start", *FACETS,
}  # fmt: skip
SORTABLE = {
    "COST_IN_LOCAL_CURRENCY": "costInLocalCurrency",
    "IMPRESSIONS": "impressions",
    "ONE_CLICK_LEADS": "oneClickLeads",
    "OPENS": "opens",
    "SENDS": "sends",
    "EXTERNAL_WEBSITE_CONVERSIONS": "externalWebsiteConversions",
}
MAX_FIELDS = 20
REACH_DAYS = 92


@dataclass(frozen=True, slots=True)
class Asked:
    """``end`` None means up to now; ``sort`` is (field, descending)."""

    pivots: tuple[str, ...]
    grain: str
    start: date
    end: date | None
    fields: frozenset[str]
    sort: tuple[str, bool] | None

    @property
    def member(self) -> bool:
        return self.pivots[0].startswith("MEMBER_")


def read_query(query: dict[str, Any]) -> Asked:
    """Raises 400 in LinkedIn's extended form, naming the parameter."""
    for name in query:
        if name not in KNOWN:
            raise err.bad_param(name, "QUERY_PARAM_NOT_ALLOWED")
    pivots = _pivots(query)
    grain = _bare(query.get("timeGranularity"))
    if grain not in GRAINS:
        raise err.bad_param("timeGranularity", "FIELD_INVALID")
    if not any(listed(query.get(name)) for name in FACETS):
        raise err.bad_param("accounts", "FIELD_INVALID")
    for name in FACETS:
        if any(not v.startswith("urn:li:") for v in listed(query.get(name))):
            raise err.bad_param(name, "FIELD_INVALID")
    start, end = _range(query.get("dateRange"))
    fields = _fields(query, pivots)
    if fields & REACH and ((end or date.max) - start).days >= REACH_DAYS:
        raise err.bad_param("dateRange", "FIELD_INVALID")
    return Asked(pivots, grain, start, end, fields, _sort(query.get("sortBy")))


def _bare(value: Any) -> str:
    """``X`` or ``(value:X)``; both are accepted."""
    return str(value.get("value")) if isinstance(value, dict) else str(value)


def _pivots(query: dict[str, Any]) -> tuple[str, ...]:
    finder = query.get("q")
    if finder == "analytics":
        if "pivots" in query or "pivot" not in query:
            raise err.bad_param("pivots" if "pivots" in query else "pivot", "FIELD_INVALID")
        found: tuple[str, ...] = (_bare(query["pivot"]),)
    elif finder == "statistics":
        found = tuple(listed(query.get("pivots")))
        if not 1 <= len(found) <= 3 or any(p.startswith("MEMBER_") for p in found):
            raise err.bad_param("pivots", "FIELD_INVALID")
    else:
        raise err.bad_param("q", "FIELD_INVALID")
    if any(p not in PIVOTS for p in found):
        raise err.bad_param("pivot", "FIELD_INVALID")
    return found


def _range(value: Any) -> tuple[date, date | None]:
    try:
        start = _date(value["start"])
        end = _date(value["end"]) if "end" in value else None
    except (KeyError, TypeError, ValueError):
        raise err.bad_param("dateRange", "FIELD_INVALID") from None
    if end is not None and end < start:
        raise err.bad_param("dateRange", "FIELD_INVALID")
    return start, end


def _date(parts: dict[str, str]) -> date:
    return date(int(parts["year"]), int(parts["month"]), int(parts["day"]))


def _fields(query: dict[str, Any], pivots: tuple[str, ...]) -> frozenset[str]:
    if "fields" not in query:
        return frozenset({"impressions", "clicks", "dateRange", "pivotValues"})
    names = [n for n in str(query["fields"]).split(",") if n]
    unknown = set(names) - METRICS - {"dateRange", "pivotValues"}
    if len(names) > MAX_FIELDS or unknown or not names:
        raise err.bad_param("fields", "FIELD_INVALID")
    if pivots[0].startswith("MEMBER_") and MEMBER_ONLY_FORBIDDEN.intersection(names):
        raise err.bad_param("fields", "FIELD_INVALID")
    return frozenset(names)


def _sort(value: Any) -> tuple[str, bool] | None:
    if value is None:
        return None
    try:
        field, order = SORTABLE[value["field"]], value["order"]
    except (KeyError, TypeError):
        raise err.bad_param("sortBy", "FIELD_INVALID") from None
    if order not in ("ASCENDING", "DESCENDING"):
        raise err.bad_param("sortBy", "FIELD_INVALID")
    return field, order == "DESCENDING"
