"""The audit log: who did what, when, on which inputs. Lines are added and read, never changed or removed."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, insert, select

from audiences.store.database import table_of
from audiences.store.part import Part
from audiences.store.records import AuditLine
from audiences.tables import AuditRow

AUDIT = table_of(AuditRow)


class Audit(Part):
    def audit(self, line: AuditLine) -> None:
        """Append one line. ``detail`` is JSON of ids, counts and codes, never a person's value."""
        with self._db.write() as connection:
            append(connection, line)

    def audit_log(
        self, *, subject: str | None = None, what: str | None = None, after: int = 0, limit: int = 1000
    ) -> tuple[AuditLine, ...]:
        """Lines after number ``after``, oldest first; optionally of one subject or kind."""
        wanted = select(AUDIT).where(AUDIT.c.number > after)
        if subject is not None:
            wanted = wanted.where(AUDIT.c.subject == subject)
        if what is not None:
            wanted = wanted.where(AUDIT.c.what == what)
        with self._db.read() as connection:
            rows = connection.execute(wanted.order_by(AUDIT.c.number).limit(limit))
            return tuple(AuditLine(**{name: getattr(row, name) for name in _FIELDS}) for row in rows)

    def audit_tail(self, limit: int = 50) -> tuple[AuditLine, ...]:
        """The latest lines, newest first."""
        with self._db.read() as connection:
            rows = connection.execute(select(AUDIT).order_by(AUDIT.c.number.desc()).limit(limit))
            return tuple(AuditLine(**{name: getattr(row, name) for name in _FIELDS}) for row in rows)


_FIELDS = ("at", "who", "what", "subject", "inputs_hash", "detail", "number")


def append(connection: Connection, line: AuditLine | None) -> None:
    """Append inside the caller's transaction: the deed and its line stand or fall together."""
    if line is None:
        return
    values: dict[str, Any] = {name: getattr(line, name) for name in _FIELDS[:-1]}
    connection.execute(insert(AUDIT).values(**values))
