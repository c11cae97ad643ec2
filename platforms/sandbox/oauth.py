"""Sign-in for both platforms: codes, access and refresh tokens. It must never journal a client's secret.

LinkedIn: learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens (2026-08);
the refresh token's life is 365 days from the first consent and never extends. Google: the usual token
endpoint, refresh_token and JWT bearer grants.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from platforms.sandbox.clock import DAY, SECOND
from platforms.sandbox.wire import Answer, Call, json_answer
from platforms.sandbox.world import Refresh, Token, World

DEFAULT_TOKEN = "sandbox-token"  # noqa: S105  the sandbox's own, worth nothing elsewhere
DEFAULT_REFRESH = "sandbox-refresh-token"
DEFAULT_MEMBER = "member-1"
LINKEDIN_SCOPES = frozenset(
    {"rw_ads", "r_ads", "rw_dmp_segments", "r_ads_reporting", "rw_organization_admin", "r_basicprofile"}
)
GOOGLE_SCOPES = frozenset(
    {"https://www.googleapis.com/auth/datamanager", "https://www.googleapis.com/auth/adwords"}
)
ACCESS_LIFE, REFRESH_LIFE = 60 * DAY, 365 * DAY
GOOGLE_LIFE = 3599 * SECOND
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
KEPT = ("grant_type", "code", "refresh_token", "scope", "redirect_uri")  # what the journal may hold of a form


def install(world: World) -> None:
    """The token that works out of the box, and a refresh token to go with it."""
    scopes = LINKEDIN_SCOPES | GOOGLE_SCOPES
    world.tokens[DEFAULT_TOKEN] = Token(DEFAULT_MEMBER, scopes)
    world.refreshes[DEFAULT_REFRESH] = Refresh(DEFAULT_MEMBER, scopes, world.now + REFRESH_LIFE)


def form_of(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))


def redacted(body: bytes) -> bytes:
    """The form without client id, client secret and assertion."""
    form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return urlencode({k: v for k, v in form.items() if k in KEPT}).encode()


def authorization(world: World, call: Call) -> Answer:
    """The consent page, answered at once: back to ``redirect_uri`` with a code."""
    query = dict(parse_qsl(call.query, keep_blank_values=True))
    target = query.get("redirect_uri", "")
    if not target or query.get("response_type") != "code":
        return json_answer(
            400, {"error": "invalid_request", "error_description": "redirect_uri, response_type"}
        )
    scopes = frozenset(query.get("scope", "").replace(",", " ").split())
    unknown = scopes - LINKEDIN_SCOPES - GOOGLE_SCOPES
    state = query.get("state", "")
    joint = "&" if "?" in target else "?"
    if unknown:
        back = {"error": "unauthorized_scope_error", "error_description": "scope", "state": state}
        return Answer(302, b"", {"location": target + joint + urlencode(back)})
    code = _secret(world, "code")
    world.codes[code] = (DEFAULT_MEMBER, scopes, target)
    location = f"{target}{joint}code={quote(code)}&state={quote(state)}"
    return Answer(302, b"", {"location": location})


def linkedin_token(world: World, call: Call) -> Answer:
    form = form_of(call)
    grant = form.get("grant_type")
    if grant == "authorization_code":
        found = world.codes.pop(form.get("code", ""), None)
        if found is None or found[2] != form.get("redirect_uri"):
            words = "Unable to retrieve access token: appid/redirect uri/code verifier does not match"
            return _oauth_error("invalid_request", words)
        who, scopes, _ = found
        refresh = _secret(world, "AQW")
        world.refreshes[refresh] = Refresh(who, scopes, world.now + REFRESH_LIFE)
        return json_answer(200, _linkedin_grant(world, refresh))
    if grant == "refresh_token":
        refresh = form.get("refresh_token", "")
        known = world.refreshes.get(refresh)
        if known is None or known.expires <= world.now:
            return _oauth_error(
                "invalid_grant", "The provided authorization grant or refresh token is invalid"
            )
        return json_answer(200, _linkedin_grant(world, refresh))
    return _oauth_error("invalid_request", "grant_type")


def _linkedin_grant(world: World, refresh: str) -> dict[str, Any]:
    known = world.refreshes[refresh]
    life = min(ACCESS_LIFE, known.expires - world.now)
    access = _secret(world, "AQX")
    world.tokens[access] = Token(known.who, known.scopes, expires=world.now + life)
    return {
        "access_token": access,
        "expires_in": life // SECOND,
        "refresh_token": refresh,
        "refresh_token_expires_in": (known.expires - world.now) // SECOND,
        "scope": ",".join(sorted(known.scopes)),
    }


def introspect(world: World, call: Call) -> Answer:
    token = world.tokens.get(form_of(call).get("token", ""))
    if token is None:
        return json_answer(200, {"active": False})
    alive = not token.revoked and (token.expires is None or token.expires > world.now)
    state = "active" if alive else ("revoked" if token.revoked else "expired")
    body: dict[str, Any] = {"active": alive, "status": state, "scope": ",".join(sorted(token.scopes))}
    if token.expires is not None:
        body["expires_at"] = token.expires // SECOND
    return json_answer(200, {**body, "auth_type": "3L"})


def google_token(world: World, call: Call) -> Answer:
    form = form_of(call)
    grant = form.get("grant_type")
    if grant == "refresh_token":
        known = world.refreshes.get(form.get("refresh_token", ""))
        if known is None or known.expires <= world.now:
            return _oauth_error("invalid_grant", "Token has been expired or revoked.")
        return json_answer(200, _google_grant(world, known.who, known.scopes))
    if grant == JWT_GRANT:
        return json_answer(200, _google_grant(world, "service-account", GOOGLE_SCOPES))
    if grant == "authorization_code":
        found = world.codes.pop(form.get("code", ""), None)
        if found is None:
            return _oauth_error("invalid_grant", "Malformed auth code.")
        if found[2] != form.get("redirect_uri"):
            return _oauth_error("redirect_uri_mismatch", "Bad Request")
        refresh = _secret(world, "1//")
        world.refreshes[refresh] = Refresh(found[0], found[1], world.now + 10 * REFRESH_LIFE)
        return json_answer(200, {**_google_grant(world, found[0], found[1]), "refresh_token": refresh})
    return _oauth_error("unsupported_grant_type", "Invalid grant_type")


def _google_grant(world: World, who: str, scopes: frozenset[str]) -> dict[str, Any]:
    access = _secret(world, "ya29.")
    world.tokens[access] = Token(who, scopes, expires=world.now + GOOGLE_LIFE)
    return {
        "access_token": access,
        "expires_in": GOOGLE_LIFE // SECOND,
        "scope": " ".join(sorted(scopes)),
        "token_type": "Bearer",
    }


def _oauth_error(error: str, description: str) -> Answer:
    return json_answer(400, {"error": error, "error_description": description})


def _secret(world: World, prefix: str) -> str:
    number = world.next_id("token", 1)
    return prefix + sha256(f"{world.seed}:{prefix}:{number}".encode()).hexdigest()
