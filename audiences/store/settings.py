"""Small lasting state: named values, alert states, one-off lists. Not for anything that has its own table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from audiences.store.audit import append
from audiences.store.database import table_of
from audiences.store.part import Part
from audiences.store.records import AuditLine, OneOff
from audiences.tables import AlertRow, OneOffRow, SettingRow

SETTING, ALERT, ONE_OFF = table_of(SettingRow), table_of(AlertRow), table_of(OneOffRow)


class Settings(Part):
    def put(self, name: str, value: Any, *, at: datetime, line: AuditLine | None = None) -> None:
        """Keep a JSON value under a name, and ``line`` in the audit log; None forgets it."""
        with self._db.write() as connection:
            connection.execute(delete(SETTING).where(SETTING.c.name == name))
            if value is not None:
                text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
                connection.execute(insert(SETTING).values(name=name, value=text, at=at))
            append(connection, line)

    def change(self, name: str, how: Callable[[Any], Any], *, at: datetime) -> Any:
        """Replace the value under a name by ``how`` of it, one caller at a time over all processes; returns the new one.

        ``how`` gets None where nothing was kept. It must be quick: others wait for it.
        """
        wanted = SETTING.c.name == name
        insert_new = sqlite_insert if self._db.engine.dialect.name == "sqlite" else postgresql_insert
        with self._db.write() as connection:
            fresh = insert_new(SETTING).values(name=name, value="null", at=at)  # a row to wait on
            connection.execute(fresh.on_conflict_do_nothing())
            text = connection.execute(select(SETTING.c.value).where(wanted).with_for_update()).scalar_one()
            value = how(orjson.loads(text))
            kept = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
            connection.execute(update(SETTING).where(wanted).values(value=kept, at=at))
        return value

    def get(self, name: str, default: Any = None) -> Any:
        """The value kept under a name."""
        with self._db.read() as connection:
            text = connection.execute(
                select(SETTING.c.value).where(SETTING.c.name == name)
            ).scalar_one_or_none()
        return default if text is None else orjson.loads(text)


class Alerts(Part):
    def alert_changed(self, subject: str, state: str, *, at: datetime, detail: str = "") -> bool:
        """Note the state of a subject; True when it differs from the last (the caller then tells somebody).

        A subject seen for the first time counts as changed unless its state is "ok".
        """
        with self._db.write() as connection:
            wanted = select(ALERT).where(ALERT.c.subject == subject).with_for_update()
            row = connection.execute(wanted).one_or_none()
            if row is not None and row.state == state:
                return False
            values = {"state": state, "since": at, "detail": detail}
            if row is None:
                connection.execute(insert(ALERT).values(subject=subject, **values))
                return state != "ok"
            connection.execute(update(ALERT).where(ALERT.c.subject == subject).values(**values))
            return True

    def alert_states(self) -> dict[str, tuple[str, datetime, str]]:
        """Subject -> (state, since, detail)."""
        with self._db.read() as connection:
            rows = sorted(connection.execute(select(ALERT)), key=lambda row: row.subject)
            return {row.subject: (row.state, row.since, row.detail) for row in rows}


class OneOffs(Part):
    def save_one_off(self, one_off: OneOff) -> None:
        """Store or replace who answers for a one-off list and when it ends."""
        values = {name: getattr(one_off, name) for name in _ONE_OFF}
        with self._db.write() as connection:
            connection.execute(delete(ONE_OFF).where(ONE_OFF.c.audience_id == one_off.audience_id))
            connection.execute(insert(ONE_OFF).values(**values))

    def one_offs(self, *, ending_by: date | None = None) -> tuple[OneOff, ...]:
        """Every one-off list; with ``ending_by`` those that should have ended by that day and have not."""
        wanted = select(ONE_OFF)
        if ending_by is not None:
            wanted = wanted.where(ONE_OFF.c.ends_on <= ending_by, ONE_OFF.c.ended_at.is_(None))
        with self._db.read() as connection:
            rows = sorted(connection.execute(wanted), key=lambda row: row.audience_id)
        return tuple(OneOff(**{name: getattr(row, name) for name in _ONE_OFF}) for row in rows)

    def end_one_off(self, audience_id: str, *, at: datetime) -> None:
        """Note that a one-off list was emptied and removed."""
        with self._db.write() as connection:
            connection.execute(
                update(ONE_OFF).where(ONE_OFF.c.audience_id == audience_id).values(ended_at=at)
            )


_ONE_OFF = ("audience_id", "owner", "note", "ends_on", "created_at", "ended_at")
