"""``/rest/adSegments``: what campaigns point at. Its life is the DMP segment's.

Source: learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/adsegments (2026).
"""

from __future__ import annotations

from typing import Any

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox import segments as life
from platforms.sandbox.linkedin_bodies import page, patch_of
from platforms.sandbox.linkedin_gate import listed, query_of, readable_account, writable_account
from platforms.sandbox.restli import last_part
from platforms.sandbox.wire import Answer, Call, json_answer
from platforms.sandbox.world import Segment, World


def ad_segments(world: World, call: Call) -> Answer:
    """``q=accounts&accounts=List(urn)``; a bare URN is accepted too."""
    query = query_of(world, call)
    wanted = {last_part(urn) for urn in listed(query.get("accounts"))}
    if query.get("q") != "accounts" or not wanted:
        raise err.plain(400, "Finder 'accounts' needs the parameter accounts")
    for account_id in wanted:
        readable_account(world, call, account_id, "adSegments.FINDER-accounts")
    found = [_ad_segment_json(world, s) for s in world.segments.values() if s.account in wanted]
    return json_answer(200, page(found, query))


def ad_segment(world: World, call: Call) -> Answer:
    return json_answer(200, _ad_segment_json(world, _ad_segment_of(world, call)))


def update_ad_segment(world: World, call: Call) -> Answer:
    segment = _ad_segment_of(world, call)
    writable_account(world, call, segment.account, "adSegments.PARTIAL_UPDATE")
    changes = patch_of(call).get("$set", {})
    for name in changes:
        if name not in {"name", "description"}:
            raise err.schema(name, err.UNRECOGNIZED)
    segment.name = changes.get("name", segment.name)
    segment.description = changes.get("description", segment.description)
    life.touch(world, segment)
    return err.no_content()


def _ad_segment_of(world: World, call: Call) -> Segment:
    text = last_part(call.args["segment"])
    segment = world.ad_segments.get(int(text)) if text.isdigit() else None
    if segment is None:
        raise err.plain(404, f"Could not find entity {text}")
    readable_account(world, call, segment.account, "adSegments.GET")
    return segment


def _ad_segment_json(world: World, segment: Segment) -> dict[str, Any]:
    nobody = "urn:li:unknown:0"
    return {
        "id": segment.ad_segment,
        "account": f"urn:li:sponsoredAccount:{segment.account}",
        "name": segment.name,
        "type": "BULK" if segment.kind.endswith("LIST_UPLOAD") else "MARKET_AUTOMATION",
        "status": life.status(world, segment),
        "approximateMemberCount": life.audience_size(world, segment) or 0,
        "versionTag": str(segment.modified),
        "created": {"actor": nobody, "time": segment.created},
        "lastModified": {"actor": nobody, "time": segment.modified},
    }
