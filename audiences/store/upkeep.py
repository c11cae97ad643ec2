"""Keeps the record healthy for years: retention, members to send again, the overview. Audit lines stay."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Connection, delete, func, select, update

from audiences.membership_keys import contained
from audiences.model import MemberTable, Op
from audiences.store.accounts import IMPORT
from audiences.store.batches import BATCH, plan_batches
from audiences.store.dead_letters import DEAD
from audiences.store.impressions import IMPRESSION, TOTAL, WINDOW
from audiences.store.leases import LEASE, QUOTA
from audiences.store.ledger import counts_of
from audiences.store.ledger_read import LEDGER, folded, open_batches
from audiences.store.ledger_rows import table_from
from audiences.store.lists import AUDIENCE, need_audience, record_of
from audiences.store.packing import chosen
from audiences.store.part import Part
from audiences.store.plans import PLAN
from audiences.store.records import LedgerCounts, LedgerState, Overview
from audiences.store.segments import VERSION
from audiences.store.settings import ONE_OFF


class Upkeep(Part):
    def prune(self, before: datetime, *, impressions_before: date | None = None) -> dict[str, int]:
        """Drop what is older than ``before`` and no longer needed. Returns rows per kind.

        Batches go once they and everything older are settled (``ledger_at`` reaches back to there), as do the
        account ids of superseded segment versions, inputs of ended plans, notes on imports and quota windows.
        Reports go when ``impressions_before`` is given. The ledger, the audit log and the plans stay.
        """
        with self._db.write() as connection:
            counts = {
                "batches": _prune_batches(connection, before),
                "segment_versions": _prune_segments(connection, before),
                "plan_inputs": _prune_plans(connection, before),
                "imports": _prune_imports(connection, before),
                "quotas": connection.execute(
                    delete(QUOTA).where(QUOTA.c.window < before.date().isoformat())
                ).rowcount,
            }
            if impressions_before is not None:
                counts["report_rows"] = sum(
                    connection.execute(delete(table).where(table.c.last < impressions_before)).rowcount
                    for table in (IMPRESSION, TOTAL, WINDOW)
                )
        return counts

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


def _prune_batches(connection: Connection, before: datetime) -> int:
    """Per list, everything up to the last version whose batches, and all before, were settled by then."""
    gone = 0
    for audience in connection.execute(select(AUDIENCE).with_for_update()).all():
        mine = BATCH.c.audience == audience.number
        young = (BATCH.c.status != "settled") | (BATCH.c.settled_at >= before)
        first_kept = connection.execute(select(func.min(BATCH.c.version)).where(mine, young)).scalar_one()
        last = audience.ledger_version if first_kept is None else first_kept - 1
        if last <= audience.oldest_version:
            continue
        gone += connection.execute(delete(BATCH).where(mine, BATCH.c.version <= last)).rowcount
        connection.execute(
            update(AUDIENCE).where(AUDIENCE.c.number == audience.number).values(oldest_version=last)
        )
    return gone


def _prune_segments(connection: Connection, before: datetime) -> int:
    newest = select(func.max(VERSION.c.number)).group_by(VERSION.c.segment)
    old = (VERSION.c.at < before, VERSION.c.number.not_in(newest), VERSION.c.account_ids.is_not(None))
    return connection.execute(update(VERSION).where(*old).values(account_ids=None, holdout_ids=None)).rowcount


def _prune_plans(connection: Connection, before: datetime) -> int:
    newest = select(func.max(PLAN.c.number)).group_by(PLAN.c.segment)
    ended = PLAN.c.status.in_(("applied", "refused", "lapsed"))
    old = (PLAN.c.created_at < before, ended, PLAN.c.number.not_in(newest), PLAN.c.inputs.is_not(None))
    return connection.execute(update(PLAN).where(*old).values(inputs=None, memory=None)).rowcount


def _prune_imports(connection: Connection, before: datetime) -> int:
    newest = select(func.max(IMPORT.c.number)).group_by(IMPORT.c.what)
    return connection.execute(
        delete(IMPORT).where(IMPORT.c.at < before, IMPORT.c.number.not_in(newest))
    ).rowcount
