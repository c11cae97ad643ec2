"""Our audiences on the platforms: as specified, as last seen. Must not touch members (``ledger``)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from audiences.model import AudienceSpec, AudienceState, AudienceStatus, MemberKind
from audiences.store.audit import append
from audiences.store.database import table_of
from audiences.store.errors import Conflict, NotFound
from audiences.store.part import Part
from audiences.store.records import AudienceRecord, AuditLine, StatusChange
from audiences.tables import AudienceRow, AudienceStatusRow

AUDIENCE = table_of(AudienceRow)
STATUS = table_of(AudienceStatusRow)


class Lists(Part):
    def save_audience(self, spec: AudienceSpec, *, at: datetime) -> AudienceRecord:
        """Store or update what a list should be. Platform and kind never change (``Conflict``)."""
        values = {
            "name": spec.name,
            "description": spec.description,
            "segment": spec.segment,
            "band": spec.band,
        }
        with self._db.write() as connection:
            row = find_audience(connection, spec.audience_id, lock=True)
            if row is None:
                fixed = {"audience_id": spec.audience_id, "platform": spec.platform, "kind": str(spec.kind)}
                connection.execute(
                    insert(AUDIENCE).values(
                        **fixed, **values, ledger_version=0, oldest_version=0, usable=False, created_at=at
                    )
                )
            elif (row.platform, row.kind) != (spec.platform, str(spec.kind)):
                raise Conflict(f"{spec.audience_id} exists with another platform or kind.")
            else:
                connection.execute(update(AUDIENCE).where(AUDIENCE.c.number == row.number).values(**values))
            return record_of(need_audience(connection, spec.audience_id))

    def save_state(self, state: AudienceState, *, at: datetime, line: AuditLine | None = None) -> bool:
        """Store what the platform said about a list, and ``line`` in the audit log.

        True when status or usability changed.
        """
        with self._db.write() as connection:
            row = need_audience(connection, state.audience_id, lock=True)
            append(connection, line)
            changed = (row.status, row.usable) != (str(state.status), state.usable)
            values = {name: getattr(state, name) for name in _STATE_FIELDS}
            connection.execute(
                update(AUDIENCE)
                .where(AUDIENCE.c.number == row.number)
                .values(**values, status=str(state.status), checked_at=at)
            )
            if changed:
                change = {
                    "status": str(state.status),
                    "usable": state.usable,
                    "audience_size": state.audience_size,
                }
                connection.execute(insert(STATUS).values(audience=row.number, at=at, **change))
            return bool(changed)

    def audience(self, audience_id: str) -> AudienceRecord | None:
        with self._db.read() as connection:
            row = find_audience(connection, audience_id)
        return None if row is None else record_of(row)

    def has_audiences(self) -> bool:
        """Whether any list is known."""
        with self._db.read() as connection:
            return connection.execute(select(AUDIENCE.c.number).limit(1)).first() is not None

    def audiences(
        self, *, platform: str | None = None, segment: str | None = None
    ) -> tuple[AudienceRecord, ...]:
        """All lists, by id; optionally those of one platform or segment."""
        wanted = select(AUDIENCE)
        if platform is not None:
            wanted = wanted.where(AUDIENCE.c.platform == platform)
        if segment is not None:
            wanted = wanted.where(AUDIENCE.c.segment == segment)
        with self._db.read() as connection:
            found = [record_of(row) for row in connection.execute(wanted)]
        return tuple(sorted(found, key=lambda record: record.spec.audience_id))

    def status_history(self, audience_id: str) -> tuple[StatusChange, ...]:
        """Changes of status or usability, oldest first."""
        with self._db.read() as connection:
            number = need_audience(connection, audience_id).number
            rows = connection.execute(
                select(STATUS).where(STATUS.c.audience == number).order_by(STATUS.c.number)
            )
            return tuple(
                StatusChange(audience_id, row.at, row.status, row.usable, row.audience_size) for row in rows
            )


_STATE_FIELDS = ("external_id", "target_id", "audience_size", "matched", "match_rate", "usable")


def find_audience(connection: Connection, audience_id: str, *, lock: bool = False) -> Row[Any] | None:
    """The row of an audience; ``lock`` keeps other writers off it until the transaction ends."""
    wanted = select(AUDIENCE).where(AUDIENCE.c.audience_id == audience_id)
    return connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()


def need_audience(connection: Connection, audience_id: str, *, lock: bool = False) -> Row[Any]:
    """As ``find_audience``; raises ``NotFound``."""
    row = find_audience(connection, audience_id, lock=lock)
    if row is None:
        raise NotFound(f"No audience {audience_id} in the record.")
    return row


def ids_by_number(connection: Connection, numbers: Sequence[int] | None = None) -> dict[int, str]:
    """Audience ids by their number in the database."""
    wanted = select(AUDIENCE.c.number, AUDIENCE.c.audience_id)
    if numbers is not None:
        wanted = wanted.where(AUDIENCE.c.number.in_(numbers))
    return {row.number: row.audience_id for row in connection.execute(wanted)}


def record_of(row: Row[Any]) -> AudienceRecord:
    """The noun behind a row of the audience table."""
    spec = AudienceSpec(
        audience_id=row.audience_id,
        platform=row.platform,
        name=row.name,
        kind=MemberKind(row.kind),
        description=row.description,
        segment=row.segment,
        band=row.band,
    )
    return AudienceRecord(
        spec=spec,
        state=_state(row),
        ledger_version=row.ledger_version,
        created_at=row.created_at,
        checked_at=row.checked_at,
        touched_at=row.touched_at,
    )


def _state(row: Row[Any]) -> AudienceState | None:
    if row.external_id is None or row.status is None:
        return None
    return AudienceState(
        audience_id=row.audience_id,
        external_id=row.external_id,
        target_id=row.target_id,
        status=AudienceStatus(row.status),
        audience_size=row.audience_size,
        matched=row.matched,
        match_rate=row.match_rate,
        usable=row.usable,
    )
