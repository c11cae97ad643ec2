"""Push a list: drop a file, check it, confirm, watch, cancel, undo. The file is never kept by this layer."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from flows.report import tables
from flows.report.catalogue import say
from flows.web import page_words
from flows.web.errors import Invalid
from flows.web.gate import Operator, Posted, Sent, Viewer, desk
from flows.web.pages import CSV, download, go, path_part, show, table_file
from flows.web.routes_report import SAID
from flows.web.views import PushOrder

router = APIRouter()

SHOWN, KEPT = 50, 10_000  # pushes on the page, in a download
PUSH_COLUMNS = ("push_id", "list_name", "owner", "stage", "rows", "ends_on", "note")


@router.get("/push", include_in_schema=False)
def start(request: Request, visitor: Viewer) -> Response:
    return show(request, "push.html", here="push", pushes=desk(request).service.pushes(SHOWN))


@router.get("/pushes.csv", include_in_schema=False)
@router.get("/pushes.json", include_in_schema=False)
def pushes_file(request: Request, visitor: Viewer) -> Response:
    return table_file(request, "pushes", PUSH_COLUMNS, _pushes(request))


def _pushes(request: Request) -> list[list[Any]]:
    found = desk(request).service.pushes(KEPT)
    days = {push.push_id: push.ends_on.isoformat() if push.ends_on else None for push in found}
    return [
        [push.push_id, push.list_name, push.owner, push.stage, push.total, days[push.push_id], push.note]
        for push in found
    ]


@router.post("/push/file", include_in_schema=False)
def dropped(request: Request, visitor: Operator, form: Sent) -> Response:
    if form.file is None or not form.file.filename:
        raise Invalid(say("push.choose.no_file"), fields={"file": say("push.choose.which")})
    content = form.file.file.read()
    if not content:
        raise Invalid(say("push.choose.empty"), fields={"file": say("push.choose.with_rows")})
    name = form.file.filename.replace("\\", "/").rpartition("/")[2][:200]
    found = desk(request).service.push_preview(content, name, mapping=None, who=visitor.name)
    return go(f"/push/{path_part(found.preview_id)}")


@router.get("/push/{preview_id}", include_in_schema=False)
def shown(request: Request, visitor: Operator, preview_id: str) -> Response:
    at = desk(request)
    found = at.service.push_shown(preview_id)
    return show(
        request,
        "push_preview.html",
        here="push",
        preview=found,
        today=at.access.today,
        entered={},
        chosen=None,
    )


@router.post("/push/{preview_id}/mapping", include_in_schema=False)
def remap(request: Request, visitor: Operator, preview_id: str, form: Sent) -> Response:
    service = desk(request).service
    found = service.push_shown(preview_id)
    known = {field for field, _ in found.fields} | {""}
    mapping = {column.header: form.text(f"column-{i}") for i, column in enumerate(found.columns)}
    if not set(mapping.values()) <= known:
        raise Invalid(say("push.mapping.no_such_meaning"))
    service.push_remap(preview_id, mapping, who=visitor.name, vouched=form.text("vouched") == "yes")
    return go(f"/push/{path_part(preview_id)}")


@router.get("/push/{preview_id}/rejects.csv", include_in_schema=False)
def rejects(request: Request, visitor: Operator, preview_id: str) -> Response:
    """Rows that cannot be used: line, column, reason. The values stay in the visitor's own file."""
    found = desk(request).service.push_rejects(preview_id)
    rows = ((r.line, r.column, r.reason, page_words.rejected(r.reason), r.detail) for r in found)
    return download(
        tables.to_csv(("line", "column", "reason", "meaning", "detail"), rows), "rejects.csv", CSV
    )


@router.post("/push/{preview_id}/confirm", include_in_schema=False)
def confirm(request: Request, visitor: Operator, preview_id: str, form: Sent) -> Response:
    at = desk(request)
    preview = at.service.push_shown(preview_id)
    try:
        order = _order(form, today=at.access.today, offered={f.platform for f in preview.forecasts})
    except Invalid as error:
        return show(
            request, "push_preview.html", status=error.status, here="push", preview=preview,
            today=at.access.today, entered={**form.fields}, fields=error.fields,
            chosen=form.lists.get("platform", ()),
        )  # fmt: skip
    push_id = at.service.push_confirm(preview_id, order, who=visitor.name)
    return go(f"/pushes/{path_part(push_id)}")


def _order(form: Posted, *, today: date, offered: set[str]) -> PushOrder:
    """The order as entered, checked. Raises Invalid naming every field that is wrong."""
    wrong: dict[str, str] = {}
    name = form.text("list_name", most=120, label=say("push.order.name_field"))
    owner = form.text("owner", most=120, label=say("push.order.owner"))
    note = form.text("note", most=1_000, label=say("push.order.note"))
    platforms = tuple(p for p in dict.fromkeys(form.lists.get("platform", ())) if p in offered)
    if not name:
        wrong["list_name"] = say("push.order.no_name")
    if not owner:
        wrong["owner"] = say("push.order.no_owner")
    if not platforms:
        wrong["platform"] = say("push.order.no_platform")
    ends: date | None = None
    try:
        ends = date.fromisoformat(form.text("ends_on", most=30))
    except ValueError:
        wrong["ends_on"] = say("push.order.no_day")
    if ends is not None and ends <= today:
        wrong["ends_on"] = say("push.order.day_passed")
    if wrong:
        raise Invalid(say("push.order.not_sent"), fields=wrong)
    return PushOrder(name, owner, note, ends, platforms)


@router.get("/pushes/{push_id}", include_in_schema=False)
def progress(request: Request, visitor: Viewer, push_id: str) -> Response:
    at = desk(request)
    found = at.service.push_progress(push_id)
    return show(request, "push_progress.html", here="push", push=found, now=at.access.now())


@router.get("/pushes/{push_id}/progress.json", responses=SAID)
def progress_json(request: Request, visitor: Viewer, push_id: str) -> Response:
    """Where a push stands; the page asks every second while it runs."""
    at = desk(request)
    found = at.service.push_progress(push_id)
    left = 0
    if found.cancel_until is not None:
        left = max(0, int((found.cancel_until - at.access.now()).total_seconds()))
    body: dict[str, Any] = {
        "push_id": found.push_id,
        "stage": found.stage,
        "stage_words": page_words.said("push.stage", found.stage),
        "done": found.done,
        "total": found.total,
        "message": found.message,
        "cancel_seconds": left,
        "may_undo": found.may_undo,
        "lists": [asdict(line) for line in found.lists],
    }
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


@router.post("/pushes/{push_id}/cancel", include_in_schema=False)
def cancel(request: Request, visitor: Operator, push_id: str, form: Sent) -> Response:
    desk(request).service.push_cancel(push_id, who=visitor.name)
    return go(f"/pushes/{path_part(push_id)}")


@router.post("/pushes/{push_id}/undo", include_in_schema=False)
def undo(request: Request, visitor: Operator, push_id: str, form: Sent) -> Response:
    desk(request).service.push_undo(push_id, who=visitor.name)
    return go(f"/pushes/{path_part(push_id)}")
