"""Reads whole ledger rows (payload and account beside the key). Takes an open connection; must not write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from audiences.membership_keys import Keys, byte_order, from_digests
from audiences.model import MemberTable, Op
from audiences.store.ledger_read import open_batches, rows_with_keys
from audiences.store.packing import each_key, unpack, unpack_texts
from audiences.store.records import LedgerState

Detail = tuple[str, bytes]  # account id, payload
_COLUMNS = "key, account_id, payload"


def details(connection: Connection, audience: int, keys: Keys) -> dict[bytes, Detail]:
    """Payload and account of those ``keys`` the record knows: the newest open batch, else the ledger."""
    rows = rows_with_keys(connection, _COLUMNS, audience, keys)
    return {bytes(row[0]): _detail(row) for row in rows} | _open_details(connection, audience, keys)


def filled(members: MemberTable, known: Mapping[bytes, Detail]) -> MemberTable:
    """The members with empty payloads and account ids taken from ``known``."""
    if all(members.payloads) and all(members.account_ids):
        return members
    found = [known.get(key, ("", b"")) for key in each_key(members.keys)]
    return MemberTable(
        keys=members.keys,
        payloads=[have or held for have, (_, held) in zip(members.payloads, found, strict=True)],
        account_ids=[have or held for have, (held, _) in zip(members.account_ids, found, strict=True)],
    )


def held_and_filled(connection: Connection, audience: int, members: MemberTable) -> tuple[Keys, MemberTable]:
    """Which of these members are stored and not leaving, in byte order; and the members, filled."""
    rows = rows_with_keys(connection, f"{_COLUMNS}, state", audience, members.keys)
    known = {bytes(row[0]): _detail(row) for row in rows} | _open_details(connection, audience, members.keys)
    held = from_digests(b"".join(row[0] for row in rows if row[3] != LedgerState.LEAVING))
    return held[byte_order(held)], filled(members, known)


def held_among(connection: Connection, audience: int, keys: Keys) -> Keys:
    """Which of ``keys`` are stored and not leaving, in byte order."""
    rows = rows_with_keys(connection, "key, state", audience, keys)
    held = from_digests(b"".join(row[0] for row in rows if row[1] != LedgerState.LEAVING))
    return held[byte_order(held)]


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
            yield table_from(part)


def table_from(rows: Sequence[Sequence[Any]]) -> MemberTable:
    """Rows of (key, account id, payload) by column."""
    return MemberTable(
        keys=from_digests(b"".join(row[0] for row in rows)),
        payloads=[bytes(row[2] or b"") for row in rows],
        account_ids=[row[1] or "" for row in rows],
    )


def _detail(row: Sequence[Any]) -> Detail:
    return (row[1] or "", bytes(row[2] or b""))


def _open_details(connection: Connection, audience: int, keys: Keys) -> dict[bytes, Detail]:
    found: dict[bytes, Detail] = {}
    wanted: set[bytes] = set()
    for batch in open_batches(connection, audience):
        if batch.op != Op.ADD:
            continue
        wanted = wanted or set(each_key(keys))
        accounts, payloads = unpack_texts(batch.account_ids, batch.n), unpack(batch.payloads, batch.n)
        sent = zip(each_key(from_digests(batch.member_keys)), accounts, payloads, strict=True)
        found.update({key: (account, payload) for key, account, payload in sent if key in wanted})
    return found
