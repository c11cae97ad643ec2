"""Balance plans from proposal to landing, and the band each account is in. Stores decisions; takes none."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, case, func, insert, select, update

from audiences.store.audit import append
from audiences.store.bulk import insert_rows, upsert_rows
from audiences.store.database import table_of
from audiences.store.errors import Conflict, NotFound
from audiences.store.part import Part
from audiences.store.records import AuditLine, BandState, PlanMove, PlanRecord, PlanStatus
from audiences.tables import BandStateRow, MoveRow, PlanRow

PLAN, MOVE, BAND = table_of(PlanRow), table_of(MoveRow), table_of(BandStateRow)

# where a plan may go from each status; APPLIED, REFUSED and LAPSED are ends
NEXT_STATUS: Mapping[PlanStatus, tuple[PlanStatus, ...]] = {
    PlanStatus.PROPOSED: (PlanStatus.APPROVED, PlanStatus.SHADOW, PlanStatus.REFUSED, PlanStatus.LAPSED),
    PlanStatus.SHADOW: (PlanStatus.LAPSED,),
    PlanStatus.APPROVED: (PlanStatus.APPLIED, PlanStatus.REFUSED, PlanStatus.LAPSED),
    PlanStatus.APPLIED: (),
    PlanStatus.REFUSED: (),
    PlanStatus.LAPSED: (),
}


def plan_id(segment: str, day: date, mode: str, inputs_hash: str, body: bytes) -> str:
    """Hex SHA-256 over what makes a plan what it is."""
    digest = hashlib.sha256(f"{segment}\n{day.isoformat()}\n{mode}\n{inputs_hash}\n".encode())
    digest.update(body)
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class PlanHead:
    """A plan without what it says: enough for a list of hundreds."""

    plan_id: str
    segment: str
    status: PlanStatus
    created_at: datetime
    decided_at: datetime | None
    moves: int
    placed: int  # moves into a band
    left: int  # moves out of one


class Plans(Part):
    def plan_heads(self, *, limit: int = 100) -> tuple[PlanHead, ...]:
        """Plans without bodies, newest first."""
        counts = (
            select(
                MOVE.c.plan,
                func.count().label("moves"),
                func.sum(case((MOVE.c.after >= 0, 1), else_=0)).label("placed"),
                func.sum(case((MOVE.c.before >= 0, 1), else_=0)).label("left"),
            )
            .group_by(MOVE.c.plan)
            .subquery()
        )
        columns = [PLAN.c[name] for name in ("plan_id", "segment", "status", "created_at", "decided_at")]
        wanted = select(*columns, counts.c.moves, counts.c.placed, counts.c.left).outerjoin(
            counts, counts.c.plan == PLAN.c.number
        )
        with self._db.read() as connection:
            rows = connection.execute(wanted.order_by(PLAN.c.number.desc()).limit(limit)).all()
        return tuple(
            PlanHead(row[0], row[1], PlanStatus(row[2]), row[3], row[4], *(int(n or 0) for n in row[5:]))
            for row in rows
        )

    def save_plan(self, plan: PlanRecord, *, line: AuditLine | None = None) -> bool:
        """Store a plan and its moves, and ``line`` in the audit log.

        False when the very same plan is stored already (its status stays).
        """
        with self._db.write() as connection:
            if _find(connection, plan.plan_id) is not None:
                return False
            values = {name: getattr(plan, name) for name in _FIELDS}
            made = connection.execute(
                insert(PLAN).values(**values, status=str(plan.status), moves=len(plan.moves))
            )
            number = made.inserted_primary_key[0] if made.inserted_primary_key else None
            rows = (
                (number, m.account_id, m.before, m.after, m.reason, _json(m.evidence), m.release)
                for m in sorted(plan.moves, key=lambda move: move.account_id)
            )
            insert_rows(connection, MOVE, [column.name for column in MOVE.c], rows)
            append(connection, line)
            return True

    def plan(self, plan_id: str) -> PlanRecord:
        """A plan with its moves, by account id. Raises ``NotFound``."""
        with self._db.read() as connection:
            return _record(connection, _need(connection, plan_id))

    def latest_plan(self, segment: str, *, statuses: Iterable[PlanStatus] | None = None) -> PlanRecord | None:
        """The plan of a segment stored last, optionally among some statuses."""
        wanted = select(PLAN).where(PLAN.c.segment == segment)
        if statuses is not None:
            wanted = wanted.where(PLAN.c.status.in_([str(status) for status in statuses]))
        with self._db.read() as connection:
            row = connection.execute(wanted.order_by(PLAN.c.number.desc()).limit(1)).one_or_none()
            return None if row is None else _record(connection, row)

    def plans(
        self, *, segment: str | None = None, status: PlanStatus | None = None, limit: int = 100
    ) -> tuple[PlanRecord, ...]:
        """Plans, newest first, with their moves."""
        wanted = select(PLAN)
        if segment is not None:
            wanted = wanted.where(PLAN.c.segment == segment)
        if status is not None:
            wanted = wanted.where(PLAN.c.status == str(status))
        with self._db.read() as connection:
            rows = connection.execute(wanted.order_by(PLAN.c.number.desc()).limit(limit)).all()
            return tuple(_record(connection, row) for row in rows)

    def last_move(self, segment: str, account_id: str, *, until: date) -> tuple[date, PlanMove] | None:
        """The last change of an account's place by an applied plan of ``until`` or before, and that plan's day."""
        columns = [
            MOVE.c[name] for name in ("account_id", "before", "after", "reason", "evidence", "release")
        ]
        wanted = (
            select(PLAN.c.day, *columns)
            .join(MOVE, MOVE.c.plan == PLAN.c.number)
            .where(PLAN.c.segment == segment, PLAN.c.status == str(PlanStatus.APPLIED), PLAN.c.day <= until)
            .where(MOVE.c.account_id == account_id)
            .order_by(PLAN.c.number.desc())
            .limit(1)
        )
        with self._db.read() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            return None
        day, account, before, after, reason, evidence, release = row
        return day, PlanMove(account, before, after, reason, orjson.loads(evidence), release)

    def decide_plan(
        self,
        plan_id: str,
        status: PlanStatus,
        *,
        by: str,
        at: datetime,
        note: str = "",
        seen: str | None = None,
        line: AuditLine | None = None,
    ) -> PlanRecord:
        """Move a plan on, with ``line`` in the audit log; a step it has taken already has no effect.

        Raises ``Conflict`` for a step that is not allowed (of two people deciding, the first wins), or when
        ``seen``, the inputs hash the person looked at, is not the plan's.
        """
        with self._db.write() as connection:
            row = _need(connection, plan_id, lock=True)
            if PlanStatus(row.status) is status:
                return _record(connection, row)
            if status not in NEXT_STATUS[PlanStatus(row.status)]:
                raise Conflict(f"Plan {plan_id[:12]} is {row.status}; it cannot become {status}.")
            if seen is not None and seen != row.inputs_hash:
                raise Conflict(f"Plan {plan_id[:12]} rests on other inputs than those that were looked at.")
            connection.execute(
                update(PLAN)
                .where(PLAN.c.number == row.number)
                .values(status=str(status), decided_by=by, decided_at=at, note=note)
            )
            append(connection, line)
            return _record(connection, _need(connection, plan_id))


class Bands(Part):
    def command_bands(self, segment: str, bands: Mapping[str, int], *, plan_id: str, on: date) -> None:
        """Note the band each account was commanded into; one whose band stays keeps its day and plan."""
        rows = [(segment, account, int(band), on, plan_id) for account, band in sorted(bands.items())]
        stays = "CASE WHEN band_state.band = excluded.band THEN band_state.{0} ELSE excluded.{0} END"
        changes = ", ".join(f"{name} = {stays.format(name)}" for name in ("commanded_on", "plan_id", "band"))
        then = f"(segment, account_id) DO UPDATE SET {changes}"
        with self._db.write() as connection:
            upsert_rows(
                connection,
                BAND,
                ("segment", "account_id", "band", "commanded_on", "plan_id"),
                rows,
                on_conflict=then,
            )

    def land_bands(self, segment: str, accounts: Iterable[str], *, on: date) -> int:
        """Note that the commanded band of these accounts is in force from ``on``. Says how many changed."""
        changed = 0
        ids = sorted(set(accounts))
        with self._db.write() as connection:
            for i in range(0, len(ids), 10_000):
                done = connection.execute(
                    update(BAND)
                    .where(BAND.c.segment == segment, BAND.c.account_id.in_(ids[i : i + 10_000]))
                    .where((BAND.c.landed_band.is_(None)) | (BAND.c.landed_band != BAND.c.band))
                    .values(landed_band=BAND.c.band, landed_on=on)
                )
                changed += done.rowcount
        return changed

    def band_states(self, segment: str) -> tuple[BandState, ...]:
        """Every account ever commanded, by id."""
        columns = ("account_id", "band", "commanded_on", "landed_band", "landed_on", "plan_id")
        wanted = select(*(BAND.c[name] for name in columns)).where(BAND.c.segment == segment)
        with self._db.read() as connection:
            return tuple(BandState(*row) for row in sorted(connection.execute(wanted)))


_FIELDS = (
    "plan_id",
    "segment",
    "day",
    "mode",
    "inputs_hash",
    "inputs",
    "body",
    "memory",
    "created_by",
    "created_at",
    "decided_by",
    "decided_at",
    "note",
)


def _find(connection: Connection, plan_id: str, *, lock: bool = False) -> Row[Any] | None:
    wanted = select(PLAN).where(PLAN.c.plan_id == plan_id)
    return connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()


def _need(connection: Connection, plan_id: str, *, lock: bool = False) -> Row[Any]:
    row = _find(connection, plan_id, lock=lock)
    if row is None:
        raise NotFound(f"No plan {plan_id[:12]} in the record.")
    return row


def _record(connection: Connection, row: Row[Any]) -> PlanRecord:
    moves = connection.execute(select(MOVE).where(MOVE.c.plan == row.number)).all()
    return PlanRecord(
        **{name: getattr(row, name) for name in _FIELDS},
        status=PlanStatus(row.status),
        moves=tuple(
            PlanMove(m.account_id, m.before, m.after, m.reason, orjson.loads(m.evidence), m.release)
            for m in sorted(moves, key=lambda move: move.account_id)
        ),
    )


def _json(value: Any) -> str:
    return orjson.dumps(dict(value), option=orjson.OPT_SORT_KEYS).decode()
