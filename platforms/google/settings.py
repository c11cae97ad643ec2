"""Everything about Google that is a choice or is not documented firmly. No secrets.

Sources: developers.google.com/data-manager/api and /google-ads/api, 2026-11.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from platforms.http import Retry


@dataclass(frozen=True, slots=True)
class Cadence:
    """When to ask what became of a request: first wait, then each wait times ``factor`` up to ``longest``."""

    first: timedelta = timedelta(minutes=30)
    factor: float = 1.3
    longest: timedelta = timedelta(minutes=60)
    give_up: timedelta = timedelta(hours=24)

    def polls(self) -> tuple[timedelta, ...]:
        """Times of all polls after sending, ascending: 0:30, 1:09, 2:00, 3:00, then hourly up to give_up."""
        times, wait = [self.first], self.first
        while True:
            wait = min(wait * self.factor, self.longest)
            if times[-1] + wait > self.give_up:
                return tuple(times)
            times.append(times[-1] + wait)

    def due(self, age: timedelta) -> int:
        """How many polls of a request this old are due; one more for each ``longest`` after giving up."""
        times = self.polls()
        late = max(timedelta(0), age - self.give_up)
        return sum(time <= age for time in times) + (1 + late // self.longest if age >= self.give_up else 0)


@dataclass(frozen=True, slots=True)
class GoogleSettings:
    """One Google Ads customer."""

    customer_id: str  # digits
    base_url: str = "https://datamanager.googleapis.com/v1"
    ads_base_url: str = "https://googleads.googleapis.com"
    ads_version: str = "v26"
    oauth_url: str = "https://oauth2.googleapis.com/token"
    login_customer_id: str = ""  # the manager account, when access goes through one
    project: str = ""  # Cloud project: owns the quota, and is billed when set
    terms_accepted: bool = False  # Customer Match terms of service, accepted by a person
    consent: str = "CONSENT_GRANTED"  # of members that carry no mark of their own: flows send only those
    consent_required: bool = True  # refuse adds marked "unknown"; "denied" is always refused
    member_data: str = "compositeData"  # or "userData"
    membership_days: int = 540  # the most Google keeps a member
    batch_size: int = 10_000  # members per request
    identifiers_per_member: int = 10
    requests_per_minute: float = 300.0
    headroom: float = 0.8
    burst: int = 10
    page_size: int = 1000
    bisect_rounds: int = 3  # times a refused batch is sent again without the rows that were named
    cadence: Cadence = field(default_factory=Cadence)
    retry: Retry = field(default_factory=lambda: Retry(first_wait=1.0))
    quota_project: str = (
        ""  # Cloud project behind the credentials: owns the quota where ``project`` is not set
    )

    def __post_init__(self) -> None:
        if not self.customer_id.isdigit() or not (self.login_customer_id or "0").isdigit():
            raise ValueError("customer ids must be digits without dashes")
        if self.member_data not in ("compositeData", "userData"):
            raise ValueError("member_data must be compositeData or userData")
        if not 1 <= self.membership_days <= 540:
            raise ValueError("membership_days must be 1 to 540")
