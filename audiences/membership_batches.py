"""A delta as requests: slices of a list change, each with an id computed from its content.

The same change of the same list version always gives the same batches, so a
run that crashed is simply run again. It sends nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import orjson

from audiences.membership_delta import rows_of
from audiences.model import Delta, IdentifierKind, Member, MemberKind, MemberTable, Op, PushBatch


def batches(delta: Delta, *, external_id: str, kind: MemberKind, size: int) -> Iterator[PushBatch]:
    """Removes first, then adds, in slices of at most ``size`` members (the platform's batch size).

    Removes go first so that a member who must go is gone even if the run ends early.
    Raises ValueError when ``size`` is not positive.
    """
    if size < 1:
        raise ValueError("a batch needs room for at least one member")
    for op, table in ((Op.REMOVE, delta.removes), (Op.ADD, delta.adds)):
        for start in range(0, len(table), size):
            part = rows_of(table, np.arange(start, min(start + size, len(table))))
            yield PushBatch(
                batch_id(delta, external_id, op, part),
                delta.audience_id,
                external_id,
                op,
                kind,
                members_of(part),
            )


def batch_id(delta: Delta, external_id: str, op: Op, part: MemberTable) -> str:
    """32 hex digits over list, ledger version, operation and members.

    The version is part of it: adding somebody again after a removal is another request than the first.
    """
    digest = hashlib.sha256()
    head = ("evenreach/batch/1", delta.audience_id, external_id, str(delta.base_version), op.value)
    digest.update("\x00".join(head).encode() + b"\x00")
    digest.update(part.keys.tobytes())
    for payload in part.payloads:
        digest.update(len(payload).to_bytes(4, "big") + payload)
    return digest.hexdigest()[:32]


def members_of(table: MemberTable) -> tuple[Member, ...]:
    """The rows of a table as nouns; an empty payload means the key is the e-mail digest."""
    return tuple(
        Member(key.tobytes(), account_id, _identifiers(key.tobytes(), payload))
        for key, payload, account_id in zip(table.keys, table.payloads, table.account_ids, strict=True)
    )


def _identifiers(key: bytes, payload: bytes) -> tuple[tuple[str, str], ...]:
    if not payload:
        return ((IdentifierKind.EMAIL.value, key.hex()),)
    return tuple(sorted(orjson.loads(payload).items()))
