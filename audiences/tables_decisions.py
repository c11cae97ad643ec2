"""Tables of what was shown, what was decided, and what several workers share. Shapes only (see ``tables``)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, SmallInteger
from sqlmodel import Field

from audiences.column_types import Blob, Instant
from audiences.tables_base import NO_ROWID, Table

# -- what was shown to whom --------------------------------------------------


class ReportScopeRow(Table, table=True):
    """One question that is asked again and again: platform, grain, and the ids it was asked for."""

    __tablename__ = "report_scope"
    __table_args__ = (Index("ux_report_scope", "platform", "source", "grain", "scope", unique=True),)
    number: int | None = Field(default=None, primary_key=True)
    platform: str
    source: str
    grain: str
    scope: str  # JSON list, sorted


class ReportWindowRow(Table, table=True):
    """One answered day (grain "daily") or window: how far it can be trusted."""

    __tablename__ = "report_window"
    scope: int = Field(foreign_key="report_scope.number", primary_key=True, ondelete="CASCADE")
    first: date = Field(primary_key=True)
    last: date = Field(primary_key=True)
    fetched_at: datetime = Field(sa_type=Instant)
    list_depth: int | None = None
    floor: int = 0
    noise: int = 0
    warnings: str = "[]"


class ImpressionRow(Table, table=True):
    __tablename__ = "impression"
    __table_args__ = NO_ROWID
    scope: int = Field(sa_column=Column(Integer, primary_key=True))
    first: date = Field(primary_key=True)
    last: date = Field(primary_key=True)
    campaign_id: str = Field(default="", primary_key=True)
    creative_id: str = Field(default="", primary_key=True)
    entity: str = Field(primary_key=True)
    impressions: int | None = Field(default=None, sa_column=Column(BigInteger))  # NULL = withheld
    clicks: int | None = Field(default=None, sa_column=Column(BigInteger))
    spend: str | None = None  # decimal text, exactly as reported
    members: int | None = Field(default=None, sa_column=Column(BigInteger))


class ImpressionTotalRow(Table, table=True):
    __tablename__ = "impression_total"
    __table_args__ = NO_ROWID
    scope: int = Field(sa_column=Column(Integer, primary_key=True))
    first: date = Field(primary_key=True)
    last: date = Field(primary_key=True)
    campaign_id: str = Field(default="", primary_key=True)
    creative_id: str = Field(default="", primary_key=True)
    impressions: int = Field(sa_column=Column(BigInteger, nullable=False))
    clicks: int | None = Field(default=None, sa_column=Column(BigInteger))
    spend: str


# -- what was decided --------------------------------------------------------


class PlanRow(Table, table=True):
    __tablename__ = "plan"
    __table_args__ = (Index("ix_plan_segment", "segment", "day"),)
    number: int | None = Field(default=None, primary_key=True)
    plan_id: str = Field(unique=True)
    segment: str
    day: date
    mode: str
    status: str
    inputs_hash: str
    inputs: bytes | None = Field(default=None, sa_type=Blob)
    body: bytes = Field(sa_type=Blob)
    memory: bytes | None = Field(default=None, sa_type=Blob)
    moves: int = 0
    created_by: str
    created_at: datetime = Field(sa_type=Instant)
    decided_by: str | None = None
    decided_at: datetime | None = Field(default=None, sa_type=Instant)
    note: str = ""


class MoveRow(Table, table=True):
    __tablename__ = "plan_move"
    plan: int = Field(foreign_key="plan.number", primary_key=True, ondelete="CASCADE")
    account_id: str = Field(primary_key=True)
    before: int
    after: int
    reason: str
    evidence: str = "{}"
    release: date | None = None


class BandStateRow(Table, table=True):
    """The band each account was last commanded into, and since when it has landed."""

    __tablename__ = "band_state"
    __table_args__ = NO_ROWID
    segment: str = Field(primary_key=True)
    account_id: str = Field(primary_key=True)
    band: int = Field(sa_column=Column(SmallInteger, nullable=False))
    commanded_on: date
    landed_band: int | None = Field(default=None, sa_column=Column(SmallInteger))
    landed_on: date | None = None
    plan_id: str


class AuditRow(Table, table=True):
    """Append-only: triggers refuse every change and every removal."""

    __tablename__ = "audit"
    number: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_column=Column(Instant, nullable=False, index=True))
    who: str
    what: str = Field(index=True)
    subject: str = Field(default="", index=True)
    inputs_hash: str = ""
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


# -- who must not be there, and who may work ---------------------------------


class SuppressionRow(Table, table=True):
    __tablename__ = "suppression"
    __table_args__ = NO_ROWID
    digest: bytes = Field(sa_column=Column(Blob, primary_key=True))
    reason: str
    at: datetime = Field(sa_type=Instant)


class ErasureRow(Table, table=True):
    """One request to erase, the list it reached, and the batch that carried it there."""

    __tablename__ = "erasure"
    digest: bytes = Field(sa_column=Column(Blob, primary_key=True))
    audience_id: str = Field(primary_key=True)
    asked_at: datetime = Field(sa_type=Instant)
    batch_id: str = ""
    done_at: datetime | None = Field(default=None, sa_type=Instant)


class LeaseRow(Table, table=True):
    __tablename__ = "lease"
    name: str = Field(primary_key=True)
    holder: str
    until: datetime = Field(sa_type=Instant)


class QuotaRow(Table, table=True):
    __tablename__ = "quota"
    owner: str = Field(primary_key=True)
    endpoint: str = Field(primary_key=True)
    window: str = Field(primary_key=True)
    used: int = Field(sa_column=Column(BigInteger, nullable=False))


class PaceRow(Table, table=True):
    """How far the requests of one quota's owner to one endpoint have been handed out. Seconds since the epoch."""

    __tablename__ = "pace"
    bucket: str = Field(primary_key=True)
    arrival: float = 0.0  # when the next request is due at the average rate
    closed: float = 0.0  # nothing may be sent before


class SettingRow(Table, table=True):
    __tablename__ = "setting"
    name: str = Field(primary_key=True)
    value: str  # JSON
    at: datetime = Field(sa_type=Instant)


class AlertRow(Table, table=True):
    __tablename__ = "alert"
    subject: str = Field(primary_key=True)
    state: str
    since: datetime = Field(sa_type=Instant)
    detail: str = ""


class OneOffRow(Table, table=True):
    """A list pushed by hand: who answers for it and when it ends."""

    __tablename__ = "one_off"
    audience_id: str = Field(primary_key=True)
    owner: str
    note: str = ""
    ends_on: date | None = None
    created_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
