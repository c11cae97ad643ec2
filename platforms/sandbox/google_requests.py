"""Accepted requests: queued, completed later, in an order Google does not promise. No validation in here.

Source: developers.google.com/data-manager/api/devguides/diagnostics (2026-07).
"""

from __future__ import annotations

from typing import Any

from platforms.sandbox.clock import SECOND
from platforms.sandbox.directory import fraction
from platforms.sandbox.google_ingest import Checked
from platforms.sandbox.google_lists import GoogleRequest, Record, UserList, in_eea
from platforms.sandbox.world import World

RANGES = ((20, "LESS_THAN_20"), (30, "20_TO_30"), (40, "31_TO_40"), (50, "41_TO_50"), (60, "51_TO_60"),
          (70, "61_TO_70"), (80, "71_TO_80"), (90, "81_TO_90"), (100, "91_TO_100"))  # fmt: skip


def accept(
    world: World, kind: str, destinations: list[dict[str, Any]], payload: dict[str, Any]
) -> GoogleRequest:
    """Queue a request; with the knob, the first of two overlapping requests finishes after the second."""
    number = world.next_id("google_request", 1)
    minutes = world.knobs.google_minutes * (2 if world.knobs.google_unordered and number % 2 else 1)
    request = GoogleRequest(
        request_id=f"r{number:08d}-{round(fraction(world.seed, 'request', number) * 2**40):010x}",
        kind=kind,
        destinations=destinations,
        accepted=world.now,
        due=world.now + round(minutes * 60 * SECOND),
        payload=payload,
    )
    world.google.requests[request.request_id] = request
    world.agenda.put(request.due, "google", request.request_id)
    return request


def complete(world: World, when: int, request_id: str) -> None:
    """Apply a request's effects and settle its status per destination."""
    request = world.google.requests[request_id]
    request.outcomes = [_settle(world, request, d) for d in request.destinations]
    request.payload = {}


def _settle(world: World, request: GoogleRequest, destination: dict[str, Any]) -> dict[str, Any]:
    target: UserList | None = world.google.lists.get(destination["productDestinationId"])
    head: dict[str, Any] = {"destination": destination}
    if request.kind == "removeAll":
        if target is not None:
            world.google.remove_before(target, request.payload["as_of"])
        return {**head, "requestStatus": "SUCCESS", "removeAllAudienceMembersStatus": {}}
    rows: list[Checked] = [
        row for row in request.payload["rows"] if not row[2] or destination.get("reference") in row[2]
    ]
    errors: dict[str, list[int]] = {}
    taken: list[Record] = []
    too_recent = target is None or (
        request.accepted - target.created < world.knobs.google_too_recent_minutes * 60 * SECOND
    )
    for i, (record, consent, _) in enumerate(rows):
        reason = (
            "DESTINATION_TOO_RECENTLY_CREATED" if too_recent else _refusal(world, request, i, record, consent)
        )
        if reason is None:
            taken.append(record)
        elif reason:
            errors.setdefault(reason, []).append(i)
    matched = _take(world, request, target, taken)
    body = {**head, **_status(rows, errors, named=world.knobs.google_names_rows)}
    body.update(_counts(request, rows, matched))
    return body


def _refusal(world: World, request: GoogleRequest, i: int, record: Record, consent: str) -> str | None:
    """Why a person is not taken over: a reason, "" for a silent drop, None when all is well."""
    effects = request.payload.get("effects", {})
    if _hit(effects, "refuse", i):
        return "INVALID_FORMAT"
    if _hit(effects, "drop", i):
        return ""
    if request.kind == "remove":
        return None
    if consent == "denied":
        return "DENIED_CONSENT"
    if consent != "granted" and in_eea(world, record):
        return "NO_CONSENT" if consent == "none" else "UNKNOWN_CONSENT"
    return None


def _hit(effects: dict[str, Any], name: str, i: int) -> bool:
    share = float(effects.get(name, 0.0))
    return share > 0.0 and fraction(0, name, effects.get("salt", ""), i) < share


def _take(world: World, request: GoogleRequest, target: UserList | None, taken: list[Record]) -> int:
    if target is None:
        return 0
    if request.kind == "ingest":
        return int(world.google.add(world, target, taken, request.accepted))
    world.google.remove(world, target, taken)
    return 0


def _status(rows: list[Checked], errors: dict[str, list[int]], *, named: bool) -> dict[str, Any]:
    if not errors:
        return {"requestStatus": "SUCCESS"}
    failed = sum(map(len, errors.values()))
    counts = [
        {
            "reason": f"PROCESSING_ERROR_REASON_{r}",
            "recordCount": str(len(at)),
            **({"recordIndices": at} if named else {}),
        }
        for r, at in sorted(errors.items())
    ]
    state = "FAILED" if failed == len(rows) else "PARTIAL_SUCCESS"
    return {"requestStatus": state, "errorInfo": {"errorCounts": counts}}


def _counts(request: GoogleRequest, rows: list[Checked], matched: int) -> dict[str, Any]:
    """The status union; ``recordCount`` counts everything sent, failures included."""
    kind = request.payload["kind"]
    total = str(len(rows))
    counted = {"recordCount": total}
    identifiers = sum(len(r[0]) for r in rows)
    shown: dict[str, Any]
    if kind == "compositeData":
        types = request.payload["types"]
        shown = {
            **counted,
            "dataTypeCounts": [{"type": t, "count": str(n)} for t, n in sorted(types.items())],
        }
    else:
        name = {"mobileData": "mobileIdCount", "userIdData": "userIdCount"}.get(kind, "userIdentifierCount")
        shown = {**counted, name: str(identifiers)}
    if request.kind == "ingest" and kind in ("compositeData", "userData"):
        shown["uploadMatchRateRange"] = match_range(matched, len(rows))
    word = "Ingestion" if request.kind == "ingest" else "Removal"
    return {f"audienceMembers{word}Status": {f"{kind}{word}Status": shown}}


def match_range(matched: int, sent: int) -> str:
    """The enum bucket of matched / sent."""
    percent = 100.0 * matched / sent if sent else 0.0
    name = "LESS_THAN_20" if percent < 20 else next(n for top, n in RANGES[1:] if percent <= top)
    return f"MATCH_RATE_RANGE_{name}"
