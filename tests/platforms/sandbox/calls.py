"""Requests as the platforms' documentation writes them, for the sandbox's own tests. No adapter in here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from platforms.sandbox.knobs import Knobs
from platforms.sandbox.server import open_engine
from platforms.sandbox.transport import InProcess

START = datetime(2026, 11, 2, 6, tzinfo=UTC)
ACCOUNT = "500000001"
ACCOUNT_URN = f"urn:li:sponsoredAccount:{ACCOUNT}"
BATCH = {"X-RestLi-Method": "BATCH_CREATE"}
PATCH = {"X-RestLi-Method": "PARTIAL_UPDATE"}
LIST_FACET = "urn:li:adTargetingFacet:audienceMatchingSegments"
STILL = Knobs(request_seconds=0.0, early_wait_seconds=0.0)


class Sandbox:
    """An engine, a LinkedIn client and a Google client on it."""

    def __init__(self, knobs: Knobs = STILL, **options: Any) -> None:
        options.setdefault("start_at", START)
        self.engine = open_engine(knobs=knobs, **options)
        base = {"transport": InProcess(self.engine), "base_url": "http://127.0.0.1:1"}
        self.li = httpx.Client(
            headers={
                "Authorization": "Bearer sandbox-token",
                "LinkedIn-Version": "202608",
                "X-Restli-Protocol-Version": "2.0.0",
            },
            **base,
        )
        self.google = httpx.Client(headers={"Authorization": "Bearer sandbox-token"}, **base)
        self.bare = httpx.Client(**base)

    @property
    def world(self) -> Any:
        return self.engine.world

    def control(self, method: str, path: str, body: Any = None) -> Any:
        reply = self.bare.request(method, "/sandbox" + path, json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def pass_time(self, **span: float) -> None:
        self.control("POST", "/clock/advance", {"seconds": timedelta(**span).total_seconds()})

    def seed(self, **settings: Any) -> Any:
        return self.control("POST", "/seed", settings)

    def create_segment(self, kind: str = "COMPANY", **more: Any) -> str:
        reply = self.li.post("/rest/dmpSegments", json=segment_body(kind, **more))
        assert reply.status_code == 201, reply.text
        return str(reply.headers["x-restli-id"])

    def ready_segment(self, kind: str = "COMPANY", **more: Any) -> str:
        """A segment whose children can be used."""
        found = self.create_segment(kind, **more)
        self.pass_time(seconds=5)
        return found

    def push(self, segment: str, elements: list[Any], path: str = "companies") -> httpx.Response:
        return self.li.post(f"/rest/dmpSegments/{segment}/{path}", json={"elements": elements}, headers=BATCH)

    def segment(self, segment: str) -> Any:
        return self.li.get(f"/rest/dmpSegments/{segment}").json()

    def destination(self, segment: str) -> Any:
        return self.segment(segment)["destinations"][0]

    def status(self, segment: str) -> str:
        return str(self.destination(segment)["status"])

    def members(self, segment: str) -> Any:
        return self.control("GET", f"/truth/members?segment={segment}")["members"]

    def campaign(self, campaign: int | str, account: str = ACCOUNT) -> Any:
        return self.li.get(f"/rest/adAccounts/{account}/adCampaigns/{campaign}").json()

    def patch_campaign(self, campaign: int | str, changes: Any, account: str = ACCOUNT) -> httpx.Response:
        body = {"patch": {"$set": changes}}
        return self.li.post(f"/rest/adAccounts/{account}/adCampaigns/{campaign}", json=body, headers=PATCH)

    def target(self, campaign: int | str, include: list[str], exclude: list[str] = ()) -> httpx.Response:  # type: ignore[assignment]
        return self.patch_campaign(campaign, {"targetingCriteria": targeting(include, exclude)})

    def analytics(self, **query: str) -> httpx.Response:
        return self.li.get("/rest/adAnalytics?" + analytics_query(**query))


def segment_body(kind: str = "COMPANY", **more: Any) -> dict[str, Any]:
    platform = "LIST_UPLOAD" if kind.endswith("LIST_UPLOAD") else "DIRECT_API"
    return {
        "name": "tier 1",
        "type": kind,
        "sourcePlatform": platform,
        "account": ACCOUNT_URN,
        "destinations": [{"destination": "LINKEDIN"}],
        **more,
    }


def company(number: int, action: str = "ADD") -> dict[str, str]:
    return {"action": action, "companyWebsiteDomain": f"company{number}.example"}


def companies(count: int, action: str = "ADD", first: int = 0) -> list[dict[str, str]]:
    return [company(i, action) for i in range(first, first + count)]


def digest(number: int) -> str:
    return sha256(f"person{number}@mail.example".encode()).hexdigest()


def person(number: int, action: str = "ADD") -> dict[str, Any]:
    return {"action": action, "userIds": [{"idType": "SHA256_EMAIL", "idValue": digest(number)}]}


def people(count: int, action: str = "ADD", first: int = 0) -> list[dict[str, Any]]:
    return [person(i, action) for i in range(first, first + count)]


def targeting(include: list[str], exclude: list[str] = ()) -> dict[str, Any]:  # type: ignore[assignment]
    clauses: list[Any] = [
        {"or": {"urn:li:adTargetingFacet:locations": ["urn:li:geo:103644278"]}},
        {"or": {"urn:li:adTargetingFacet:interfaceLocales": ["urn:li:locale:en_US"]}},
    ]
    if include:
        clauses.append({"or": {LIST_FACET: list(include)}})
    tree: dict[str, Any] = {"include": {"and": clauses}}
    if exclude:
        tree["exclude"] = {"or": {LIST_FACET: list(exclude)}}
    return tree


def campaign_body(group: int, **more: Any) -> dict[str, Any]:
    return {
        "account": ACCOUNT_URN,
        "campaignGroup": f"urn:li:sponsoredCampaignGroup:{group}",
        "name": "band",
        "type": "SPONSORED_UPDATES",
        "costType": "CPM",
        "locale": {"country": "US", "language": "en"},
        "status": "DRAFT",
        "politicalIntent": "NOT_POLITICAL",
        "dailyBudget": {"amount": "100.00", "currencyCode": "USD"},
        "targetingCriteria": targeting([]),
        **more,
    }


def restli_date(day: date) -> str:
    return f"(year:{day.year},month:{day.month},day:{day.day})"


def analytics_query(
    *,
    start: date | None = None,
    end: date | None = None,
    pivot: str = "MEMBER_COMPANY",
    grain: str = "ALL",
    facet: str = f"accounts=List({quote(ACCOUNT_URN, safe='')})",
    fields: str | None = "impressions,clicks,costInLocalCurrency,pivotValues,dateRange",
    q: str = "analytics",
    **more: str,
) -> str:
    start = start or START.date()
    span = f"(start:{restli_date(start)}" + (f",end:{restli_date(end)}" if end else "") + ")"
    how = f"pivots=List({pivot})" if q == "statistics" else f"pivot={pivot}"
    parts = [f"q={q}", how, f"timeGranularity={grain}", f"dateRange={span}", facet]
    parts += [f"fields={fields}"] if fields else []
    return "&".join([*parts, *(f"{k}={v}" for k, v in more.items())])


def code_of(reply: httpx.Response) -> Any:
    return orjson.loads(reply.content).get("code")
