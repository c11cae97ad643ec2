"""Files a person downloads from Campaign Manager -> the same ImpressionReport the API gives.

Anything that is not understood is an error naming file, line and column, or a warning in the report; nothing
is dropped quietly. It must never read the network, nor merge a file with API rows.

Layouts (read 2026-09): campaign performance, ad performance, professional demographics, the Companies report,
and saved JSON answers of adAnalytics and accountIntelligence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from audiences.model import ImpressionReport, ReportRow, ReportTotal
from platforms.errors import FileNotUnderstood
from platforms.exports_columns import ENGLISH, TOTALS, language, recognise, segment_table, squash, unknown
from platforms.exports_json import read_json
from platforms.exports_text import Line, no_header, readings, tables
from platforms.exports_values import count, dates, is_nothing, money

HEADER_WITHIN = 20  # lines; before the header there is a preamble of varying length
COMPANY_TABLE = frozenset(
    ["companyname", "company", "unternehmensname", "nomdelentreprise", "nombredelaempresa"]
)


@dataclass(frozen=True, slots=True)
class Window:
    start: date
    end: date


def read_export(
    path: Path, *, fetched_at: datetime, start: date | None = None, end: date | None = None
) -> ImpressionReport:
    """One downloaded file as a report. ``start``, ``end`` (inclusive): needed where the file has no dates.

    Where both the file and the caller name a window they must agree. Raises FileNotUnderstood.
    """
    return read_bytes(path.read_bytes(), name=path.name, fetched_at=fetched_at, start=start, end=end)


def read_bytes(
    data: bytes, *, name: str, fetched_at: datetime, start: date | None = None, end: date | None = None
) -> ImpressionReport:
    """Like ``read_export``, for a file that was uploaded. ``name`` is only used in messages."""
    given = Window(start, end) if start is not None and end is not None else None
    if data.lstrip()[:1] in (b"{", b"["):
        window = (given.start, given.end) if given else None
        return read_json(data, name=name, fetched_at=fetched_at, window=window)
    table = _Table.find(readings(data, name), name)
    read = _read_demographics if table.segments else _read_companies if table.companies else _read_totals
    return read(table, name, fetched_at, given)


@dataclass(frozen=True, slots=True)
class _Table:
    """A recognised header, the lines around it, and what the header says."""

    preamble: tuple[Line, ...]
    header: Line
    body: tuple[Line, ...]
    columns: dict[str, int]
    language: str
    segments: bool
    every: tuple[Line, ...]

    @classmethod
    def find(cls, ways: Sequence[tuple[Line, ...]], name: str) -> _Table:
        """The way of reading and the line that make the most sense as a header. Raises FileNotUnderstood."""
        best: tuple[int, tuple[Line, ...], int] = (0, (), 0)
        for way in ways:
            for index, line in enumerate(way[:HEADER_WITHIN]):
                known = recognise(line.cells)
                segment = bool(line.cells) and segment_table(line.cells[0]) is not None
                score = len(known) + segment if "impressions" in known else 0
                if score > best[0] and (segment or len(known) > 1):
                    best = (score, way, index)
        _, every, index = best
        if not every:
            raise no_header([way[:HEADER_WITHIN] for way in ways], name)
        header = every[index]
        return cls(
            preamble=every[:index],
            header=header,
            body=tuple(line for line in every[index + 1 :] if not line.blank),
            columns=recognise(header.cells),
            language=language(header.cells),
            segments=segment_table(header.cells[0]) is not None,
            every=every,
        )

    @property
    def companies(self) -> bool:
        return "company" in self.columns

    @property
    def decimal_mark(self) -> str:
        return "." if self.language == ENGLISH else ","

    def cell(self, line: Line, field: str) -> str:
        number = self.columns.get(field, -1)
        return line.cells[number].strip() if 0 <= number < len(line.cells) else ""

    def split_total(self) -> tuple[tuple[Line, ...], Line | None]:
        """The body without a closing totals line, and that line."""
        if self.body and squash(next((c for c in self.body[-1].cells if c.strip()), "")) in TOTALS:
            return self.body[:-1], self.body[-1]
        return self.body, None


def _window(table: _Table, name: str, given: Window | None) -> Window:
    """The first two dates of the preamble (the third is when it was made), or what the caller said."""
    found = [day for line in table.preamble for day in dates(line.text, table.language)]
    if len(found) < 2:
        if given is None:
            raise FileNotUnderstood("the file does not say its window; give start and end", file=name)
        return given
    told = Window(found[0], found[1])
    if told.start > told.end or (given is not None and given != told):
        raise FileNotUnderstood("the window in the file is not the one that was given", file=name, line=1)
    return told


def _read_totals(table: _Table, name: str, fetched_at: datetime, given: Window | None) -> ImpressionReport:
    """Campaign and ad performance: the platform's own totals; there is no company in these files."""
    _need(table, name, ("start_date", "impressions", "spend"))
    if not table.columns.keys() & {"campaign_id", "creative_id"}:
        raise FileNotUnderstood("neither campaign id nor ad id is there", file=name, line=table.header.number)
    window = _window(table, name, given)
    body, closing = table.split_total()
    withheld = [line for line in body if is_nothing(table.cell(line, "impressions"))]
    body = tuple(line for line in body if line not in withheld)
    days = [_day(table, line, name) for line in body]
    whole = window.start != window.end and set(days) == {window.start}
    totals = tuple(
        ReportTotal(
            day=None if whole else day,
            impressions=_count(table, line, "impressions", name) or 0,
            clicks=_count(table, line, "clicks", name),
            spend=_money(table, line, name) or Decimal(0),
            campaign_id=_identifier(table, line, "campaign_id", name),
            creative_id=_identifier(table, line, "creative_id", name),
        )
        for line, day in zip(body, days, strict=True)
    )
    warnings = _unknown(table) + [f"withheld_line:{line.number}" for line in withheld]
    if whole:
        warnings.append("grain_guessed:all")
    if closing is not None:
        told = _count(table, closing, "impressions", name)
        if told is not None and told != sum(total.impressions for total in totals):
            warnings.append("total_line_differs")
    return _report(window, fetched_at, (), totals, warnings, grain="all" if whole else "daily")


