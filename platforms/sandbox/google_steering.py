"""The Google Ads mutates that steer a band: attach or detach a list, change a budget. No reports."""

from __future__ import annotations

from typing import Any

from platforms.sandbox.google_delivery import CAMPAIGN, GoogleCampaign
from platforms.sandbox.google_errors import ads_failure
from platforms.sandbox.wire import Answer, Call, json_answer, load_json
from platforms.sandbox.world import World


def mutate_criteria(world: World, call: Call) -> Answer:
    """Attach or detach a list: ``create`` with campaign and userList, ``remove`` by resource name."""
    operations = load_json(call.body or b"{}").get("operations", [])
    for operation in operations:
        _check(world, operation)
    results = []
    base = f"customers/{call.args['customer']}"
    for operation in operations:
        if "create" in operation:
            wanted = operation["create"]
            campaign = _campaign(world, str(wanted.get("campaign", "")).rsplit("/", 1)[-1])
            list_id = str((wanted.get("userList") or {}).get("userList", "")).rsplit("/", 1)[-1]
            negative = bool(wanted.get("negative", False))
            number = world.google.delivery.attach(world, campaign, list_id, negative=negative, level=CAMPAIGN)
            name = f"{base}/campaignCriteria/{campaign.campaign_id}~{number}"
        else:
            name = str(operation.get("remove", ""))
            owner, _, text = name.rsplit("/", 1)[-1].partition("~")
            _campaign(world, owner).criteria.pop(int(text), None)
        results.append({"resourceName": name})
    return json_answer(200, {"results": results})


def _check(world: World, operation: dict[str, Any]) -> None:
    """One bad operation refuses all of them."""
    if "create" in operation:
        wanted = operation["create"]
        _campaign(world, str(wanted.get("campaign", "")).rsplit("/", 1)[-1])
        if (
            str((wanted.get("userList") or {}).get("userList", "")).rsplit("/", 1)[-1]
            not in world.google.lists
        ):
            raise ads_failure("criterionError", "INVALID_USER_LIST", "The user list is invalid.")
        return
    owner, _, text = str(operation.get("remove", "")).rsplit("/", 1)[-1].partition("~")
    if not text.isdigit() or int(text) not in _campaign(world, owner).criteria:
        raise ads_failure("mutateError", "RESOURCE_NOT_FOUND", "Resource was not found.")


def mutate_budgets(world: World, call: Call) -> Answer:
    """``update`` with resourceName and amountMicros."""
    results = []
    for operation in load_json(call.body or b"{}").get("operations", []):
        wanted = operation.get("update") or {}
        name = str(wanted.get("resourceName", ""))
        if "amountMicros" not in wanted or "updateMask" not in operation:
            raise ads_failure("fieldError", "REQUIRED", "The required field was not present.")
        _campaign(world, name.rsplit("/", 1)[-1]).budget = int(wanted["amountMicros"]) / 1e6
        results.append({"resourceName": name})
    return json_answer(200, {"results": results})


def _campaign(world: World, number: str) -> GoogleCampaign:
    found: GoogleCampaign | None = (
        world.google.delivery.campaigns.get(int(number)) if number.isdigit() else None
    )
    if found is None:
        raise ads_failure("mutateError", "RESOURCE_NOT_FOUND", "Resource was not found.")
    return found
