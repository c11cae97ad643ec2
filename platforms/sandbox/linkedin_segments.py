"""``/rest/dmpSegments`` and ``/rest/adSegments`` on the wire. Rules of a segment's life are in ``segments``.

Source: learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/create-and-manage-segments (2026-08),
.../create-and-manage-segment-destinations, .../adsegments, .../recent-changes (August 2026).
"""

from __future__ import annotations

from typing import Any

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox import segments as life
from platforms.sandbox.clock import SECOND
from platforms.sandbox.linkedin_bodies import json_body, page, patch_of
from platforms.sandbox.linkedin_gate import listed, query_of, readable_account, role_on, writable_account
from platforms.sandbox.restli import last_part
from platforms.sandbox.wire import Answer, Call, json_answer
from platforms.sandbox.world import Segment, World

KINDS = ("USER", "COMPANY", "USER_LIST_UPLOAD", "COMPANY_LIST_UPLOAD")
CREATE_FIELDS = {
    "name",
    "type",
    "sourcePlatform",
    "account",
    "sourceSegmentId",
    "description",
    "destinations",
}
MUTABLE = {"name", "description", "sourceSegmentId", "accessPolicy"}
FIND_PARAMS = {"q", "account", "sourcePlatform", "sourceSegmentId", "start", "count", "fields"}


def create(world: World, call: Call) -> Answer:
    """One segment. Names need not be unique, and there is no idempotency key."""
    body = json_body(call)
    _check_create(body)
    account = writable_account(world, call, body["account"], "dmpSegments.CREATE")
    if account.test:
        raise err.refuse(
            400,
            {
                "code": "SEGMENT_CREATION_NOT_ALLOWED_FOR_TEST_ACCOUNTS",
                "message": "Segments cannot be created for test accounts",
            },
        )
    mine = sum(s.account == account.account_id for s in world.segments.values())
    if mine >= world.knobs.segment_limit:
        raise err.too_many_segments()
    segment = Segment(
        segment_id=world.next_id("segment", 10_001),
        ad_segment=world.next_id("ad_segment", 8_000_001),
        account=account.account_id,
        name=body["name"],
        kind=body["type"],
        source_platform=body["sourcePlatform"],
        source_id=body.get("sourceSegmentId"),
        description=body.get("description"),
        created=world.now,
        modified=world.now,
        idle_since=world.now,
        destination_added=world.now if body.get("destinations") else 0,
    )
    world.segments[segment.segment_id] = segment
    world.ad_segments[segment.ad_segment] = segment
    return err.created(segment.segment_id)


def _check_create(body: dict[str, Any]) -> None:
    for name in body:
        if name not in CREATE_FIELDS:
            raise err.schema(name, err.UNRECOGNIZED)
    for name in ("name", "type", "sourcePlatform", "account", "destinations"):
        if name not in body:
            raise err.schema(name, err.REQUIRED)
    for name in ("name", "type", "sourcePlatform", "account", "sourceSegmentId", "description"):
        if name in body and not isinstance(body[name], str):
            raise err.schema(name, f"{body[name]} cannot be coerced to String")
    if body["type"] not in KINDS:
        raise err.schema("type", err.not_an_enum(body["type"]))
    if not body["account"].startswith("urn:li:sponsoredAccount:"):
        raise err.schema("account", "not a valid sponsoredAccount URN")
    if body["type"].endswith("LIST_UPLOAD") != (body["sourcePlatform"] == "LIST_UPLOAD"):
        raise err.plain(400, "sourcePlatform does not fit the segment type")
    _check_destinations(body["destinations"])


def _check_destinations(value: Any) -> None:
    if not isinstance(value, list) or not value:
        raise err.schema("destinations", err.REQUIRED)
    for i, item in enumerate(value):
        _check_destination(item, f"destinations/{i}")


def _check_destination(item: Any, path: str) -> None:
    if not isinstance(item, dict) or "destination" not in item:
        raise err.schema(f"{path}/destination", err.REQUIRED)
    for name in item:
        if name != "destination":
            raise err.schema(f"{path}/{name}", err.UNRECOGNIZED)
    if item["destination"] != "LINKEDIN":
        raise err.schema(f"{path}/destination", err.not_an_enum(item["destination"]))


def find(world: World, call: Call) -> Answer:
    """``q=account``; index paging, all of them where neither ``start`` nor ``count`` is given."""
    query = query_of(world, call)
    for name in query:
        if name not in FIND_PARAMS:
            raise err.refuse(
                400, {"code": "QUERY_PARAM_NOT_ALLOWED", "message": f"Query parameter {name} is not allowed"}
            )
    if query.get("q") != "account" or not query.get("account"):
        raise err.plain(400, "Finder 'account' needs the parameter account")
    account_id = last_part(str(query["account"]))
    if account_id in world.accounts and role_on(world, call, account_id) is None:
        raise err.denied("dmpSegments.FINDER-account")
    found = [s for s in world.segments.values() if s.account == account_id and _fits(s, query)]
    return json_answer(200, page([segment_json(world, s) for s in found], query, default=None))


