"""Members and batches for tests: fictional, keyed like the real ones."""

from __future__ import annotations

import hashlib

from audiences.model import Member, MemberKind, Op, PushBatch


def company(*identifiers: tuple[str, str]) -> Member:
    text = "|".join(value for _, value in identifiers)
    return Member(hashlib.sha256(text.encode()).digest(), text, identifiers)


def person(*identifiers: tuple[str, str]) -> Member:
    return Member(hashlib.sha256(identifiers[0][1].encode()).digest(), "", identifiers)


def mail(number: int) -> str:
    return hashlib.sha256(f"p{number}@people.example".encode()).hexdigest()


def batch(
    op: Op, *members: Member, kind: MemberKind = MemberKind.COMPANY, external_id: str = "9000001"
) -> PushBatch:
    digest = hashlib.sha256(op.encode() + b"".join(member.key for member in members)).hexdigest()
    return PushBatch(digest, "linkedin/tier-1/company", external_id, op, kind, members)
