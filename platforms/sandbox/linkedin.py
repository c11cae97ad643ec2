"""LinkedIn's half of the sandbox: which path is answered by what, after which checks.

Written from the wire contract alone; it must never import an adapter.
"""

from __future__ import annotations

from collections.abc import Callable

from platforms.sandbox import linkedin_accounts as accounts
from platforms.sandbox import linkedin_adsegments as adsegments
from platforms.sandbox import linkedin_campaigns as campaigns
from platforms.sandbox import linkedin_creatives as creatives
from platforms.sandbox import linkedin_entities as entities
from platforms.sandbox import linkedin_errors as err
from platforms.sandbox import linkedin_lists as lists
from platforms.sandbox import linkedin_members as members
from platforms.sandbox import linkedin_reports as reports
from platforms.sandbox import linkedin_segments as segments
from platforms.sandbox import linkedin_targeting as targeting
from platforms.sandbox import oauth
from platforms.sandbox.linkedin_gate import Quotas, check_scope, check_token, check_version, take_quotas
from platforms.sandbox.routes import Handler, Route, find, route
from platforms.sandbox.wire import Answer, Call
from platforms.sandbox.world import World

DMP, ADS, ADS_WRITE, REPORTS = ("rw_dmp_segments",), ("r_ads", "rw_ads"), ("rw_ads",), ("r_ads_reporting",)
TOO_LONG = 4096  # bytes of a query string; beyond it only tunnelling works


def _names(name: str) -> Callable[[Call], bool]:
    """A test: does the query name this parameter (or this ``name=value``)?"""
    return lambda call: any(p == name or p.startswith(name + "=") for p in call.query.split("&"))


Row = tuple[str, str, Handler, tuple[str, ...]]
SEGMENTS, ACCOUNT = "/rest/dmpSegments", "/rest/adAccounts/{account}"
LISTS: tuple[Row, ...] = (
    ("POST", SEGMENTS, segments.create, DMP),
    ("GET", SEGMENTS, segments.find, DMP),
    ("GET", SEGMENTS + "/{segment}", segments.get, DMP),
    ("POST", SEGMENTS + "/{segment}", segments.update, DMP),
    ("DELETE", SEGMENTS + "/{segment}", segments.delete, DMP),
    ("POST", SEGMENTS + "/{segment}/destinations", segments.add_destination, DMP),
    ("GET", SEGMENTS + "/{segment}/destinations/{destination}", segments.destination, DMP),
    ("POST", SEGMENTS + "/{segment}/users", members.users, DMP),
    ("POST", SEGMENTS + "/{segment}/companies", members.companies, DMP),
    ("POST", SEGMENTS + "/{segment}/listUploads", lists.attach, (*DMP, *ADS_WRITE)),
    ("GET", "/rest/adSegments", adsegments.ad_segments, ADS),
    ("GET", "/rest/adSegments/{segment}", adsegments.ad_segment, ADS),
    ("POST", "/rest/adSegments/{segment}", adsegments.update_ad_segment, ADS_WRITE),
)
ADVERTISING: tuple[Row, ...] = (
    ("GET", "/rest/adAccounts", accounts.accounts, ADS),
    ("GET", "/rest/adAccountUsers", accounts.account_users, ADS),
    ("GET", ACCOUNT, accounts.account, (*ADS, *REPORTS)),
    ("GET", ACCOUNT + "/adCampaignGroups", accounts.groups, ADS),
    ("POST", ACCOUNT + "/adCampaignGroups", accounts.create_group, ADS_WRITE),
    ("GET", ACCOUNT + "/adCampaignGroups/{group}", accounts.group, ADS),
    ("POST", ACCOUNT + "/adCampaignGroups/{group}", accounts.update_group, ADS_WRITE),
    ("GET", ACCOUNT + "/adCampaigns", campaigns.search, ADS),
    ("POST", ACCOUNT + "/adCampaigns", campaigns.create, ADS_WRITE),
    ("GET", ACCOUNT + "/adCampaigns/{campaign}", campaigns.get, ADS),
    ("POST", ACCOUNT + "/adCampaigns/{campaign}", campaigns.update, ADS_WRITE),
    ("DELETE", ACCOUNT + "/adCampaigns/{campaign}", campaigns.delete, ADS_WRITE),
    ("GET", ACCOUNT + "/creatives", creatives.creatives, ADS),
    ("POST", ACCOUNT + "/creatives", creatives.create_creative, ADS_WRITE),
    ("GET", ACCOUNT + "/creatives/{creative}", creatives.creative, ADS),
    ("POST", ACCOUNT + "/creatives/{creative}", creatives.update_creative, ADS_WRITE),
    ("DELETE", ACCOUNT + "/creatives/{creative}", creatives.delete_creative, ADS_WRITE),
    ("GET", "/rest/audienceCounts", targeting.audience_counts, ADS),
    ("GET", "/rest/adTargetingEntities", entities.targeting_entities, ADS),
)
KNOWLEDGE: tuple[Row, ...] = (
    ("GET", "/rest/organizationsLookup", entities.lookup, ()),
    ("GET", "/rest/organizations/{organization}", entities.organization, ()),
    ("GET", "/rest/accountIntelligence", entities.account_intelligence, REPORTS),
)


def table(quotas: Quotas) -> tuple[Route, ...]:
    """Every LinkedIn route under ``/rest``; one path means several things where the query says so."""
    by_ids, upload = _names("ids"), _names("action=generateUploadUrl")

    def analytics(world: World, call: Call) -> Answer:
        return reports.analytics(world, call, quotas)

    return (
        _route(("POST", SEGMENTS, lists.generate_upload_url, DMP), when=upload),
        _route(("DELETE", SEGMENTS, segments.delete_many, DMP), when=by_ids),
        _route(("POST", ACCOUNT + "/adCampaigns", campaigns.update, ADS_WRITE), when=by_ids),
        _route(("POST", ACCOUNT + "/adCampaignGroups", accounts.update_groups, ADS_WRITE), when=by_ids),
        _route(("GET", "/rest/adAnalytics", analytics, REPORTS)),
        *map(_route, (*LISTS, *ADVERTISING, *KNOWLEDGE)),
    )


def _route(row: Row, when: Callable[[Call], bool] | None = None) -> Route:
    """A quota belongs to the last named part of the path; whatever is not a GET writes."""
    method, path, handler, scopes = row
    endpoint = [part for part in path.split("/") if part and not part.startswith("{")][-1]
    return route(method, path, handler, endpoint, scopes=scopes, writes=method != "GET", when=when)


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
    take_quotas(world, call.who, found.endpoint, quotas)
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