def _fits(segment: Segment, query: dict[str, Any]) -> bool:
    platform, source = query.get("sourcePlatform"), query.get("sourceSegmentId")
    return platform in (None, segment.source_platform) and source in (None, segment.source_id)


def get(world: World, call: Call) -> Answer:
    return json_answer(200, segment_json(world, segment_of(world, call, write=False)))


def destination(world: World, call: Call) -> Answer:
    segment = segment_of(world, call, write=False)
    if call.args["destination"] != "LINKEDIN" or not segment.destination_added:
        raise err.plain(404, "Could not find destination")
    return json_answer(200, _destination_json(world, segment))


def add_destination(world: World, call: Call) -> Answer:
    segment = segment_of(world, call, child=True)
    _check_destination(json_body(call), "")
    segment.destination_added = segment.destination_added or world.now
    return err.created("LINKEDIN")


def update(world: World, call: Call) -> Answer:
    """PARTIAL_UPDATE of the mutable fields."""
    segment = segment_of(world, call)
    patch = patch_of(call)
    changes = patch.get("$set", {})
    for name in [*changes, *patch.get("$delete", [])]:
        if name not in MUTABLE:
            known = name in CREATE_FIELDS
            raise err.plain(400, f"{name} is immutable") if known else err.schema(name, err.UNRECOGNIZED)
    if not isinstance(changes.get("name", ""), str):
        raise err.schema("patch/$set/name", "cannot be coerced to String")
    segment.name = changes.get("name", segment.name)
    segment.description = changes.get("description", segment.description)
    segment.source_id = changes.get("sourceSegmentId", segment.source_id)
    for name in patch.get("$delete", []):
        setattr(segment, {"sourceSegmentId": "source_id"}.get(name, name), None)
    life.touch(world, segment)
    return err.no_content()


def delete(world: World, call: Call) -> Answer:
    life.delete(world, segment_of(world, call))
    return err.no_content()


def delete_many(world: World, call: Call) -> Answer:
    """``DELETE /dmpSegments?ids=List(1,2)``: one outcome per id."""
    results: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    found: dict[str, Segment] = {}
    for text in listed(query_of(world, call).get("ids")):
        segment = world.segments.get(int(text)) if text.isdigit() else None
        if segment is None:
            errors[text] = {"status": 404, "message": f"Could not find DMP segment with ID {text}"}
            continue
        writable_account(world, call, segment.account, "dmpSegments.BATCH_DELETE")
        found[text] = segment
    for text, segment in found.items():
        life.delete(world, segment)
        results[text] = {"status": 204}
    return json_answer(200, {"results": results, "errors": errors})


def segment_of(world: World, call: Call, *, write: bool = True, child: bool = False) -> Segment:
    """The segment of the path. Children of one younger than a few seconds are not there yet."""
    text = call.args["segment"]
    segment = world.segments.get(int(text)) if text.isdigit() else None
    if segment is None:
        raise err.no_segment(text)
    if write:
        writable_account(world, call, segment.account, "dmpSegments.UPDATE")
    else:
        readable_account(world, call, segment.account, "dmpSegments.GET")
    if child and world.now - segment.created < world.knobs.child_ready_seconds * SECOND:
        raise err.no_segment(text, early=True)
    return segment


def segment_json(world: World, segment: Segment) -> dict[str, Any]:
    rolling = life.rolling(world, segment)
    shown: dict[str, Any] = {
        "id": segment.segment_id,
        "account": f"urn:li:sponsoredAccount:{segment.account}",
        "type": segment.kind,
        "name": segment.name,
        "sourcePlatform": segment.source_platform,
        "accessPolicy": "PRIVATE",
        "created": segment.created,
        "lastModified": segment.modified,
    }
    if segment.source_id is not None:
        shown["sourceSegmentId"] = segment.source_id
    if segment.description is not None:
        shown["description"] = segment.description
    if rolling is not None and life.status(world, segment) != "BUILDING":
        shown["inputCount"] = rolling[0]
    shown["destinations"] = [_destination_json(world, segment)] if segment.destination_added else []
    return shown


def _destination_json(world: World, segment: Segment) -> dict[str, Any]:
    """``destinationSegmentId`` is there from the first moment; the counts only once processed."""
    state = life.status(world, segment)
    shown: dict[str, Any] = {
        "destination": "LINKEDIN",
        "destinationSegmentId": f"urn:li:adSegment:{segment.ad_segment}",
        "status": state,
        "created": segment.destination_added,
        "lastModified": segment.modified,
    }
    size, rolling = life.audience_size(world, segment), life.rolling(world, segment)
    if size is not None:
        shown["audienceSize"] = size
    if rolling is not None and state != "BUILDING":
        shown["matchedCount"] = rolling[1]
    return shown
