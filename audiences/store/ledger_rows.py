"""Reads whole ledger rows (payload and account beside the key). Takes an open connection; must not write."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection

from audiences.membership_keys import Keys, from_digests
from audiences.model import MemberTable, Op
from audiences.store.ledger_read import LOOKUP, open_batches, rows_with_keys
from audiences.store.packing import each_key, unpack, unpack_texts

Detail = tuple[bytes, str]  # payload, account id
_COLUMNS = "key, payload, account_id"


def details(connection: Connection, audience: int, keys: Keys) -> dict[bytes, Detail]:
    """Payload and account of those ``keys`` the record knows: the newest open batch, else the ledger."""
    wanted = each_key(keys)
    found: dict[bytes, Detail] = {}
    for i in range(0, len(wanted), LOOKUP):
        for key, payload, account_id in rows_with_keys(
            connection, _COLUMNS, audience, wanted[i : i + LOOKUP]
        ):
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
        keys=from_digests(b"".join(row[0] for row in rows)),
        payloads=[bytes(row[1] or b"") for row in rows],
        account_ids=[row[2] or "" for row in rows],
    )


def _open_details(connection: Connection, audience: int) -> Iterator[tuple[bytes, Detail]]:
    for row in open_batches(connection, audience):
        if row.op != Op.ADD:
            continue
        payloads, accounts = unpack(row.payloads, row.n), unpack_texts(row.account_ids, row.n)
        for key, payload, account in zip(
            each_key(from_digests(row.member_keys)), payloads, accounts, strict=True
        ):
            yield key, (payload, account)
