"""Writes a platform's answers to one batch into the ledger, in one transaction, once.

The state of a row after an answer, by its state before:

| operation | answer   | none     | ACCEPTED | UNKNOWN  | REJECTED | LEAVING |
|-----------|----------|----------|----------|----------|----------|---------|
| add       | accepted | ACCEPTED | ACCEPTED | ACCEPTED | ACCEPTED | ACCEPTED|
| add       | unknown  | UNKNOWN  | ACCEPTED | UNKNOWN  | UNKNOWN  | UNKNOWN |
| add       | rejected | REJECTED | ACCEPTED | REJECTED | REJECTED | UNKNOWN |
| remove    | accepted | none     | none     | none     | none     | none    |
| remove    | other    | LEAVING  | LEAVING  | LEAVING  | LEAVING  | LEAVING |

Must not decide what to send next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, select, update

from audiences.membership_keys import contained, from_digests
from audiences.model import MemberTable, Op, Receipt, RowResult, RowStatus
from audiences.store.audit import append
from audiences.store.batches import BATCH, members_of, need_batch
from audiences.store.bulk import is_sqlite
from audiences.store.dead_letters import forget, remember
from audiences.store.errors import Conflict
from audiences.store.ledger_write import COLUMNS, drop_rows, put_rows
from audiences.store.lists import AUDIENCE
from audiences.store.packing import chosen
from audiences.store.part import Part
from audiences.store.records import AuditLine, LedgerState, next_try

Retry = Callable[..., datetime | None]

_TAKE = "state = {state}, " + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[3:])
_STATE_AFTER_ADD = {
    RowStatus.ACCEPTED: "excluded.state",
    RowStatus.UNKNOWN: (
        f"CASE ledger.state WHEN {LedgerState.ACCEPTED:d} THEN ledger.state ELSE excluded.state END"
    ),
    RowStatus.REJECTED: (
        f"CASE ledger.state WHEN {LedgerState.ACCEPTED:d} THEN ledger.state"
        f" WHEN {LedgerState.LEAVING:d} THEN {LedgerState.UNKNOWN:d} ELSE excluded.state END"
    ),
}
_STATE_OF_NEW = {
    RowStatus.ACCEPTED: LedgerState.ACCEPTED,
    RowStatus.UNKNOWN: LedgerState.UNKNOWN,
    RowStatus.REJECTED: LedgerState.REJECTED,
}


class Settling(Part):
    def settle_batch(
        self,
        batch_id: str,
        receipt: Receipt,
        *,
        at: datetime,
        retry: Retry = next_try,
        line: AuditLine | None = None,
    ) -> bool:
        """Write what became of each row of a batch; True when this call did it.

        A receipt that settles later only leaves its request id on the batch (False). A batch that is settled
        already stays as it is (False). Rejected and unknown rows become dead letters, due when
        ``retry(at, tries, retryable=...)`` says. ``line`` goes into the audit log with it. Raises ``NotFound``,
        and ``Conflict`` when the receipt does not speak of this batch or not of every row.
        """
        if receipt.batch_id != batch_id:
            raise Conflict(f"The receipt is for another batch than {batch_id}.")
        with self._db.write() as connection:
            batch = _locked(connection, batch_id)
            if batch.status == "settled":
                return False
            if not receipt.settled:
                _await(connection, batch, receipt.request_id, at)
                append(connection, line)
                return False
            if len(receipt.results) != batch.n:
                raise Conflict(f"Batch {batch_id} has {batch.n} rows, its receipt {len(receipt.results)}.")
            _settle(connection, batch, receipt.results, at=at, retry=retry)
            append(connection, line)
            return True


def _locked(connection: Connection, batch_id: str) -> Row[Any]:
    """The batch, once no other worker is writing to its audience."""
    if not is_sqlite(connection):
        # an answer lost in a power cut is asked for again, as on SQLite: no need to wait for the disk
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
    audience = select(BATCH.c.audience).where(BATCH.c.batch_id == batch_id).scalar_subquery()
    connection.execute(select(AUDIENCE.c.number).where(AUDIENCE.c.number == audience).with_for_update())
    return need_batch(connection, batch_id)  # read after the lock: another worker may have settled it before


def _await(connection: Connection, batch: Row[Any], request_id: str | None, at: datetime) -> None:
    connection.execute(
        update(BATCH)
        .where(BATCH.c.number == batch.number)
        .values(status="sent", request_id=request_id or batch.request_id, sent_at=batch.sent_at or at)
    )


def _settle(
    connection: Connection, batch: Row[Any], results: Sequence[RowResult], *, at: datetime, retry: Retry
) -> None:
    members = members_of(connection, batch)
    codes = _codes(results)
    counts = {str(status): int((codes == code).sum()) for status, code in _CODES.items()}
    live = _not_overtaken(connection, batch, members)
    for status, code in _CODES.items():
        rows = live & (codes == code)
        if not rows.any():
            continue
        some = chosen(members, rows)
        if batch.op == Op.REMOVE and status is RowStatus.ACCEPTED:
            drop_rows(connection, some, audience=batch.audience)
        else:
            _put(connection, batch, some, status)
        if status is RowStatus.ACCEPTED:
            forget(connection, batch.audience, some.keys)
        else:
            kept = [results[i] for i in np.flatnonzero(rows).tolist()]
            remember(connection, batch, some.keys, kept, at=at, retry=retry)
    connection.execute(
        update(BATCH).where(BATCH.c.number == batch.number).values(status="settled", settled_at=at, **counts)
    )
    connection.execute(update(AUDIENCE).where(AUDIENCE.c.number == batch.audience).values(touched_at=at))


def _codes(results: Sequence[RowResult]) -> NDArray[np.int8]:
    if results and results.count(results[0]) == len(results):  # nearly always: one word for everybody
        return np.full(len(results), _CODES[results[0].status], dtype=np.int8)
    yes = np.fromiter((r.status is RowStatus.ACCEPTED for r in results), dtype=np.int8, count=len(results))
    if not yes.all():  # 1 is accepted already
        for row in np.flatnonzero(yes == 0).tolist():
            yes[row] = _CODES[results[row].status]
    return yes


_CODES = {RowStatus.ACCEPTED: 1, RowStatus.UNKNOWN: 2, RowStatus.REJECTED: 3}


def _not_overtaken(connection: Connection, batch: Row[Any], members: MemberTable) -> NDArray[np.bool_]:
    """(n,) bool: False where a later batch about the same member was answered before this one."""
    live = np.ones(len(members), dtype=np.bool_)
    if batch.version >= batch.ledger_version:  # nothing later was ever planned
        return live
    later = (
        connection.exec_driver_sql(  # no values but numbers, and cheaper than composing it for every batch
            f"SELECT member_keys FROM push_batch WHERE audience = {int(batch.audience)}"  # noqa: S608
            f" AND number > {int(batch.number)} AND version > {int(batch.version)}"
            " AND status = 'settled' AND member_keys IS NOT NULL"
        ).scalars()
    )
    for blob in later:
        live &= ~contained(members.keys, from_digests(blob))
    return live


def _put(connection: Connection, batch: Row[Any], members: MemberTable, status: RowStatus) -> None:
    if batch.op == Op.REMOVE:
        state, after = LedgerState.LEAVING, "excluded.state"
    else:
        state, after = _STATE_OF_NEW[status], _STATE_AFTER_ADD[status]
    put_rows(
        connection,
        members,
        audience=batch.audience,
        state=state,
        batch=batch.number,
        on_conflict=f"(audience, key) DO UPDATE SET {_TAKE.format(state=after)}",
    )
