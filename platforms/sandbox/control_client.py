"""The control calls for Python callers, over HTTP. It knows the control API only, no platform."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import httpx


class Control:
    """Everything a test or a demo asks of a sandbox that a platform would never offer.

    Raises ValueError where the sandbox refuses, with its reason.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=120, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One control call; ``path`` without ``/sandbox``."""
        reply = self._http.request(method, "/sandbox" + path, json=body)
        value: dict[str, Any] = reply.json()
        if reply.status_code >= 400:
            raise ValueError(value.get("error", f"HTTP {reply.status_code}"))
        return value

    def now(self) -> datetime:
        return datetime.fromisoformat(self.call("GET", "/clock")["now"].replace("Z", "+00:00"))

    def advance(self, step: timedelta | float | datetime) -> datetime:
        """Move the clock by a span (timedelta or seconds) or to a moment; the new time."""
        if isinstance(step, datetime):
            body: dict[str, Any] = {"to": step.isoformat()}
        else:
            body = {"seconds": step.total_seconds() if isinstance(step, timedelta) else step}
        moved = self.call("POST", "/clock/advance", body)
        return datetime.fromisoformat(moved["now"].replace("Z", "+00:00"))

    def seed(self, **settings: Any) -> dict[str, Any]:
        """Create an advertiser and set the market; see ``seeding.seed``."""
        return self.call("POST", "/seed", settings)

    def seed_google(self, **settings: Any) -> dict[str, Any]:
        return self.call("POST", "/google/seed", settings)

    def knobs(self, **changes: Any) -> dict[str, Any]:
        return self.call("POST", "/knobs", changes)

    def fault(self, kind: str, **settings: Any) -> dict[str, Any]:
        return self.call("POST", "/faults", {"kind": kind, **settings})

    def faults(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.call("GET", "/faults")["faults"]
        return found

    def clear_faults(self) -> None:
        self.call("DELETE", "/faults")

    def token(self, token: str, **settings: Any) -> None:
        """Make a token with chosen ``who``, ``scopes``, ``expires_in``, ``revoked``, ``usable_in``."""
        self.call("POST", "/tokens", {"token": token, **settings})

    def account(self, account_id: str, **settings: Any) -> None:
        self.call("POST", "/accounts", {"id": account_id, **settings})

    def impressions(
        self,
        start: date | None = None,
        end: date | None = None,
        *,
        campaign: str | int | None = None,
        grain: str = "all",
    ) -> dict[str, Any]:
        """The truth: ``{"total", "spend", "rows": [{"organization", "domain", "impressions", ...}]}``."""
        parts = [f"grain={grain}"]
        parts += [f"start={start.isoformat()}"] if start else []
        parts += [f"end={end.isoformat()}"] if end else []
        parts += [f"campaign={campaign}"] if campaign is not None else []
        return self.call("GET", "/truth/impressions?" + "&".join(parts))

    def members(self, segment: str | int) -> dict[str, Any]:
        return self.call("GET", f"/truth/members?segment={segment}")

    def state(self) -> dict[str, Any]:
        return self.call("GET", "/truth/state")
