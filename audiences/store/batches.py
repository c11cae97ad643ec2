"""Push batches: planned from a delta, read back after a crash, marked as sent. Answers go to ``settling``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from audiences.membership_keys import from_digests
from audiences.model import Member, MemberKind, MemberTable, Op, PushBatch
from audiences.store.bulk import insert_rows
from audiences.store.database import table_of
from audiences.store.errors import Conflict, NotFound
from audiences.store.lists import AUDIENCE, need_audience
from audiences.store.packing import each_key, pack, pack_texts, unpack, unpack_texts
from audiences.store.part import Part
from audiences.store.payloads import identifiers_of
from audiences.store.records import BatchInfo, BatchStatus
from audiences.tables import PushBatchRow

BATCH = table_of(PushBatchRow)
_HEADER = [column for column in BATCH.c if column.name not in ("member_keys", "payloads", "account_ids")]


class Batches(Part):
    def batches_to_send(self, audience_id: str) -> tuple[str, ...]:
        """Ids of batches that must go out, in order: planned, or sent without an answer (a crash)."""
        with self._db.read() as connection:
            return _open_ids(connection, audience_id, BATCH.c.request_id.is_(None))

    def batches_to_settle(self, audience_id: str) -> tuple[str, ...]:
        """Ids of batches the platform took under a request id and has not answered yet, in order."""
        with self._db.read() as connection:
            return _open_ids(connection, audience_id, BATCH.c.request_id.is_not(None))

    def batch(self, batch_id: str) -> PushBatch:
        """The content of a batch. Raises ``NotFound``, also when retention dropped the content."""
        with self._db.read() as connection:
            row = need_batch(connection, batch_id)
            audience_id = connection.execute(
                select(AUDIENCE.c.audience_id).where(AUDIENCE.c.number == row.audience)
            ).scalar_one()
        members = members_of(row)
        return PushBatch(
            batch_id=row.batch_id,
            audience_id=audience_id,
            external_id=row.external_id,
            op=Op(row.op),
            kind=MemberKind(row.kind),
            members=tuple(_members(members)),
        )

    def batch_info(self, batch_id: str) -> BatchInfo:
        """Where a batch stands, without its content."""
        with self._db.read() as connection:
            row = connection.execute(select(*_HEADER).where(BATCH.c.batch_id == batch_id)).one_or_none()
            if row is None:
                raise NotFound(f"No batch {batch_id} in the record.")
            return _info(row, need_audience_id(connection, row.audience))

    def batch_log(self, audience_id: str, *, limit: int = 100) -> tuple[BatchInfo, ...]:
        """The latest batches of a list, newest first."""
        with self._db.read() as connection:
            number = need_audience(connection, audience_id).number
            wanted = select(*_HEADER).where(BATCH.c.audience == number)
            rows = connection.execute(wanted.order_by(BATCH.c.number.desc()).limit(limit))
            return tuple(_info(row, audience_id) for row in rows)

    def mark_sent(self, batch_id: str, *, at: datetime) -> None:
        """Note, before the request leaves, that a batch is being tried. A settled batch is a ``Conflict``."""
        with self._db.write() as connection:
            done = connection.execute(
                update(BATCH)
                .where(BATCH.c.batch_id == batch_id, BATCH.c.status != "settled")
                .values(status="sent", sent_at=at, attempts=BATCH.c.attempts + 1, error="")
            )
            if done.rowcount == 0:
                need_batch(connection, batch_id)
                raise Conflict(f"Batch {batch_id} is already settled.")

    def mark_failed(self, batch_id: str, error: str) -> None:
        """Note why a try did not get through; the batch stays to be sent. ``error`` holds codes only."""
        with self._db.write() as connection:
            connection.execute(
                update(BATCH)
                .where(BATCH.c.batch_id == batch_id, BATCH.c.status != "settled")
                .values(status="planned", error=error[:500])
            )


def plan_batches(
    connection: Connection,
    audience: Row[Any],
    members: MemberTable,
    *,
    op: Op,
    version: int,
    changes: bool,
    purpose: str,
    batch_size: int,
    at: datetime,
) -> list[str]:
    """Slice ``members`` into planned batches inside the caller's transaction. Returns their ids in order."""
    slices = list(_sliced(members, batch_size))
    ids = [content_id(audience.audience_id, version, op, purpose, part) for part in slices]
    fixed = {
        "audience": audience.number,
        "version": version,
        "op": str(op),
        "kind": audience.kind,
        "external_id": audience.external_id,
        "changes": changes,
        "status": str(BatchStatus.PLANNED),
        "created_at": at,
        **dict.fromkeys(("attempts", "accepted", "rejected", "unknown"), 0),
        "error": "",
    }
    names = [*fixed, "batch_id", "n", "member_keys", "payloads", "account_ids"]
    rows = (
        [
            *fixed.values(),
            batch_id,
            len(part),
            part.keys.tobytes(),
            pack(part.payloads),
            pack_texts(part.account_ids),
        ]
        for batch_id, part in zip(ids, slices, strict=True)
    )
    insert_rows(connection, BATCH, names, rows)
    return ids


