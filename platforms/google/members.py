"""Members as Google audience members, and request statuses as row results. It must not send anything.

One person is one member with all identifiers. Source: developers.google.com/data-manager/api/devguides/
audiences/send-audience-members and /diagnostics, 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from audiences.model import IdentifierKind, Member, Op, PushBatch, RowResult, RowStatus
from platforms.errors import Garbled
from platforms.shapes import mapping, need_records, records, whole

# Marks a caller may put among a member's identifiers; without one the member was already cleared.
CONSENT_MARK = "consent"  # "granted" | "denied" | "unknown"
FIRST_PARTY_MARK = "first_party"  # "yes" | "no"

ACCEPTED = RowResult(RowStatus.ACCEPTED)
PENDING = RowResult(RowStatus.UNKNOWN, "processing")
UNFINISHED = RowResult(RowStatus.UNKNOWN, "never_finished", retryable=True)
_HEX64 = re.compile(r"[0-9a-f]{64}")
_EMAIL = str(IdentifierKind.EMAIL.value)
_REGION = re.compile(r"[A-Z]{2}")
_AGAIN = ("INTERNAL_ERROR", "DESTINATION_TOO_RECENTLY_CREATED")
_PREFIX = "PROCESSING_ERROR_REASON_"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A batch ready for Google: JSON members of the rows that may be sent, and why the others may not."""

    rows: tuple[int, ...]  # row numbers of ``members``
    members: tuple[bytes, ...]
    refused: Mapping[int, RowResult]

    def without(self, positions: Iterable[int], reason: str) -> Prepared:
        """The same batch less the members at these positions, which Google named."""
        out = frozenset(positions)
        keep = [i for i in range(len(self.rows)) if i not in out]
        named = {self.rows[i]: RowResult(RowStatus.REJECTED, reason) for i in out if i < len(self.rows)}
        return Prepared(
            tuple(self.rows[i] for i in keep), tuple(self.members[i] for i in keep), {**self.refused, **named}
        )


def prepare(batch: PushBatch, *, member_data: str, identifier_limit: int, consent_required: bool) -> Prepared:
    """Gate and encode. A removal needs neither consent nor first-party context."""
    rows: list[int] = []
    members: list[bytes] = []
    refused: dict[int, RowResult] = {}
    head, tail = _frame(member_data)
    mail_head, mail_tail = f'{head}{{"emailAddress":"', f'"}}{tail}'
    for row, member in enumerate(batch.members):
        ids = member.identifiers
        if len(ids) == 1 and ids[0][0] == _EMAIL and _HEX64.fullmatch(ids[0][1]):  # nearly everybody
            rows.append(row)
            members.append((mail_head + ids[0][1] + mail_tail).encode())
            continue
        reason = "" if batch.op is Op.REMOVE else _gate(member, consent_required=consent_required)
        found = identifiers(member)[:identifier_limit]
        if reason or not found:
            refused[row] = RowResult(RowStatus.REJECTED, reason or "no_usable_identifier")
            continue
        rows.append(row)
        members.append(head.encode() + orjson.dumps(found)[1:-1] + tail.encode())
    return Prepared(tuple(rows), tuple(members), refused)


def _frame(member_data: str) -> tuple[str, str]:
    """What stands around the identifiers of one member."""
    if member_data == "compositeData":
        return '{"compositeData":{"userData":{"userIdentifiers":[', "]}}}"
    return '{"userData":{"userIdentifiers":[', "]}}"


def _gate(member: Member, *, consent_required: bool) -> str:
    marks = {kind: value for kind, value in member.identifiers if kind in (CONSENT_MARK, FIRST_PARTY_MARK)}
    if marks.get(FIRST_PARTY_MARK) == "no":
        return "not_first_party"
    consent = marks.get(CONSENT_MARK)
    if consent == "denied" or (consent == "unknown" and consent_required):
        return "no_consent"
    return ""


def identifiers(member: Member) -> list[dict[str, Any]]:
    """One object per identifier; malformed digests are left out, one would fail the whole request."""
    found: list[dict[str, Any]] = []
    parts: dict[str, str] = {}
    for kind, value in member.identifiers:
        if kind == IdentifierKind.EMAIL and _HEX64.fullmatch(value):
            found.append({"emailAddress": value})
        elif kind == IdentifierKind.PHONE and _HEX64.fullmatch(value):
            found.append({"phoneNumber": value})
        else:
            parts[kind] = value
    address = _address(parts) if parts else None
    return [*found, {"address": address}] if address else found


