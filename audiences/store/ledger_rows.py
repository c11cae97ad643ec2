"""Reads whole ledger rows (payload and account beside the key). Takes an open connection; must not write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, select

from audiences.model import MemberTable
from audiences.store.bulk import is_sqlite, raw
from audiences.store.ledger_read import BATCH, LOOKUP
from audiences.store.packing import each_key, keys_from, unpack, unpack_texts

Detail = tuple[bytes, str]  # payload, account id
_COLUMNS = "key, payload, account_id"


def details(connection: Connection, audience: int, keys: NDArray[np.uint8]) -> dict[bytes, Detail]:
    """Payload and account of those ``keys`` the record knows: the newest open batch, else the ledger."""
    wanted = list(each_key(keys))
    found: dict[bytes, Detail] = {}
    for i in range(0, len(wanted), LOOKUP):
        for key, payload, account_id in _some(connection, audience, wanted[i : i + LOOKUP]):
            found[key] = (payload or b"", account_id or "")
    known = set(wanted)
    for key, detail in _open_details(connection, audience):
        if key in known:
            found[key] = detail
    return found


def with_details(connection: Connection, audience: int, members: MemberTable) -> MemberTable:
    """Fill empty payloads and account ids from the record."""
    if all(members.payloads) and all(members.account_ids):
        return members
    found = details(connection, audience, members.keys)
    known = [found.get(key, (b"", "")) for key in each_key(members.keys)]
    return MemberTable(
        keys=members.keys,
        payloads=[have or held for have, (held, _) in zip(members.payloads, known, strict=True)],
        account_ids=[have or held for have, (_, held) in zip(members.account_ids, known, strict=True)],
    )


def rows_by_state(
    connection: Connection, audience: int, states: tuple[int, ...], *, chunk: int = 100_000
) -> Iterator[MemberTable]:
    """Ledger rows in these states, in chunks."""
    codes = ",".join(str(int(state)) for state in states)
    sql = (
        f"SELECT {_COLUMNS} FROM ledger WHERE audience = {int(audience)} AND state IN ({codes}) ORDER BY key"  # noqa: S608
    )
    with connection.execution_options(yield_per=chunk).exec_driver_sql(sql) as result:
        for part in result.partitions(chunk):
            yield table_from([(bytes(row[0]), row[1], row[2]) for row in part])


def table_from(rows: list[tuple[bytes, bytes | None, str | None]]) -> MemberTable:
    """Rows of (key, payload, account id) by column."""
    return MemberTable(
        keys=keys_from(b"".join(row[0] for row in rows)),
        payloads=[bytes(row[1] or b"") for row in rows],
        account_ids=[row[2] or "" for row in rows],
    )


def _some(
    connection: Connection, audience: int, keys: list[bytes]
) -> list[tuple[bytes, bytes | None, str | None]]:
    driver = raw(connection)
    if is_sqlite(connection):
        marks = ",".join("?" * len(keys))
        sql = f"SELECT {_COLUMNS} FROM ledger WHERE audience = ? AND key IN ({marks})"  # noqa: S608
        return list(driver.execute(sql, [audience, *keys]))
    sql = f"SELECT {_COLUMNS} FROM ledger WHERE audience = %s AND key = ANY(%s)"  # noqa: S608
    with driver.cursor(binary=True) as cursor:
        return list(cursor.execute(sql, (audience, keys)))


def _open_details(connection: Connection, audience: int) -> Iterator[tuple[bytes, Detail]]:
    wanted = select(BATCH.c.n, BATCH.c.member_keys, BATCH.c.payloads, BATCH.c.account_ids)
    rows: list[Row[Any]] = list(
        connection.execute(
            wanted.where(
                BATCH.c.audience == audience, BATCH.c.status != "settled", BATCH.c.op == "add"
            ).order_by(BATCH.c.number)
        )
    )
    for row in rows:
        payloads, accounts = unpack(row.payloads, row.n), unpack_texts(row.account_ids, row.n)
        for key, payload, account in zip(
            each_key(keys_from(row.member_keys)), payloads, accounts, strict=True
        ):
            yield key, (payload, account)
