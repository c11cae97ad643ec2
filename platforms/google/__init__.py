"""Google Customer Match of one Google Ads customer, behind the platform contract.

Google shows no numbers per company; what it can do is lists of people and numbers per list.
Nothing here may decide who is on a list.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import httpx

from audiences.model import IdentifierKind, MemberKind
from platforms.contract import Capabilities
from platforms.google.replace import ReplaceableLists
from platforms.google.reports import Gaql, ListPerformance, ListSize
from platforms.google.settings import Cadence, GoogleSettings
from platforms.pacing import QuotaStore

__all__ = ["CAPABILITIES", "Cadence", "Google", "GoogleSettings", "ListPerformance", "ListSize"]

# developers.google.com/data-manager/api/devguides/limits and /diagnostics, 2026-11; minimum of 100 active
# members on all networks since 2025-12.
CAPABILITIES = Capabilities(
    platform="google",
    member_kinds=(MemberKind.CONTACT,),
    identifiers=(
        IdentifierKind.EMAIL,
        IdentifierKind.PHONE,
        IdentifierKind.GIVEN_NAME,
        IdentifierKind.FAMILY_NAME,
        IdentifierKind.REGION_CODE,
        IdentifierKind.POSTAL_CODE,
        IdentifierKind.COUNTRY,
    ),
    batch_size=10_000,
    answers_per_row=False,
    settles_later=True,
    minimum_audience=100,
    maximum_lists=None,
    account_report=False,
    campaigns=False,
    needs_consent=True,
    needs_first_party=True,
    membership_life=timedelta(days=540),
    keep_alive=timedelta(days=30),
    first_build=timedelta(hours=24),
    update_latency=timedelta(hours=24),
    report_latency=timedelta(hours=24),
    poll_every=timedelta(minutes=30),
    notes=(
        "Requests are processed in no promised order: wait for one direction to settle before the other.",
        "Given name, family name, region and postcode match only together.",
        "Budgets, bids and targeting stay with Google Ads: a person attaches the list to campaigns there, once.",
        "Google shows numbers per list, never per company.",
    ),
    replaces=True,
    quotas=(
        "Every quota belongs to one Cloud project.",
        "Members, their status and lists 300 requests a minute each, of which 80 % are used.",
        "Members and their status 100,000 a day each, lists 50,000; a day ends at midnight Pacific time.",
    ),
)


class Google(ReplaceableLists):
    """Implements AudiencePlatform and ReplacingPlatform; ``audience_performance`` and ``list_sizes`` read numbers per list.

    ``client`` carries the token and lives as long as this object; ``clock`` gives aware datetimes; ``sleep``
    takes seconds. ``quota`` shares request rates between processes.
    """

    def __init__(
        self,
        settings: GoogleSettings,
        client: httpx.Client,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        *,
        quota: QuotaStore | None = None,
    ) -> None:
        super().__init__(settings, client, clock, sleep, quota)
        self._gaql = Gaql(settings, self._wire)

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES

    def list_sizes(self) -> tuple[ListSize, ...]:
        """See ``Gaql.list_sizes``."""
        return self._gaql.list_sizes()

    def audience_performance(
        self, start: date, end: date, *, level: str = "ad_group"
    ) -> tuple[ListPerformance, ...]:
        """See ``Gaql.audience_performance``."""
        return self._gaql.audience_performance(start, end, level=level)
