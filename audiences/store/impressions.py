"""What was shown to whom: report rows and the platform's totals, replaced when restated. No estimates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import Connection, delete, insert, select

from audiences.model import ImpressionReport, ReportRow, ReportTotal
from audiences.store.bulk import insert_rows
from audiences.store.database import table_of
from audiences.store.impressions_columns import FIELDS, columns_of
from audiences.store.part import Part
from audiences.store.report_records import ImpressionColumns, ReportWindow, TotalRow
from audiences.tables import (
    ImpressionRow,
    ImpressionTotalRow,
    OrganizationLinkRow,
    ReportScopeRow,
    ReportWindowRow,
)

SCOPE, WINDOW = table_of(ReportScopeRow), table_of(ReportWindowRow)
IMPRESSION, TOTAL = table_of(ImpressionRow), table_of(ImpressionTotalRow)
LINK = table_of(OrganizationLinkRow)

_ORDER = ("first", "campaign_id", "creative_id", "last")
_ROW = tuple(column.name for column in IMPRESSION.c)
_TOTAL = tuple(column.name for column in TOTAL.c)


class Impressions(Part):
    def save_report(self, report: ImpressionReport) -> int:
        """Store a report; what it restates (same platform, source, grain, scope and days) is replaced.

        A day that a newer answer already covers stays as it is. Returns the number of days or windows stored.
        """
        with self._db.write() as connection:
            scope = _scope(connection, report)
            windows = _windows_to_store(connection, scope, report)
            for first, last in windows:
                for table in (IMPRESSION, TOTAL, WINDOW):
                    connection.execute(
                        delete(table).where(
                            table.c.scope == scope, table.c.first == first, table.c.last == last
                        )
                    )
            _insert_windows(connection, scope, report, windows)
            insert_rows(connection, IMPRESSION, _ROW, _rows(scope, report, windows))
            insert_rows(connection, TOTAL, _TOTAL, _totals(scope, report, windows))
        return len(windows)

    def impressions(
        self,
        platform: str,
        start: date,
        end: date,
        *,
        grain: str,
        source: str | None = None,
        campaigns: Sequence[str] | None = None,
        segment_accounts: Sequence[str] | None = None,
        scope: Sequence[str] | None = None,
    ) -> ImpressionColumns:
        """Stored rows whose day or whole window lies in ``start`` .. ``end`` (inclusive).

        grain              "daily" or "all": the two are never mixed, they count the same impressions
        campaigns          only these; None = every one
        segment_accounts   only entities linked to these accounts; None = every entity, linked or not
        scope              only answers to a question about exactly these campaigns or creatives; None = all
        """
        wanted = _within(IMPRESSION, platform, start, end, grain, source, scope)
        if campaigns is not None:
            wanted = wanted.where(IMPRESSION.c.campaign_id.in_(list(campaigns)))
        linked = select(LINK.c.urn, LINK.c.account_id).where(LINK.c.platform == platform)
        with self._db.read() as connection:
            found = connection.execute(wanted.with_only_columns(*(IMPRESSION.c[n] for n in FIELDS)))
            rows = found.cursor.fetchall()  # the driver's own rows: ours would be made, and taken apart again
            found.close()
            links = dict(connection.execute(linked).tuples().all())
        return columns_of(rows, links, inside=segment_accounts)

    def totals(
        self,
        platform: str,
        start: date,
        end: date,
        *,
        grain: str,
        source: str | None = None,
        campaigns: Sequence[str] | None = None,
        scope: Sequence[str] | None = None,
    ) -> tuple[TotalRow, ...]:
        """The platform's own totals, exact, for the same choice as ``impressions``."""
        wanted = _within(TOTAL, platform, start, end, grain, source, scope)
        if campaigns is not None:
            wanted = wanted.where(TOTAL.c.campaign_id.in_(list(campaigns)))
        with self._db.read() as connection:
            return tuple(
                TotalRow(
                    r.first, r.last, r.campaign_id, r.creative_id, r.impressions, r.clicks, Decimal(r.spend)
                )
                for r in sorted(connection.execute(wanted), key=attrgetter(*_ORDER))
            )

    def report_windows(
        self, platform: str, start: date, end: date, *, grain: str, source: str | None = None
    ) -> tuple[ReportWindow, ...]:
        """Which days or windows were answered, when, and how deep, oldest first."""
        wanted = _within(WINDOW, platform, start, end, grain, source).add_columns(SCOPE.c.scope.label("ids"))
        with self._db.read() as connection:
            rows = sorted(connection.execute(wanted), key=attrgetter("first", "last", "ids"))
        return tuple(
            ReportWindow(
                scope=tuple(orjson.loads(row.ids)),
                first=row.first,
                last=row.last,
                fetched_at=row.fetched_at,
                list_depth=row.list_depth,
                floor=row.floor,
                noise=row.noise,
                warnings=tuple(orjson.loads(row.warnings)),
            )
            for row in rows
        )