def _read_companies(table: _Table, name: str, fetched_at: datetime, given: Window | None) -> ImpressionReport:
    """The Companies report: one line per company of the list, not only the most shown."""
    _need(table, name, ("company", "impressions"))
    window = _window(table, name, given)
    body, closing = table.split_total()
    rows = tuple(_company_row(table, line, name) for line in body)
    totals: tuple[ReportTotal, ...] = ()
    if closing is not None:
        told, seen = _count(table, closing, "impressions", name), sum(row.impressions or 0 for row in rows)
        if told is not None and told >= seen:
            spend = _money(table, closing, name) or Decimal(0)
            totals = (ReportTotal(None, told, _count(table, closing, "clicks", name), spend),)
        else:
            rows = (*rows, _company_row(table, closing, name))  # a company that is called Total
    warnings = _unknown(table) + ([] if totals else ["no_total"])
    return _report(window, fetched_at, rows, totals, warnings, list_depth=None)


def _read_demographics(
    table: _Table, name: str, fetched_at: datetime, given: Window | None
) -> ImpressionReport:
    """Stacked tables, one per dimension: the company table is read, the others are only recognised."""
    start = table.every.index(table.header)
    found: tuple[Line, ...] | None = None
    warnings = ["no_total"]
    for stacked in tables(table.every[start:]):
        dimension = segment_table(stacked[0].cells[0])
        if dimension is None:
            raise FileNotUnderstood("a table without a segment header", file=name, line=stacked[0].number)
        if dimension in COMPANY_TABLE:
            found = stacked
    if found is None:
        raise FileNotUnderstood("there is no company table", file=name, line=table.header.number)
    header, *body = found
    columns = {**recognise(header.cells), "company": 0}
    companies = _Table(
        table.preamble, header, tuple(body), columns, table.language, segments=True, every=table.every
    )
    _need(companies, name, ("impressions",))
    warnings += [f"column_not_used:{cell}" for cell in unknown(header.cells[1:])]
    rows = tuple(_company_row(companies, line, name) for line in body if not is_nothing(line.cells[0]))
    return _report(_window(table, name, given), fetched_at, rows, (), warnings)


def _company_row(table: _Table, line: Line, name: str) -> ReportRow:
    url = table.cell(line, "page_url").rstrip("/")
    number = url.rsplit("/", 1)[-1]
    entity = f"urn:li:organization:{number}" if number.isdigit() else table.cell(line, "company")
    if not entity:
        raise FileNotUnderstood("a line without a company", file=name, line=line.number)
    return ReportRow(
        day=None,
        entity=entity,
        impressions=_count(table, line, "impressions", name),
        clicks=_count(table, line, "clicks", name),
        spend=_money(table, line, name),
        members=_count(table, line, "members", name),
    )


def _report(
    window: Window,
    fetched_at: datetime,
    rows: tuple[ReportRow, ...],
    totals: tuple[ReportTotal, ...],
    warnings: Sequence[str],
    *,
    grain: str = "all",
    list_depth: int | None = 100,
) -> ImpressionReport:
    ids = sorted({t.campaign_id or t.creative_id or "" for t in totals} - {""})
    return ImpressionReport(
        platform="linkedin",
        start=window.start,
        end=window.end,
        grain=grain,
        rows=rows,
        totals=totals,
        fetched_at=fetched_at,
        source="export",
        scope=tuple(ids),
        list_depth=list_depth,
        warnings=tuple(warnings),
    )


def _need(table: _Table, name: str, fields: Sequence[str]) -> None:
    missing = [field for field in fields if field not in table.columns]
    if missing:
        there = ", ".join(cell.strip() for cell in table.header.cells)
        raise FileNotUnderstood(
            f"no column for {', '.join(missing)} among: {there}", file=name, line=table.header.number
        )


def _unknown(table: _Table) -> list[str]:
    return [f"column_not_used:{cell}" for cell in unknown(table.header.cells)]


def _day(table: _Table, line: Line, name: str) -> date:
    found = list(dates(table.cell(line, "start_date"), table.language))
    if len(found) != 1:
        raise FileNotUnderstood("not a date", file=name, line=line.number, column=_title(table, "start_date"))
    return found[0]


def _count(table: _Table, line: Line, field: str, name: str) -> int | None:
    try:
        return count(table.cell(line, field))
    except ValueError as error:
        raise FileNotUnderstood(
            str(error), file=name, line=line.number, column=_title(table, field)
        ) from None


def _money(table: _Table, line: Line, name: str) -> Decimal | None:
    try:
        return money(table.cell(line, "spend"), decimal_mark=table.decimal_mark)
    except ValueError as error:
        raise FileNotUnderstood(
            str(error), file=name, line=line.number, column=_title(table, "spend")
        ) from None


def _identifier(table: _Table, line: Line, field: str, name: str) -> str | None:
    text = table.cell(line, field)
    if field not in table.columns or text == "":
        return None
    if not text.isdigit():
        raise FileNotUnderstood("not an id", file=name, line=line.number, column=_title(table, field))
    return text


def _title(table: _Table, field: str) -> str:
    return table.header.cells[table.columns[field]].strip()
