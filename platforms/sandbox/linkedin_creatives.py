"""``creatives`` of campaigns: found, made, changed. What they deliver is the market's business.

Source: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads/account-structure/
create-and-manage-creatives (2026-02). The finder is ``q=criteria`` with one parameter per filter, names its
method in a header and gives pages of at most 100; a creative's id is its whole URN, a campaign's a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox.linkedin_bodies import json_body, patch_of
from platforms.sandbox.linkedin_campaigns import cursor_page
from platforms.sandbox.linkedin_gate import listed, query_of, readable_account, writable_account
from platforms.sandbox.restli import last_part
from platforms.sandbox.wire import Answer, Call, json_answer
from platforms.sandbox.world import Campaign, Creative, World

CREATIVE_URN = "urn:li:sponsoredCreative:"
INTENDED = ("ACTIVE", "PAUSED", "DRAFT", "ARCHIVED", "CANCELED", "PENDING_DELETION", "REMOVED")
FIELDS = {"campaign", "content", "intendedStatus", "name", "leadgenCallToAction", "inlineContent"}
MUTABLE = {"intendedStatus", "name", "content", "leadgenCallToAction"}
READ_ONLY = {
    "id", "account", "isServing", "servingHoldReasons", "review", "createdAt", "createdBy",
    "lastModifiedAt", "lastModifiedBy", "isTest",
}  # fmt: skip
PARAMETERS = {
    "q", "campaigns", "creatives", "contentReferences", "intendedStatuses", "isTestAccount", "fields",
    "isTotalIncluded", "leadgenCreativeCallToActionDestinations", "sortOrder", "pageSize", "pageToken",
}  # fmt: skip
ACTIVE_LIMIT, INACTIVE_LIMIT, PAGE_LIMIT = 15, 85, 100


def creatives(world: World, call: Call) -> Answer:
    """``q=criteria``; values of one filter are OR-ed, filters are AND-ed."""
    owner = readable_account(world, call, call.args["account"], "creatives.FINDER-criteria")
    query = query_of(world, call)
    if query.get("q") != "criteria":
        raise err.plain(404, "No virtual resource found")
    if call.header("x-restli-method").upper() != "FINDER":
        raise err.plain(400, "X-RestLi-Method FINDER is required for this request")
    for name in sorted(set(query) - PARAMETERS):
        raise err.bad_param(name, "QUERY_PARAM_NOT_ALLOWED")
    wanted: dict[str, Callable[[Creative], Any]] = {
        "campaigns": lambda c: f"urn:li:sponsoredCampaign:{c.campaign_id}",
        "creatives": lambda c: f"{CREATIVE_URN}{c.creative_id}",
        "intendedStatuses": lambda c: c.intended,
        "contentReferences": lambda c: c.content.get("reference"),
        "leadgenCreativeCallToActionDestinations": lambda c: (c.lead_form or {}).get("destination"),
    }
    hidden = set() if "intendedStatuses" in query else {"CANCELED"}
    found = [
        creative_json(world, c)
        for c in world.creatives.values()
        if c.account == owner.account_id
        and c.intended not in hidden
        and all(own(c) in listed(query[name]) for name, own in wanted.items() if listed(query.get(name)))
    ]
    if str(query.get("sortOrder", "ASCENDING")) == "DESCENDING":
        found.reverse()
    return json_answer(200, cursor_page(found, query, most=PAGE_LIMIT))


def creative(world: World, call: Call) -> Answer:
    readable_account(world, call, call.args["account"], "creatives.GET")
    return json_answer(200, creative_json(world, _creative_of(world, call)))


def create_creative(world: World, call: Call) -> Answer:
    owner = writable_account(world, call, call.args["account"], "creatives.CREATE")
    body = json_body(call)
    for name in body:
        if name in READ_ONLY:
            raise err.schema(name, err.READ_ONLY)
        if name not in FIELDS:
            raise err.schema(name, err.UNRECOGNIZED)
    for name in ("campaign", "content", "intendedStatus"):
        if name not in body:
            raise err.schema(name, err.REQUIRED)
    _check_status(body["intendedStatus"], "intendedStatus")
    tail = last_part(str(body["campaign"]))
    campaign = world.campaigns.get(int(tail)) if tail.isdigit() else None
    if campaign is None or campaign.account != owner.account_id:
        raise err.detailed(400, "FIELD_VALUE_DOES_NOT_EXIST", "No such campaign", field="campaign")
    _check_lead_form(campaign, body.get("leadgenCallToAction"))
    _check_room(world, campaign.campaign_id, body["intendedStatus"])
    number = add_creative(
        world,
        owner.account_id,
        campaign.campaign_id,
        body["content"],
        body["intendedStatus"],
        body.get("name"),
    )
    world.creatives[number].lead_form = body.get("leadgenCallToAction")
    return err.created(quote(f"{CREATIVE_URN}{number}", safe=""))


def _check_status(value: Any, path: str) -> None:
    if value not in INTENDED:
        raise err.schema(path, err.not_an_enum(value))


def _check_lead_form(campaign: Campaign, value: Any) -> None:
    """A lead campaign's creative opens a form."""
    if campaign.fields.get("objectiveType") != "LEAD_GENERATION":
        return
    if not isinstance(value, dict) or not {"destination", "label"} <= value.keys():
        words = "leadgenCallToAction is required for LEAD_GENERATION"
        raise err.detailed(400, "MISSING_FIELD", words, field="leadgenCallToAction")


