"""The audit log: who did what, when, on which inputs. No line is ever changed; old ones go only on record."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Row, delete, func, insert, select

from audiences.store.database import table_of
from audiences.store.part import Part
from audiences.store.records import AuditLine
from audiences.tables import AuditRow

AUDIT = table_of(AuditRow)
TRIMMED = "audit trimmed"  # the database lets lines go that such a later line covers (migration 0004)


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
            return tuple(_line(row) for row in rows)

    def audit_tail(self, limit: int = 50) -> tuple[AuditLine, ...]:
        """The latest lines, newest first."""
        with self._db.read() as connection:
            rows = connection.execute(select(AUDIT).order_by(AUDIT.c.number.desc()).limit(limit))
            return tuple(_line(row) for row in rows)

    def trim_audit(self, before: datetime, *, who: str, at: datetime) -> int:
        """Drop the lines older than ``before``, and put on record that they went. Returns how many.

        The line that stays says up to which number lines are gone, how many, and their ``audit_digest``: a
        copy of them (a backup) can still be proved to be the whole truth. Earlier such lines are among them.
        """
        with self._db.write() as connection:
            kept = select(func.min(AUDIT.c.number)).where(AUDIT.c.at >= before).scalar_subquery()
            old = AUDIT.c.number < func.coalesce(kept, select(func.max(AUDIT.c.number) + 1).scalar_subquery())
            wanted = select(AUDIT).where(old).order_by(AUDIT.c.number).execution_options(yield_per=10_000)
            digest, n, last = _digest(_line(row) for row in connection.execute(wanted))
            if not n:
                return 0
            detail = {"lines": n, "before": before.isoformat()}
            append(connection, AuditLine(at, who, TRIMMED, str(last), digest, detail))
            connection.execute(delete(AUDIT).where(AUDIT.c.number <= last))
            return n


def audit_digest(lines: Iterable[AuditLine]) -> str:
    """Hex SHA-256 over lines in their order, each as JSON with sorted keys and times in UTC, and a line end."""
    return _digest(lines)[0]


def _digest(lines: Iterable[AuditLine]) -> tuple[str, int, int]:
    """Hex digest, how many lines, number of the last."""
    digest, n, last = hashlib.sha256(), 0, 0
    for line in lines:
        digest.update(orjson.dumps(asdict(line), option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE))
        n, last = n + 1, line.number
    return digest.hexdigest(), n, last


def _line(row: Row[Any]) -> AuditLine:
    return AuditLine(**{name: getattr(row, name) for name in _FIELDS})


_FIELDS = ("at", "who", "what", "subject", "inputs_hash", "detail", "number")


def append(connection: Connection, line: AuditLine | None) -> None:
    """Append inside the caller's transaction: the deed and its line stand or fall together."""
    if line is None:
        return
    values: dict[str, Any] = {name: getattr(line, name) for name in _FIELDS[:-1]}
    connection.execute(insert(AUDIT).values(**values))
