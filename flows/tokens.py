"""Where each platform's token lies, and when a person must sign in again. Prints and logs no token."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from flows.alerts import OK, Condition
from platforms.errors import SignInAgain
from platforms.oauth import Token, TokenFile, consent_warning

if TYPE_CHECKING:
    from pathlib import Path

    from flows.wiring import App

SIGNED_IN = ("linkedin", "google")  # platforms a person signs in to
SOON, LAST_DAYS = timedelta(days=30), timedelta(days=7)


def token_path(app: App, platform: str) -> Path:
    """The token file of one platform; the sandbox's sign-ins are kept apart from real ones."""
    mode = getattr(getattr(app.config.platforms, platform), "mode", "live")
    return app.workspace / "tokens" / f"{platform}{'.sandbox' if mode == 'sandbox' else ''}.json"


def token_conditions(app: App) -> Iterator[Condition]:
    """One condition per token file: well, ends within a month, within a week, ended, or unreadable."""
    for platform in SIGNED_IN:
        if platform not in app.config.platforms.names():
            continue
        try:
            token = TokenFile(token_path(app, platform)).load()
        except SignInAgain as error:
            yield Condition(f"token/{platform}", "unreadable", f"{platform}: {error}")
            continue
        if token is not None:
            yield _condition(app, platform, token)


def _condition(app: App, platform: str, token: Token) -> Condition:
    ends = token.refresh_until if token.refresh is not None else token.expires_at
    if token.refresh is None:  # without a refresh token the sign-in ends with the access token
        token = Token(token.access, refresh_until=token.expires_at)
    words = consent_warning(token, app.now(), days=SOON.days)
    if words is None or ends is None:
        return Condition(f"token/{platform}", OK, f"The sign-in to {platform} is good again.")
    left = ends - app.now()
    state = "ended" if left <= timedelta(0) else "last days" if left <= LAST_DAYS else "ends soon"
    return Condition(f"token/{platform}", state, f"{platform}: {words}")
