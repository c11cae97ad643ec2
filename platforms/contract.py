"""What a platform adapter offers. Protocols and the Capabilities record; no wire, no loop.

Adapters classify answers (``platforms.errors``); they never retry for minutes,
never sleep, never know segments, tiers or shares. Flows ask ``capabilities``
what a platform can do; nobody compares platform names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol, runtime_checkable

from audiences.model import (
    AudienceSpec,
    AudienceState,
    Campaign,
    ImpressionReport,
    MemberKind,
    Organization,
    PushBatch,
    Receipt,
)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one platform can do, as data."""

    platform: str
    member_kinds: tuple[MemberKind, ...]
    identifiers: tuple[str, ...]  # IdentifierKind values it matches by, best first
    batch_size: int
    answers_per_row: bool  # False: counts per reason only
    settles_later: bool  # True: poll ``settle`` with the receipt's request_id
    minimum_audience: int  # members below which nothing is served
    maximum_lists: int | None
    account_report: bool  # impressions per account
    campaigns: bool  # budgets and targeting can be changed
    needs_consent: bool
    needs_first_party: bool
    membership_life: timedelta | None  # re-send before this
    keep_alive: timedelta | None  # touch an idle list before this
    first_build: timedelta
    update_latency: timedelta
    report_latency: timedelta
    poll_every: timedelta
    notes: tuple[str, ...] = ()
    fewest_members: int = 0  # a list with fewer is not sent: its last content stays on the platform
    replaces: bool = False  # everybody who was added before a moment can be taken off (ReplacingPlatform)
    quotas: tuple[str, ...] = ()  # how many requests are allowed, and whose they are, in sentences


@runtime_checkable
class AudiencePlatform(Protocol):
    """Lists of members."""

    @property
    def capabilities(self) -> Capabilities: ...

    def find_or_create(self, spec: AudienceSpec) -> AudienceState:
        """Return the list with this ``audience_id``, creating it once.

        Safe to call again after a lost answer.
        """
        ...

    def state(self, audience_id: str, external_id: str) -> AudienceState: ...

    def push(self, batch: PushBatch) -> Receipt: ...

    def settle(self, batch: PushBatch, request_id: str) -> Receipt:
        """Ask what became of a batch that settles later. ``receipt.settled`` False: ask again."""
        ...

    def delete(self, external_id: str) -> None:
        """Remove the list. A list that is already gone is a success."""
        ...

    def check(self) -> tuple[str, ...]:
        """Sign in and read something small.

        Returns plain findings, () when all is well; raises PlatformError.
        """
        ...


@runtime_checkable
class ReplacingPlatform(Protocol):
    """A list made to hold exactly what is sent, where ``capabilities.replaces``."""

    def begin_replace(self) -> datetime:
        """The moment from which on the whole new membership is pushed, never later than the platform's own."""
        ...

    def finish_replace(self, external_id: str, started: datetime, receipts: Sequence[Receipt]) -> str:
        """Take off whoever was not added since ``started``. Returns the request's id.

        Raises NotReady or Refused while anybody's fate in ``receipts`` is open: they would be lost.
        """
        ...

    def replace_done(self, request_id: str) -> bool:
        """Whether the others are off. Raises Refused where that failed: finish again."""
        ...


@runtime_checkable
class CampaignPlatform(Protocol):
    """Budgets and targeting, where ``capabilities.campaigns``."""

    def list_campaigns(self) -> tuple[Campaign, ...]: ...

    def campaign(self, campaign_id: str) -> Campaign: ...

    def set_targets(
        self,
        campaign_id: str,
        *,
        include: Sequence[str] | None = None,
        exclude: Sequence[str] | None = None,
        ours: Sequence[str] = (),
    ) -> Campaign:
        """Make the campaign include and exclude these lists; None leaves that side alone.

        Only ids in ``ours`` (lists Evenreach owns) are ever taken out; anybody else's targeting stays.
        Read, modify, write, and once more on a write conflict.
        """
        ...

    def set_daily_budget(self, campaign_id: str, amount: Decimal) -> Campaign: ...

    def set_status(self, campaign_id: str, status: str) -> Campaign:
        """``active`` or ``paused``."""
        ...

    def clone(self, campaign_id: str, name: str, *, reference: str) -> Campaign:
        """A draft copy with its creatives.

        ``reference`` makes the call repeatable: the same one returns the same copy.
        """
        ...

    def audience_count(
        self, campaign_id: str, *, include: Sequence[str], exclude: Sequence[str]
    ) -> int | None:
        """Members this campaign would reach with these lists.

        None when the platform will not say (LinkedIn answers 0 below 300).
        """
        ...

    def counts_lists(self, lists: Sequence[str]) -> bool:
        """Whether None from ``audience_count`` says something about these lists.

        False where the platform counts nobody on lists that hold enough people by its own numbers.
        """
        ...


@runtime_checkable
class ReportingPlatform(Protocol):
    """Impressions per account, where ``capabilities.account_report``."""

    def account_report(
        self,
        start: date,
        end: date,
        *,
        grain: str,
        campaigns: Sequence[str] = (),
        creatives: Sequence[str] = (),
    ) -> ImpressionReport:
        """Rows per account, for ``campaigns`` or ``creatives``, or (neither) the whole ad account.

        Several ids in one call come back merged, without the id; ask once per id to keep them apart.
        ``totals`` are the platform's own, for the same scope and grain.
        """
        ...

    def organizations(self, urns: Sequence[str]) -> dict[str, Organization]: ...
