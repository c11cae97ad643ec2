"""A person signs in to a platform, and the token goes to the workspace's token file. Shows no token.

In sandbox mode the sandbox's consent page is used and its token is kept in a
file of its own, so that it can never be taken for a real one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import httpx

from flows.adapters import asked_member
from flows.runs import audit
from flows.settings import SettingMissing
from flows.tokens import SIGNED_IN, token_path
from flows.wiring import App, WorkspaceError
from platforms.connect import SignIn, connect, google_sign_in, linkedin_sign_in
from platforms.errors import PlatformError
from platforms.linkedin.settings import LinkedInSettings
from platforms.oauth import Token, TokenFile

PORT = 8322  # the loopback address registered with LinkedIn's app: http://127.0.0.1:8322/callback
MINUTES = 5


@dataclass(frozen=True, slots=True)
class Connected:
    """What a sign-in came to. Times in UTC, None where the platform sets no end."""

    platform: str
    file: Path
    scopes: tuple[str, ...]
    access_until: datetime | None
    refresh_until: datetime | None
    sandbox: bool
    notes: tuple[str, ...] = ()


def sign_in(
    app: App,
    platform: str,
    *,
    show: Callable[[str], None],
    port: int = PORT,
    redirect_uri: str | None = None,
    timeout: float = MINUTES * 60.0,
) -> Connected:
    """Run the consent; ``show`` gets the address a browser must open.

    Raises WorkspaceError or SettingMissing (not set up), SignInAgain (refused, or nobody came), NoPermission.
    """
    wanted = _wanted(app, platform)
    with httpx.Client(timeout=30.0, follow_redirects=False, trust_env=False) as client:
        token = connect(
            wanted,
            client,
            show=show,
            secret=lambda: secrets.token_urlsafe(32),
            clock=app.now,
            port=port,
            timeout=timeout,
            redirect_uri=redirect_uri,
        )
    if platform == "linkedin":
        token = _with_member(app, token)
    file = token_path(app, platform)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.parent.chmod(0o700)
    TokenFile(file).save(token)
    audit(app, "signed in", platform, {"scopes": list(token.scopes)})
    return _connected(app, platform, file, token, wanted)


def _with_member(app: App, token: Token) -> Token:
    """With who it belongs to: LinkedIn counts requests per member. A sign-in that cannot be told from others stays good."""
    try:
        return replace(token, member=asked_member(app, token))
    except PlatformError:
        return token


def _connected(app: App, platform: str, file: Path, token: Token, wanted: SignIn) -> Connected:
    notes = []
    missing = sorted(set(wanted.scopes) - set(token.scopes)) if token.scopes else []
    if missing:
        notes.append(f"not granted: {', '.join(missing)}")
    if platform == "linkedin" and app.settings.linkedin_access_token.get_secret_value():
        notes.append("EVENREACH_LINKEDIN_ACCESS_TOKEN is set and is used instead of this sign-in")
    if platform == "google" and app.settings.google_refresh_token.get_secret_value():
        notes.append("EVENREACH_GOOGLE_REFRESH_TOKEN is set and is used instead of this sign-in")
    if platform == "linkedin" and not token.member:
        notes.append("LinkedIn did not say who signed in: request quotas are kept per token")
    if token.refresh is None:
        notes.append("the app gets no refresh token: sign in again before the access token ends")
    sandbox = _sandbox(app, platform)
    return Connected(
        platform, file, token.scopes, token.expires_at, token.refresh_until, sandbox, tuple(notes)
    )


def _wanted(app: App, platform: str) -> SignIn:
    """Addresses and client of one platform's consent."""
    if platform not in SIGNED_IN or platform not in app.config.platforms.names():
        raise WorkspaceError(f'platform "{platform}" is not set up in evenreach.yaml')
    settings, url = app.settings, app.sandbox.url if app.sandbox and _sandbox(app, platform) else ""
    if platform == "linkedin":
        client_id = settings.linkedin_client_id or _needed(url, "EVENREACH_LINKEDIN_CLIENT_ID")
        oauth_url = f"{url}/oauth/v2" if url else LinkedInSettings(ad_account="0").oauth_url
        return linkedin_sign_in(client_id, settings.linkedin_client_secret, oauth_url=oauth_url)
    client_id = settings.google_client_id or _needed(url, "EVENREACH_GOOGLE_CLIENT_ID")
    secret = settings.google_client_secret
    if url:
        authorize = f"{url}/o/oauth2/v2/auth"
        return google_sign_in(client_id, secret, token_url=f"{url}/token", authorize_url=authorize)
    return google_sign_in(client_id, secret)


def _needed(sandbox_url: str, name: str) -> str:
    if sandbox_url:
        return "sandbox-client"
    raise SettingMissing(f"{name} is not set; it is the id of your app at the platform")


def _sandbox(app: App, platform: str) -> bool:
    return getattr(getattr(app.config.platforms, platform), "mode", "live") == "sandbox"
