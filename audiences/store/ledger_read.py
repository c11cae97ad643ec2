"""Reads the ledger of one audience fast: stored answers, with what is still open laid over them.

Takes a connection that is already open; must not write and must not decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, select

from audiences.membership_keys import (
    Digests,
    Keys,
    Rows,
    byte_order,
    from_digests,
    payload_digests,
    places,
    repeats,
)
from audiences.model import Op
from audiences.store.bulk import is_sqlite, raw
from audiences.store.database import table_of
from audiences.store.packing import KEY_BYTES, each_key, unpack
from audiences.store.records import LedgerState
from audiences.tables import LedgerRow, PushBatchRow

BATCH = table_of(PushBatchRow)
LEDGER = table_of(LedgerRow)
LOOKUP = 20_000  # keys per question; SQLite takes at most 32,766 parameters
States = NDArray[np.uint8]

# one record of PostgreSQL's binary COPY: field count, then length and bytes of each field
_PG_RECORD = np.dtype(
    [
        ("n", ">i2"),
        ("key_length", ">i4"),
        ("key", "u1", (KEY_BYTES,)),
        ("state_length", ">i4"),
        ("state", ">i2"),
        ("digest_length", ">i4"),
        ("digest", ">i8"),
    ]
)
_PG_HEADER = 19  # signature 11, flags 4, extension length 4
_COLUMNS = "key, state, COALESCE(digest, 0)"


@dataclass(frozen=True, eq=False)
class Lines:
    """Ledger lines by column, in byte order of the key: keys (n, 32), states (n,), payload digests (n,)."""

    keys: Keys
    states: States
    digests: Digests

    def take(self, rows: Rows | NDArray[np.bool_]) -> Lines:
        return Lines(self.keys[rows], self.states[rows], self.digests[rows])


def stored(connection: Connection, audience: int) -> Lines:
    """Every answered row of the ledger."""
    read = _stored_sqlite if is_sqlite(connection) else _stored_postgresql
    return read(connection, audience)


def _stored_sqlite(connection: Connection, audience: int) -> Lines:
    sql = f"SELECT {_COLUMNS} FROM ledger WHERE audience = ? ORDER BY key"  # noqa: S608
    cursor = raw(connection).execute(sql, (audience,))
    parts = []
    while rows := cursor.fetchmany(200_000):
        parts.append(_lines(rows))
    return _joined(parts)


def _stored_postgresql(connection: Connection, audience: int) -> Lines:
    buffer = bytearray()
    with raw(connection).cursor() as cursor:
        query = f"SELECT {_COLUMNS} FROM ledger WHERE audience = {int(audience)}"  # noqa: S608
        with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy:
            for data in copy:
                buffer += data
    n = (len(buffer) - _PG_HEADER) // _PG_RECORD.itemsize
    records = np.frombuffer(buffer, dtype=_PG_RECORD, count=n, offset=_PG_HEADER)
    order = byte_order(np.ascontiguousarray(records["key"]))
    return Lines(
        records["key"][order],
        records["state"][order].astype(np.uint8),
        records["digest"][order].astype(np.int64),
    )


def _lines(rows: Sequence[Sequence[Any]]) -> Lines:
    keys, states, digests = zip(*rows, strict=True) if rows else ((), (), ())
    return Lines(
        from_digests(b"".join(keys)),
        np.array(states, dtype=np.uint8),
        np.array(digests, dtype=np.int64),
    )


def _joined(parts: Sequence[Lines]) -> Lines:
    if not parts:
        return _lines([])
    return Lines(
        np.concatenate([part.keys for part in parts]),
        np.concatenate([part.states for part in parts]),
        np.concatenate([part.digests for part in parts]),
    )


def lookup(connection: Connection, audience: int, keys: Keys) -> Lines:
    """The answered rows among ``keys`` (unique). For sets much smaller than the ledger."""
    wanted = list(each_key(keys))
    found: list[Any] = []
    for i in range(0, len(wanted), LOOKUP):
        found += rows_with_keys(connection, _COLUMNS, audience, wanted[i : i + LOOKUP])
    lines = _lines(found)
    return lines.take(byte_order(lines.keys))


def rows_with_keys(connection: Connection, columns: str, audience: int, keys: list[bytes]) -> list[Any]:
    """Columns of the ledger rows with these keys (at most LOOKUP), in no order."""
    driver = raw(connection)
    if is_sqlite(connection):
        marks = ",".join("?" * len(keys))
        sql = f"SELECT {columns} FROM ledger WHERE audience = ? AND key IN ({marks})"  # noqa: S608
        return list(driver.execute(sql, [audience, *keys]))
    with driver.cursor(binary=True) as cursor:
        sql = f"SELECT {columns} FROM ledger WHERE audience = %s AND key = ANY(%s)"  # noqa: S608
        return list(cursor.execute(sql, (audience, keys)))


def is_empty(connection: Connection, audience: int) -> bool:
    """Whether no row was ever answered."""
    found = connection.execute(select(LEDGER.c.state).where(LEDGER.c.audience == audience).limit(1)).first()
    return found is None


def open_batches(connection: Connection, audience: int) -> list[Row[Any]]:
    """Batches planned or sent and not settled, in order."""
    wanted = select(BATCH.c.op, BATCH.c.n, BATCH.c.member_keys, BATCH.c.payloads, BATCH.c.account_ids)
    return list(
        connection.execute(
            wanted.where(BATCH.c.audience == audience, BATCH.c.status != "settled").order_by(BATCH.c.number)
        )
    )


def folded(batches: Sequence[Row[Any]]) -> tuple[Lines, NDArray[np.bool_]]:
    """The last word of these batches on every key, and True where it is an add."""
    keys = from_digests(b"".join(batch.member_keys for batch in batches))
    sizes = [batch.n for batch in batches]
    adds = np.repeat(np.array([batch.op == Op.ADD for batch in batches], dtype=np.bool_), sizes)
    digests = np.concatenate([payload_digests(unpack(batch.payloads, batch.n)) for batch in batches])
    age = np.arange(len(keys))
    order = byte_order(keys)
    if repeats(keys[order]).any():  # order equal keys by age, so that the last of each is the last word
        words = np.ascontiguousarray(keys).view(">u8").reshape(-1, 4)
        order = np.lexsort((age, words[:, 3], words[:, 2], words[:, 1], words[:, 0]))
    last = np.ones(len(keys), dtype=np.bool_)
    last[:-1] = ~repeats(keys[order])[1:]
    rows = order[last]
    pending = np.full(len(rows), LedgerState.PENDING, dtype=np.uint8)
    return Lines(keys[rows], pending, digests[rows]), adds[rows]


def asked(connection: Connection, audience: int) -> Lines:
    """What the platform has been asked to hold: stored answers overlaid with open batches."""
    lines = stored(connection, audience)
    batches = open_batches(connection, audience)
    if batches:
        lines = _overlaid(lines, *folded(batches))
    stays = lines.states != LedgerState.LEAVING
    return lines if bool(stays.all()) else lines.take(stays)


def _overlaid(lines: Lines, late: Lines, adds: NDArray[np.bool_]) -> Lines:
    """Later words win: what they add is PENDING, what they remove is gone."""
    kept = lines.take(places(lines.keys, late.keys) < 0)
    both = _joined([kept, late.take(adds)])
    return both.take(byte_order(both.keys)) if len(kept.keys) else both


def asked_among(connection: Connection, audience: int, keys: Keys) -> NDArray[np.bool_]:
    """(n,) bool: which of ``keys`` (in byte order, unique) are asked for now."""
    result = np.zeros(len(keys), dtype=np.bool_)
    if not is_empty(connection, audience):
        lines = lookup(connection, audience, keys)
        result = places(keys, lines.keys[lines.states != LedgerState.LEAVING]) >= 0
    batches = open_batches(connection, audience)
    if batches:
        late, adds = folded(batches)
        where = places(keys, late.keys)
        result[where >= 0] = adds[where[where >= 0]]
    return result
