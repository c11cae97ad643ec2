"""The ledger of each list: what was asked, what is confirmed, what it was at a version. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, func, select

from audiences.membership_keys import Keys, byte_order, contained, from_digests
from audiences.model import MemberTable, Op
from audiences.store.errors import NotFound
from audiences.store.ledger_read import BATCH, LEDGER, asked, holds_details, open_batches
from audiences.store.ledger_rows import details, filled, rows_by_state
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
            more = bool(open_batches(connection, audience.number)) or holds_details(
                connection, audience.number
            )
        return LedgerView(
            audience_id, audience.ledger_version, lines.keys, lines.states, lines.digests, details=more
        )

    def ledger_members(self, audience_id: str, keys: Keys) -> MemberTable:
        """What was last sent for these members: payload and account, empty where unknown. Same order."""
        with self._db.read() as connection:
            number = need_audience(connection, audience_id).number
            bare = MemberTable(keys, [b""] * len(keys), [""] * len(keys))
            return filled(bare, details(connection, number, keys))

    def ledger_counts(self, audience_id: str) -> LedgerCounts:
        with self._db.read() as connection:
            number = need_audience(connection, audience_id).number
            return counts_of(connection, number)[number]

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
    known: dict[bytes, tuple[str, bytes]] = {}
    for batch in later:
        now = _undone(now, from_digests(batch.member_keys), Op(batch.op))
        if batch.op == Op.REMOVE:
            loads, accounts = unpack(batch.payloads, batch.n), unpack_texts(batch.account_ids, batch.n)
            for key, load, account in zip(
                each_key(from_digests(batch.member_keys)), loads, accounts, strict=True
            ):
                known.setdefault(key, (account, load))
    known |= details(connection, audience.number, now)
    now = now[now.any(axis=1)]  # a scrubbed member is all zeros
    return filled(MemberTable(now, [b""] * len(now), [""] * len(now)), known)


def counts_of(connection: Connection, audience: int | None = None) -> dict[int, LedgerCounts]:
    """Counts of one audience or all, by number; zeros for one that has nothing."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    stored = select(LEDGER.c.audience, LEDGER.c.state, func.count()).group_by(
        LEDGER.c.audience, LEDGER.c.state
    )
    waiting = (
        select(BATCH.c.audience, BATCH.c.op, func.sum(BATCH.c.n))
        .where(BATCH.c.status != "settled")
        .group_by(BATCH.c.audience, BATCH.c.op)
    )
    if audience is not None:
        found[audience] = {}
        stored, waiting = (
            stored.where(LEDGER.c.audience == audience),
            waiting.where(BATCH.c.audience == audience),
        )
    for number, state, count in connection.execute(stored):
        found[number][LedgerState(state).name.lower()] = count
    for number, op, count in connection.execute(waiting):
        found[number][f"pending_{op}s"] = int(count)
    return {number: LedgerCounts(**counts) for number, counts in found.items()}


def _undone(now: Keys, keys: Keys, op: Op) -> Keys:
    """Keys as they were before a batch of ``op``."""
    if op is Op.REMOVE:
        both = np.concatenate([now, keys])
        return both[byte_order(both)]
    return now[~contained(now, keys)]
