"""Who signed in, and whether they may do what is needed on the ad account. It must change nothing.

Sources: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads/account-structure/
create-and-manage-account-users, 2026-05, and /matched-audiences/getting-access-matched-audiences, 2026-06.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from platforms.errors import NoPermission, NotFound
from platforms.linkedin import restli
from platforms.linkedin.rest import Rest
from platforms.linkedin.settings import LinkedInSettings
from platforms.shapes import need_records

ROLES = 1000  # of one member, on as many ad accounts


class Standing:
    """One member on one ad account."""

    def __init__(self, settings: LinkedInSettings, rest: Rest, clock: Callable[[], datetime]) -> None:
        self._settings, self._rest, self._clock = settings, rest, clock

    def member(self) -> str:
        """URN of whoever's token is used; "" for one without a role on any ad account. Raises PlatformError."""
        return next((role["user"] for role in self._roles(1) if isinstance(role.get("user"), str)), "")

    def check(self) -> tuple[str, ...]:
        """Read the ad account, the role on it and what each scope opens; findings in plain words.

        Raises PlatformError where the ad account itself cannot be read.
        """
        account = self._rest.get(f"/adAccounts/{self._settings.ad_account}")
        return (*self._account(account), *self._role(), *self._scopes())

    def _account(self, account: dict[str, Any]) -> Iterator[str]:
        if account.get("test"):
            yield "This is a test ad account: it cannot hold segments and never delivers."
        if account.get("status", "ACTIVE") != "ACTIVE":
            yield "The ad account is not active."
        currency = account.get("currency", self._settings.currency)
        if currency != self._settings.currency:
            yield f"The ad account uses {currency}, the settings say {self._settings.currency}."

    def _role(self) -> Iterator[str]:
        """A role LinkedIn does not tell is none of our business: the first change tells."""
        try:
            roles = self._roles(ROLES)
        except (NoPermission, NotFound):
            return
        if any(
            role.get("account") == self._settings.account_urn and role.get("role") == "VIEWER"
            for role in roles
        ):
            yield "Whoever signed in is a viewer of this ad account, and may change nothing: campaign manager is enough."

    def _scopes(self) -> Iterator[str]:
        """A scope that is missing shows as 403 on what it opens, with a good token."""
        today = self._clock().date()
        day = {"year": today.year, "month": today.month, "day": today.day}
        account = self._settings.account_urn
        lists = {"q": "account", "account": account, "start": 0, "count": 1}
        report = {
            "q": "analytics",
            "pivot": "ACCOUNT",
            "timeGranularity": "ALL",
            "dateRange": {"start": day, "end": day},
            "accounts": [account],
            "fields": restli.Plain("impressions"),
        }
        for path, asked, words in (
            (
                "/dmpSegments",
                lists,
                "Lists may not be read: the product Matched Audiences or the scope rw_dmp_segments",
            ),
            ("/adAnalytics", report, "Reports may not be read: the scope r_ads_reporting"),
        ):
            try:
                self._rest.get(path, asked)
            except NoPermission:
                yield f"{words} is missing."

    def _roles(self, count: int) -> list[dict[str, Any]]:
        asked = {"q": "authenticatedUser", "start": 0, "count": count}
        return need_records(self._rest.get("/adAccountUsers", asked), "elements")
