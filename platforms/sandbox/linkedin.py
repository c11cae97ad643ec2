"""LinkedIn's half of the sandbox: which path is answered by what, after which checks.

Written from the wire contract alone; it must never import an adapter.
"""

from __future__ import annotations

from collections.abc import Callable

from platforms.sandbox import linkedin_accounts as accounts
from platforms.sandbox import linkedin_adsegments as adsegments
from platforms.sandbox import linkedin_campaigns as campaigns
from platforms.sandbox import linkedin_entities as entities
from platforms.sandbox import linkedin_errors as err
from platforms.sandbox import linkedin_lists as lists
from platforms.sandbox import linkedin_members as members
from platforms.sandbox import linkedin_reports as reports
from platforms.sandbox import linkedin_segments as segments
from platforms.sandbox import linkedin_targeting as targeting
from platforms.sandbox import oauth
from platforms.sandbox.linkedin_gate import Quotas, check_scope, check_token, check_version
from platforms.sandbox.routes import Route, find, route
from platforms.sandbox.wire import Call
from platforms.sandbox.world import World

DMP, ADS, ADS_WRITE, REPORTS = ("rw_dmp_segments",), ("r_ads", "rw_ads"), ("rw_ads",), ("r_ads_reporting",)
TOO_LONG = 4096  # bytes of a query string; beyond it only tunnelling works


def _names(name: str) -> Callable[[Call], bool]:
    """A test: does the query name this parameter (or this ``name=value``)?"""
    return lambda call: any(p == name or p.startswith(name + "=") for p in call.query.split("&"))


def table(quotas: Quotas) -> tuple[Route, ...]:
    """Every LinkedIn route. Paths hold ``/rest`` and, for sign-in, ``/oauth/v2``."""
    seg, acc = "/rest/dmpSegments", "/rest/adAccounts/{account}"
    upload, by_ids = _names("action=generateUploadUrl"), _names("ids")
    return (
        route("POST", seg, lists.generate_upload_url, "dmpSegments", scopes=DMP, writes=True, when=upload),
        route("POST", seg, segments.create, "dmpSegments", scopes=DMP, writes=True),
        route("GET", seg, segments.find, "dmpSegments", scopes=DMP),
        route("DELETE", seg, segments.delete_many, "dmpSegments", scopes=DMP, writes=True, when=by_ids),
        route("GET", seg + "/{segment}", segments.get, "dmpSegments", scopes=DMP),
        route("POST", seg + "/{segment}", segments.update, "dmpSegments", scopes=DMP, writes=True),
        route("DELETE", seg + "/{segment}", segments.delete, "dmpSegments", scopes=DMP, writes=True),
        route(
            "POST",
            seg + "/{segment}/destinations",
            segments.add_destination,
            "destinations",
            scopes=DMP,
            writes=True,
        ),
        route(
            "GET",
            seg + "/{segment}/destinations/{destination}",
            segments.destination,
            "destinations",
            scopes=DMP,
        ),
        route("POST", seg + "/{segment}/users", members.users, "users", scopes=DMP, writes=True),
        route("POST", seg + "/{segment}/companies", members.companies, "companies", scopes=DMP, writes=True),
        route(
            "POST",
            seg + "/{segment}/listUploads",
            lists.attach,
            "listUploads",
            scopes=(*DMP, *ADS_WRITE),
            writes=True,
        ),
        route("GET", "/rest/adSegments", adsegments.ad_segments, "adSegments", scopes=ADS),
        route("GET", "/rest/adSegments/{segment}", adsegments.ad_segment, "adSegments", scopes=ADS),
        route(
            "POST",
            "/rest/adSegments/{segment}",
            adsegments.update_ad_segment,
            "adSegments",
            scopes=ADS_WRITE,
            writes=True,
        ),
        route("GET", "/rest/adAccounts", accounts.accounts, "adAccounts", scopes=ADS),
        route("GET", acc, accounts.account, "adAccounts", scopes=(*ADS, *REPORTS)),
        route("GET", acc + "/adCampaignGroups", accounts.groups, "adCampaignGroups", scopes=ADS),
        route(
            "POST",
            acc + "/adCampaignGroups",
            accounts.create_group,
            "adCampaignGroups",
            scopes=ADS_WRITE,
            writes=True,
        ),
        route("GET", acc + "/adCampaignGroups/{group}", accounts.group, "adCampaignGroups", scopes=ADS),
        route("GET", acc + "/adCampaigns", campaigns.search, "adCampaigns", scopes=ADS),
        route(
            "POST",
            acc + "/adCampaigns",
            campaigns.update,
            "adCampaigns",
            scopes=ADS_WRITE,
            writes=True,
            when=by_ids,
        ),
        route("POST", acc + "/adCampaigns", campaigns.create, "adCampaigns", scopes=ADS_WRITE, writes=True),
        route("GET", acc + "/adCampaigns/{campaign}", campaigns.get, "adCampaigns", scopes=ADS),
        route(
            "POST",
            acc + "/adCampaigns/{campaign}",
            campaigns.update,
            "adCampaigns",
            scopes=ADS_WRITE,
            writes=True,
        ),
        route(
            "DELETE",
            acc + "/adCampaigns/{campaign}",
            campaigns.delete,
            "adCampaigns",
            scopes=ADS_WRITE,
            writes=True,
        ),
        route("GET", acc + "/creatives", accounts.creatives, "creatives", scopes=ADS),
        route(
            "POST", acc + "/creatives", accounts.create_creative, "creatives", scopes=ADS_WRITE, writes=True
        ),
        route("GET", acc + "/creatives/{creative}", accounts.creative, "creatives", scopes=ADS),
        route(
            "POST",
            acc + "/creatives/{creative}",
            accounts.update_creative,
            "creatives",
            scopes=ADS_WRITE,
            writes=True,
        ),
        route("GET", "/rest/audienceCounts", targeting.audience_counts, "audienceCounts", scopes=ADS),
        route(
            "GET", "/rest/adTargetingEntities", entities.targeting_entities, "adTargetingEntities", scopes=ADS
        ),
        route(
            "GET",
            "/rest/adAnalytics",
            lambda w, c: reports.analytics(w, c, quotas),
            "adAnalytics",
            scopes=REPORTS,
        ),
        route("GET", "/rest/organizationsLookup", entities.lookup, "organizationsLookup"),
        route("GET", "/rest/organizations/{organization}", entities.organization, "organizations"),
        route(
            "GET",
            "/rest/accountIntelligence",
            entities.account_intelligence,
            "accountIntelligence",
            scopes=REPORTS,
        ),
    )


