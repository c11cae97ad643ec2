"""Drops what is older than a workspace keeps, so that the record does not grow for ever.

Never what is still in force: the ledger, open batches and plans, the last word
about each list, segment and account. Audit lines go by ``trim_audit``, on record.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Connection, Select, delete, func, select, update

from audiences.store.accounts import ACCOUNT, IMPORT
from audiences.store.batches import BATCH
from audiences.store.impressions import IMPRESSION, TOTAL, WINDOW
from audiences.store.leases import QUOTA
from audiences.store.lists import AUDIENCE, STATUS
from audiences.store.part import Part
from audiences.store.plans import MOVE, PLAN
from audiences.store.records import PlanStatus
from audiences.store.segments import VERSION

OPEN = (str(PlanStatus.PROPOSED), str(PlanStatus.APPROVED))


class Retention(Part):
    def prune(self, before: datetime, *, history_before: date | None = None) -> dict[str, int]:
        """Drop what is older than ``before`` and no longer needed. Returns rows per kind.

        Batches go once they and everything older are settled (``ledger_at`` reaches back to there), as do the
        account ids of superseded segment versions, inputs of plans, notes on imports and quota windows.

        With ``history_before`` (UTC midnight of a day) also what tells of days before it: reports, changes of a
        list's status, sizes of segments, and plans. Of each list and segment the newest stays; of plans whatever
        is open or in force, and those that say why an account of today stands where it does.
        """
        with self._db.read() as connection:  # beforehand: while it reads every move nobody need wait to write
            plans = [] if history_before is None else _plans_done_with(connection, history_before)
        with self._db.write() as connection:
            counts = {
                "batches": _prune_batches(connection, before),
                "segment_versions": _prune_segments(connection, before),
                "plan_inputs": _prune_plan_inputs(connection, before),
                "imports": _prune_imports(connection, before),
                "quotas": connection.execute(
                    delete(QUOTA).where(QUOTA.c.window < before.date().isoformat())
                ).rowcount,
            }
            if history_before is not None:
                counts |= _prune_history(connection, history_before, plans)
        return counts


def _prune_history(connection: Connection, day: date, plans: Sequence[int]) -> dict[str, int]:
    midnight = datetime.combine(day, time(), UTC)
    return {
        "report_rows": sum(
            connection.execute(delete(table).where(table.c.last < day)).rowcount
            for table in (IMPRESSION, TOTAL, WINDOW)
        ),
        "plans": sum(
            connection.execute(delete(PLAN).where(PLAN.c.number.in_(some), *_not_needed())).rowcount
            for some in (plans[i : i + 10_000] for i in range(0, len(plans), 10_000))
        ),  # their moves go with them
        "statuses": _all_but_newest(connection, STATUS, STATUS.c.at < midnight, STATUS.c.audience),
        "segment_sizes": _all_but_newest(connection, VERSION, VERSION.c.at < midnight, VERSION.c.segment),
    }


def _all_but_newest(connection: Connection, table: Any, old: Any, subject: Any) -> int:
    newest = select(func.max(table.c.number)).group_by(subject)
    return connection.execute(delete(table).where(old, table.c.number.not_in(newest))).rowcount


def _prune_batches(connection: Connection, before: datetime) -> int:
    """Per list, everything up to the last version whose batches, and all before, were settled by then.

    Of later versions what was only sent again: a list that never changes is sent again for years.
    """
    gone = 0
    for audience in connection.execute(select(AUDIENCE).with_for_update()).all():
        mine = BATCH.c.audience == audience.number
        unsettled = select(func.min(BATCH.c.number)).where(mine, BATCH.c.status != "settled")
        first_open = connection.execute(unsettled).scalar_one()
        again = [mine, BATCH.c.changes.is_(False), BATCH.c.status == "settled", BATCH.c.settled_at < before]
        if first_open is not None:  # its answer is held against those of later batches
            again.append(BATCH.c.number < first_open)
        gone += connection.execute(delete(BATCH).where(*again)).rowcount
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


def _prune_plan_inputs(connection: Connection, before: datetime) -> int:
    old = (PLAN.c.created_at < before, PLAN.c.inputs.is_not(None), *_not_needed())
    return connection.execute(update(PLAN).where(*old).values(inputs=None, memory=None)).rowcount


def _plans_done_with(connection: Connection, day: date) -> list[int]:
    """Plans of before a day that are neither needed nor the last to move any account.

    No plan carried out meanwhile makes an earlier one the last again.
    """
    last_moves = (
        select(func.max(MOVE.c.plan))
        .join(PLAN, PLAN.c.number == MOVE.c.plan)
        .where(PLAN.c.status == str(PlanStatus.APPLIED))
        .where(MOVE.c.account_id.in_(select(ACCOUNT.c.account_id)))
        .group_by(PLAN.c.segment, MOVE.c.account_id)
    )
    old = (PLAN.c.day < day, *_not_needed(), PLAN.c.number.not_in(last_moves))
    return list(connection.execute(select(PLAN.c.number).where(*old)).scalars())


def _not_needed() -> tuple[Any, ...]:
    """Not open, and not among what the next plan starts from.

    That is per segment the newest plan, the newest shadow plan, and the applied one with the one before it,
    which is in force again once the applied one is taken back.
    """
    applied, shadow = _newest(PlanStatus.APPLIED), _newest(PlanStatus.SHADOW)
    one_before = _newest(PlanStatus.APPLIED).where(PLAN.c.number.not_in(applied))
    kept = (select(func.max(PLAN.c.number)).group_by(PLAN.c.segment), shadow, applied, one_before)
    return (PLAN.c.status.not_in(OPEN), *(PLAN.c.number.not_in(numbers) for numbers in kept))


def _newest(status: PlanStatus) -> Select[Any]:
    return select(func.max(PLAN.c.number)).where(PLAN.c.status == str(status)).group_by(PLAN.c.segment)


def _prune_imports(connection: Connection, before: datetime) -> int:
    newest = select(func.max(IMPORT.c.number)).group_by(IMPORT.c.what)
    return connection.execute(
        delete(IMPORT).where(IMPORT.c.at < before, IMPORT.c.number.not_in(newest))
    ).rowcount
