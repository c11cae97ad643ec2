"""One adapter per configured platform, signed in. Chooses addresses and tokens; makes no call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from flows.quota import SharedQuota
from flows.quota_owners import google_project, linkedin_member
from flows.tokens import token_path
from platforms import PLATFORMS
from platforms.http import make_client
from platforms.oauth import Grant, OAuth, RefreshGrant, Token, TokenFile, TokenMemory, TokenStore

if TYPE_CHECKING:
    from flows.wiring import App

SANDBOX_TOKEN = "sandbox-token"  # noqa: S105 - the sandbox's own, worth nothing elsewhere


def build(app: App, name: str) -> Any:
    """The adapter of one platform; ``app.config`` must name it."""
    return {"linkedin": _linkedin, "google": _google, "files": _files}[name](app)


def asked_member(app: App, token: Token) -> str:
    """Who a new LinkedIn token belongs to, asked of LinkedIn with it. Raises PlatformError."""
    member: str = _linkedin(app, TokenMemory(token)).member()
    return member


def _linkedin(app: App, tokens: TokenStore | None = None) -> Any:
    """``tokens``: another person's than the workspace's own."""
    config = app.config.platforms.linkedin
    assert config is not None
    kind = PLATFORMS["linkedin"]
    fields: dict[str, Any] = {
        "ad_account": config.ad_account,
        "api_version": config.api_version,
        "company_intelligence": config.company_intelligence,
        "upload_directory": app.workspace / "uploads" / "linkedin" if config.lists == "csv" else None,
        "member": linkedin_member(app),
        "app": app.settings.linkedin_client_id,
    }
    if config.mode == "sandbox":
        url = _sandbox_url(app)
        fields |= {"base_url": f"{url}/rest", "oauth_url": f"{url}/oauth/v2", "upload_hosts": ("127.0.0.1",)}
    own, grant = _linkedin_tokens(app)
    wanted = kind.settings_type()(**fields)
    auth = OAuth(
        tokens or own,
        grant,
        f"{wanted.oauth_url}/accessToken",
        clock=app.now,
        sleep=app.sleep,
        platform="linkedin",
    )
    client, quota = make_client(wanted.base_url, auth), SharedQuota(app.store, config.mode)
    app.closing.append(client.close)
    return kind.adapter_type()(wanted, client, app.now, app.sleep, quota=quota)


def _linkedin_tokens(app: App) -> tuple[TokenStore, Grant | None]:
    """From the environment, else what ``evenreach connect`` left; the sandbox has its own."""
    settings, config = app.settings, app.config.platforms.linkedin
    if config is not None and config.mode == "sandbox":
        return TokenMemory(Token(SecretStr(SANDBOX_TOKEN))), None
    given = settings.linkedin_access_token
    if given.get_secret_value():
        return TokenMemory(Token(given)), None
    grant = RefreshGrant(settings.linkedin_client_id, settings.linkedin_client_secret)
    return TokenFile(token_path(app, "linkedin")), grant


def _google(app: App) -> Any:
    config = app.config.platforms.google
    assert config is not None
    kind = PLATFORMS["google"]
    fields: dict[str, Any] = {
        "customer_id": config.customer.replace("-", ""),
        "login_customer_id": (config.login_customer or "").replace("-", ""),
        "terms_accepted": config.terms_accepted or config.mode == "sandbox",
        "quota_project": google_project(app),
    }
    if config.mode == "sandbox":
        url = _sandbox_url(app)
        fields |= {"base_url": f"{url}/v1", "ads_base_url": url, "oauth_url": f"{url}/token"}
        tokens: TokenStore = TokenMemory(Token(SecretStr(SANDBOX_TOKEN)))
        grant: Grant | None = None
    else:
        settings = app.settings
        tokens = TokenFile(token_path(app, "google"))
        grant = RefreshGrant(settings.google_client_id, settings.google_client_secret)
        refresh = settings.google_refresh_token
        if refresh.get_secret_value():
            tokens = TokenMemory(Token(SecretStr(""), expires_at=app.now(), refresh=refresh))
        if settings.google_credentials_file is not None:
            from platforms.google.service_account import ServiceAccountGrant

            key = settings.google_credentials_file
            tokens = TokenMemory()
            grant = ServiceAccountGrant.from_file(key, kind.settings_type()(**fields).oauth_url)
    wanted = kind.settings_type()(**fields)
    auth = OAuth(tokens, grant, wanted.oauth_url, clock=app.now, sleep=app.sleep, platform="google")
    client, quota = make_client(wanted.base_url, auth), SharedQuota(app.store, config.mode)
    app.closing.append(client.close)
    return kind.adapter_type()(wanted, client, app.now, app.sleep, quota=quota)


def _files(app: App) -> Any:
    config = app.config.platforms.files
    assert config is not None
    kind = PLATFORMS["files"]
    return kind.adapter_type()(kind.settings_type()(directory=app.workspace / config.directory), app.now)


def _sandbox_url(app: App) -> str:
    assert app.sandbox is not None
    return app.sandbox.url