Window = tuple[date, date]


def _scope(connection: Connection, report: ImpressionReport) -> int:
    ids = _ids(report.scope)
    key = {"platform": report.platform, "source": report.source, "grain": report.grain, "scope": ids}
    wanted = select(SCOPE.c.number).where(*(SCOPE.c[name] == value for name, value in key.items()))
    found = connection.execute(wanted).scalar_one_or_none()
    if found is None:
        if connection.dialect.name != "sqlite":  # two collectors may meet here
            connection.exec_driver_sql("LOCK TABLE report_scope IN SHARE ROW EXCLUSIVE MODE")
            found = connection.execute(wanted).scalar_one_or_none()
        if found is None:
            connection.execute(insert(SCOPE).values(**key))
            found = connection.execute(wanted).scalar_one()
    return int(found)


def _windows_to_store(connection: Connection, scope: int, report: ImpressionReport) -> tuple[Window, ...]:
    """Each day of a daily report, or its one window, unless a newer answer is stored."""
    if report.grain == "daily":
        days = [report.start + timedelta(days=i) for i in range((report.end - report.start).days + 1)]
        windows = [(day, day) for day in days]
    else:
        windows = [(report.start, report.end)]
    newer = connection.execute(
        select(WINDOW.c.first, WINDOW.c.last).where(
            WINDOW.c.scope == scope,
            WINDOW.c.first >= report.start,
            WINDOW.c.last <= report.end,
            WINDOW.c.fetched_at > report.fetched_at,
        )
    )
    kept = {(row.first, row.last) for row in newer}
    return tuple(window for window in windows if window not in kept)


def _insert_windows(
    connection: Connection, scope: int, report: ImpressionReport, windows: tuple[Window, ...]
) -> None:
    fixed = {
        "scope": scope,
        "fetched_at": report.fetched_at,
        "list_depth": report.list_depth,
        "floor": report.floor,
        "noise": report.noise,
        "warnings": orjson.dumps(report.warnings).decode(),
    }
    if windows:
        connection.execute(
            insert(WINDOW), [{**fixed, "first": first, "last": last} for first, last in windows]
        )


def _window_of(item: ReportRow | ReportTotal, report: ImpressionReport) -> Window:
    return (item.day, item.day) if item.day is not None else (report.start, report.end)


def _rows(scope: int, report: ImpressionReport, windows: tuple[Window, ...]) -> Iterator[tuple[Any, ...]]:
    """Rows by key; the last of several rows about the same entity, day, campaign and creative wins."""
    wanted = set(windows)
    unique: dict[tuple[Any, ...], ReportRow] = {}
    for row in report.rows:
        window = _window_of(row, report)
        if window in wanted:
            unique[(*window, row.campaign_id or "", row.creative_id or "", row.entity)] = row
    for key in sorted(unique):
        row = unique[key]
        spend = None if row.spend is None else str(row.spend)
        yield (scope, *key, row.impressions, row.clicks, spend, row.members)


def _totals(scope: int, report: ImpressionReport, windows: tuple[Window, ...]) -> Iterator[tuple[Any, ...]]:
    wanted = set(windows)
    unique: dict[tuple[Any, ...], ReportTotal] = {}
    for total in report.totals:
        window = _window_of(total, report)
        if window in wanted:
            unique[(*window, total.campaign_id or "", total.creative_id or "")] = total
    for key in sorted(unique):
        total = unique[key]
        yield (scope, *key, total.impressions, total.clicks, str(total.spend))


def _within(
    table: Any,
    platform: str,
    start: date,
    end: date,
    grain: str,
    source: str | None,
    scope: Sequence[str] | None = None,
) -> Any:
    wanted = (
        select(table)
        .join(SCOPE, SCOPE.c.number == table.c.scope)
        .where(SCOPE.c.platform == platform, SCOPE.c.grain == grain)
        .where(table.c.first >= start, table.c.last <= end)
    )
    if scope is not None:
        wanted = wanted.where(SCOPE.c.scope == _ids(scope))
    return wanted if source is None else wanted.where(SCOPE.c.source == source)


def _ids(scope: Sequence[str]) -> str:
    return orjson.dumps(sorted(scope)).decode()
