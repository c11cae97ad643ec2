"""Push batches: planned from a delta, read back after a crash, marked as sent. Answers go to ``settling``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from audiences.membership_keys import from_digests
from audiences.model import MemberKind, MemberTable, Op, PushBatch
from audiences.store.bulk import insert_rows, is_sqlite, raw
from audiences.store.database import table_of
from audiences.store.errors import Conflict, NotFound
from audiences.store.lists import AUDIENCE, need_audience
from audiences.store.packing import pack, pack_texts, unpack, unpack_texts
from audiences.store.part import Part
from audiences.store.payloads import nouns_of
from audiences.store.records import BatchInfo, BatchStatus
from audiences.tables import PushBatchRow

BATCH = table_of(PushBatchRow)
_CONTENT = ("member_keys", "payloads", "account_ids")
_HEADER = [column for column in BATCH.c if column.name not in _CONTENT]
_LIST = (AUDIENCE.c.audience_id, AUDIENCE.c.ledger_version)
_NEED = select(*_HEADER, *_LIST).join(AUDIENCE, AUDIENCE.c.number == BATCH.c.audience)


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
            members = members_of(connection, row)
        return PushBatch(
            batch_id=row.batch_id,
            audience_id=row.audience_id,
            external_id=row.external_id,
            op=Op(row.op),
            kind=MemberKind(row.kind),
            members=nouns_of(members),
        )

    def batch_info(self, batch_id: str) -> BatchInfo:
        """Where a batch stands, without its content."""
        with self._db.read() as connection:
            row = need_batch(connection, batch_id)
            return _info(row, row.audience_id)

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
    head = (audience.audience_id, version, op, purpose)
    ids: list[str] = []
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
    names = [*fixed, "batch_id", "n", *_CONTENT]

    def rows() -> Iterator[list[Any]]:
        for part in _sliced(members, batch_size):
            content = (part.keys.tobytes(), pack(part.payloads), pack_texts(part.account_ids))
            ids.append(content_id(*head, len(part), content))
            yield [*fixed.values(), ids[-1], len(part), *content]

    insert_rows(connection, BATCH, names, rows())
    return ids


def content_id(
    audience_id: str, version: int, op: Op, purpose: str, n: int, content: Iterable[bytes | None]
) -> str:
    """Hex SHA-256 over everything that makes a batch what it is; the same content gives the same id.

    content   keys, packed payloads and packed account ids of its ``n`` members
    """
    digest = hashlib.sha256(f"{audience_id}\n{version}\n{op}\n{purpose}\n{n}\n".encode())
    for part in content:
        digest.update(part or b"")
    return digest.hexdigest()


def members_of(connection: Connection, row: Row[Any]) -> MemberTable:
    """The members of a batch. Raises ``NotFound`` when retention dropped them."""
    driver, number = raw(connection), int(row.number)
    cursor = (
        driver.cursor() if is_sqlite(connection) else driver.cursor(binary=True)
    )  # text doubles the bytes
    cursor.execute(f"SELECT {', '.join(_CONTENT)} FROM push_batch WHERE number = {number}")  # noqa: S608
    keys, payloads, account_ids = cursor.fetchone()
    cursor.close()
    if keys is None:
        raise NotFound(f"The content of batch {row.batch_id} was dropped by retention.")
    return MemberTable(from_digests(keys), unpack(payloads, row.n), unpack_texts(account_ids, row.n))


def need_batch(connection: Connection, batch_id: str) -> Row[Any]:
    """The row of a batch without its content, with id and version of its list; raises ``NotFound``."""
    row = connection.execute(_NEED.where(BATCH.c.batch_id == batch_id)).one_or_none()
    if row is None:
        raise NotFound(f"No batch {batch_id} in the record.")
    return row


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