def _address(parts: Mapping[str, str]) -> dict[str, str] | None:
    """All four parts or nothing: a partial address fails the whole request."""
    given, family = parts.get(IdentifierKind.GIVEN_NAME, ""), parts.get(IdentifierKind.FAMILY_NAME, "")
    region = parts.get(IdentifierKind.REGION_CODE) or parts.get(IdentifierKind.COUNTRY) or ""
    postal = parts.get(IdentifierKind.POSTAL_CODE, "")
    if not (_HEX64.fullmatch(given) and _HEX64.fullmatch(family) and _REGION.fullmatch(region) and postal):
        return None
    return {"givenName": given, "familyName": family, "regionCode": region, "postalCode": postal}


def spread(prepared: Prepared, told: Sequence[RowResult], size: int) -> tuple[RowResult, ...]:
    """Results of the sent members and of the refused rows, in the order of the batch."""
    by_row = {**prepared.refused, **dict(zip(prepared.rows, told, strict=True))}
    return tuple(by_row[row] for row in range(size))


def statuses(reply: Mapping[str, Any], sent: int) -> tuple[tuple[RowResult, ...], bool]:
    """What a request status says about ``sent`` members: (results, whether it is final).

    Google counts per reason and rarely says which record. Where it names none, no row of a partial success
    can be called accepted: all are unknown, with the counts as the reason, and worth sending again only when
    every reason is one that passes.
    """
    entries = need_records(reply, "requestStatusPerDestination")
    entry = entries[0] if entries else {}
    state = entry.get("requestStatus")
    if state == "SUCCESS":
        return (ACCEPTED,) * sent, True
    if state in ("PROCESSING", "REQUEST_STATUS_UNKNOWN"):
        return (PENDING,) * sent, False
    if state not in ("FAILED", "PARTIAL_SUCCESS"):
        raise Garbled("a request status is not one we know", platform="google")
    counts = _counts(entry)
    return (_failed(counts, sent) if state == "FAILED" else _partial(counts, sent)), True


def _failed(counts: Sequence[_Count], sent: int) -> tuple[RowResult, ...]:
    top = max(counts, key=lambda c: c.records, default=_Count("FAILED", sent, ()))
    return (RowResult(RowStatus.REJECTED, top.reason, retryable=top.reason in _AGAIN),) * sent


def _partial(counts: Sequence[_Count], sent: int) -> tuple[RowResult, ...]:
    named = {i: c.reason for c in counts for i in c.indices if 0 <= i < sent}
    if len(named) < sum(count.records for count in counts):
        told = ",".join(f"{count.reason}={count.records}" for count in counts)
        again = all(count.reason in _AGAIN for count in counts)
        return (RowResult(RowStatus.UNKNOWN, f"some_refused:{told}", retryable=again),) * sent
    return tuple(
        RowResult(RowStatus.REJECTED, named[i], retryable=named[i] in _AGAIN) if i in named else ACCEPTED
        for i in range(sent)
    )


@dataclass(frozen=True, slots=True)
class _Count:
    reason: str
    records: int
    indices: tuple[int, ...]


def _indices(value: object) -> tuple[int, ...]:
    return tuple(i for i in map(whole, value) if i is not None) if isinstance(value, list) else ()


def _counts(entry: Mapping[str, Any]) -> list[_Count]:
    """errorCounts; ``recordIndices`` exists in newer revisions only. Unknown reasons are kept as they are."""
    return [
        _Count(
            reason=str(count.get("reason", "UNKNOWN")).removeprefix(_PREFIX),
            records=whole(count.get("recordCount")) or 0,
            indices=_indices(count.get("recordIndices")),
        )
        for count in records(mapping(entry.get("errorInfo")).get("errorCounts"))
    ]


def join_request_id(google_id: str, sent: datetime, rows: Sequence[int]) -> str:
    """Google's id, when it was given, and the rows refused at once: all that ``settle`` cannot work out again."""
    stamp = f"{google_id}@{int(sent.timestamp())}"
    return f"{stamp}#{','.join(map(str, rows))}" if rows else stamp


def split_request_id(request_id: str) -> tuple[str, datetime | None, tuple[int, ...]]:
    """The parts again; no moment where there is none."""
    stamp, _, rows = request_id.partition("#")
    google_id, _, sent = stamp.rpartition("@")
    known = bool(google_id) and sent.isascii() and sent.isdigit()
    when = datetime.fromtimestamp(int(sent), UTC) if known else None
    return google_id if known else stamp, when, tuple(int(row) for row in rows.split(",") if row)


def positions(prepared: Prepared, rows: Sequence[int]) -> list[int]:
    wanted = frozenset(rows)
    return [position for position, row in enumerate(prepared.rows) if row in wanted]
