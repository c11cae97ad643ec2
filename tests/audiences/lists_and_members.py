"""Small audiences, members and receipts for the store's tests. Decides nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import orjson

from audiences.membership_keys import from_digests
from audiences.model import (
    AudienceSpec,
    AudienceState,
    AudienceStatus,
    Delta,
    MemberKind,
    MemberTable,
    Receipt,
    RowResult,
    RowStatus,
)
from audiences.store import Store

AT = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
LIST = "linkedin/strike/company"
OK = RowResult(RowStatus.ACCEPTED)
NO = RowResult(RowStatus.REJECTED, "not_matched")
LATER = RowResult(RowStatus.REJECTED, "try_later", retryable=True)
SILENT = RowResult(RowStatus.UNKNOWN, "no_answer")


def key(name: object) -> bytes:
    return hashlib.sha256(str(name).encode()).digest()


def members(names: Iterable[object], *, payload: str = "x") -> MemberTable:
    """One company per name, in the order given."""
    listed = [str(name) for name in names]
    loads = [orjson.dumps({"domain": f"{name}.{payload}.example"}) for name in listed]
    return MemberTable(
        from_digests(b"".join(map(key, listed))), loads, [f"{name}.example" for name in listed]
    )


def bare(names: Iterable[object]) -> MemberTable:
    """Keys alone, as a removal carries them."""
    listed = list(names)
    return MemberTable(from_digests(b"".join(map(key, listed))), [b""] * len(listed), [""] * len(listed))


def change(
    base: int, adds: Iterable[object] = (), removes: Iterable[object] = (), *, on: str = LIST
) -> Delta:
    return Delta(on, base, members(adds), bare(removes))


def with_list(store: Store, audience_id: str = LIST, *, kind: MemberKind = MemberKind.COMPANY) -> str:
    """Create a list that exists on its platform."""
    platform, segment, _ = audience_id.split("/", 2)
    store.save_audience(AudienceSpec(audience_id, platform, audience_id, kind, segment=segment), at=AT)
    store.save_state(AudienceState(audience_id, "77", None, AudienceStatus.BUILDING), at=AT)
    return audience_id


def answer(batch_id: str, results: Sequence[RowResult]) -> Receipt:
    return Receipt(batch_id, tuple(results))


def settle_all(store: Store, audience_id: str = LIST, *, with_: RowResult = OK, at: datetime = AT) -> None:
    """Answer every open batch of a list the same way for each row."""
    for batch_id in store.batches_to_send(audience_id):
        store.settle_batch(batch_id, answer(batch_id, [with_] * store.batch_info(batch_id).n), at=at)


def hours(n: float) -> timedelta:
    return timedelta(hours=n)
