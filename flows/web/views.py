"""What the page shows, as frozen data: ids, counts, codes and words, never a personal value.

Times are aware datetimes in UTC, shares are fractions in [0, 1], None means unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from balancer.types import Bounded
from flows.report.pieces import ListLine, PlanSummary


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something that waits for a person. ``path`` is where on the page, e.g. "/plans/ab12"."""

    text: str
    path: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class SegmentLine:
    """One segment in the overview."""

    name: str
    title: str = ""
    accounts: int | None = None
    members: int | None = None
    lists: tuple[ListLine, ...] = ()
    last_sync: datetime | None = None
    top_share: Bounded | None = None
    coverage: Bounded | None = None
    waiting: int = 0
    warnings: int = 0
    negative: bool = False  # an exclusion list; nothing is served to it
    held_out: int = 0  # of the accounts, never advertised to


@dataclass(frozen=True, slots=True)
class Overview:
    segments: tuple[SegmentLine, ...]
    waiting: tuple[Waiting, ...] = ()
    sandbox: bool = False  # nothing here reaches a real ad account


@dataclass(frozen=True, slots=True)
class Override:
    """A person's word on one account: "pin" (never cap), "exclude", "raise_cap" (to ``value``)."""

    account_id: str
    name: str
    kind: str
    value: float | None = None


@dataclass(frozen=True, slots=True)
class PricePoint:
    """What evenness costs: at this top share, this fraction of today's impressions is kept."""

    top_share: float
    impressions: float


@dataclass(frozen=True, slots=True)
class PlanView:
    """A balancing plan for review. ``shown_hash`` names exactly what is shown; approval is tied to it."""

    plan_id: str
    segment: str
    status: str  # "proposed" | "approved" | "applied" | "refused" | "shadow" | "lapsed"
    shown_hash: str
    made_at: datetime
    summary: PlanSummary
    share_now: Bounded | None = None
    rehearsal: tuple[str, ...] = ()  # sentences: what the plan would have done on past reports
    price: tuple[PricePoint, ...] = ()
    overrides: tuple[Override, ...] = ()
    differences: tuple[str, ...] = ()  # how the inputs moved since this plan was first shown
    decided_by: str = ""
    decided_at: datetime | None = None
    currency: str = "USD"
    operations: int | None = None  # membership changes this plan sends
    progress: str = ""  # what carrying it out has come to, or why it stopped
    working: bool = False  # being carried out right now
    may_undo: bool = False  # it was carried out last and may be taken back
    undone: bool = False  # it was taken back
    holds_until: datetime | None = None  # until when it may be approved and carried out


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One rule in words. ``depth`` indents it; kept and dropped count accounts."""

    text: str
    kept: int
    dropped: int
    unknown: int = 0  # accounts for which the field is not known
    depth: int = 0


@dataclass(frozen=True, slots=True)
class SizePoint:
    on: date
    accounts: int


@dataclass(frozen=True, slots=True)
class SegmentView:
    """One segment with its rules, warnings, history and the YAML it is defined by."""

    line: SegmentLine
    rules: tuple[RuleLine, ...]
    yaml: str
    warnings: tuple[str, ...] = ()
    history: tuple[SizePoint, ...] = ()
    may_write: bool = False  # a proposed change may be written into the file, not only downloaded
    reviewed_on: date | None = None
    left_out: tuple[tuple[str, int], ...] = ()  # why, e.g. "without:customers" -> companies
    held_out: int = 0  # of those who qualify, never advertised to, for comparison


@dataclass(frozen=True, slots=True)
class PreviewAccount:
    """One account that qualifies. Companies only, never a person."""

    account_id: str
    name: str
    domain: str | None = None
    country: str | None = None
    industry: str | None = None
    employees: int | None = None
    tier: int | None = None
    fit: float | None = None
    intent: float | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed change of a segment's YAML. Nothing is changed by making one."""

    proposal_id: str
    segment: str
    yaml: str  # the whole proposed text
    diff: str  # unified diff
    problems: tuple[str, ...] = ()  # why it cannot be used
    warnings: tuple[str, ...] = ()
    accounts_before: int | None = None
    accounts_after: int | None = None
    may_write: bool = False
    written: bool = False


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """One column of a dropped file and what it was taken for ("" = not used)."""

    header: str
    field: str
    filled: float | None = None  # fraction of rows with a value; None for a column that is not used


@dataclass(frozen=True, slots=True)
class PushForecast:
    """What a push would do on one platform."""

    platform: str
    adds: int
    removes: int
    match_low: float | None = None  # predicted match rate
    match_high: float | None = None
    minimum: int | None = None  # members under which the platform does not serve
    enough: bool | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class PushPreview:
    """A dropped file, read and checked; nothing has been sent."""

    preview_id: str
    file_name: str
    kind: str  # "company" | "contact"
    rows: int
    usable: int
    rejected: int
    reasons: Mapping[str, int]  # reject code -> rows
    columns: tuple[ColumnChoice, ...]
    fields: tuple[tuple[str, str], ...]  # (canonical field, label) to choose from
    forecasts: tuple[PushForecast, ...]
    suggested_name: str = ""
    unchanged: bool = False  # the same file was pushed before; sending it again changes nothing
    problems: tuple[str, ...] = ()  # why it cannot be sent as it is
    vouched_by: str = ""  # who said that these people gave their details themselves and agreed to ads


@dataclass(frozen=True, slots=True)
class PushOrder:
    """What a person confirmed."""

    list_name: str
    owner: str
    note: str
    ends_on: date | None
    platforms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PushProgress:
    """Where a confirmed push stands."""

    push_id: str
    list_name: str
    stage: str  # "waiting" | "sending" | "settling" | "ready" | "cancelled" | "failed" | "undone"
    done: int = 0
    total: int = 0
    lists: tuple[ListLine, ...] = ()
    cancel_until: datetime | None = None
    may_undo: bool = False
    owner: str = ""
    note: str = ""
    ends_on: date | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One sync, collection, plan or push."""

    run_id: str
    kind: str  # "sync" | "push" | "collect" | "balance" | "upkeep"
    segment: str
    platform: str
    started: datetime
    status: str  # "running" | "completed" | "failed" | "cancelled" | "refused" | "undone"
    ended: datetime | None = None
    adds: int = 0
    removes: int = 0
    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    link: str = ""  # into Prefect
    may_undo: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class AuditLine:
    at: datetime
    who: str
    action: str
    subject: str
    detail: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)  # the same, by name; worded by ``page_words``
    link: str = ""  # into Prefect
