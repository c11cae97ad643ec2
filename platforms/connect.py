"""A person signs in once: browser, consent, and the code comes back here. It must not keep the token.

Three-legged OAuth with a loopback callback. Sources: learn.microsoft.com/en-us/linkedin/shared/
authentication/authorization-code-flow, 2026-08; developers.google.com/identity/protocols/oauth2/native-app.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from pydantic import SecretStr

from platforms.errors import NoPermission, PlatformDown, SignInAgain
from platforms.oauth import Token, token_from_reply

LINKEDIN_SCOPES = ("rw_ads", "r_ads_reporting", "rw_dmp_segments")
GOOGLE_SCOPES = (
    "https://www.googleapis.com/auth/datamanager",
    "https://www.googleapis.com/auth/adwords",
)
DONE = b"<!doctype html><title>Evenreach</title><p>Signed in. You can close this window."
REFUSED = b"<!doctype html><title>Evenreach</title><p>This did not work. Go back to the terminal."


@dataclass(frozen=True, slots=True)
class SignIn:
    """What one platform needs for a consent. ``pkce`` and ``extra`` are Google's; LinkedIn takes neither."""

    platform: str
    authorize_url: str
    token_url: str
    client_id: str
    client_secret: SecretStr
    scopes: tuple[str, ...]
    pkce: bool = False
    extra: tuple[tuple[str, str], ...] = ()


def linkedin_sign_in(
    client_id: str, client_secret: SecretStr, *, oauth_url: str, scopes: tuple[str, ...] = LINKEDIN_SCOPES
) -> SignIn:
    """LinkedIn fails the whole consent for one scope the app lacks: pass fewer where approval is pending."""
    return SignIn(
        "linkedin", f"{oauth_url}/authorization", f"{oauth_url}/accessToken", client_id, client_secret, scopes
    )


def google_sign_in(
    client_id: str,
    client_secret: SecretStr,
    *,
    token_url: str = "https://oauth2.googleapis.com/token",  # noqa: S107 - an address
    authorize_url: str = "https://accounts.google.com/o/oauth2/v2/auth",
    scopes: tuple[str, ...] = GOOGLE_SCOPES,
) -> SignIn:
    """``offline`` and ``consent`` make Google give a refresh token every time."""
    extra = (("access_type", "offline"), ("prompt", "consent"))
    return SignIn(
        "google", authorize_url, token_url, client_id, client_secret, scopes, pkce=True, extra=extra
    )


def connect(
    sign_in: SignIn,
    client: httpx.Client,
    *,
    show: Callable[[str], None],
    secret: Callable[[], str],
    clock: Callable[[], datetime],
    port: int = 0,
    timeout: float = 300.0,
    redirect_uri: str | None = None,
) -> Token:
    """The whole consent. ``show`` opens (or prints) the address; ``secret`` gives an unguessable text.

    ``redirect_uri`` must equal the one registered with the app, where that is not the loopback address
    itself. Raises SignInAgain (refused, or nobody came within ``timeout`` seconds), NoPermission.
    """
    state, verifier = secret(), secret() + secret()
    with Callback(port) as callback:
        redirect = redirect_uri or callback.address
        show(authorization_url(sign_in, state=state, verifier=verifier, redirect_uri=redirect))
        code = callback.wait(state, timeout=timeout, platform=sign_in.platform)
    return exchange(sign_in, client, code, verifier=verifier, redirect_uri=redirect, now=clock())


def authorization_url(sign_in: SignIn, *, state: str, verifier: str, redirect_uri: str) -> str:
    """Where the person goes to consent."""
    fields = {
        "response_type": "code",
        "client_id": sign_in.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "scope": " ".join(sign_in.scopes),
        **dict(sign_in.extra),
    }
    if sign_in.pkce:
        digest = hashlib.sha256(verifier.encode()).digest()
        fields["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        fields["code_challenge_method"] = "S256"
    return f"{sign_in.authorize_url}?{urlencode(fields)}"


def exchange(
    sign_in: SignIn, client: httpx.Client, code: str, *, verifier: str, redirect_uri: str, now: datetime
) -> Token:
    """The code for a token. ``client`` carries no token of its own. Raises SignInAgain, PlatformDown."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": sign_in.client_id,
        "client_secret": sign_in.client_secret.get_secret_value(),
        "redirect_uri": redirect_uri,
        **({"code_verifier": verifier} if sign_in.pkce else {}),
    }
    response: httpx.Response | None = None
    try:
        response = client.post(sign_in.token_url, data=form)
    except httpx.TransportError:
        response = None  # raised below: httpx's error would hold the form
    if response is None:
        raise PlatformDown("the sign-in service did not answer", platform=sign_in.platform)
    return token_from_reply(response, now, platform=sign_in.platform)


class Callback:
    """One loopback address that waits for the browser to come back. It logs nothing: the code is a secret.

    Browsers open connections on suspicion and say nothing on them: after ``patience`` seconds the next one is heard.
    """

    def __init__(self, port: int = 0, *, patience: float = 2.0) -> None:
        self._answers: list[dict[str, list[str]]] = []
        self._state, self._patience = "", patience
        self._server = HTTPServer(("127.0.0.1", port), self._handler())
        self._server.timeout = 0.2

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/callback"

    def __enter__(self) -> Callback:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.server_close()

    def wait(
        self,
        state: str,
        *,
        timeout: float,
        platform: str = "",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> str:
        """The code of the visit that carries our ``state``; visits without it are turned away."""
        self._state, end = state, monotonic() + timeout
        while not self._answers:
            if monotonic() > end:
                raise SignInAgain("nobody came back from the sign-in page", platform=platform, code="timeout")
            self._server.handle_request()
        return _code(self._answers[0], platform)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        callback = self

        class Visit(BaseHTTPRequestHandler):
            timeout = callback._patience

            def do_GET(self) -> None:
                target = urlsplit(self.path)
                answer = parse_qs(target.query)
                state = answer.get("state", [""])[0]
                ours = hmac.compare_digest(state.encode(), callback._state.encode())
                good = target.path == "/callback" and bool(callback._state) and ours
                if good:
                    callback._answers.append(answer)
                self._reply(DONE if good and "code" in answer else REFUSED, 200 if good else 400)

            def _reply(self, page: bytes, status: int) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(page)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Referrer-Policy", "no-referrer")
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: the path holds the code."""

        return Visit


_ERROR = re.compile(r"[a-z_]{1,60}")


def _code(answer: dict[str, list[str]], platform: str) -> str:
    error = answer.get("error", [""])[0]
    known = error if _ERROR.fullmatch(error) else ""
    if error == "unauthorized_scope_error":
        raise NoPermission("the app may not ask for one of the scopes", platform=platform, code=known)
    if error or not answer.get("code"):
        raise SignInAgain("the consent was not given", platform=platform, code=known)
    return answer["code"][0]