SIGN_IN = (
    route("GET", "/oauth/v2/authorization", oauth.authorization, "oauth", writes=True),
    route("POST", "/oauth/v2/accessToken", oauth.linkedin_token, "oauth", writes=True),
    route("POST", "/oauth/v2/introspectToken", oauth.introspect, "oauth"),
)
UPLOAD = (route("POST", "/ambry/?", lists.upload, "ambry", writes=True),)


def gate(world: World, call: Call, routes: tuple[Route, ...], quotas: Quotas) -> Route:
    """Token, version, route, scope, quota, in that order. Raises LinkedIn's answer where one fails."""
    if call.path.startswith("/rest"):
        scopes = check_token(world, call)
        check_version(world, call)
    elif call.path.startswith("/ambry"):
        scopes = check_token(world, call)
    else:
        scopes = frozenset()
    if len(call.query) > TOO_LONG and "x-http-method-override" not in call.headers:
        raise err.plain(414, "URI Too Long")
    found, path_known = find(routes, call)
    if found is None:
        raise (
            err.plain(405, "Method Not Allowed")
            if path_known
            else err.plain(404, "No virtual resource found")
        )
    check_scope(scopes, found.scopes, f"{found.endpoint}.{call.method}")
    knobs = world.knobs
    per_minute = {"users": knobs.users_per_minute, "companies": knobs.companies_per_minute}
    used_up = quotas.take(
        world,
        call.who,
        found.endpoint,
        per_minute.get(found.endpoint, knobs.other_per_minute),
        knobs.calls_per_day,
    )
    if used_up is not None:
        raise err.throttled("MEMBER DAY" if used_up == "day" else "")
    return found


def untunnel(call: Call) -> Call:
    """A query sent in a POST body under ``X-HTTP-Method-Override``, put back where it belongs."""
    override = call.header("x-http-method-override").upper()
    if not override or call.method != "POST":
        return call
    content = call.header("content-type")
    if content.startswith("application/x-www-form-urlencoded"):
        call.method, call.query, call.body = override, call.body.decode("ascii", "replace"), b""
    elif content.startswith("multipart/mixed"):
        call.method = override
        call.query, call.body = _parts(call.body, content)
    else:
        call.method = override
    return call


def _parts(body: bytes, content: str) -> tuple[str, bytes]:
    """First part the query, second part the JSON."""
    boundary = content.partition("boundary=")[2].strip('"; ').encode()
    pieces = [p.strip(b"\r\n") for p in body.split(b"--" + boundary)]
    bodies = [p.partition(b"\r\n\r\n")[2] for p in pieces if b"\r\n\r\n" in p]
    query = bodies[0].decode("ascii", "replace").strip() if bodies else ""
    return query, bodies[1] if len(bodies) > 1 else b""
