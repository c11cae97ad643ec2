"""Google's half of the sandbox: Data Manager API, GAQL reads and the token endpoint on the wire.

Written from the wire contract alone; it must never import an adapter.
"""

from __future__ import annotations

from typing import Any

from platforms.sandbox import gaql, oauth
from platforms.sandbox import google_errors as err
from platforms.sandbox import google_ingest as ingest
from platforms.sandbox import google_requests as requests
from platforms.sandbox import google_steering as steering
from platforms.sandbox import google_userlists as userlists
from platforms.sandbox.clock import DAY
from platforms.sandbox.google_lists import Google
from platforms.sandbox.google_shapes import INGEST, REMOVE, REMOVE_ALL, read_body
from platforms.sandbox.linkedin_gate import Quotas, bearer
from platforms.sandbox.restli import pairs
from platforms.sandbox.routes import Route, find, route
from platforms.sandbox.wire import Answer, Bad, Call, json_answer
from platforms.sandbox.world import World

SCOPE = "https://www.googleapis.com/auth/datamanager"
ADS_SCOPE = "https://www.googleapis.com/auth/adwords"
STATUS_LIFE = 50 * DAY
TYPE_NAMES = {"emailAddress": "EMAIL", "phoneNumber": "PHONE_NUMBER", "address": "ADDRESS"}
LISTS = "/v1/accountTypes/{type}/accounts/{account}/userLists"


def install(world: World) -> None:
    world.google = Google()
    world.runners["google"] = requests.complete


def owns(path: str) -> bool:
    """Whether a path is Google's."""
    return path.startswith(("/v1/", "/v2", "/token", "/o/oauth2"))


def ingest_members(world: World, call: Call) -> Answer:
    return _change(world, call, "ingest", read_body(INGEST, call))


def remove_members(world: World, call: Call) -> Answer:
    return _change(world, call, "remove", read_body(REMOVE, call))


def _change(world: World, call: Call, kind: str, body: dict[str, Any]) -> Answer:
    """Destinations, members, terms, lists: the first stage with a violation refuses the whole request."""
    destinations = ingest.check_destinations(world, call.who, body)
    rows, data = ingest.check_members(body)
    if kind == "ingest" and data in ("userData", "compositeData", "mobileData"):
        terms = (body.get("termsOfService") or {}).get("customerMatchTermsOfServiceStatus")
        if terms != "ACCEPTED":
            where = "terms_of_service.customer_match_terms_of_service_status"
            raise err.invalid([(where, "TERMS_AND_CONDITIONS_NOT_SIGNED")])
    ingest.check_lists(world, destinations, data)
    if body.get("validateOnly"):
        return json_answer(200, {})
    payload = {"rows": rows, "kind": data, "types": _types(body), "effects": dict(call.effects)}
    request = requests.accept(world, kind, destinations, payload)
    return json_answer(200, {"requestId": request.request_id})


def _types(body: dict[str, Any]) -> dict[str, int]:
    """How many identifiers of each type a request holds, for ``dataTypeCounts``."""
    counts: dict[str, int] = {}
    for member in body["audienceMembers"]:
        composite = member.get("compositeData") or {}
        for item in (composite.get("userData") or {}).get("userIdentifiers") or []:
            name = TYPE_NAMES[next(iter(item))]
            counts[name] = counts.get(name, 0) + 1
        if composite.get("ipData"):
            counts["IP_ADDRESS"] = counts.get("IP_ADDRESS", 0) + len(composite["ipData"])
    return counts


def remove_all(world: World, call: Call) -> Answer:
    body = read_body(REMOVE_ALL, call)
    destinations = ingest.check_destinations(world, call.who, body)
    moment = ingest.as_of(world, body.get("removeAsOfTime"))
    ingest.check_lists(world, destinations, None)
    if body.get("validateOnly"):
        return json_answer(200, {})
    request = requests.accept(world, "removeAll", destinations, {"as_of": moment})
    return json_answer(200, {"requestId": request.request_id})


def request_status(world: World, call: Call) -> Answer:
    request = world.google.requests.get(dict(pairs(call.query)).get("requestId", ""))
    if request is None:
        raise err.invalid([("request_id", "INVALID_REQUEST_ID")])
    if world.now - request.accepted > STATUS_LIFE:
        raise err.invalid([("request_id", "REQUEST_TOO_OLD")])
    outcomes = request.outcomes
    if outcomes is None:
        outcomes = [{"destination": d, "requestStatus": "PROCESSING"} for d in request.destinations]
    return json_answer(200, {"requestStatusPerDestination": outcomes})


