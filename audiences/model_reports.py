"""The nouns of what comes back: campaigns, report rows and totals, directory entries. Frozen data only.

The second half of ``audiences.model``, which names them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Campaign:
    campaign_id: str
    name: str
    status: str  # "active" | "paused" | "draft" | "archived" | ...
    daily_budget: Decimal | None
    currency: str
    include: tuple[str, ...]  # target ids (adSegment URNs) it includes
    exclude: tuple[str, ...]
    creatives: tuple[str, ...] = ()
    audience_expansion: bool | None = None
    offsite_delivery: bool | None = None
    version_tag: str = ""
    hold: str | None = None  # e.g. "audience_count_hold"


@dataclass(frozen=True, slots=True)
class ReportRow:
    day: date | None  # None for a whole-window row
    entity: str  # what the platform calls the account: organization URN, or a name from an export
    impressions: int | None  # None = withheld by the platform; never 0 for that
    clicks: int | None = None
    spend: Decimal | None = None
    campaign_id: str | None = None
    creative_id: str | None = None
    members: int | None = None


@dataclass(frozen=True, slots=True)
class ReportTotal:
    """The platform's own exact total. The denominator of every share."""

    day: date | None
    impressions: int
    clicks: int | None
    spend: Decimal
    campaign_id: str | None = None
    creative_id: str | None = None


@dataclass(frozen=True, slots=True)
class ImpressionReport:
    """One answer (or file) about one window. A missing row is unknown, never zero."""

    platform: str
    start: date
    end: date  # inclusive
    grain: str  # "all" | "daily"
    rows: tuple[ReportRow, ...]
    totals: tuple[ReportTotal, ...]
    fetched_at: datetime
    source: str = "api"  # "api" | "export"
    scope: tuple[str, ...] = ()  # campaign or ad-account ids asked for
    list_depth: int | None = 100  # entities listed per creative and day; None = complete
    floor: int = 3  # counts below this are withheld
    noise: int = 3  # each cell is true +- noise
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Organization:
    """The platform's directory entry behind an entity URN."""

    urn: str
    name: str | None
    domain: str | None
    vanity: str | None = None
