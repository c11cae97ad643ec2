"""What LinkedIn refuses in a campaign's fields, targeting apart. It changes nothing.

Source: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads/account-structure/
create-and-manage-campaigns (2026-02 text).
"""

from __future__ import annotations

import math
from typing import Any

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox.restli import last_part
from platforms.sandbox.world import World

STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "COMPLETED", "CANCELED", "DRAFT", "PENDING_DELETION", "REMOVED")
REQUIRED = ("account", "campaignGroup", "name", "type", "costType", "locale", "status")
WRITABLE = {
    *REQUIRED, "dailyBudget", "totalBudget", "unitCost", "objectiveType", "format", "optimizationTargetType",
    "optimizationPreference", "creativeSelection", "targetingCriteria", "audienceExpansionEnabled",
    "offsiteDeliveryEnabled", "offsitePreferences", "runSchedule", "pacingStrategy", "associatedEntity",
    "politicalIntent", "storyDeliveryEnabled", "connectedTelevisionOnly",
}  # fmt: skip
READ_ONLY = {"id", "version", "versionTag", "changeAuditStamps", "servingStatuses", "test", "created"}
IMMUTABLE = {"account", "type"}
MAX_CAMPAIGNS = 5000


def check_names(body: dict[str, Any]) -> None:
    for name in body:
        if name in READ_ONLY:
            raise err.schema(name, err.READ_ONLY)
        check_deprecated(name)
        if name not in WRITABLE:
            raise err.schema(name, err.UNRECOGNIZED)
    for name in REQUIRED:
        if name not in body:
            raise err.schema(name, err.REQUIRED)
    if "politicalIntent" not in body:
        raise err.detailed(400, "MISSING_FIELD", "politicalIntent is required", field="politicalIntent")


def check_deprecated(name: str) -> None:
    if name == "targeting":
        words = "targeting is deprecated, use targetingCriteria"
        raise err.detailed(400, "TARGETING_FIELD_DEPRECATED", words, field="targeting")


def check_room(world: World, account_id: str, body: dict[str, Any]) -> None:
    """5,000 campaigns in an account, and so many in one group."""
    mine = [c for c in world.campaigns.values() if c.account == account_id]
    group = sum(c.fields.get("campaignGroup") == body["campaignGroup"] for c in mine)
    if len(mine) >= MAX_CAMPAIGNS or group >= world.knobs.group_campaigns:
        raise err.plain(400, "Too many campaigns")
    if body["status"] == "ACTIVE":
        check_active(world, account_id)


def check_active(world: World, account_id: str) -> None:
    active = sum(c.account == account_id and c.status == "ACTIVE" for c in world.campaigns.values())
    if active >= world.knobs.active_campaigns:
        raise err.detailed(400, "STATUS_CHANGE_NOT_ALLOWED", "Too many active campaigns", field="status")


def check_money(body: dict[str, Any]) -> None:
    for name in ("dailyBudget", "totalBudget", "unitCost"):
        money = body.get(name)
        if money is None:
            continue
        try:
            amount = float(money["amount"])
        except (KeyError, TypeError, ValueError):
            raise err.schema(f"{name}/amount", err.REQUIRED) from None
        if not isinstance(money["amount"], str):
            raise err.schema(f"{name}/amount", f"{money['amount']} cannot be coerced to String")
        if not 0.0 <= amount < math.inf or not money.get("currencyCode"):
            raise err.detailed(400, "FIELD_INVALID", f"{name} is not a valid amount", field=name)


def check_frequency(body: dict[str, Any]) -> None:
    """A member cap needs a positive frequency and span; without one there is nothing to check."""
    preference = body.get("optimizationPreference")
    cap = preference.get("frequencyOptimizationPreference") if isinstance(preference, dict) else preference
    if cap is None:
        return
    try:
        sound = 0 < cap["frequency"] < 1e6 and 0 < cap["timeSpan"]["duration"] < 1e6
    except (KeyError, TypeError):
        sound = False
    if not sound:
        path = "optimizationPreference/frequencyOptimizationPreference"
        raise err.detailed(400, "FIELD_INVALID", "Not a frequency cap", field=path)


def check_group(world: World, urn: str) -> None:
    tail = last_part(str(urn))
    if not (tail.isdigit() and int(tail) in world.groups):
        raise err.detailed(400, "FIELD_VALUE_DOES_NOT_EXIST", "No such campaign group", field="campaignGroup")
