"""Rows a platform refused or never answered: kept with a reason, tried again with back-off, then parked.

Must not change the ledger (``settling`` does).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, func, select

from audiences.membership_keys import contained, from_digests
from audiences.model import MemberTable, Op, RowResult, RowStatus
from audiences.store.batches import plan_batches
from audiences.store.bulk import is_sqlite, key_array, raw, upsert_rows
from audiences.store.database import table_of
from audiences.store.ledger_read import folded, open_batches
from audiences.store.ledger_rows import details
from audiences.store.lists import ids_by_number, need_audience
from audiences.store.packing import each_key
from audiences.store.part import Part
from audiences.store.records import DeadLetter
from audiences.tables import DeadLetterRow

DEAD = table_of(DeadLetterRow)
_COLUMNS = ("audience", "key", "op", "status", "reason", "tries", "batch", "since", "next_try")
_MERGE = "(audience, key) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:])


class DeadLetters(Part):
    def dead_letters(
        self, audience_id: str | None = None, *, due: datetime | None = None, limit: int = 10_000
    ) -> tuple[DeadLetter, ...]:
        """Dead letters of one list or all, oldest first; with ``due`` only those whose next try has come."""
        wanted = select(DEAD).order_by(DEAD.c.since, DEAD.c.audience, DEAD.c.key).limit(limit)
        with self._db.read() as connection:
            if audience_id is not None:
                wanted = wanted.where(DEAD.c.audience == need_audience(connection, audience_id).number)
            if due is not None:
                wanted = wanted.where(DEAD.c.next_try <= due)
            names = ids_by_number(connection)
            return tuple(_letter(row, names[row.audience]) for row in connection.execute(wanted))

    def dead_letter_counts(self, audience_id: str) -> dict[str, int]:
        """Rows per reason of one list."""
        with self._db.read() as connection:
            number = need_audience(connection, audience_id).number
            rows = connection.execute(
                select(DEAD.c.reason, func.count()).where(DEAD.c.audience == number).group_by(DEAD.c.reason)
            )
            return {row[0]: row[1] for row in rows}

    def plan_retries(self, audience_id: str, *, batch_size: int, at: datetime) -> tuple[str, ...]:
        """Plan batches for the dead letters that are due and not under way. Returns their ids."""
        with self._db.write() as connection:
            audience = need_audience(connection, audience_id, lock=True)
            due = connection.execute(
                select(DEAD)
                .where(DEAD.c.audience == audience.number, DEAD.c.next_try <= at)
                .order_by(DEAD.c.key)
            ).all()
            due = _not_under_way(connection, audience.number, due)
            ids: list[str] = []
            for op in (Op.REMOVE, Op.ADD):
                ids += _plan_op(
                    connection, audience, [row for row in due if row.op == op], op, batch_size, at
                )
            return tuple(ids)


def _plan_op(
    connection: Connection, audience: Row[Any], due: list[Row[Any]], op: Op, batch_size: int, at: datetime
) -> list[str]:
    """One set of batches per number of tries, so that each try has an id of its own."""
    ids: list[str] = []
    for tries in sorted({row.tries for row in due}):
        keys = from_digests(b"".join(bytes(row.key) for row in due if row.tries == tries))
        known = details(connection, audience.number, keys)
        found = [known.get(key, ("", b"")) for key in each_key(keys)]
        members = MemberTable(keys, [payload for _, payload in found], [account for account, _ in found])
        since = min(row.since for row in due if row.tries == tries).isoformat()
        ids += plan_batches(
            connection,
            audience,
            members,
            op=op,
            version=audience.ledger_version,
            changes=False,
            purpose=f"retry {tries} since {since}",
            batch_size=batch_size,
            at=at,
        )
    return ids


def _not_under_way(connection: Connection, audience: int, due: Sequence[Row[Any]]) -> list[Row[Any]]:
    batches = open_batches(connection, audience)
    if not batches or not due:
        return list(due)
    keys = from_digests(b"".join(bytes(row.key) for row in due))
    busy = contained(keys, folded(batches)[0].keys).tolist()
    return [row for row, taken in zip(due, busy, strict=True) if not taken]


def remember(
    connection: Connection,
    batch: Row[Any],
    keys: NDArray[np.uint8],
    results: Sequence[RowResult],
    *,
    at: datetime,
    retry: Callable[..., datetime | None],
) -> None:
    """Keep refused and unanswered rows; a row that failed before counts one try more."""
    before = _tries(connection, batch.audience, keys, batch.op)
    bind_time = DEAD.c.since.type.bind_processor(connection.dialect)
    rows = []
    for key, result in zip(each_key(keys), results, strict=True):
        tries, since = before.get(key, (0, at))
        again = result.retryable or result.status is RowStatus.UNKNOWN
        due = retry(at, tries + 1, retryable=again)
        times = [since, due] if bind_time is None else [bind_time(since), bind_time(due)]
        head = (
            batch.audience,
            key,
            batch.op,
            str(result.status),
            result.reason[:200],
            tries + 1,
            batch.number,
        )
        rows.append((*head, *times))
    upsert_rows(connection, DEAD, _COLUMNS, rows, on_conflict=_MERGE)


def forget(connection: Connection, audience: int, keys: NDArray[np.uint8]) -> None:
    """Drop the dead letters of these members: the platform has taken them now."""
    if not _any(connection, audience):
        return
    if is_sqlite(connection):
        raw(connection).executemany(
            "DELETE FROM dead_letter WHERE audience = ? AND key = ?",
            ((audience, key) for key in each_key(keys)),
        )
        return
    with raw(connection).cursor() as cursor:
        sql = "DELETE FROM dead_letter WHERE audience = %b AND key = ANY(%b)"
        cursor.execute(sql, (audience, key_array(cursor, keys)))


def _any(connection: Connection, audience: int) -> bool:
    sql = f"SELECT 1 FROM dead_letter WHERE audience = {int(audience)} LIMIT 1"  # noqa: S608
    return connection.exec_driver_sql(sql).first() is not None


def _tries(
    connection: Connection, audience: int, keys: NDArray[np.uint8], op: str
) -> dict[bytes, tuple[int, datetime]]:
    if not _any(connection, audience):
        return {}
    wanted = each_key(keys)
    found: dict[bytes, tuple[int, datetime]] = {}
    for i in range(0, len(wanted), 10_000):
        rows = connection.execute(
            select(DEAD.c.key, DEAD.c.tries, DEAD.c.since).where(
                DEAD.c.audience == audience, DEAD.c.op == op, DEAD.c.key.in_(wanted[i : i + 10_000])
            )
        )
        found.update({bytes(row.key): (row.tries, row.since) for row in rows})
    return found


def _letter(row: Row[Any], audience_id: str) -> DeadLetter:
    return DeadLetter(
        audience_id=audience_id,
        key=bytes(row.key),
        op=Op(row.op),
        status=RowStatus(row.status),
        reason=row.reason,
        tries=row.tries,
        since=row.since,
        next_try=row.next_try,
    )
