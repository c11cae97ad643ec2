"""The report's tables as CSV and JSON. Values only: no sentence, no rounding beyond what is meaningful."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from balancer.types import Bounded
from flows.report.formats import guessed
from flows.report.model import ReportPage
from flows.report.pieces import AccountRow, Figures, ListLine, TierLine, Week

COLUMNS = (
    "rank", "account_id", "name", "domain", "tier", "members", "impressions", "impressions_low",
    "impressions_high", "share", "times_even", "per_member", "cap", "cap_use", "band", "rank_before",
    "share_change", "state", "since", "source", "per_member_low", "per_member_high",
)  # fmt: skip

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: str) -> str:
    """Keep a spreadsheet from running a company's name as a formula.

    Source: OWASP, "CSV Injection" (read 2026-11): cells starting with = + - @ tab or return are prefixed.
    """
    return "'" + value if value.startswith(_FORMULA_STARTS) else value


def row_values(row: AccountRow) -> tuple[Any, ...]:
    """One account in the order of ``COLUMNS``; unknown is None, bands count from 1."""
    return (
        row.rank,
        row.account_id,
        row.name,
        row.domain,
        row.tier,
        _short(row.members, 1),
        _short(row.impressions, 2),
        _short(row.low, 2),
        _short(row.high, 2),
        _short(row.share, 7),
        _short(row.times_even, 4),
        _short(row.per_member, 3),
        _short(row.cap, 2),
        _short(row.cap_use, 4),
        None if row.band is None else row.band + 1,
        row.rank_before,
        _short(row.share_change, 7),
        row.state,
        row.since.isoformat() if row.since else None,
        row.source,
        *(_short(end, 3) for end in _ends(row.rate)),
    )


def _short(value: float | None, digits: int) -> float | int | None:
    if value is None:
        return None
    rounded = round(value, digits) + 0.0
    return int(rounded) if rounded == int(rounded) else rounded


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values under column names; unknown is None."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


def accounts(page: ReportPage) -> Table:
    """Every account, largest first."""
    return Table(COLUMNS, [row_values(row) for row in page.rows])


def weeks(page: ReportPage) -> Table:
    """The weekly series, oldest first."""
    columns = (
        "week", "share_low", "share", "share_high", "delivery", "cpm",
        "coverage_low", "coverage", "coverage_high", "marks",
    )  # fmt: skip
    rows = [
        (
            week.start.isoformat(),
            week.share.low,
            week.share.point,
            week.share.high,
            week.delivery,
            week.cpm,
            *_covered(week),
            "; ".join(week.marks),
        )
        for week in page.weeks
    ]
    return Table(columns, rows)


def _covered(week: Week) -> tuple[float | None, float | None, float | None]:
    """Low, best guess, high; no guess where the reports leave the figure open."""
    found = week.covered
    if found is None:
        return None, week.coverage, None
    return found.low, None if guessed(found) else week.coverage, found.high


def tiers(page: ReportPage) -> Table:
    """What each tier took, with bounds."""
    columns = ("tier", "accounts", "share_low", "share_high", "per_member_low", "per_member_high")
    rows = [(t.tier, t.accounts, t.share.low, t.share.high, *_ends(t.per_member)) for t in page.tiers]
    return Table(columns, rows)


def _ends(value: Bounded | None) -> tuple[float | None, float | None]:
    return (value.low, value.high) if value else (None, None)


def starved(page: ReportPage) -> Table:
    """Accounts that saw too little, with the reason code."""
    columns = ("account_id", "name", "tier", "members", "impressions", "impressions_high", "reason")
    rows = [
        (s.account_id, s.name, s.tier, s.members, _short(s.impressions, 2), _short(s.high, 2), s.reason)
        for s in page.starved
    ]
    return Table(columns, rows)


def moved(page: ReportPage) -> Table:
    """Who gave and who got most; impressions before are scaled to the after window's total."""
    lines = (*page.moved.givers, *page.moved.getters) if page.moved else ()
    columns = ("account_id", "name", "before", "after", "change")
    rows = [(t.account_id, t.name, *(_short(v, 2) for v in (t.before, t.after, t.change))) for t in lines]
    return Table(columns, rows)