def content_id(audience_id: str, version: int, op: Op, purpose: str, members: MemberTable) -> str:
    """Hex SHA-256 over everything that makes a batch what it is; the same content gives the same id."""
    digest = hashlib.sha256(f"{audience_id}\n{version}\n{op}\n{purpose}\n{len(members)}\n".encode())
    digest.update(members.keys.tobytes())
    digest.update(pack(members.payloads) or b"")
    digest.update(pack_texts(members.account_ids) or b"")
    return digest.hexdigest()


def members_of(row: Row[Any]) -> MemberTable:
    """The members a batch row carries. Raises ``NotFound`` when retention dropped them."""
    if row.member_keys is None:
        raise NotFound(f"The content of batch {row.batch_id} was dropped by retention.")
    return MemberTable(
        from_digests(row.member_keys), unpack(row.payloads, row.n), unpack_texts(row.account_ids, row.n)
    )


def need_batch(connection: Connection, batch_id: str, *, lock: bool = False) -> Row[Any]:
    """The row of a batch; raises ``NotFound``."""
    wanted = select(BATCH).where(BATCH.c.batch_id == batch_id)
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if row is None:
        raise NotFound(f"No batch {batch_id} in the record.")
    return row


def need_audience_id(connection: Connection, number: int) -> str:
    """The id of the audience with this number."""
    found: str = connection.execute(
        select(AUDIENCE.c.audience_id).where(AUDIENCE.c.number == number)
    ).scalar_one()
    return found


def _open_ids(connection: Connection, audience_id: str, condition: Any) -> tuple[str, ...]:
    number = need_audience(connection, audience_id).number
    wanted = select(BATCH.c.batch_id).where(
        BATCH.c.audience == number, BATCH.c.status != "settled", condition
    )
    return tuple(connection.execute(wanted.order_by(BATCH.c.number)).scalars())


def _sliced(members: MemberTable, size: int) -> Iterator[MemberTable]:
    for start in range(0, len(members), size):
        stop = start + size
        yield MemberTable(
            members.keys[start:stop], members.payloads[start:stop], members.account_ids[start:stop]
        )


def _members(table: MemberTable) -> Iterable[Member]:
    rows = zip(each_key(table.keys), table.account_ids, table.payloads, strict=True)
    return (Member(key, account_id, identifiers_of(key, payload)) for key, account_id, payload in rows)


def _info(row: Row[Any], audience_id: str) -> BatchInfo:
    return BatchInfo(
        batch_id=row.batch_id,
        audience_id=audience_id,
        version=row.version,
        op=Op(row.op),
        kind=MemberKind(row.kind),
        n=row.n,
        status=BatchStatus(row.status),
        request_id=row.request_id,
        attempts=row.attempts,
        error=row.error,
        accepted=row.accepted,
        rejected=row.rejected,
        unknown=row.unknown,
        created_at=row.created_at,
        sent_at=row.sent_at,
        settled_at=row.settled_at,
    )
