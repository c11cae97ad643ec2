"""Runs and the audit log: what was sent, what became of it, who did what. The only act here is undo."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from flows.report.catalogue import table
from flows.web.gate import Operator, Sent, Viewer, desk
from flows.web.pages import go, show, table_file
from flows.web.routes_report import SAID
from flows.web.views import AuditLine, RunLine

router = APIRouter()

SHOWN, KEPT = 100, 10_000  # lines on the page, lines in a download

RUN_COLUMNS = (
    "run_id", "kind", "segment", "platform", "started", "ended", "status", "adds", "removes", "accepted",
    "rejected", "unknown", "message", "link",
)  # fmt: skip
AUDIT_COLUMNS = ("at", "who", "action", "subject", "detail")


@router.get("/runs", include_in_schema=False)
def runs(request: Request, visitor: Viewer, kind: str = "") -> Response:
    wanted = kind if kind in table("run.filter") and kind != "all" else ""
    found = [run for run in desk(request).service.runs(KEPT) if wanted in ("", run.kind)][:SHOWN]
    return show(request, "runs.html", here="runs", runs=found, kind=wanted, most=SHOWN)


@router.get("/runs.json", responses=SAID)
def runs_json(request: Request, visitor: Viewer) -> Response:
    """Every sync, push, collection and plan, newest first."""
    return _data([dict(zip(RUN_COLUMNS, _run(r), strict=True)) for r in desk(request).service.runs(KEPT)])


@router.get("/runs.csv", include_in_schema=False)
def runs_csv(request: Request, visitor: Viewer) -> Response:
    rows = (_run(run) for run in desk(request).service.runs(KEPT))
    return table_file(request, "runs", RUN_COLUMNS, rows)


@router.post("/runs/{run_id}/undo", include_in_schema=False)
def undo(request: Request, visitor: Operator, run_id: str, form: Sent) -> Response:
    desk(request).service.undo(run_id, who=visitor.name)
    return go("/runs")


@router.get("/audit", include_in_schema=False)
def audit(request: Request, visitor: Viewer) -> Response:
    return show(request, "audit.html", here="audit", lines=desk(request).service.audit(SHOWN), most=SHOWN)


@router.get("/audit.json", responses=SAID)
def audit_json(request: Request, visitor: Viewer) -> Response:
    """Who did what, newest first."""
    found = desk(request).service.audit(KEPT)
    return _data([dict(zip(AUDIT_COLUMNS, _line(line), strict=True)) for line in found])


@router.get("/audit.csv", include_in_schema=False)
def audit_csv(request: Request, visitor: Viewer) -> Response:
    rows = (_line(line) for line in desk(request).service.audit(KEPT))
    return table_file(request, "audit", AUDIT_COLUMNS, rows)


def _run(run: RunLine) -> list[Any]:
    moments = {"started": run.started.isoformat(), "ended": run.ended.isoformat() if run.ended else None}
    return [moments.get(column, getattr(run, column)) for column in RUN_COLUMNS]


def _line(line: AuditLine) -> list[Any]:
    return [line.at.isoformat(), line.who, line.action, line.subject, line.detail]


def _data(rows: list[dict[str, Any]]) -> Response:
    return JSONResponse(rows, headers={"Cache-Control": "no-store"})
