"""Tables of what arrived, what we make of it, and who is on which list. Shapes only (see ``tables``)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Text
from sqlmodel import Field

from audiences.column_types import Blob, Instant
from audiences.tables_base import NO_ROWID, Table

# -- what arrived ------------------------------------------------------------


class AccountRow(Table, table=True):
    __tablename__ = "account"
    account_id: str = Field(primary_key=True)
    name: str
    domain: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    industry: str | None = None
    employees: int | None = Field(default=None, sa_column=Column(BigInteger))
    revenue_usd: float | None = None
    founded_year: int | None = None
    linkedin_url: str | None = None
    organization_urn: str | None = None
    attributes: str = "{}"  # canonical JSON


class ContactRow(Table, table=True):
    __tablename__ = "contact"
    contact_id: str = Field(primary_key=True)
    account_id: str | None = Field(default=None, index=True)
    identifiers: str = "[]"  # JSON, hashes only
    country: str | None = None
    first_party: bool = False
    consent: str | None = None
    function: str | None = None
    seniority: str | None = None


class SignalRow(Table, table=True):
    __tablename__ = "signal"
    number: int | None = Field(default=None, primary_key=True)
    account_id: str = Field(index=True)
    kind: str
    on: date = Field(index=True)
    topic: str | None = None
    strength: float = 1.0
    person: str | None = None


class ImportRow(Table, table=True):
    """One reading of the sources: counts, and what was left out and why."""

    __tablename__ = "import_run"
    number: int | None = Field(default=None, primary_key=True)
    what: str = Field(index=True)  # "accounts", "contacts", "signals"
    fingerprint: str
    at: datetime = Field(sa_type=Instant)
    rows_read: int = 0
    resolved: int = 0
    rejected: int = 0
    quarantined: int = 0


class RejectRow(Table, table=True):
    __tablename__ = "reject"
    number: int | None = Field(default=None, primary_key=True)
    import_number: int = Field(foreign_key="import_run.number", ondelete="CASCADE", index=True)
    source: str
    line: int
    column: str
    reason: str
    detail: str = ""


class QuarantineRow(Table, table=True):
    __tablename__ = "quarantine"
    number: int | None = Field(default=None, primary_key=True)
    import_number: int = Field(foreign_key="import_run.number", ondelete="CASCADE", index=True)
    subject: str
    reason: str
    rows: str  # JSON list of "<source>:<line>"
    evidence: str


class OrganizationLinkRow(Table, table=True):
    """Which of our accounts a platform's organization is."""

    __tablename__ = "organization_link"
    platform: str = Field(primary_key=True)
    urn: str = Field(primary_key=True)
    account_id: str = Field(index=True)
    at: datetime = Field(sa_type=Instant)


# -- what we make of it ------------------------------------------------------


class ScoreRow(Table, table=True):
    __tablename__ = "score"
    account_id: str = Field(primary_key=True)
    fit: float
    fit_unknown: float
    tier: int
    intent: float
    heat: str
    mode: str


class SegmentVersionRow(Table, table=True):
    __tablename__ = "segment_version"
    number: int | None = Field(default=None, primary_key=True)
    segment: str = Field(index=True)
    fingerprint: str = Field(index=True)
    computed_on: date
    size: int
    holdout_size: int
    at: datetime = Field(sa_type=Instant)
    account_ids: bytes | None = Field(default=None, sa_type=Blob)  # packed text; NULL once pruned
    holdout_ids: bytes | None = Field(default=None, sa_type=Blob)


# -- who is on which list ----------------------------------------------------


class AudienceRow(Table, table=True):
    __tablename__ = "audience"
    number: int | None = Field(default=None, primary_key=True)
    audience_id: str = Field(unique=True)
    platform: str
    name: str
    kind: str
    description: str = ""
    segment: str = Field(default="", index=True)
    band: int | None = None
    ledger_version: int = 0
    oldest_version: int = 0  # earlier ones were cut off by retention
    external_id: str | None = None
    target_id: str | None = None
    status: str | None = None
    audience_size: int | None = Field(default=None, sa_column=Column(BigInteger))
    matched: int | None = Field(default=None, sa_column=Column(BigInteger))
    match_rate: float | None = None
    usable: bool = False
    created_at: datetime = Field(sa_type=Instant)
    checked_at: datetime | None = Field(default=None, sa_type=Instant)
    touched_at: datetime | None = Field(default=None, sa_type=Instant)  # last settled batch


class AudienceStatusRow(Table, table=True):
    """One line per change of status or usability."""

    __tablename__ = "audience_status"
    number: int | None = Field(default=None, primary_key=True)
    audience: int = Field(foreign_key="audience.number", ondelete="CASCADE", index=True)
    at: datetime = Field(sa_type=Instant)
    status: str
    usable: bool
    audience_size: int | None = Field(default=None, sa_column=Column(BigInteger))


class LedgerRow(Table, table=True):
    """What a platform answered for one member of one audience. ``state`` is a ``LedgerState`` code."""

    __tablename__ = "ledger"
    __table_args__ = NO_ROWID
    audience: int = Field(sa_column=Column(Integer, primary_key=True))
    key: bytes = Field(sa_column=Column(Blob, primary_key=True))
    state: int = Field(sa_column=Column(SmallInteger, nullable=False))
    batch: int = Field(
        sa_column=Column(Integer, nullable=False)
    )  # push_batch.number; kept when that is pruned
    account_id: str | None = Field(default=None, sa_column=Column(Text))
    digest: int | None = Field(default=None, sa_column=Column(BigInteger))  # of the payload, NULL without one
    payload: bytes | None = Field(default=None, sa_column=Column(Blob))


class PushBatchRow(Table, table=True):
    """One request's worth of one operation, with its content until retention drops it."""

    __tablename__ = "push_batch"
    __table_args__ = (Index("ix_push_batch_open", "audience", "status"),)
    number: int | None = Field(default=None, primary_key=True)
    batch_id: str = Field(unique=True)
    audience: int = Field(foreign_key="audience.number")
    version: int  # ledger version it belongs to
    op: str
    kind: str
    external_id: str
    changes: bool = True  # False: sent again, the asked-for set stays as it was
    n: int
    status: str  # "planned" | "sent" | "settled"
    request_id: str | None = None
    attempts: int = 0
    error: str = ""
    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    created_at: datetime = Field(sa_type=Instant)
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    member_keys: bytes | None = Field(default=None, sa_type=Blob)  # n * 32 bytes
    payloads: bytes | None = Field(default=None, sa_type=Blob)  # packed; NULL when all are empty
    account_ids: bytes | None = Field(default=None, sa_type=Blob)  # packed; NULL when all are empty


class DeadLetterRow(Table, table=True):
    """A row a platform refused or never answered: when it is tried again, or parked (no next try)."""

    __tablename__ = "dead_letter"
    __table_args__ = NO_ROWID
    audience: int = Field(sa_column=Column(Integer, primary_key=True))
    key: bytes = Field(sa_column=Column(Blob, primary_key=True))
    op: str
    status: str  # "rejected" | "unknown"
    reason: str = ""
    tries: int = 1
    batch: int
    since: datetime = Field(sa_type=Instant)
    next_try: datetime | None = Field(default=None, sa_column=Column(Instant, index=True))
