"""Members as LinkedIn's streaming elements, and its answers as row results. It must not send anything.

Field names and limits: learn.microsoft.com/en-us/linkedin/marketing/matched-audiences,
create-and-manage-segment-users and -companies, 2026-08.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

import orjson

from audiences.model import IdentifierKind, Member, MemberKind, Op, PushBatch, RowResult, RowStatus
from platforms.linkedin.answers import error_code

ACCEPTED = RowResult(RowStatus.ACCEPTED)
NO_ANSWER = RowResult(RowStatus.UNKNOWN, "no_answer", retryable=True)
NO_IDENTIFIER = RowResult(RowStatus.REJECTED, "no_usable_identifier")

_HEX64 = re.compile(r"[0-9a-f]{64}")
_EMAIL = str(IdentifierKind.EMAIL.value)
_MAIL_HEAD, _MAIL_TAIL = '{"idType":"SHA256_EMAIL","idValue":"', '"}'
_CREATED = {"status": 201}
_ORGANIZATION = re.compile(r"(?:urn:li:(?:organization|company):)?(\d{1,19})")
_COUNTRY = re.compile(r"[A-Z]{2}")
_PAGE_LENGTH = 100
_FIELDS = {
    IdentifierKind.NAME: "companyName",
    IdentifierKind.DOMAIN: "companyWebsiteDomain",
    IdentifierKind.EMAIL_DOMAIN: "companyEmailDomain",
    IdentifierKind.PAGE: "companyPageUrl",
    IdentifierKind.ORGANIZATION: "organizationUrn",
}


def elements(batch: PushBatch) -> list[bytes | None]:
    """One JSON element per member, in order; None for a member LinkedIn could not match by anything."""
    action = "ADD" if batch.op is Op.ADD else "REMOVE"
    plain = _plain_mails(batch) if batch.kind is MemberKind.CONTACT else None
    if plain is not None:
        head, tail = f'{{"action":"{action}","userIds":[{_MAIL_HEAD}'.encode(), f"{_MAIL_TAIL}]}}".encode()
        return [head + mail + tail for mail in plain]
    make = _company if batch.kind is MemberKind.COMPANY else _user
    return [make(member, action) for member in batch.members]


def _plain_mails(batch: PushBatch) -> list[bytes] | None:
    """The digests of a batch in which everybody is one good e-mail digest (nearly all are); else None."""
    held = [member.identifiers for member in batch.members]
    if set(map(len, held)) != {1}:
        return None
    kinds, mails = zip(*chain.from_iterable(held), strict=True)
    joined = "".join(mails)
    if set(kinds) != {_EMAIL} or set(map(len, mails)) != {64} or not _is_hex(joined):
        return None
    return [mail.encode() for mail in mails]


def _is_hex(text: str) -> bool:
    """Lower-case hex throughout; there and back is ten times as fast as a pattern."""
    try:
        return bytes.fromhex(text).hex() == text
    except ValueError:
        return False


def body(parts: Sequence[bytes]) -> bytes:
    """The BATCH_CREATE body of ready elements."""
    return b'{"elements":[' + b",".join(parts) + b"]}"


def row_results(parts: Sequence[bytes | None], answers: Sequence[Any]) -> tuple[RowResult, ...]:
    """LinkedIn's answers (for the elements that were sent, in order) spread back over all rows.

    A 200 at the top says nothing: every element is read. Fewer answers than elements leave the rest unknown;
    more answers than elements cannot be aligned, so then all are unknown.
    """
    sent = sum(part is not None for part in parts)
    if sent == len(parts) == len(answers) == answers.count(_CREATED):
        return (ACCEPTED,) * sent
    told = iter(answers if len(answers) <= sent else ())
    return tuple(NO_IDENTIFIER if part is None else _row(next(told, None)) for part in parts)


def _row(answer: Any) -> RowResult:
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(status, int):
        return NO_ANSWER
    if 200 <= status < 300:
        return ACCEPTED
    error = answer.get("error")
    code = error_code(error) if isinstance(error, dict) else ""
    again = status >= 500 or status in (408, 423, 429)
    return RowResult(RowStatus.REJECTED, code or f"http_{status}", retryable=again)


def _user(member: Member, action: str) -> bytes | None:
    """Hashed e-mails and a country; hashed names are of no use to LinkedIn, which wants them in clear."""
    mails = []
    country = ""
    for kind, value in member.identifiers:
        if kind == IdentifierKind.EMAIL and _HEX64.fullmatch(value):
            mails.append(_MAIL_HEAD + value + _MAIL_TAIL)
        elif kind == IdentifierKind.COUNTRY and _COUNTRY.fullmatch(value):
            country = ',"country":"' + value + '"'
    if not mails:
        return None
    return f'{{"action":"{action}","userIds":[{",".join(mails)}]{country}}}'.encode()


def _company(member: Member, action: str) -> bytes | None:
    """Everything that identifies the company; a country supports a match but is never enough alone."""
    element: dict[str, str] = {"action": action}
    country = ""
    for kind, value in member.identifiers:
        if kind == IdentifierKind.COUNTRY:
            country = value if _COUNTRY.fullmatch(value) else ""
        elif kind in _FIELDS and (text := _company_value(kind, value)):
            element[_FIELDS[IdentifierKind(kind)]] = text
    if len(element) == 1:
        return None
    if country:
        element["country"] = country
    return orjson.dumps(element)


def _company_value(kind: str, value: str) -> str:
    """The value as LinkedIn takes it, or "" when it would refuse the element for it."""
    if kind == IdentifierKind.ORGANIZATION:
        match = _ORGANIZATION.fullmatch(value)
        return f"urn:li:organization:{match.group(1)}" if match else ""
    if kind == IdentifierKind.PAGE and len(value) > _PAGE_LENGTH:
        return ""
    return value.strip()
