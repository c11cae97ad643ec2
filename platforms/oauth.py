"""Tokens: where they are kept and how a request gets a fresh one. It must never print or log one.

A request carries the token of the moment. On a 401 that says "expired" or "invalid" the token is refreshed
once and the request sent again; a refused refresh means a person must sign in again.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import httpx
from pydantic import SecretStr

from platforms.errors import Garbled, PlatformDown, SignInAgain

FRESH = timedelta(seconds=60)  # a token minted this recently may not have spread yet
EARLY = timedelta(seconds=90)  # refresh this long before the stated end


@dataclass(frozen=True, slots=True)
class Token:
    """What a sign-in gave. ``refresh_until`` is when consent ends for good."""

    access: SecretStr
    expires_at: datetime | None = None
    refresh: SecretStr | None = None
    refresh_until: datetime | None = None
    minted_at: datetime | None = None
    scopes: tuple[str, ...] = ()
    member: str = ""  # who consented, where the platform says so; part of who owns the quota


class TokenStore(Protocol):
    def load(self) -> Token | None: ...

    def save(self, token: Token) -> None: ...


class TokenMemory:
    """Keeps a token for the life of the process, e.g. one that came from the environment."""

    def __init__(self, token: Token | None = None) -> None:
        self._token = token

    def load(self) -> Token | None:
        return self._token

    def save(self, token: Token) -> None:
        self._token = token


class TokenFile:
    """A JSON file only its owner can read (0600), replaced in one step."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> Token | None:
        """None when there is no file. Raises SignInAgain when others may read it or it is not ours."""
        if not self._path.exists():
            return None
        if self._path.stat().st_mode & 0o077:
            raise SignInAgain("the token file can be read by others; run chmod 600 on it, or")
        try:
            return _from_json(json.loads(self._path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError):
            pass  # the parser's message would quote the file
        raise SignInAgain("the token file is damaged")

    def save(self, token: Token) -> None:
        """Replace the file; a reader sees the old one or the new one, never half."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}.{threading.get_ident()}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(_to_json(token), stream)
        os.replace(draft, self._path)


_ERROR = re.compile(r"[a-z_]{1,40}")  # what RFC 6749 names; anything else may be a secret said back


class Grant(Protocol):
    """How a new access token is asked for: the form posted to the token endpoint."""

    def form(self, token: Token | None, now: datetime) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """``grant_type=refresh_token`` (LinkedIn, and Google user credentials)."""

    client_id: str
    client_secret: SecretStr

    def form(self, token: Token | None, now: datetime) -> Mapping[str, str]:
        """Raises SignInAgain when there is nothing to refresh with."""
        if token is None or token.refresh is None:
            raise SignInAgain("there is no refresh token")
        return {
            "grant_type": "refresh_token",
            "refresh_token": token.refresh.get_secret_value(),
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
        }


class OAuth(httpx.Auth):
    """Puts the token on every request of one client, and refreshes it once when it is called stale."""

    requires_response_body = True

    def __init__(
        self,
        store: TokenStore,
        grant: Grant | None,
        token_url: str,
        *,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        platform: str = "",
    ) -> None:
        self._store, self._grant, self._token_url = store, grant, token_url
        self._clock, self._sleep, self._platform = clock, sleep, platform
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"OAuth({self._platform or 'platform'})"

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request with a token; refreshed and sent once more where that helps. Raises SignInAgain."""
        token = self._store.load()
        if token is None or self._ending(token):
            token = yield from self._renew(token)
        response = yield self._sign(request, token)
        if response.status_code != 401:
            return
        response.read()
        code = _code(response)
        if "REVOKED" in code:
            if not self._fresh(token):
                return
            self._sleep(5.0)  # a minted token answers "revoked" until it has spread (seen at LinkedIn)
        elif self._grant is not None:
            token = yield from self._renew(token)
        else:
            return
        yield self._sign(request, token)

    def _sign(self, request: httpx.Request, token: Token) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {token.access.get_secret_value()}"
        return request

    def _ending(self, token: Token) -> bool:
        ends = token.expires_at
        return self._grant is not None and ends is not None and ends - EARLY <= self._clock()

    def _fresh(self, token: Token) -> bool:
        return token.minted_at is not None and self._clock() - token.minted_at < FRESH

    def _renew(self, stale: Token | None) -> Generator[httpx.Request, httpx.Response, Token]:
        """One thread refreshes; the others find its token when they get the lock."""
        with self._lock:
            known = self._store.load()
            if known is not None and (stale is None or known.access != stale.access):
                return known
            if self._grant is None:
                raise SignInAgain("there is no token", platform=self._platform)
            form = self._grant.form(known, self._clock())
            response = yield httpx.Request("POST", self._token_url, data=dict(form))
            response.read()
            token = token_from_reply(response, self._clock(), known, platform=self._platform)
            self._store.save(token)
            return token


def token_from_reply(
    response: httpx.Response, now: datetime, before: Token | None = None, *, platform: str = ""
) -> Token:
    """Read a token endpoint's answer. What a refresh does not repeat is taken over from ``before``.

    LinkedIn fixes the refresh token's life at 365 days from the first consent: the end never moves later.
    Raises SignInAgain (refused), PlatformDown (5xx), Garbled.
    """
    if response.status_code >= 500:
        raise PlatformDown(
            "the sign-in service did not answer", platform=platform, status=response.status_code
        )
    reply = _object(response)
    if response.status_code >= 400:
        said = str(reply.get("error", ""))
        code = said if _ERROR.fullmatch(said) else ""
        raise SignInAgain(
            "the sign-in was refused", platform=platform, code=code, status=response.status_code
        )
    if not isinstance(reply.get("access_token"), str):
        raise Garbled("the sign-in answer holds no token", platform=platform, status=response.status_code)
    ends = [
        end
        for end in (before.refresh_until if before else None, _later(now, reply, "refresh_token_expires_in"))
        if end
    ]
    refresh = reply.get("refresh_token")
    return Token(
        access=SecretStr(reply["access_token"]),
        expires_at=_later(now, reply, "expires_in"),
        refresh=SecretStr(refresh) if isinstance(refresh, str) else (before.refresh if before else None),
        refresh_until=min(ends) if ends else None,
        minted_at=now,
        scopes=tuple(str(reply.get("scope", "")).replace(",", " ").split())
        or (before.scopes if before else ()),
        member=before.member if before else "",
    )


def consent_warning(token: Token, now: datetime, *, days: int = 30) -> str | None:
    """A plain sentence from ``days`` days before consent ends for good; None before that."""
    if token.refresh_until is None:
        return None
    left = token.refresh_until - now
    if left > timedelta(days=days):
        return None
    if left <= timedelta(0):
        return f"Consent ended on {token.refresh_until:%Y-%m-%d}; sign in again with evenreach connect."
    return f"Consent ends on {token.refresh_until:%Y-%m-%d}, in {left.days} days; sign in again before that."


def _code(response: httpx.Response) -> str:
    return str(_object(response).get("code", ""))


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        reply = response.json()
    except ValueError:
        return {}
    return reply if isinstance(reply, dict) else {}


def _later(now: datetime, reply: Mapping[str, Any], name: str) -> datetime | None:
    seconds = reply.get(name)
    return now + timedelta(seconds=float(seconds)) if isinstance(seconds, int | float) else None


def _to_json(token: Token) -> dict[str, Any]:
    times = {
        "expires_at": token.expires_at,
        "refresh_until": token.refresh_until,
        "minted_at": token.minted_at,
    }
    return {
        "access": token.access.get_secret_value(),
        "refresh": token.refresh.get_secret_value() if token.refresh else None,
        "scopes": list(token.scopes),
        "member": token.member,
        **{name: when.astimezone(UTC).isoformat() if when else None for name, when in times.items()},
    }


def _from_json(data: Mapping[str, Any]) -> Token:
    def when(name: str) -> datetime | None:
        return datetime.fromisoformat(data[name]) if data.get(name) else None

    if not isinstance(data["access"], str):
        raise TypeError("the access token must be text")
    return Token(
        access=SecretStr(data["access"]),
        expires_at=when("expires_at"),
        refresh=SecretStr(str(data["refresh"])) if data.get("refresh") else None,
        refresh_until=when("refresh_until"),
        minted_at=when("minted_at"),
        scopes=tuple(data.get("scopes", ())),
        member=str(data.get("member", "")),
    )
