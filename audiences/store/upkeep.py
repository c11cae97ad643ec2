"""Keeps lists healthy for years: members to send again, the overview. Drops nothing (``retention`` does)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from audiences.membership_keys import contained
from audiences.model import MemberTable, Op
from audiences.store.batches import BATCH, plan_batches
from audiences.store.dead_letters import DEAD
from audiences.store.leases import LEASE
from audiences.store.ledger import counts_of
from audiences.store.ledger_read import LEDGER, folded, open_batches
from audiences.store.ledger_rows import table_from
from audiences.store.lists import AUDIENCE, need_audience, record_of
from audiences.store.packing import chosen
from audiences.store.part import Part
from audiences.store.records import LedgerCounts, LedgerState, Overview
from audiences.store.settings import ONE_OFF


class Upkeep(Part):
    def plan_refresh(
        self,
        audience_id: str,
        *,
        accepted_before: datetime,
        batch_size: int,
        at: datetime,
        limit: int = 1_000_000,
    ) -> tuple[str, ...]:
        """Plan to send accepted members again before a platform lets them lapse; the list stays as it is.

        Takes members whose last accepted batch was settled before ``accepted_before``, unless under way.
        """
        with self._db.write() as connection:
            audience = need_audience(connection, audience_id, lock=True)
            members = _due(connection, audience.number, accepted_before, limit)
            ids = plan_batches(
                connection,
                audience,
                members,
                op=Op.ADD,
                version=audience.ledger_version,
                changes=False,
                purpose=f"refresh {at.isoformat()}",
                batch_size=batch_size,
                at=at,
            )
        return tuple(ids)

    def overview(self) -> tuple[Overview, ...]:
        """Every list with its counts, by id."""
        with self._db.read() as connection:
            rows = sorted(connection.execute(select(AUDIENCE)), key=lambda row: row.audience_id)
            counts = counts_of(connection)
            dead = {
                row.audience: row
                for row in connection.execute(
                    select(
                        DEAD.c.audience, func.count().label("n"), func.count(DEAD.c.next_try).label("due")
                    ).group_by(DEAD.c.audience)
                )
            }
            leases = {
                row.name: row.holder for row in connection.execute(select(LEASE.c.name, LEASE.c.holder))
            }
            ends = {
                row.audience_id: row.ends_on
                for row in connection.execute(select(ONE_OFF.c.audience_id, ONE_OFF.c.ends_on))
            }
        return tuple(
            Overview(
                audience=record_of(row),
                counts=counts.get(row.number, LedgerCounts()),
                dead_letters=dead[row.number].n if row.number in dead else 0,
                parked=dead[row.number].n - dead[row.number].due if row.number in dead else 0,
                leased_to=leases.get(row.audience_id),
                ends_on=ends.get(row.audience_id),
            )
            for row in rows
        )


def _due(connection: Connection, audience: int, accepted_before: datetime, limit: int) -> MemberTable:
    recent = select(BATCH.c.number).where(BATCH.c.audience == audience, BATCH.c.settled_at >= accepted_before)
    members = table_from(
        connection.execute(
            select(LEDGER.c.key, LEDGER.c.account_id, LEDGER.c.payload)
            .where(LEDGER.c.audience == audience, LEDGER.c.state == int(LedgerState.ACCEPTED))
            .where(LEDGER.c.batch.not_in(recent))
            .order_by(LEDGER.c.key)
            .limit(limit)
        ).all()
    )
    waiting = open_batches(connection, audience)
    if not waiting:
        return members
    return chosen(members, ~contained(members.keys, folded(waiting)[0].keys))