ROUTES = (
    route(
        "POST", "/v1/audienceMembers:ingest", ingest_members, "IngestionMutate", scopes=(SCOPE,), writes=True
    ),
    route(
        "POST", "/v1/audienceMembers:remove", remove_members, "IngestionMutate", scopes=(SCOPE,), writes=True
    ),
    route(
        "POST", "/v1/audienceMembers:removeAll", remove_all, "IngestionMutate", scopes=(SCOPE,), writes=True
    ),
    route("GET", "/v1/requestStatus:retrieve", request_status, "IngestionRead", scopes=(SCOPE,)),
    route("POST", LISTS, userlists.create, "ManagementMutate", scopes=(SCOPE,), writes=True),
    route("GET", LISTS, userlists.listing, "ManagementRead", scopes=(SCOPE,)),
    route("GET", LISTS + "/{list}", userlists.get, "ManagementRead", scopes=(SCOPE,)),
    route("PATCH", LISTS + "/{list}", userlists.update, "ManagementMutate", scopes=(SCOPE,), writes=True),
    route("DELETE", LISTS + "/{list}", userlists.delete, "ManagementMutate", scopes=(SCOPE,), writes=True),
    route(
        "POST",
        "/v2[3-6]/customers/{customer}/googleAds:searchStream",
        gaql.search_stream,
        "Ads",
        scopes=(ADS_SCOPE,),
    ),
    route("POST", "/v2[3-6]/customers/{customer}/googleAds:search", gaql.search, "Ads", scopes=(ADS_SCOPE,)),
    route(
        "POST",
        "/v2[3-6]/customers/{customer}/campaignCriteria:mutate",
        steering.mutate_criteria,
        "Ads",
        scopes=(ADS_SCOPE,),
        writes=True,
    ),
    route(
        "POST",
        "/v2[3-6]/customers/{customer}/campaignBudgets:mutate",
        steering.mutate_budgets,
        "Ads",
        scopes=(ADS_SCOPE,),
        writes=True,
    ),
    route("POST", "/token", oauth.google_token, "token", writes=True),
    route("GET", "/o/oauth2/v2/auth", oauth.authorization, "token", writes=True),
)


def gate(world: World, call: Call, quotas: Quotas) -> Route:
    """Route, token, scope, quota. Raises Google's answer where one fails."""
    found, _ = find(ROUTES, call)
    if found is None:
        raise Bad(json_answer(404, {"error": {"code": 404, "message": "Not Found", "status": "NOT_FOUND"}}))
    if found.endpoint == "token":
        return found
    token = world.tokens.get(bearer(call))
    if token is None or token.revoked or (token.expires is not None and token.expires <= world.now):
        raise err.failure(401)
    call.who = token.who
    if not token.scopes.intersection(found.scopes):
        message = "Request had insufficient authentication scopes."
        raise err.failure(403, message, reason="ACCESS_TOKEN_SCOPE_INSUFFICIENT")
    _take_quota(world, call, found.endpoint, quotas)
    return found


def _take_quota(world: World, call: Call, endpoint: str, quotas: Quotas) -> None:
    knobs = world.knobs
    limits = {
        "IngestionMutate": (knobs.google_ingest_per_minute, knobs.google_ingest_per_day),
        "IngestionRead": (knobs.google_read_per_minute, knobs.google_read_per_day),
        "ManagementMutate": (knobs.google_manage_per_minute, knobs.google_manage_per_day),
        "ManagementRead": (knobs.google_manage_per_minute, knobs.google_manage_per_day),
    }
    if endpoint in limits:
        used_up = quotas.take(world, "project", endpoint, *limits[endpoint])
        if used_up is not None:
            raise err.exhausted(f"{endpoint}RequestsPer{used_up.capitalize()}PerProject")


def malformed() -> Bad:
    """A payload that no rule names."""
    return err.unreadable("", "", "The payload could not be understood.")


def injected(kind: str, call: Call) -> Answer:
    """A failure in Google's words; a throttle names the quota the call counts against."""
    found, _ = find(ROUTES, call)
    return err.injected(kind, found.endpoint if found is not None else "IngestionMutate")
