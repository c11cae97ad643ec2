"""Reads the ledger of one audience fast: stored answers, with what is still open laid over them.

Takes a connection that is already open; must not write and must not decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, and_, func, or_, select

from audiences.membership_keys import (
    NO_KEYS,
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
from audiences.store.bulk import is_sqlite, key_array, raw
from audiences.store.database import table_of
from audiences.store.packing import KEY_BYTES, each_key, unpack
from audiences.store.records import LedgerState
from audiences.tables import LedgerRow, PushBatchRow

BATCH = table_of(PushBatchRow)
LEDGER = table_of(LedgerRow)
_FEW = 50_000  # unusual rows; with more of them whole rows are read at once
LOOKUP = 20_000  # keys per question; SQLite takes at most 32,766 parameters
States = NDArray[np.uint8]

_COLUMNS = "key, state, COALESCE(digest, 0)"


@dataclass(frozen=True, eq=False)
class Lines:
    """Ledger lines by column, in byte order of the key: keys (n, 32), states (n,), payload digests (n,)."""

    keys: Keys
    states: States
    digests: Digests

    def take(self, rows: Rows | NDArray[np.bool_]) -> Lines:
        return Lines(self.keys[rows], self.states[rows], self.digests[rows])


_NONE = Lines(NO_KEYS, np.empty(0, np.uint8), np.empty(0, np.int64))


def stored(connection: Connection, audience: int) -> Lines:
    """Every answered row of the ledger."""
    read = _stored_sqlite if is_sqlite(connection) else _stored_postgresql
    return read(connection, audience)


def _stored_sqlite(connection: Connection, audience: int) -> Lines:
    """Keys alone where nearly every row is accepted and without payload: three times as fast."""
    driver = raw(connection)
    special = _rows_sqlite(
        driver, "audience = ? AND (state <> 1 OR digest IS NOT NULL)", audience, limit=_FEW
    )
    if len(special.keys) == _FEW:
        return _rows_sqlite(driver, "audience = ?", audience, limit=-1)
    keys = _keys_sqlite(driver, audience)
    states = np.full(len(keys), LedgerState.ACCEPTED, dtype=np.uint8)
    digests = np.zeros(len(keys), dtype=np.int64)
    where = places(special.keys, keys)
    states[where], digests[where] = special.states, special.digests
    return Lines(keys, states, digests)


def holds_details(connection: Connection, audience: int) -> bool:
    """Whether any row holds more than its key. At once where one does, else a pass over the rows."""
    found = select(LEDGER.c.state).where(LEDGER.c.audience == audience)
    more = or_(LEDGER.c.account_id.is_not(None), LEDGER.c.payload.is_not(None))
    return connection.execute(found.where(more).limit(1)).first() is not None


def _keys_sqlite(driver: Any, audience: int) -> Keys:
    cursor = driver.execute("SELECT key FROM ledger WHERE audience = ? ORDER BY key", (audience,))
    keys = bytearray()
    while rows := cursor.fetchmany(5_000):  # small lists stay in the processor's cache
        keys += b"".join([row[0] for row in rows])
    return np.frombuffer(keys, dtype=np.uint8).reshape(-1, KEY_BYTES)


def _rows_sqlite(driver: Any, condition: str, audience: int, *, limit: int) -> Lines:
    sql = f"SELECT {_COLUMNS} FROM ledger WHERE {condition} ORDER BY key LIMIT ?"  # noqa: S608
    cursor = driver.execute(sql, (audience, limit))
    parts = []
    while rows := cursor.fetchmany(50_000):
        parts.append(_lines(rows))
    return _joined(parts)


def _stored_postgresql(connection: Connection, audience: int) -> Lines:
    """Columns glued together by the server in 256 groups: a message per group, not per row."""
    sql = """SELECT string_agg(key, ''), string_agg(int2send(state), ''),
                    string_agg(int8send(coalesce(digest, 0)), '')
             FROM ledger WHERE audience = %s GROUP BY get_byte(key, 0) ORDER BY get_byte(key, 0)"""
    parts = []
    with raw(connection).cursor(binary=True) as cursor:
        for keys, states, digests in cursor.stream(sql, (audience,)):
            lines = Lines(
                from_digests(keys),
                np.frombuffer(states, dtype=">i2").astype(np.uint8),
                np.frombuffer(digests, dtype=">i8").astype(np.int64),
            )
            parts.append(lines.take(byte_order(lines.keys)))
    return _joined(parts)


def _lines(rows: Sequence[Sequence[Any]]) -> Lines:
    keys, states, digests = zip(*rows, strict=True) if rows else ((), (), ())
    return Lines(
        from_digests(b"".join(keys)),
        np.array(states, dtype=np.uint8),
        np.array(digests, dtype=np.int64),
    )


def _joined(parts: list[Lines]) -> Lines:
    if len(parts) < 2:
        return parts[0] if parts else _NONE
    n = sum(len(part.keys) for part in parts)
    whole = Lines(np.empty((n, KEY_BYTES), np.uint8), np.empty(n, np.uint8), np.empty(n, np.int64))
    start = 0
    for place, part in enumerate(parts):
        stop = start + len(part.keys)
        whole.keys[start:stop], whole.states[start:stop] = part.keys, part.states
        whole.digests[start:stop] = part.digests
        start, parts[place] = stop, _NONE  # let go of each part as it is copied
    return whole


def rows_with_keys(connection: Connection, columns: str, audience: int, keys: Keys) -> list[Any]:
    """Columns of the ledger rows with these keys, in no order. For sets much smaller than the ledger."""
    found: list[Any] = []
    for start in range(0, len(keys), LOOKUP):
        found += _some_rows(connection, columns, audience, keys[start : start + LOOKUP])
    return found


def _some_rows(connection: Connection, columns: str, audience: int, keys: Keys) -> list[Any]:
    driver = raw(connection)
    if is_sqlite(connection):
        marks = ",".join("?" * len(keys))
        sql = f"SELECT {columns} FROM ledger WHERE audience = ? AND key IN ({marks})"  # noqa: S608
        return list(driver.execute(sql, [audience, *each_key(keys)]))
    with driver.cursor(binary=True) as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # before its first ANALYZE a table looks tiny
        sql = f"SELECT {columns} FROM ledger WHERE audience = %b AND key = ANY(%b)"  # noqa: S608
        return list(cursor.execute(sql, (audience, key_array(cursor, keys))))


def is_empty(connection: Connection, audience: int) -> bool:
    """Whether no row was ever answered."""
    found = connection.execute(select(LEDGER.c.state).where(LEDGER.c.audience == audience).limit(1)).first()
    return found is None


def open_batches(connection: Connection, audience: int) -> list[Row[Any]]:
    """Batches planned or sent and not settled, and those settled that overtook one, in order."""
    mine = BATCH.c.audience == audience
    oldest = select(func.min(BATCH.c.version)).where(mine, BATCH.c.status != "settled").scalar_subquery()
    columns = ("op", "n", "status", "member_keys", "payloads", "account_ids")
    wanted = select(*(BATCH.c[name] for name in columns)).where(mine).order_by(BATCH.c.number)
    overtaking = and_(BATCH.c.version > oldest, BATCH.c.member_keys.is_not(None))
    return list(connection.execute(wanted.where(or_(BATCH.c.status != "settled", overtaking))))


def folded(batches: Sequence[Row[Any]]) -> tuple[Lines, NDArray[np.bool_]]:
    """Keys whose last word is still open, and True where that is an add."""
    keys = from_digests(b"".join(batch.member_keys for batch in batches))
    sizes = [batch.n for batch in batches]
    adds = np.repeat(np.array([batch.op == Op.ADD for batch in batches], dtype=np.bool_), sizes)
    waiting = np.repeat(np.array([batch.status != "settled" for batch in batches], dtype=np.bool_), sizes)
    digests = np.concatenate([payload_digests(unpack(batch.payloads, batch.n)) for batch in batches])
    order = byte_order(keys)
    if repeats(keys[order]).any():  # order equal keys by age, so that the last of each is the last word
        words = np.ascontiguousarray(keys).view(">u8").reshape(-1, 4)
        order = np.lexsort((np.arange(len(keys)), *words.T[::-1]))
    last = np.ones(len(keys), dtype=np.bool_)
    last[:-1] = ~repeats(keys[order])[1:]
    rows = order[last]
    rows = rows[waiting[rows]]
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


def asked_among(connection: Connection, audience: int, keys: Keys, held: Keys) -> NDArray[np.bool_]:
    """(n,) bool: which of ``keys`` are asked for at present, when ``held`` are the stored ones that stay.

    Both in byte order, unique.
    """
    result: NDArray[np.bool_] = places(keys, held) >= 0
    batches = open_batches(connection, audience)
    if batches:
        late, adds = folded(batches)
        where = places(keys, late.keys)
        result[where >= 0] = adds[where[where >= 0]]
    return result
