"""Every noun of the system, in the order a row meets them. Frozen data only.

Read top to bottom this is the story of a row: it arrives in a file, becomes an
account, a contact or a signal (or is rejected with a reason), is scored, falls
into a segment, becomes a member of an audience on a platform, and comes back
as impressions in a report (``model_reports``). Nothing here may do I/O, read a clock or decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audiences.model_reports import Campaign as Campaign
from audiences.model_reports import ImpressionReport as ImpressionReport
from audiences.model_reports import Organization as Organization
from audiences.model_reports import ReportRow as ReportRow
from audiences.model_reports import ReportTotal as ReportTotal

# --------------------------------------------------------------------------
# What arrived
# --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rejected:
    """A source row (or cell) that was not taken over, and why. Never the value."""

    source: str  # file or source name
    line: int  # 1-based line (or row) number in the source
    column: str  # canonical column name, "" when the whole row is meant
    reason: str  # stable code, e.g. "email_malformed"
    detail: str = ""  # plain words, without the value of a personal field


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Rows that may be one company or several; a person decides."""

    subject: str  # e.g. the shared domain, or the two account ids
    reason: str  # "shared_host", "free_mail", "ambiguous_merge", ...
    rows: tuple[str, ...]  # source row ids, "<source>:<line>"
    evidence: str


@dataclass(frozen=True, slots=True)
class Account:
    """One company, resolved from one or many rows.

    ``account_id`` is the registrable domain where there is one, else
    ``name:<normalised name>|<country>``. Unknown is None, never 0 or "".
    """

    account_id: str
    name: str
    domain: str | None = None
    country: str | None = None  # ISO 3166-1 alpha-2
    region: str | None = None
    city: str | None = None
    industry: str | None = None
    employees: int | None = None
    revenue_usd: float | None = None
    founded_year: int | None = None
    linkedin_url: str | None = None
    organization_urn: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)  # tags, technologies, CRM fields


@dataclass(frozen=True, slots=True)
class Contact:
    """One person at one account. Hashes only: no raw e-mail, phone or name exists past ``identity``."""

    contact_id: str  # hex of the primary identifier's digest
    account_id: str | None
    identifiers: tuple[tuple[str, str], ...]  # (IdentifierKind, value), e.g. ("email_sha256", "<hex>")
    country: str | None = None
    first_party: bool = False  # given to us directly (site, app, event), not bought
    consent: Consent | None = None
    function: str | None = None
    seniority: str | None = None


class Consent(StrEnum):
    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Signal:
    """Something an account did or showed, once, on one day."""

    account_id: str
    kind: str  # "topic_surge", "pricing_page", "download", "demo_request", "review_site", ...
    on: date
    topic: str | None = None
    strength: float = 1.0  # count for events; 0..1 of full scale for scores
    person: str | None = None  # opaque id when several people of one account matter


# --------------------------------------------------------------------------
# What we make of it
# --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Score:
    account_id: str
    fit: float  # 0..100
    fit_unknown: float  # 0..1, share of the fit model's points that rest on unknown data
    tier: int  # 1 (prioritise) .. 4 (do not target)
    intent: float  # >= 0, decayed
    heat: str  # "hot" | "warm" | "cool"
    mode: str  # "strike" | "nurture" | "handle_with_care" | "ignore"


@dataclass(frozen=True, slots=True)
class SegmentVersion:
    """Who qualified for a segment, on one date, under one wording of the rules."""

    segment: str
    fingerprint: str  # sha256 over rules, data and date
    computed_on: date
    account_ids: tuple[str, ...]  # sorted
    holdout_ids: tuple[str, ...] = ()  # qualified, but held out


# --------------------------------------------------------------------------
# Who is on which list
# --------------------------------------------------------------------------


class MemberKind(StrEnum):
    COMPANY = "company"
    CONTACT = "contact"


class IdentifierKind(StrEnum):
    """What a platform can match a member by. One member may carry several."""

    NAME = "name"  # company name, plain
    DOMAIN = "domain"
    EMAIL_DOMAIN = "email_domain"
    ORGANIZATION = "organization_urn"
    PAGE = "page_url"
    COUNTRY = "country"  # supports a match, never enough alone
    EMAIL = "email_sha256"  # lower-case hex; the platform's own normalisation rule was applied
    PHONE = "phone_sha256"
    GIVEN_NAME = "given_name_sha256"
    FAMILY_NAME = "family_name_sha256"
    POSTAL_CODE = "postal_code"
    REGION_CODE = "region_code"


@dataclass(frozen=True, slots=True)
class Member:
    """One company or person on one audience: one operation, however many identifiers.

    ``key`` (32 bytes) is stable while identifiers come and go: SHA-256 of
    ``account_id`` for a company, the primary identifier's digest for a person.
    """

    key: bytes
    account_id: str
    identifiers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False)
class MemberTable:
    """Many members, by column. ``keys`` is (n, 32) uint8, unique, in byte order.

    ``payloads`` holds, per row, the identifiers as canonical JSON bytes (an
    object kind -> value, keys sorted), or ``b""`` when the key itself is the
    only identifier (an e-mail digest). ``account_ids`` may be "" per row.
    """

    keys: NDArray[np.uint8]
    payloads: Sequence[bytes]
    account_ids: Sequence[str]

    def __len__(self) -> int:
        return int(self.keys.shape[0])


@dataclass(frozen=True, slots=True)
class AudienceSpec:
    """A list as it should exist on a platform."""

    audience_id: str  # ours, stable: "<platform>/<segment>/<kind>[/band-<k>]"
    platform: str
    name: str  # shown on the platform
    kind: MemberKind
    description: str = ""
    segment: str = ""
    band: int | None = None


class AudienceStatus(StrEnum):
    """Common words for what platforms call BUILDING, READY, OPEN, ARCHIVED ..."""

    BUILDING = "building"
    READY = "ready"
    UPDATING = "updating"
    ARCHIVED = "archived"
    EXPIRED = "expired"
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class AudienceState:
    """What the platform says about one of our lists. None means it did not say."""

    audience_id: str
    external_id: str  # the id members are pushed to (dmpSegment id, user list id)
    target_id: str | None  # what campaigns point at (adSegment URN, user list resource)
    status: AudienceStatus
    audience_size: int | None = None  # people reachable
    matched: int | None = None
    match_rate: float | None = None  # 0..1
    usable: bool = False  # may be attached to a campaign now


@dataclass(frozen=True, eq=False)
class Membership:
    """Desired state of one audience."""

    audience_id: str
    version: str  # fingerprint of what it was computed from
    members: MemberTable


@dataclass(frozen=True, eq=False)
class Delta:
    """What must change on one audience, against the ledger as it stood at ``base_version``."""

    audience_id: str
    base_version: int  # the ledger's version; the store refuses a stale one
    adds: MemberTable
    removes: MemberTable


class Op(StrEnum):
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class PushBatch:
    """One request's worth of one operation. ``batch_id`` is computed from content."""

    batch_id: str
    audience_id: str
    external_id: str
    op: Op
    kind: MemberKind
    members: tuple[Member, ...]


class RowStatus(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RowResult:
    status: RowStatus
    reason: str = ""
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of each row of a batch, in the order sent. Silence is unknown.

    ``request_id`` is set when the platform settles later; then the rows are
    unknown until ``settle`` answers.
    """

    batch_id: str
    results: tuple[RowResult, ...]
    request_id: str | None = None
    settled: bool = True