def lists(page: ReportPage) -> Table:
    """Audiences on the platforms and what became of the last pushes."""
    columns = tuple(field.name for field in fields(ListLine))
    return Table(columns, [tuple(getattr(line, name) for name in columns) for line in page.lists])


TABLES: dict[str, Callable[[ReportPage], Table]] = {
    "accounts": accounts,
    "weeks": weeks,
    "starved": starved,
    "tiers": tiers,
    "moved": moved,
    "lists": lists,
}


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Any table as CSV; text cells are made safe for spreadsheets, None is empty."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([safe_cell(title) for title in columns])
    for row in rows:
        writer.writerow([safe_cell(v) if isinstance(v, str) else v for v in row])
    return out.getvalue()


def to_json(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Any table as a JSON array of objects."""
    found = [dict(zip(columns, row, strict=True)) for row in rows]
    return json.dumps(found, ensure_ascii=False, allow_nan=False)


def accounts_csv(page: ReportPage) -> str:
    """The account table, every account, with a header line (RFC 4180, CRLF)."""
    table = accounts(page)
    return to_csv(table.columns, table.rows)


def accounts_json(page: ReportPage) -> str:
    """The account table as a JSON array of objects."""
    table = accounts(page)
    return to_json(table.columns, table.rows)


def columns_json(page: ReportPage) -> str:
    """The account table by column, compact: what the page's script reads.

    ``</`` never occurs in the text, so it may stand inside a script element.
    """
    columns = list(zip(*(row_values(row) for row in page.rows), strict=True))
    data = {name: columns[i] if columns else [] for i, name in enumerate(COLUMNS)}
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")


def figures_json(page: ReportPage) -> str:
    """Headline numbers of both windows, with bounds."""
    return json.dumps(
        {
            "segment": page.segment,
            "generated_at": page.generated_at.isoformat(),
            "sentence": page.sentence,
            "before": _figures(page.before),
            "after": _figures(page.after) if page.after else None,
            "tiers": [_tier(line) for line in page.tiers],
            "impressions_moved": page.moved.impressions if page.moved else None,
            "weeks": [_week(week) for week in page.weeks],
        },
        ensure_ascii=False,
        allow_nan=False,
    )


def _week(week: Week) -> dict[str, Any]:
    return {
        "start": week.start.isoformat(),
        "share": _bounds(week.share),
        "delivery": week.delivery,
        "cpm": week.cpm,
        **dict(zip(("coverage_low", "coverage", "coverage_high"), _covered(week), strict=True)),
        "marks": list(week.marks),
    }


def _tier(line: TierLine) -> dict[str, Any]:
    figures = {"share": line.share, "before": line.before, "per_member": line.per_member}
    ends = {name: dict(zip(("low", "high"), _ends(value), strict=True)) for name, value in figures.items()}
    return {"tier": line.tier, "accounts": line.accounts, **ends}


def _figures(figures: Figures) -> dict[str, Any]:
    n = figures.accounts
    scales = {"gini": 1.0, "hhi": figures.hhi.point, "coverage_even": 1.0, "under_served": n}
    scales["effective_accounts"] = figures.effective_accounts.point
    return {
        "start": figures.window.start.isoformat(),
        "end": figures.window.end.isoformat(),
        "accounts": figures.accounts,
        "top": figures.top,
        "total": figures.total,
        "outside": figures.outside,
        "unattributed": figures.unattributed,
        "never_seen": figures.never_seen,
        "never_seen_least": figures.never_seen_least,
        "unplaced": dict(zip(("pages", "impressions_at_most"), figures.unplaced, strict=True)),
        **{name: _bounds(getattr(figures, name)) for name in ("top_share", "top_decile")},
        **{name: _open(getattr(figures, name), scale) for name, scale in scales.items()},
        "coverage": {str(k): _open(value, 1.0) for k, value in figures.coverage.items()},
    }


def _bounds(value: Bounded) -> dict[str, float]:
    return {"low": value.low, "point": value.point, "high": value.high}


def _open(value: Bounded, scale: float) -> dict[str, float | None]:
    """Both ends; the point only where they are close, for it shares evenly what nobody is named for."""
    return {**_bounds(value), "point": None if guessed(value, scale) else value.point}
