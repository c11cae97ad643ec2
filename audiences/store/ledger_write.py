"""Writes many ledger rows of one audience, state and batch at the speed of the database's own bulk path.

Takes a connection that is already open; must not decide which state that is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import psycopg
from sqlalchemy import Connection

from audiences.membership_keys import payload_digests
from audiences.model import MemberTable
from audiences.store.bulk import is_sqlite, key_array, raw
from audiences.store.packing import KEY_BYTES, each_key

COLUMNS = ("audience", "key", "state", "batch", "account_id", "digest", "payload")
_NAMES = ", ".join(COLUMNS)
_NULL = struct.pack(">i", -1)
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_END = struct.pack(">h", -1)


def put_rows(
    connection: Connection, members: MemberTable, *, audience: int, state: int, batch: int, on_conflict: str
) -> None:
    """Insert the members in ``state``, or do what ``on_conflict`` says (the text after ON CONFLICT)."""
    if is_sqlite(connection):
        _put_sqlite(connection, members, (audience, state, batch), on_conflict)
        return
    rows = _copy_bytes(members, audience, state, batch)
    if not _copied_as_new(connection, rows):
        _merge(connection, rows, on_conflict)


def drop_rows(connection: Connection, members: MemberTable, *, audience: int) -> None:
    """Delete the members: a statement per key on SQLite (sorted keys walk the tree once), else one."""
    if is_sqlite(connection):
        sql = f"DELETE FROM ledger WHERE audience = {int(audience)} AND key = ?"  # noqa: S608
        raw(connection).executemany(sql, zip(each_key(members.keys), strict=True))
        return
    with raw(connection).cursor() as cursor:
        sql = "DELETE FROM ledger WHERE audience = %b AND key = ANY(%b)"
        cursor.execute(sql, (audience, key_array(cursor, members.keys)))


def _put_sqlite(
    connection: Connection, members: MemberTable, constants: tuple[int, int, int], on_conflict: str
) -> None:
    """Bind only what differs from row to row; the rest stands in the statement."""
    bound: dict[str, Sequence[Any]] = {"key": list(each_key(members.keys))}
    if any(members.account_ids):
        bound["account_id"] = [name or None for name in members.account_ids]
    if any(members.payloads):
        bound["digest"] = [digest or None for digest in payload_digests(members.payloads).tolist()]
        bound["payload"] = [payload or None for payload in members.payloads]
    audience, state, batch = (str(int(number)) for number in constants)
    fixed = {"audience": audience, "state": state, "batch": batch}
    values = ", ".join("?" if name in bound else fixed.get(name, "NULL") for name in COLUMNS)
    sql = f"INSERT INTO ledger ({_NAMES}) VALUES ({values}) ON CONFLICT {on_conflict}"  # noqa: S608
    raw(connection).executemany(sql, zip(*(bound[name] for name in COLUMNS if name in bound), strict=True))


def _copied_as_new(connection: Connection, rows: Callable[[], bytes]) -> bool:
    """A plain COPY, twice as fast as a merge; False (and nothing done) when a row exists already."""
    savepoint = connection.begin_nested()
    try:
        _copy(connection, "ledger", rows())
    except psycopg.errors.UniqueViolation:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


def _merge(connection: Connection, rows: Callable[[], bytes], on_conflict: str) -> None:
    connection.exec_driver_sql("DROP TABLE IF EXISTS pg_temp.stage_ledger")
    connection.exec_driver_sql(
        f"CREATE TEMP TABLE stage_ledger ON COMMIT DROP AS SELECT {_NAMES} FROM ledger WITH NO DATA"  # noqa: S608
    )
    _copy(connection, "stage_ledger", rows())
    connection.exec_driver_sql(
        f"INSERT INTO ledger ({_NAMES}) SELECT {_NAMES} FROM stage_ledger ON CONFLICT {on_conflict}"  # noqa: S608
    )


def _copy(connection: Connection, into: str, rows: bytes) -> None:
    with (
        raw(connection).cursor() as cursor,
        cursor.copy(f"COPY {into} ({_NAMES}) FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.write(rows)


def _copy_bytes(members: MemberTable, audience: int, state: int, batch: int) -> Callable[[], bytes]:
    """Rows in PostgreSQL's binary COPY format (manual, COPY, "Binary Format"), made when asked."""
    before = struct.pack(">hiii", len(COLUMNS), 4, audience, KEY_BYTES)
    after = struct.pack(">ihii", 2, state, 4, batch)
    if any(members.account_ids) or any(members.payloads):
        return lambda: _SIGNATURE + b"".join(_pieces(members, before, after)) + _END
    return lambda: _SIGNATURE + _same_width(members, before, after + 3 * _NULL) + _END


def _same_width(members: MemberTable, before: bytes, after: bytes) -> bytes:
    """Rows that differ in nothing but the key."""
    start, stop = len(before), len(before) + KEY_BYTES
    rows = np.empty((len(members), stop + len(after)), dtype=np.uint8)
    rows[:, :start] = np.frombuffer(before, dtype=np.uint8)
    rows[:, start:stop] = members.keys
    rows[:, stop:] = np.frombuffer(after, dtype=np.uint8)
    return rows.tobytes()


def _pieces(members: MemberTable, before: bytes, after: bytes) -> Iterator[bytes]:
    digests = payload_digests(members.payloads).tolist()
    columns = (each_key(members.keys), members.account_ids, digests, members.payloads)
    length = struct.Struct(">i").pack
    number = struct.Struct(">iq").pack
    for key, account_id, digest, payload in zip(*columns, strict=True):
        text = account_id.encode()
        yield before + key + after
        yield length(len(text)) + text if text else _NULL
        yield number(8, digest) + length(len(payload)) + payload if payload else _NULL + _NULL
