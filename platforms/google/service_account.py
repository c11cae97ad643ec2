"""Google sign-in without a person: a service account signs a note and gets an hour's token. It keeps nothing.

The account's e-mail must be given access to the Google Ads account. Source: developers.google.com/identity/
protocols/oauth2/service-account, 2026; developers.google.com/data-manager/api/devguides/quickstart, 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from platforms.errors import SignInAgain
from platforms.oauth import Token

SCOPES = (
    "https://www.googleapis.com/auth/datamanager",
    "https://www.googleapis.com/auth/adwords",
)
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFE = 3600  # seconds; the longest Google allows


class ServiceAccountGrant:
    """A ``platforms.oauth.Grant``. Needs no refresh token and never ends by itself."""

    def __init__(self, key: Mapping[str, Any], token_url: str, *, scopes: tuple[str, ...] = SCOPES) -> None:
        """``key``: the JSON key file's content. Raises SignInAgain when it is none."""
        from google.auth import crypt  # a heavy import, needed by this way of signing in only

        try:
            self._email = str(key["client_email"])
            self._signer = crypt.RSASigner.from_service_account_info(key)  # type: ignore[no-untyped-call]
        except (KeyError, ValueError, TypeError):
            self._email = ""
        if not self._email:
            raise SignInAgain("the service account key is not usable", platform="google")
        self._token_url, self._scopes = token_url, scopes

    @classmethod
    def from_file(
        cls, path: Path, token_url: str, *, scopes: tuple[str, ...] = SCOPES
    ) -> ServiceAccountGrant:
        """From the downloaded key file. Raises SignInAgain."""
        key: Any = None
        try:
            key = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            key = None  # the parser's message would quote the key
        return cls(key if isinstance(key, dict) else {}, token_url, scopes=scopes)

    def __repr__(self) -> str:
        return "ServiceAccountGrant()"

    def form(self, token: Token | None, now: datetime) -> Mapping[str, str]:
        """The signed note, good for an hour from ``now``."""
        from google.auth import jwt

        issued = int(now.timestamp())
        claims = {
            "iss": self._email,
            "scope": " ".join(self._scopes),
            "aud": self._token_url,
            "iat": issued,
            "exp": issued + LIFE,
        }
        note: bytes = jwt.encode(self._signer, claims)  # type: ignore[no-untyped-call]
        return {"grant_type": GRANT, "assertion": note.decode("ascii")}
