"""Organisations, targeting entities and Company Intelligence on the wire. Read only.

Sources: learn.microsoft.com/en-us/linkedin/marketing/community-management/organizations/
organization-lookup-api, /marketing/account-intel/account-intel-api (2026).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox.audience import FACET
from platforms.sandbox.clock import day_of
from platforms.sandbox.directory import Organization
from platforms.sandbox.linkedin_bodies import page
from platforms.sandbox.linkedin_gate import listed, query_of, readable_account
from platforms.sandbox.report_values import size_of
from platforms.sandbox.restli import last_part
from platforms.sandbox.wire import Answer, Call, json_answer
from platforms.sandbox.world import World

SENIORITIES = (
    "Unpaid",
    "Training",
    "Entry",
    "Senior",
    "Manager",
    "Director",
    "VP",
    "CXO",
    "Partner",
    "Owner",
)
FUNCTIONS = (
    "Accounting",
    "Administrative",
    "Arts and Design",
    "Business Development",
    "Community and Social Services",
    "Consulting",
    "Education",
    "Engineering",
    "Entrepreneurship",
    "Finance",
    "Healthcare Services",
    "Human Resources",
    "Information Technology",
    "Legal",
    "Marketing",
    "Media and Communication",
    "Military and Protective Services",
    "Operations",
    "Product Management",
    "Program and Project Management",
    "Purchasing",
    "Quality Assurance",
    "Real Estate",
    "Research",
    "Sales",
    "Customer Success and Support",
)
BROWSABLE = {
    "seniorities": [(f"urn:li:seniority:{i + 1}", n) for i, n in enumerate(SENIORITIES)],
    "jobFunctions": [(f"urn:li:function:{i + 1}", n) for i, n in enumerate(FUNCTIONS)],
    "interfaceLocales": [("urn:li:locale:en_US", "English"), ("urn:li:locale:de_DE", "German")],
}
WINDOWS = {f"LAST_{n}_DAYS": n for n in (7, 30, 60, 90, 180, 365)}


def lookup(world: World, call: Call) -> Answer:
    """``organizationsLookup?ids=List(1,2)``: numeric ids, missing ones only in errors and statuses."""
    if world.knobs.organizations_batch_refused:
        raise err.denied("organizationsLookup.BATCH_GET")
    results: dict[str, Any] = {}
    statuses: dict[str, int] = {}
    errors: dict[str, Any] = {}
    ids = listed(query_of(world, call).get("ids"))
    if not ids:
        raise err.bad_param("ids", "PARAM_INVALID")
    for text in ids:
        if not text.isdigit():
            raise err.bad_param("ids", "PARAM_INVALID")
        org = world.directory.organization(int(text))
        if org is None or not org.in_lookup:
            statuses[text] = 404
            errors[text] = {"status": 404, "message": f"Could not find organization {text}"}
        else:
            statuses[text] = 200
            results[text] = _org_json(org)
    return json_answer(200, {"results": results, "statuses": statuses, "errors": errors})


def organization(world: World, call: Call) -> Answer:
    text = last_part(call.args["organization"])
    org = world.directory.organization(int(text)) if text.isdigit() else None
    if org is None:
        raise err.plain(404, f"Could not find organization {text}")
    return json_answer(200, _org_json(org))


def _org_json(org: Organization) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": org.org_id,
        "localizedName": org.name,
        "vanityName": org.vanity,
        "primaryOrganizationType": "NONE",
        "name": {
            "localized": {"en_US": org.name},
            "preferredLocale": {"country": "US", "language": "en"},
        },
        "locations": [{"locationType": "HEADQUARTERS", "address": {"country": org.country}}],
    }
    if org.has_website:
        shown["localizedWebsite"] = f"https://www.{org.domain}"
    return shown


def targeting_entities(world: World, call: Call) -> Answer:
    """``q=urns``, ``q=adTargetingFacet`` (browse), ``q=typeahead`` and ``q=similarEntities``."""
    query = query_of(world, call)
    finder = query.get("q")
    facet = str(query.get("facet", "")).removeprefix(FACET)
    if finder == "urns":
        named = {urn: name for pairs in BROWSABLE.values() for urn, name in pairs}
        found = [(u, named.get(u) or _org_name(world, u)) for u in listed(query.get("urns"))]
        elements = [_entity(u, n, "") for u, n in found if n]
    elif finder == "adTargetingFacet" and facet in BROWSABLE:
        elements = [_entity(u, n, facet) for u, n in BROWSABLE[facet]]
    elif finder in {"typeahead", "similarEntities"} and facet in {"employers", "employersAll"}:
        text = str(query.get("query", "")).lower()
        orgs = [o for o in world.directory.known().values() if text in o.name.lower()]
        elements = [_entity(f"urn:li:organization:{o.org_id}", o.name, facet) for o in orgs]
    else:
        raise err.bad_param("facet", "FIELD_INVALID")
    return json_answer(200, page(elements, query))


def _org_name(world: World, urn: str) -> str | None:
    tail = last_part(urn)
    org = world.directory.organization(int(tail)) if tail.isdigit() and ":organization:" in urn else None
    return org.name if org else None


def _entity(urn: str, name: str, facet: str) -> dict[str, Any]:
    return {"urn": urn, "name": name, **({"facetUrn": FACET + facet} if facet else {})}


def account_intelligence(world: World, call: Call) -> Answer:
    """Company rows of a whole list, exact; 403 unless the product is provisioned."""
    if not world.knobs.accounts_intelligence:
        raise err.denied("accountIntelligence.FINDER-account")
    query = query_of(world, call)
    if query.get("q") != "account" or "account" not in query:
        raise err.bad_param("account", "FIELD_INVALID")
    owner = readable_account(world, call, str(query["account"]), "accountIntelligence.FINDER-account")
    criteria = query.get("filterCriteria") or {}
    window = WINDOWS.get(str(criteria.get("lookbackWindow", "LAST_90_DAYS")))
    if window is None or int(query.get("count", 10)) > 1000:
        raise err.bad_param("filterCriteria", "FIELD_INVALID")
    rows = _intelligence_rows(world, owner.account_id, criteria, window)
    if str(query.get("skipCompanyDecoration", "false")) == "true":
        rows = [{k: v for k, v in r.items() if k not in {"companyName", "companyWebsite"}} for r in rows]
    return json_answer(200, page(rows, query))


def _intelligence_rows(
    world: World, account_id: str, criteria: dict[str, Any], window: int
) -> list[dict[str, Any]]:
    last = day_of(world.now)
    first = (last - timedelta(days=window)).toordinal()
    campaign = last_part(str(criteria.get("campaign", "")))
    listed_orgs = _orgs_of_lists(world, listed(criteria.get("adSegments")))
    seen: dict[int, list[int]] = {}
    for creative in world.creatives.values():
        if creative.account != account_id or (campaign and str(creative.campaign_id) != campaign):
            continue
        for day in world.market.delivered.get(creative.creative_id, ()):
            if first <= day.day < last.toordinal():
                for org, count, click in zip(
                    day.org.tolist(), day.impressions.tolist(), day.clicks.tolist(), strict=True
                ):
                    book = seen.setdefault(org, [0, 0])
                    book[0] += count
                    book[1] += click
    orgs = listed_orgs if listed_orgs is not None else set(seen)
    return [_intelligence_row(world, org, seen.get(org, [0, 0])) for org in sorted(orgs)]


def _orgs_of_lists(world: World, urns: list[str]) -> set[int] | None:
    if not urns:
        return None
    found: set[int] = set()
    for urn in urns:
        segment = world.ad_segments.get(int(last_part(urn))) if last_part(urn).isdigit() else None
        if segment is not None:
            found.update(k for k in segment.effective if isinstance(k, int))
    return found


def _intelligence_row(world: World, org_id: int, counts: list[int]) -> dict[str, Any]:
    org = world.directory.organization(org_id)
    level = next(
        name
        for least, name in ((500, "VERY_HIGH"), (150, "HIGH"), (50, "MEDIUM"), (10, "LOW"), (0, "VERY_LOW"))
        if counts[0] >= least
    )
    return {
        "companyName": org.name if org else f"Company {org_id}",
        "companyPageUrl": f"https://www.linkedin.com/company/{org_id}",
        "companyWebsite": f"https://www.{org.domain}" if org and org.has_website else None,
        "engagementLevel": level,
        "paidImpressions": counts[0],
        "paidClicks": counts[1],
        "paidEngagements": counts[1] + counts[0] // 400,
        "paidLeads": 0,
        "paidQualifiedLeads": 0,
        "conversions": 0,
        "organicImpressions": 0,
        "organicEngagements": 0,
        "companySize": size_of(org.members) if org else "SIZE_1",
        "countryCode": org.country if org else "US",
    }
