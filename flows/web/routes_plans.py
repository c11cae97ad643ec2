"""Review of balancing plans: look, make exceptions, approve, refuse, shadow, tied to the hash shown."""

from __future__ import annotations

import math

from fastapi import APIRouter, Request
from fastapi.responses import Response

from flows.report import tables
from flows.report.catalogue import say
from flows.web.errors import Invalid
from flows.web.gate import Approver, Operator, Posted, Sent, Viewer, desk
from flows.web.pages import go, path_part, show, table_file
from flows.web.views import PlanView

router = APIRouter(include_in_schema=False)

KINDS = ("pin", "exclude", "raise_cap", "clear")


@router.get("/segments/{segment:path}/plan")
def newest(request: Request, visitor: Viewer, segment: str) -> Response:
    service = desk(request).service
    return _shown(request, service.plan(segment), segment)


@router.get("/plans/{plan_id}")
def plan(request: Request, visitor: Viewer, plan_id: str) -> Response:
    found = desk(request).service.plan_by_id(plan_id)
    return _shown(request, found, found.segment)


def _shown(request: Request, found: PlanView | None, segment: str) -> Response:
    line = desk(request).service.segment_line(segment)
    return show(request, "plan.html", here="segments", tab="plan", segment=line, plan=found)


@router.get("/plans/{plan_id}/moves.csv")
@router.get("/plans/{plan_id}/moves.json")
def moves_file(request: Request, visitor: Viewer, plan_id: str) -> Response:
    found = _moves(desk(request).service.plan_by_id(plan_id))
    return table_file(request, f"plan-{plan_id}", found.columns, found.rows)


def _moves(plan: PlanView) -> tables.Table:
    columns = ("account_id", "name", "band_before", "band_after", "reason", "why", "earliest_change_back")
    rows = [
        (
            move.account_id,
            move.name,
            move.before + 1 if move.before >= 0 else None,
            move.after + 1 if move.after >= 0 else None,
            move.reason,
            move.why,
            move.release.isoformat() if move.release else None,
        )
        for move in plan.summary.moves
    ]
    return tables.Table(columns, rows)


@router.post("/plans/{plan_id}/override")
def override(request: Request, visitor: Operator, plan_id: str, form: Sent) -> Response:
    """An exception for one account; the page goes on to the plan made anew with it."""
    kind, account = form.text("kind"), form.text("account_id", most=300)
    wrong = {}
    if kind not in KINDS:
        wrong["kind"] = say("plan.exceptions.which")
    if not account:
        wrong["account_id"] = say("plan.exceptions.whom")
    value = _impressions(form) if kind == "raise_cap" else None
    if kind == "raise_cap" and value is None:
        wrong["value"] = say("plan.exceptions.how_many")
    if wrong:
        raise Invalid(say("plan.exceptions.not_made"), fields=wrong)
    found = desk(request).service.override(plan_id, account, kind=kind, value=value, who=visitor.name)
    return go(f"/plans/{path_part(found.plan_id)}")


def _impressions(form: Posted) -> float | None:
    try:
        value = float(form.text("value", most=30).replace(",", ""))
    except ValueError:
        return None
    return value if math.isfinite(value) and 0 < value <= 1e12 else None


@router.post("/plans/{plan_id}/approve")
def approve(request: Request, visitor: Approver, plan_id: str, form: Sent) -> Response:
    """Approve exactly what was shown; Moved shows what changed meanwhile."""
    found = desk(request).service.approve(plan_id, form.text("shown_hash"), who=visitor.name)
    return go(f"/plans/{path_part(found.plan_id)}")


@router.post("/plans/{plan_id}/undo")
def undo(request: Request, visitor: Approver, plan_id: str, form: Sent) -> Response:
    """Take back the plan that was carried out last."""
    found = desk(request).service.plan_undo(plan_id, who=visitor.name)
    return go(f"/plans/{path_part(found.plan_id)}")


@router.post("/plans/{plan_id}/refuse")
def refuse(request: Request, visitor: Approver, plan_id: str, form: Sent) -> Response:
    reason = form.text("reason", most=500, label=say("plan.decide.reason"))
    found = desk(request).service.refuse(plan_id, form.text("shown_hash"), who=visitor.name, reason=reason)
    return go(f"/plans/{path_part(found.plan_id)}")


@router.post("/plans/{plan_id}/shadow")
def shadow(request: Request, visitor: Approver, plan_id: str, form: Sent) -> Response:
    found = desk(request).service.shadow(plan_id, form.text("shown_hash"), who=visitor.name)
    return go(f"/plans/{path_part(found.plan_id)}")