def _check_room(world: World, campaign_id: int, intended: str) -> None:
    active = intended == "ACTIVE"
    siblings = [c for c in world.creatives.values() if c.campaign_id == campaign_id]
    same = sum((c.intended == "ACTIVE") == active for c in siblings)
    if same >= (ACTIVE_LIMIT if active else INACTIVE_LIMIT):
        raise err.plain(400, "Too many creatives in this campaign")


def add_creative(
    world: World, account_id: str, campaign_id: int, content: dict[str, Any], intended: str, name: str | None
) -> int:
    number = world.next_id("creative", 900_000_001)
    world.creatives[number] = Creative(
        creative_id=number,
        account=account_id,
        campaign_id=campaign_id,
        content=content,
        intended=intended,
        created=world.now,
        modified=world.now,
        name=name,
    )
    return number


def update_creative(world: World, call: Call) -> Answer:
    writable_account(world, call, call.args["account"], "creatives.PARTIAL_UPDATE")
    found = _creative_of(world, call)
    changes = patch_of(call).get("$set") or {}
    for name in changes:
        if name not in MUTABLE:
            raise err.schema(f"patch/$set/{name}", err.UNRECOGNIZED)
    intended = changes.get("intendedStatus", found.intended)
    _check_status(intended, "patch/$set/intendedStatus")
    if "leadgenCallToAction" in changes and found.lead_form is not None and found.intended != "DRAFT":
        words = "leadgenCallToAction can be changed in a draft only"
        raise err.detailed(400, "FIELD_CANNOT_BE_CHANGED", words, field="leadgenCallToAction")
    if (intended == "ACTIVE") != (found.intended == "ACTIVE"):
        _check_room(world, found.campaign_id, intended)
    found.intended = intended
    found.name = changes.get("name", found.name)
    found.content = changes.get("content", found.content)
    found.lead_form = changes.get("leadgenCallToAction", found.lead_form)
    found.modified = world.now
    return err.no_content()


def delete_creative(world: World, call: Call) -> Answer:
    """Drafts only; others go through PENDING_DELETION."""
    writable_account(world, call, call.args["account"], "creatives.DELETE")
    found = _creative_of(world, call)
    if found.intended != "DRAFT":
        words = "Only a draft can be deleted"
        raise err.detailed(400, "STATUS_CHANGE_NOT_ALLOWED", words, field="intendedStatus")
    del world.creatives[found.creative_id]
    return err.no_content()


def _creative_of(world: World, call: Call) -> Creative:
    tail = last_part(unquote(call.args["creative"]))
    found = world.creatives.get(int(tail)) if tail.isdigit() else None
    if found is None or found.account != last_part(call.args["account"]):
        raise err.plain(404, f"Could not find entity {tail}")
    return found


def creative_json(world: World, creative: Creative) -> dict[str, Any]:
    campaign = world.campaigns.get(creative.campaign_id)
    running = campaign is not None and campaign.status == "ACTIVE"
    held = [
        *(["STOPPED"] if creative.intended != "ACTIVE" else []),
        *([] if running else ["CAMPAIGN_STOPPED"]),
    ]
    shown: dict[str, Any] = {
        "id": f"{CREATIVE_URN}{creative.creative_id}",
        "account": f"urn:li:sponsoredAccount:{creative.account}",
        "campaign": f"urn:li:sponsoredCampaign:{creative.campaign_id}",
        "content": creative.content,
        "intendedStatus": creative.intended,
        "isServing": not held,
        "isTest": False,
        "createdAt": creative.created,
        "createdBy": "urn:li:person:sandbox",
        "lastModifiedAt": creative.modified,
        "lastModifiedBy": "urn:li:person:sandbox",
    }
    more = {
        "review": {"status": "APPROVED"} if creative.intended != "DRAFT" else None,
        "servingHoldReasons": held or None,
        "name": creative.name,
        "leadgenCallToAction": creative.lead_form,
    }
    return shown | {name: value for name, value in more.items() if value is not None}
