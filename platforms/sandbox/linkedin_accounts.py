"""Ad accounts, campaign groups and creatives: enough to read, clone and pause. No delivery in here.

Creatives: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads/account-structure/
create-and-manage-creatives-new (2026). The finder is ``q=criteria`` with one parameter per filter; a
creative's id is its whole URN, a campaign's a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox.linkedin_bodies import json_body, patch_of
from platforms.sandbox.linkedin_campaigns import cursor_page
from platforms.sandbox.linkedin_gate import listed, query_of, readable_account, role_on, writable_account
from platforms.sandbox.restli import last_part
from platforms.sandbox.wire import Answer, Call, json_answer
from platforms.sandbox.world import AdAccount, Creative, World

CREATIVE_URN = "urn:li:sponsoredCreative:"
INTENDED = ("ACTIVE", "PAUSED", "DRAFT", "ARCHIVED", "CANCELED", "PENDING_DELETION", "REMOVED")
CREATIVE_FIELDS = {"campaign", "content", "intendedStatus", "name", "leadgenCallToAction", "inlineContent"}
CREATIVE_READ_ONLY = {
    "id", "account", "isServing", "servingHoldReasons", "review", "createdAt", "createdBy",
    "lastModifiedAt", "lastModifiedBy", "isTest",
}  # fmt: skip
ACTIVE_LIMIT, INACTIVE_LIMIT = 15, 85
GROUP_FIELDS = {
    "account", "name", "status", "runSchedule", "totalBudget", "objectiveType", "dailyBudget",
    "budgetOptimization",
}  # fmt: skip


def account(world: World, call: Call) -> Answer:
    if role_on(world, call, call.args["account"]) is None:
        raise err.denied("adAccounts.GET")
    return json_answer(200, _account_json(world.accounts[call.args["account"]]))


def accounts(world: World, call: Call) -> Answer:
    """``q=search``: the accounts the member has a role on."""
    mine = [a for a in world.accounts.values() if role_on(world, call, a.account_id)]
    return json_answer(200, cursor_page([_account_json(a) for a in mine], query_of(world, call)))


def _account_json(account: AdAccount) -> dict[str, Any]:
    return {
        "id": int(account.account_id),
        "name": account.name,
        "currency": account.currency,
        "status": "ACTIVE",
        "type": "BUSINESS",
        "test": account.test,
        "servingStatuses": ["RUNNABLE"],
        "version": {"versionTag": "1"},
    }


def groups(world: World, call: Call) -> Answer:
    owner = readable_account(world, call, call.args["account"], "adCampaignGroups.FINDER-search")
    found = [_group_json(g) for g in world.groups.values() if g["account"] == owner.account_id]
    return json_answer(200, cursor_page(found, query_of(world, call)))


def group(world: World, call: Call) -> Answer:
    owner = readable_account(world, call, call.args["account"], "adCampaignGroups.GET")
    tail = last_part(call.args["group"])
    found = world.groups.get(int(tail)) if tail.isdigit() else None
    if found is None or found["account"] != owner.account_id:
        raise err.plain(404, f"Could not find entity {tail}")
    return json_answer(200, _group_json(found))


def create_group(world: World, call: Call) -> Answer:
    owner = writable_account(world, call, call.args["account"], "adCampaignGroups.CREATE")
    body = json_body(call)
    for name in body:
        if name not in GROUP_FIELDS:
            raise err.schema(name, err.UNRECOGNIZED)
    for name in ("account", "name", "status"):
        if name not in body:
            raise err.schema(name, err.REQUIRED)
    return err.created(add_group(world, owner.account_id, body))


def add_group(world: World, account_id: str, fields: dict[str, Any]) -> int:
    number = world.next_id("group", 700_000_001)
    world.groups[number] = {"id": number, "account": account_id, "fields": dict(fields)}
    return number


def _group_json(group: dict[str, Any]) -> dict[str, Any]:
    return {**group["fields"], "id": group["id"], "test": False, "servingStatuses": ["RUNNABLE"]}


def creatives(world: World, call: Call) -> Answer:
    """``q=criteria``; values of one filter are OR-ed, filters are AND-ed."""
    owner = readable_account(world, call, call.args["account"], "creatives.FINDER-criteria")
    query = query_of(world, call)
    if query.get("q") != "criteria":
        raise err.plain(404, "No virtual resource found")
    wanted: dict[str, Callable[[Creative], Any]] = {
        "campaigns": lambda c: f"urn:li:sponsoredCampaign:{c.campaign_id}",
        "creatives": lambda c: f"{CREATIVE_URN}{c.creative_id}",
        "intendedStatuses": lambda c: c.intended,
        "contentReferences": lambda c: c.content.get("reference"),
    }
    found = [
        creative_json(world, c)
        for c in world.creatives.values()
        if c.account == owner.account_id
        and all(own(c) in listed(query[name]) for name, own in wanted.items() if name in query)
    ]
    if str(query.get("sortOrder", "ASCENDING")) == "DESCENDING":
        found.reverse()
    return json_answer(200, cursor_page(found, query))


def creative(world: World, call: Call) -> Answer:
    readable_account(world, call, call.args["account"], "creatives.GET")
    return json_answer(200, creative_json(world, _creative_of(world, call)))


def create_creative(world: World, call: Call) -> Answer:
    owner = writable_account(world, call, call.args["account"], "creatives.CREATE")
    body = json_body(call)
    for name in body:
        if name in CREATIVE_READ_ONLY:
            raise err.schema(name, err.READ_ONLY)
        if name not in CREATIVE_FIELDS:
            raise err.schema(name, err.UNRECOGNIZED)
    for name in ("campaign", "content", "intendedStatus"):
        if name not in body:
            raise err.schema(name, err.REQUIRED)
    if body["intendedStatus"] not in INTENDED:
        raise err.schema("intendedStatus", err.not_an_enum(body["intendedStatus"]))
    tail = last_part(str(body["campaign"]))
    campaign = world.campaigns.get(int(tail)) if tail.isdigit() else None
    if campaign is None or campaign.account != owner.account_id:
        raise err.detailed(400, "FIELD_VALUE_DOES_NOT_EXIST", "No such campaign", field="campaign")
    active = body["intendedStatus"] == "ACTIVE"
    siblings = [c for c in world.creatives.values() if c.campaign_id == campaign.campaign_id]
    same = sum((c.intended == "ACTIVE") == active for c in siblings)
    if same >= (ACTIVE_LIMIT if active else INACTIVE_LIMIT):
        raise err.plain(400, "Too many creatives in this campaign")
    number = add_creative(
        world,
        owner.account_id,
        campaign.campaign_id,
        body["content"],
        body["intendedStatus"],
        body.get("name"),
    )
    return err.created(quote(f"{CREATIVE_URN}{number}", safe=""))


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
        if name not in {"intendedStatus", "name", "content", "leadgenCallToAction"}:
            raise err.schema(f"patch/$set/{name}", err.UNRECOGNIZED)
    if changes.get("intendedStatus", "ACTIVE") not in INTENDED:
        raise err.schema("patch/$set/intendedStatus", err.not_an_enum(changes["intendedStatus"]))
    found.intended = changes.get("intendedStatus", found.intended)
    found.name = changes.get("name", found.name)
    found.content = changes.get("content", found.content)
    found.modified = world.now
    return err.no_content()


def _creative_of(world: World, call: Call) -> Creative:
    tail = last_part(unquote(call.args["creative"]))
    found = world.creatives.get(int(tail)) if tail.isdigit() else None
    if found is None or found.account != last_part(call.args["account"]):
        raise err.plain(404, f"Could not find entity {tail}")
    return found


def creative_json(world: World, creative: Creative) -> dict[str, Any]:
    campaign = world.campaigns.get(creative.campaign_id)
    serving = creative.intended == "ACTIVE" and campaign is not None and campaign.status == "ACTIVE"
    shown: dict[str, Any] = {
        "id": f"{CREATIVE_URN}{creative.creative_id}",
        "account": f"urn:li:sponsoredAccount:{creative.account}",
        "campaign": f"urn:li:sponsoredCampaign:{creative.campaign_id}",
        "content": creative.content,
        "intendedStatus": creative.intended,
        "isServing": serving,
        "isTest": False,
        "review": {"status": "APPROVED"},
        "createdAt": creative.created,
        "createdBy": "urn:li:person:sandbox",
        "lastModifiedAt": creative.modified,
        "lastModifiedBy": "urn:li:person:sandbox",
    }
    if not serving:
        shown["servingHoldReasons"] = ["STOPPED" if creative.intended != "ACTIVE" else "CAMPAIGN_STOPPED"]
    if creative.name is not None:
        shown["name"] = creative.name
    return shown
