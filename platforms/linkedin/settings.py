"""Everything about LinkedIn that is a choice, differs per app, or is not documented firmly. No secrets.

Sources: learn.microsoft.com/en-us/linkedin/marketing (versioning, matched-audiences, ads-reporting), 2026-08.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from platforms.http import Retry


@dataclass(frozen=True, slots=True)
class LinkedInSettings:
    """One ad account seen through one app and one member."""

    ad_account: str  # digits
    base_url: str = "https://api.linkedin.com/rest"
    oauth_url: str = "https://www.linkedin.com/oauth/v2"
    api_version: str = "202608"  # YYYYMM; each lives a year, then answers 426
    source_platform: str = "DIRECT_API"  # or AGENCY_API, PARTNER_API, or a value granted to the app
    currency: str = "USD"  # for a campaign that has no budget yet
    member: str = ""  # who consented ("": not known, so the ad account stands in), and
    app: str = ""  # through which app: together they own the quota
    companies_per_minute: float = 300.0
    users_per_minute: float = 600.0
    headroom: float = 0.8  # share of a rate limit that is used
    burst: int = 10
    batch_size: int = 5000  # elements per BATCH_CREATE
    page_size: int = 100  # segments per page
    url_limit: int = 4000  # longer queries are tunnelled
    minimum_age: float = 5.0  # seconds from create to the first child call
    spread_age: float = 180.0  # a 404 on a list younger than this means "not yet"
    spread_waits: tuple[float, ...] = (2.0, 4.0)  # seconds slept inside one call for that
    analytics_count: int | None = None  # sent as ``count`` on every report when set
    analytics_retry_count: int = 10_000  # sent when an answer looks cut off
    element_limit: int = 15_000  # rows after which a report is cut silently
    demographic_delay_days: int = 2  # rows of younger days are not final
    organizations_per_call: int = 50
    company_intelligence: bool = False  # private API: only for apps that were provisioned
    upload_hosts: tuple[str, ...] = ("www.linkedin.com",)  # where list files may be sent, with the token
    upload_directory: Path | None = None  # lists are sent whole, as CSV, and what they hold is kept there
    retry: Retry = field(default_factory=Retry)

    def __post_init__(self) -> None:
        if not self.ad_account.isdigit():
            raise ValueError("ad_account must be the digits of the ad account id")
        if len(self.api_version) != 6 or not self.api_version.isdigit():
            raise ValueError("api_version must be YYYYMM")

    @property
    def account_urn(self) -> str:
        return f"urn:li:sponsoredAccount:{self.ad_account}"
