"""The ledger of each list: what was asked, what is confirmed, what it was at a version. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, func, select

from audiences.membership_keys import Keys, byte_order, contained, from_digests
from audiences.model import MemberTable, Op
from audiences.store.errors import NotFound
from audiences.store.ledger_read import BATCH, LEDGER, asked
from audiences.store.ledger_rows import details, rows_by_state, with_details
from audiences.store.lists import need_audience
from audiences.store.packing import each_key, unpack, unpack_texts
from audiences.store.part import Part
from audiences.store.records import LedgerCounts, LedgerState, LedgerView


class Ledgers(Part):
    def ledger_keys(self, audience_id: str) -> LedgerView:
        """What a list has been asked to hold, and its version: the base of the next delta. One snapshot."""
        with self._db.read() as connection:
            audience = need_audience(connection, audience_id)
            lines = asked(connection, audience.number)
            version = audience.ledger_version
        return LedgerView(audience_id, version, lines.keys, lines.states, lines.digests)

    def ledger_members(self, audience_id: str, keys: Keys) -> MemberTable:
        """What was last sent for these members: payload and account, empty where unknown. Same order."""
        with self._db.read() as connection:
            number = need_audience(connection, audience_id).number
            bare = MemberTable(keys, [b""] * len(keys), [""] * len(keys))
            return with_details(connection, number, bare)

    def ledger_counts(self, audience_id: str) -> LedgerCounts:
        with self._db.read() as connection:
            number = need_audience(connection, audience_id).number
            by_state = dict(
                connection.execute(
                    select(LEDGER.c.state, func.count())
                    .where(LEDGER.c.audience == number)
                    .group_by(LEDGER.c.state)
                )
                .tuples()
                .all()
            )
            pending = dict(
                connection.execute(
                    select(BATCH.c.op, func.sum(BATCH.c.n))
                    .where(BATCH.c.audience == number, BATCH.c.status != "settled")
                    .group_by(BATCH.c.op)
                )
                .tuples()
                .all()
            )
        return LedgerCounts(
            accepted=by_state.get(LedgerState.ACCEPTED, 0),
            unknown=by_state.get(LedgerState.UNKNOWN, 0),
            rejected=by_state.get(LedgerState.REJECTED, 0),
            leaving=by_state.get(LedgerState.LEAVING, 0),
            pending_adds=int(pending.get("add", 0)),
            pending_removes=int(pending.get("remove", 0)),
        )

    def confirmed(self, audience_id: str, *, chunk: int = 100_000) -> Iterator[MemberTable]:
        """The members a platform accepted, in byte order of the key, in chunks."""
        with self._db.read() as connection:
            number = need_audience(connection, audience_id).number
            yield from rows_by_state(connection, number, (LedgerState.ACCEPTED,), chunk=chunk)

    def ledger_at(self, audience_id: str, version: int) -> MemberTable:
        """What a list had been asked to hold at an earlier version, to compute the delta that restores it.

        Walks back from today, undoing every later batch. Raises ``NotFound`` for a version that never was, or
        one that retention has cut off. Identifiers are the newest known of each member.
        """
        with self._db.read() as connection:
            audience = need_audience(connection, audience_id)
            if not 0 <= version <= audience.ledger_version:
                raise NotFound(f"{audience_id} has versions 0 to {audience.ledger_version}, not {version}.")
            keys = asked(connection, audience.number).keys
            return _restored(connection, audience, keys, version)

    def ledger_versions(self, audience_id: str) -> tuple[tuple[int, datetime, int, int], ...]:
        """(version, recorded at, adds, removes) of every recorded delta, oldest first."""
        with self._db.read() as connection:
            number = need_audience(connection, audience_id).number
            rows = connection.execute(
                select(
                    BATCH.c.version, BATCH.c.op, func.min(BATCH.c.created_at).label("at"), func.sum(BATCH.c.n)
                )
                .where(BATCH.c.audience == number, BATCH.c.changes)
                .group_by(BATCH.c.version, BATCH.c.op)
            ).all()
        versions: dict[int, list[Any]] = {}
        for version, op, at, n in rows:
            line = versions.setdefault(version, [at, 0, 0])
            line[0] = min(line[0], at)
            line[1 if op == Op.ADD else 2] += int(n)
        return tuple(
            (version, at, adds, removes) for version, (at, adds, removes) in sorted(versions.items())
        )


def _restored(connection: Connection, audience: Row[Any], keys: Keys, version: int) -> MemberTable:
    later = connection.execute(
        select(BATCH)
        .where(BATCH.c.audience == audience.number, BATCH.c.version > version, BATCH.c.changes)
        .order_by(BATCH.c.number.desc())
    ).all()
    if version < audience.oldest_version:
        raise NotFound(f"Version {version} of {audience.audience_id} is older than what is kept.")
    now = keys
    known: dict[bytes, tuple[bytes, str]] = {}
    for batch in later:
        now = _undone(now, from_digests(batch.member_keys), Op(batch.op))
        if batch.op == Op.REMOVE:
            loads, accounts = unpack(batch.payloads, batch.n), unpack_texts(batch.account_ids, batch.n)
            for key, load, account in zip(
                each_key(from_digests(batch.member_keys)), loads, accounts, strict=True
            ):
                known.setdefault(key, (load, account))
    known |= details(connection, audience.number, now)
    rows = [known.get(key, (b"", "")) for key in each_key(now)]
    return MemberTable(now, [load for load, _ in rows], [account for _, account in rows])


def _undone(now: Keys, keys: Keys, op: Op) -> Keys:
    """Keys as they were before a batch of ``op``."""
    if op is Op.REMOVE:
        both = np.concatenate([now, keys])
        return both[byte_order(both)]
    return now[~contained(now, keys)]
