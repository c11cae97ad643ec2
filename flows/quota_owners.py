"""Whose request quota a workspace draws on: who signed in, through which app. Makes no call and shows no token.

LinkedIn counts per member and app, whatever ad account is asked about; Google per Cloud project
(learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/rate-limits and
developers.google.com/data-manager/api/devguides/limits, 2026-11). Where the member's name is not known (a token from
the environment, a sign-in of an older version), the token stands for the member, as a digest. Without any, and where
Google's project is not known, each ad account counts as an owner of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import SecretStr

from flows.tokens import token_path
from platforms.errors import SignInAgain
from platforms.oauth import TokenFile

if TYPE_CHECKING:
    from flows.wiring import App

_PROJECT = re.compile(r"(\d+)-")  # an OAuth client of Google is named by its project's number


def linkedin_member(app: App) -> str:
    """The person whose token is used, as a URN, or a digest of the token; "" where there is none."""
    given = app.settings.linkedin_access_token
    if given.get_secret_value():
        return _bearer(given)
    with suppress(SignInAgain):  # a file that cannot be read is told by whoever signs in with it
        token = TokenFile(token_path(app, "linkedin")).load()
        if token is not None:
            return token.member or _bearer(token.refresh or token.access)
    return ""


def _bearer(token: SecretStr) -> str:
    """One token is one member's; a refresh token stays the same for the year of a consent."""
    return "token:" + hashlib.sha256(token.get_secret_value().encode()).hexdigest()[:16]


def google_project(app: App) -> str:
    """The Cloud project of the service account or of the OAuth client; "" where that is not known."""
    if app.settings.google_credentials_file is not None:
        with suppress(OSError, ValueError):
            key = json.loads(app.settings.google_credentials_file.read_text(encoding="utf-8"))
            return str(key.get("project_id", "")) if isinstance(key, dict) else ""
        return ""
    found = _PROJECT.match(app.settings.google_client_id)
    return found[1] if found else ""
