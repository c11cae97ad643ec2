"""Segments: rules in words, who qualifies, and proposed changes. Nothing is written silently."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from balancer.types import Bounded
from flows.report.catalogue import say
from flows.web import page_words
from flows.web.gate import Approver, Operator, Sent, Viewer, desk
from flows.web.pages import YAML, download, go, path_part, show, table_file

router = APIRouter(include_in_schema=False)

PREVIEW_ROWS = 200
DOWNLOAD_ROWS = 1_000_000
YAML_MOST = 200_000  # characters

ACCOUNT_COLUMNS = (
    "account_id", "name", "domain", "country", "industry", "employees", "tier", "fit", "intent",
)  # fmt: skip
RULE_COLUMNS = ("depth", "rule", "kept", "dropped", "unknown")
SEGMENT_COLUMNS = (
    "name", "title", "accounts", "members", "last_sync", "top_share_low", "top_share", "top_share_high",
    "coverage_low", "coverage", "coverage_high", "waiting", "warnings",
)  # fmt: skip


@router.get("/segments")
def segments(request: Request, visitor: Viewer) -> Response:
    at = desk(request)
    return show(
        request, "segments.html", here="segments", segments=at.service.segments(), now=at.access.now()
    )


@router.get("/segments.csv")
@router.get("/segments.json")
def segments_file(request: Request, visitor: Viewer) -> Response:
    return table_file(request, "segments", SEGMENT_COLUMNS, _segments(request))


def _segments(request: Request) -> list[tuple[Any, ...]]:
    return [
        (
            line.name,
            line.title,
            line.accounts,
            line.members,
            line.last_sync.isoformat() if line.last_sync else None,
            *_bounds(line.top_share),
            *_bounds(line.coverage),
            line.waiting,
            line.warnings,
        )
        for line in desk(request).service.segments()
    ]


def _bounds(value: Bounded | None) -> tuple[float | None, ...]:
    return (None, None, None) if value is None else (value.low, value.point, value.high)


@router.get("/segments/{name:path}/rules.csv")
@router.get("/segments/{name:path}/rules.json")
def rules_file(request: Request, visitor: Viewer, name: str) -> Response:
    return table_file(request, f"{name}-rules", RULE_COLUMNS, _rules(request, name))


def _rules(request: Request, name: str) -> list[list[Any]]:
    """The rules, then who is left out after them."""
    view = desk(request).service.segment(name)
    rules = [[rule.depth, rule.text, rule.kept, rule.dropped, rule.unknown] for rule in view.rules]
    return rules + [[0, page_words.left_out(code), None, number, None] for code, number in view.left_out]


@router.get("/segments/{name:path}/accounts")
def accounts(request: Request, visitor: Viewer, name: str) -> Response:
    service = desk(request).service
    return show(
        request,
        "segment_accounts.html",
        here="segments",
        tab="accounts",
        segment=service.segment(name).line,
        accounts=service.preview(name, PREVIEW_ROWS),
        most=PREVIEW_ROWS,
    )


@router.get("/segments/{name:path}/accounts.csv")
@router.get("/segments/{name:path}/accounts.json")
def accounts_file(request: Request, visitor: Viewer, name: str) -> Response:
    return table_file(request, f"{name}-accounts", ACCOUNT_COLUMNS, _accounts(request, name))


def _accounts(request: Request, name: str) -> list[list[Any]]:
    found = desk(request).service.preview(name, DOWNLOAD_ROWS)
    return [[getattr(account, column) for column in ACCOUNT_COLUMNS] for account in found]


@router.post("/segments/{name:path}/propose")
def propose(request: Request, visitor: Operator, name: str, form: Sent) -> Response:
    text = form.text("yaml", most=YAML_MOST, label=say("segment.edit.title")).replace("\r\n", "\n") + "\n"
    found = desk(request).service.propose_edit(name, text, who=visitor.name)
    return go(f"/proposals/{path_part(found.proposal_id)}")


@router.get("/proposals/{proposal_id}")
def proposal(request: Request, visitor: Viewer, proposal_id: str) -> Response:
    service = desk(request).service
    found = service.proposal(proposal_id)
    line = service.segment_line(found.segment)
    return show(request, "proposal.html", here="segments", tab="rules", segment=line, proposal=found)


@router.get("/proposals/{proposal_id}/yaml")
def proposal_yaml(request: Request, visitor: Viewer, proposal_id: str) -> Response:
    found = desk(request).service.proposal(proposal_id)
    return download(found.yaml, f"{found.segment}.yaml", YAML)


@router.post("/proposals/{proposal_id}/write")
def write(request: Request, visitor: Approver, proposal_id: str, form: Sent) -> Response:
    found = desk(request).service.write_edit(proposal_id, who=visitor.name)
    return go(f"/proposals/{path_part(found.proposal_id)}")


# last: a segment's name may hold slashes, so this address would swallow the ones above
@router.get("/segments/{name:path}")
def segment(request: Request, visitor: Viewer, name: str) -> Response:
    view = desk(request).service.segment(name)
    return show(request, "segment.html", here="segments", tab="rules", segment=view.line, view=view)
