"""Reads the ledger of one audience fast: stored answers, with what is still open laid over them.

Takes a connection that is already open; must not write and must not decide.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, select

from audiences.model import Op
from audiences.store.bulk import is_sqlite, raw
from audiences.store.database import table_of
from audiences.store.packing import KEY_BYTES, contained, each_key, keys_from, sortable
from audiences.store.records import LedgerState
from audiences.tables import LedgerRow, PushBatchRow

BATCH = table_of(PushBatchRow)
LEDGER = table_of(LedgerRow)
LOOKUP = 20_000  # below SQLite's limit of 32,766 parameters
Keys = NDArray[np.uint8]
States = NDArray[np.uint8]

# one record of PostgreSQL's binary COPY: field count, then length and bytes of key and of state
_PG_RECORD = np.dtype(
    [("n", ">i2"), ("lk", ">i4"), ("key", "u1", (KEY_BYTES,)), ("ls", ">i4"), ("state", ">i2")]
)
_PG_HEADER = 19  # signature 11, flags 4, extension length 4


def stored(connection: Connection, audience: int) -> tuple[Keys, States]:
    """Every answered row of the ledger, in byte order of the key."""
    if is_sqlite(connection):
        return _stored_sqlite(connection, audience)
    return _stored_postgresql(connection, audience)


def _stored_sqlite(connection: Connection, audience: int) -> tuple[Keys, States]:
    cursor = raw(connection).execute(
        "SELECT key, state FROM ledger WHERE audience = ? ORDER BY key", (audience,)
    )
    keys, states = bytearray(), bytearray()
    while rows := cursor.fetchmany(200_000):
        found, codes = zip(*rows, strict=True)
        keys += b"".join(found)
        states += bytes(codes)
    return keys_from(bytes(keys)), np.frombuffer(bytes(states), dtype=np.uint8)


def _stored_postgresql(connection: Connection, audience: int) -> tuple[Keys, States]:
    buffer = bytearray()
    with raw(connection).cursor() as cursor:
        query = f"SELECT key, state FROM ledger WHERE audience = {int(audience)}"  # noqa: S608
        with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy:
            for data in copy:
                buffer += data
    records = np.frombuffer(bytes(buffer[_PG_HEADER:-2]), dtype=_PG_RECORD)
    keys, states = np.ascontiguousarray(records["key"]), records["state"].astype(np.uint8)
    order = np.argsort(sortable(keys), kind="stable")
    return keys[order], states[order]


def lookup(connection: Connection, audience: int, keys: Keys) -> tuple[Keys, States]:
    """The answered rows among ``keys`` (unique), sorted. For sets much smaller than the ledger."""
    found: list[tuple[bytes, int]] = []
    wanted = list(each_key(keys))
    for i in range(0, len(wanted), LOOKUP):
        found += _lookup_some(connection, audience, wanted[i : i + LOOKUP])
    found.sort()
    return (
        keys_from(b"".join(key for key, _ in found)),
        np.fromiter((state for _, state in found), dtype=np.uint8, count=len(found)),
    )


def _lookup_some(connection: Connection, audience: int, keys: list[bytes]) -> list[tuple[bytes, int]]:
    driver = raw(connection)
    if is_sqlite(connection):
        marks = ",".join("?" * len(keys))
        sql = f"SELECT key, state FROM ledger WHERE audience = ? AND key IN ({marks})"  # noqa: S608
        return list(driver.execute(sql, [audience, *keys]))
    sql = "SELECT key, state FROM ledger WHERE audience = %s AND key = ANY(%s)"
    with driver.cursor(binary=True) as cursor:
        return list(cursor.execute(sql, (audience, keys)))


def is_empty(connection: Connection, audience: int) -> bool:
    """Whether no row was ever answered."""
    found = connection.execute(select(LEDGER.c.state).where(LEDGER.c.audience == audience).limit(1)).first()
    return found is None


def open_batches(connection: Connection, audience: int) -> list[Row[Any]]:
    """Batches planned or sent and not settled, in order: op, keys."""
    wanted = select(BATCH.c.number, BATCH.c.op, BATCH.c.member_keys)
    return list(
        connection.execute(
            wanted.where(BATCH.c.audience == audience, BATCH.c.status != "settled").order_by(BATCH.c.number)
        )
    )


def folded(batches: list[Row[Any]]) -> tuple[Keys, NDArray[np.bool_]]:
    """The last word on every key of these batches: sorted keys, and True where it is an add."""
    keys = keys_from(b"".join(batch.member_keys for batch in batches))
    adds = np.repeat(
        np.array([batch.op == Op.ADD for batch in batches], dtype=np.bool_),
        [len(batch.member_keys) // KEY_BYTES for batch in batches],
    )
    order = np.argsort(sortable(keys), kind="stable")
    keys, adds = keys[order], adds[order]
    last = np.ones(len(keys), dtype=np.bool_)
    last[:-1] = (keys[1:] != keys[:-1]).any(axis=1)
    return keys[last], adds[last]


def asked(connection: Connection, audience: int) -> tuple[Keys, States]:
    """What the platform has been asked to hold: stored answers overlaid with open batches."""
    keys, states = stored(connection, audience)
    batches = open_batches(connection, audience)
    if batches:
        keys, states = _overlay(keys, states, *folded(batches))
    stays = states != LedgerState.LEAVING
    return (keys, states) if bool(stays.all()) else (keys[stays], states[stays])


def _overlay(keys: Keys, states: States, late: Keys, adds: NDArray[np.bool_]) -> tuple[Keys, States]:
    """Later words win: adds are PENDING, removes are gone."""
    kept = ~contained(keys, late)
    keys, states = keys[kept], states[kept]
    coming = late[adds]
    where = (
        np.searchsorted(sortable(keys), sortable(coming)) if len(keys) else np.zeros(len(coming), np.int64)
    )
    return np.insert(keys, where, coming, axis=0), np.insert(states, where, np.uint8(LedgerState.PENDING))


def asked_among(connection: Connection, audience: int, keys: Keys) -> NDArray[np.bool_]:
    """(n,) bool: which of ``keys`` (sorted, unique) are asked for now."""
    result = np.zeros(len(keys), dtype=np.bool_)
    if not is_empty(connection, audience):
        known, states = lookup(connection, audience, keys)
        result = contained(keys, known[states != LedgerState.LEAVING])
    batches = open_batches(connection, audience)
    if batches:
        late, adds = folded(batches)
        result &= ~contained(keys, late[~adds])
        result |= contained(keys, late[adds])
    return result
