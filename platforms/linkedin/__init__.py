"""LinkedIn: matched audiences, campaigns and reports of one ad account, behind the platform contract.

Nothing here may decide who is on a list or what a campaign should spend.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import httpx

from audiences.model import (
    AudienceSpec,
    AudienceState,
    Campaign,
    IdentifierKind,
    ImpressionReport,
    MemberKind,
    Organization,
    PushBatch,
    Receipt,
)
from platforms.contract import Capabilities
from platforms.linkedin.audiences import Segments
from platforms.linkedin.campaigns import Campaigns
from platforms.linkedin.intelligence import Intelligence
from platforms.linkedin.organizations import Organizations
from platforms.linkedin.reports import Reports
from platforms.linkedin.rest import Rest
from platforms.linkedin.settings import LinkedInSettings
from platforms.linkedin.standing import Standing
from platforms.linkedin.uploads import FEWEST, Uploads
from platforms.pacing import QuotaStore

__all__ = ["CAPABILITIES", "VARIANTS", "LinkedIn", "LinkedInSettings"]

# Times and sizes: LinkedIn Help a795242 and a424450, /marketing/matched-audiences pages, read 2026-08.
CAPABILITIES = Capabilities(
    platform="linkedin",
    member_kinds=(MemberKind.COMPANY, MemberKind.CONTACT),
    identifiers=(
        IdentifierKind.ORGANIZATION,
        IdentifierKind.PAGE,
        IdentifierKind.DOMAIN,
        IdentifierKind.EMAIL_DOMAIN,
        IdentifierKind.NAME,
        IdentifierKind.COUNTRY,
        IdentifierKind.EMAIL,
    ),
    batch_size=5000,
    answers_per_row=True,
    settles_later=False,
    minimum_audience=300,
    maximum_lists=1000,
    account_report=True,
    campaigns=True,
    needs_consent=False,
    needs_first_party=False,
    membership_life=None,
    keep_alive=timedelta(days=25),
    first_build=timedelta(hours=48),
    update_latency=timedelta(hours=24),
    report_latency=timedelta(hours=24),
    poll_every=timedelta(minutes=30),
    notes=(
        "Accepted means accepted for matching; LinkedIn never says who matched.",
        "Reports list the 100 companies with the most impressions per creative and day.",
    ),
    quotas=(
        "Every quota belongs to one member and one app, whatever the ad account.",
        "Companies 300 and people 600 requests a minute, of which 80 % are used.",
        "Each endpoint has a day quota LinkedIn does not publish; it ends at midnight UTC.",
        "Reports 45,000,000 values in five minutes, for the app as a whole.",
    ),
)

BY_FILE = replace(
    CAPABILITIES,
    settles_later=True,
    notes=(*CAPABILITIES.notes, "Lists are sent whole, as CSV files of 300 to 300,000 rows."),
    fewest_members=FEWEST,
)
VARIANTS = {"lists: csv": BY_FILE}


class LinkedIn:
    """Implements AudiencePlatform, CampaignPlatform and ReportingPlatform.

    ``client`` carries the token (see ``platforms.oauth``) and lives as long as this object; ``clock`` gives
    aware datetimes; ``sleep`` takes seconds. ``quota`` shares request rates between processes.
    """

    def __init__(
        self,
        settings: LinkedInSettings,
        client: httpx.Client,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        *,
        quota: QuotaStore | None = None,
    ) -> None:
        self._settings = settings
        self._rest = Rest(settings, client, clock, sleep, quota)
        segments = Segments(settings, self._rest, clock, sleep)
        self._lists: Segments | Uploads = segments
        if settings.upload_directory is not None:
            self._lists = Uploads(settings, self._rest, segments, settings.upload_directory)
        self._campaigns = Campaigns(settings, self._rest, clock)
        self._reports = Reports(settings, self._rest, clock)
        self._intelligence = Intelligence(settings, self._rest, clock)
        self._organizations = Organizations(settings, self._rest)
        self._standing = Standing(settings, self._rest, clock)

    @property
    def capabilities(self) -> Capabilities:
        return CAPABILITIES if self._settings.upload_directory is None else BY_FILE

    def check(self) -> tuple[str, ...]:
        """See ``Standing.check``."""
        return self._standing.check()

    def member(self) -> str:
        """See ``Standing.member``."""
        return self._standing.member()

    # lists ------------------------------------------------------------------

    def find_or_create(self, spec: AudienceSpec) -> AudienceState:
        """See ``Segments.find_or_create`` and ``Uploads.find_or_create``."""
        return self._lists.find_or_create(spec)

    def state(self, audience_id: str, external_id: str) -> AudienceState:
        """See ``Segments.state``."""
        return self._lists.state(audience_id, external_id)

    def push(self, batch: PushBatch) -> Receipt:
        """See ``Segments.push`` and ``Uploads.push``."""
        return self._lists.push(batch)

    def settle(self, batch: PushBatch, request_id: str) -> Receipt:
        """See ``Segments.settle`` and ``Uploads.settle``."""
        return self._lists.settle(batch, request_id)

    def delete(self, external_id: str) -> None:
        """See ``Segments.delete`` and ``Uploads.delete``."""
        self._lists.delete(external_id)

    # campaigns --------------------------------------------------------------

    def list_campaigns(self) -> tuple[Campaign, ...]:
        """Every campaign of the ad account with its lists and creatives."""
        return self._campaigns.list_campaigns()

    def campaign(self, campaign_id: str) -> Campaign:
        """One campaign, read now; also how an existing one is adopted."""
        return self._campaigns.campaign(campaign_id)

    def set_targets(
        self,
        campaign_id: str,
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        ours: Sequence[str] = (),
    ) -> Campaign:
        """See ``Campaigns.set_targets``."""
        return self._campaigns.set_targets(campaign_id, include=include, exclude=exclude, ours=ours)

    def set_daily_budget(self, campaign_id: str, amount: Decimal) -> Campaign:
        """See ``Campaigns.set_daily_budget``."""
        return self._campaigns.set_daily_budget(campaign_id, amount)

    def set_status(self, campaign_id: str, status: str) -> Campaign:
        """See ``Campaigns.set_status``."""
        return self._campaigns.set_status(campaign_id, status)

    def clone(self, campaign_id: str, name: str, *, reference: str) -> Campaign:
        """See ``Campaigns.clone``."""
        return self._campaigns.clone(campaign_id, name, reference=reference)

    def audience_count(
        self, campaign_id: str, *, include: Sequence[str], exclude: Sequence[str]
    ) -> int | None:
        """See ``Campaigns.audience_count``."""
        return self._campaigns.audience_count(campaign_id, include=include, exclude=exclude)

    def counts_lists(self, lists: Sequence[str]) -> bool:
        """See ``Campaigns.counts_lists``."""
        return self._campaigns.counts_lists(lists)

    # reports ----------------------------------------------------------------

    def account_report(
        self,
        start: date,
        end: date,
        *,
        grain: str,
        campaigns: Sequence[str] = (),
        creatives: Sequence[str] = (),
    ) -> ImpressionReport:
        """See ``Reports.account_report``."""
        return self._reports.account_report(start, end, grain=grain, campaigns=campaigns, creatives=creatives)

    def intelligence_report(
        self, window: str, *, lists: Sequence[str] = (), campaign: str | None = None
    ) -> ImpressionReport:
        """See ``Intelligence.intelligence_report``: a private API, off unless the settings say so."""
        return self._intelligence.intelligence_report(window, lists=lists, campaign=campaign)

    def organizations(self, urns: Sequence[str]) -> dict[str, Organization]:
        """See ``Organizations.organizations``."""
        return self._organizations.organizations(urns)
