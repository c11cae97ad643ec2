"""Nouns only the record has: what a ledger answers, what a batch has come to. Frozen data, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiences.model import AudienceSpec, AudienceState, MemberKind, Op, RowStatus


class LedgerState(IntEnum):
    """What is known of one member of one audience."""

    PENDING = 0  # asked for in a batch that is not settled (never stored in the ledger)
    ACCEPTED = 1  # the platform said yes: it is on the list
    UNKNOWN = 2  # asked for, never answered: it may be on the list
    REJECTED = 3  # asked for and refused: it is not on the list
    LEAVING = 4  # removal asked for and refused or not answered: it may still be on the list


@dataclass(frozen=True, eq=False)
class LedgerView:
    """What has been asked of a platform for one list, at ``version``: the base of the next delta.

    keys    (n, 32) uint8, unique, in byte order
    states  (n,) uint8 ``LedgerState`` codes; LEAVING rows are not asked for and so not here
    digests (n,) int64 ``membership_keys.payload_digests`` of what was last sent for each, 0 without a payload
    details False when no row has an account or a payload beside its key
    """

    audience_id: str
    version: int
    keys: NDArray[np.uint8]
    states: NDArray[np.uint8]
    digests: NDArray[np.int64]
    details: bool = True


@dataclass(frozen=True, slots=True)
class LedgerCounts:
    """Rows per state; ``pending_adds`` and ``pending_removes`` are in batches not yet settled."""

    accepted: int = 0
    unknown: int = 0
    rejected: int = 0
    leaving: int = 0
    pending_adds: int = 0
    pending_removes: int = 0


class BatchStatus(StrEnum):
    PLANNED = "planned"
    SENT = "sent"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class BatchInfo:
    """Where one push batch stands, without its content."""

    batch_id: str
    audience_id: str
    version: int
    op: Op
    kind: MemberKind
    n: int
    status: BatchStatus
    request_id: str | None
    attempts: int
    error: str
    accepted: int
    rejected: int
    unknown: int
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A member a platform refused or never answered."""

    audience_id: str
    key: bytes
    op: Op
    status: RowStatus
    reason: str
    tries: int
    since: datetime
    next_try: datetime | None  # None: parked until a person or a new delta decides


BACK_OFF = (timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=3), timedelta(days=7))


def next_try(at: datetime, tries: int, *, retryable: bool) -> datetime | None:
    """When a row that failed ``tries`` times is due again; None parks it."""
    if not retryable or tries > len(BACK_OFF):
        return None
    return at + BACK_OFF[tries - 1]


@dataclass(frozen=True, slots=True)
class AudienceRecord:
    """One of our lists: as it should be, as the platform last said it is, and how it has fared."""

    spec: AudienceSpec
    state: AudienceState | None
    ledger_version: int
    created_at: datetime
    checked_at: datetime | None
    touched_at: datetime | None  # last batch settled


@dataclass(frozen=True, slots=True)
class Overview:
    """One list on the page: what it is, what the ledger says, what is open or stuck."""

    audience: AudienceRecord
    counts: LedgerCounts
    dead_letters: int
    parked: int  # dead letters without a next try
    leased_to: str | None  # whoever works on it now, or last did
    ends_on: date | None  # a one-off list's last day


@dataclass(frozen=True, slots=True)
class StatusChange:
    audience_id: str
    at: datetime
    status: str
    usable: bool
    audience_size: int | None


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What one reading of the sources came to. ``what`` is "accounts", "contacts" or "signals"."""

    what: str
    fingerprint: str
    at: datetime
    rows_read: int
    resolved: int
    rejected: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class SegmentSize:
    segment: str
    fingerprint: str
    computed_on: date
    size: int
    holdout: int


class PlanStatus(StrEnum):
    PROPOSED = "proposed"
    SHADOW = "shadow"
    APPROVED = "approved"
    APPLIED = "applied"
    REFUSED = "refused"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class PlanMove:
    account_id: str
    before: int
    after: int
    reason: str
    evidence: dict[str, float] = field(default_factory=dict)
    release: date | None = None


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """A balance plan as stored. ``plan_id`` is the SHA-256 of segment, day, mode, inputs hash and body."""

    plan_id: str
    segment: str
    day: date
    mode: str
    status: PlanStatus
    inputs_hash: str
    body: bytes
    inputs: bytes | None
    memory: bytes | None
    moves: tuple[PlanMove, ...]
    created_by: str
    created_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class BandState:
    """``band`` is the last commanded one, ``landed_band`` the one in force since ``landed_on``."""

    account_id: str
    band: int
    commanded_on: date
    landed_band: int | None
    landed_on: date | None
    plan_id: str


@dataclass(frozen=True, slots=True)
class AuditLine:
    at: datetime
    who: str
    what: str
    subject: str = ""
    inputs_hash: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    number: int = 0  # given by the database, in order


@dataclass(frozen=True, slots=True)
class Lease:
    name: str
    holder: str
    until: datetime


@dataclass(frozen=True, slots=True)
class OneOff:
    audience_id: str
    owner: str
    note: str
    ends_on: date | None
    created_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ErasureStep:
    """One list an erasure had to reach."""

    audience_id: str
    asked_at: datetime
    batch_id: str
    done_at: datetime | None
