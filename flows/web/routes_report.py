"""Overview and the top-100 report, with every table as a download. Reads only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from flows.report import html, tables
from flows.report.catalogue import say
from flows.report.model import ReportPage
from flows.web.errors import NotFound, NothingYet
from flows.web.gate import Viewer, desk
from flows.web.pages import HTML, JSON, download, path_part, show, table_file

router = APIRouter()
SAID: dict[int | str, dict[str, Any]] = {
    401: {"description": "Not signed in"},
    404: {"description": "No such segment, or nothing reported yet"},
}


@router.get("/", include_in_schema=False)
def overview(request: Request, visitor: Viewer) -> Response:
    at = desk(request)
    return show(
        request, "overview.html", here="overview", overview=at.service.overview(), now=at.access.now()
    )


@router.get("/segments/{segment:path}/report", include_in_schema=False)
def report(request: Request, visitor: Viewer, segment: str, window: str = "") -> Response:
    """The report as a page; says what to do while there is nothing to report."""
    at = desk(request)
    line = at.service.segment_line(segment)
    windows = list(at.service.windows(segment))
    chosen = window or (windows[0][0] if windows else "")
    base = f"/segments/{path_part(segment)}/report"
    query = f"?window={path_part(chosen)}"
    try:
        page: ReportPage | None = at.service.report(segment, chosen)
    except NothingYet:
        page = None
    return show(
        request,
        "segment_report.html",
        here="segments",
        tab="report",
        segment=line,
        page=page,
        windows=windows,
        chosen=chosen,
        rows_shown=html.ROWS_SHOWN,
        rows_url=f"{base}/rows.json{query}",
        csv_url=f"{base}/accounts.csv{query}",
        json_url=f"{base}/accounts.json{query}",
        tables_url=base,
        query=query,
        figures_url=f"{base}/figures.json{query}",
        file_url=f"{base}/file{query}",
    )


def _page(request: Request, segment: str, window: str) -> ReportPage:
    service = desk(request).service
    if not window:
        windows = list(service.windows(segment))
        if not windows:
            raise NothingYet(say("error.no_report"))
        window = windows[0][0]
    return service.report(segment, window)


def _data(make: Callable[[ReportPage], str], page: ReportPage) -> Response:
    return Response(make(page), media_type=JSON, headers={"Cache-Control": "no-store"})


@router.get("/segments/{segment:path}/report/rows.json", responses=SAID)
def rows(request: Request, visitor: Viewer, segment: str, window: str = "") -> Response:
    """Every account of the report, by column."""
    return _data(tables.columns_json, _page(request, segment, window))


@router.get("/segments/{segment:path}/report/figures.json", responses=SAID)
def figures(request: Request, visitor: Viewer, segment: str, window: str = "") -> Response:
    """Headline numbers with bounds, and the weekly series."""
    return _data(tables.figures_json, _page(request, segment, window))


@router.get("/segments/{segment:path}/report/{table}.json", responses=SAID)
@router.get("/segments/{segment:path}/report/{table}.csv", include_in_schema=False)
def table(request: Request, visitor: Viewer, segment: str, table: str, window: str = "") -> Response:
    """One table of the report (accounts, weeks, starved, moved, lists) as a list of objects, to keep."""
    found = _table(request, segment, table, window)
    return table_file(request, f"{segment}-{table}", found.columns, found.rows)


def _table(request: Request, segment: str, name: str, window: str) -> tables.Table:
    if name not in tables.TABLES:
        raise NotFound(say("error.no_table"))
    return tables.TABLES[name](_page(request, segment, window))


@router.get("/segments/{segment:path}/report/file", include_in_schema=False)
def report_file(request: Request, visitor: Viewer, segment: str, window: str = "") -> Response:
    """The whole report as one file to mail."""
    return download(html.render(_page(request, segment, window)), f"{segment}-report.html", HTML)
