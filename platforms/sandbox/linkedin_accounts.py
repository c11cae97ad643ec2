"""Ad accounts and campaign groups: what campaigns hang under. No delivery in here.

Source: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads/account-structure/
create-and-manage-campaign-groups (2026-02).
"""

from __future__ import annotations

from typing import Any

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox.linkedin_bodies import json_body, page, patch_of
from platforms.sandbox.linkedin_campaigns import cursor_page
from platforms.sandbox.linkedin_gate import query_of, readable_account, role_on, writable_account
from platforms.sandbox.restli import last_part
from platforms.sandbox.wire import Answer, Bad, Call, json_answer, load_json
from platforms.sandbox.world import AdAccount, World

GROUP_FIELDS = {
    "account", "name", "status", "runSchedule", "totalBudget", "objectiveType", "dailyBudget",
    "budgetOptimization",
}  # fmt: skip
GROUP_STATUSES = ("ACTIVE", "ARCHIVED", "DRAFT", "PAUSED", "PENDING_DELETION")  # that a caller may set
GROUP_FIXED = {"account", "objectiveType"}
NAME_LENGTH = 100


def account(world: World, call: Call) -> Answer:
    if role_on(world, call, call.args["account"]) is None:
        raise err.denied("adAccounts.GET")
    return json_answer(200, _account_json(world.accounts[call.args["account"]]))


def accounts(world: World, call: Call) -> Answer:
    """``q=search``: the accounts the member has a role on."""
    mine = [a for a in world.accounts.values() if role_on(world, call, a.account_id)]
    return json_answer(200, cursor_page([_account_json(a) for a in mine], query_of(world, call)))


def account_users(world: World, call: Call) -> Answer:
    """``q=authenticatedUser``: the roles of whoever asks."""
    query = query_of(world, call)
    if query.get("q") != "authenticatedUser":
        raise err.plain(400, "Finder is authenticatedUser")
    roles = {number: role_on(world, call, number) for number in world.accounts}
    mine = [
        {"account": f"urn:li:sponsoredAccount:{n}", "role": role, "user": f"urn:li:person:{call.who}"}
        for n, role in roles.items()
        if role
    ]
    return json_answer(200, page(mine, query))


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
    _check_group(body)
    return err.created(add_group(world, owner.account_id, body))


def add_group(world: World, account_id: str, fields: dict[str, Any]) -> int:
    number = world.next_id("group", 700_000_001)
    world.groups[number] = {"id": number, "account": account_id, "fields": dict(fields)}
    return number


def _group_json(group: dict[str, Any]) -> dict[str, Any]:
    return {**group["fields"], "id": group["id"], "test": False, "servingStatuses": ["RUNNABLE"]}


def _check_group(fields: dict[str, Any]) -> None:
    if fields.get("status", "ACTIVE") not in GROUP_STATUSES:
        raise err.schema("status", err.not_an_enum(fields["status"]))
    if len(str(fields.get("name", ""))) > NAME_LENGTH:
        raise err.detailed(400, "FIELD_VALUE_TOO_LONG", "The name is too long", field="name")


def update_group(world: World, call: Call) -> Answer:
    """One group at a time is refused: only the batch form is seen to work."""
    writable_account(world, call, call.args["account"], "adCampaignGroups.PARTIAL_UPDATE")
    if world.knobs.groups_only_in_batches:
        raise err.plain(400, "X-RestLi-Method BATCH_PARTIAL_UPDATE is required for this request")
    _patch_group(world, call.args["account"], last_part(call.args["group"]), patch_of(call))
    return err.no_content()


def update_groups(world: World, call: Call) -> Answer:
    """BATCH_PARTIAL_UPDATE: one outcome per id."""
    writable_account(world, call, call.args["account"], "adCampaignGroups.BATCH_PARTIAL_UPDATE")
    if call.header("x-restli-method").upper() != "BATCH_PARTIAL_UPDATE":
        raise err.plain(400, "X-RestLi-Method BATCH_PARTIAL_UPDATE is required for this request")
    results: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for text, entity in (json_body(call).get("entities") or {}).items():
        try:
            _patch_group(world, call.args["account"], text, entity.get("patch") or {})
        except Bad as bad:
            errors[text] = load_json(bad.answer.body)
        else:
            results[text] = {"status": 204}
    return json_answer(200, {"results": results, "errors": errors})


def _patch_group(world: World, account_id: str, text: str, patch: dict[str, Any]) -> None:
    found = world.groups.get(int(text)) if text.isdigit() else None
    if found is None or found["account"] != account_id:
        raise err.plain(404, f"Could not find entity {text}")
    changes, gone = dict(patch.get("$set") or {}), list(patch.get("$delete") or [])
    for name in [*changes, *gone]:
        if name not in GROUP_FIELDS:
            raise err.schema(f"patch/$set/{name}", err.UNRECOGNIZED)
        if name in GROUP_FIXED:
            raise err.detailed(400, "FIELD_CANNOT_BE_CHANGED", f"{name} is immutable", field=name)
    _check_group(changes)
    found["fields"] = {k: v for k, v in {**found["fields"], **changes}.items() if k not in gone}
