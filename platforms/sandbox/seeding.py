"""An advertiser to begin with: account, group, template campaign, creatives, market. It delivers nothing."""

from __future__ import annotations

import math
from typing import Any

from platforms.sandbox.linkedin_accounts import add_group
from platforms.sandbox.linkedin_campaigns import add_campaign
from platforms.sandbox.linkedin_creatives import add_creative
from platforms.sandbox.market import MarketSettings
from platforms.sandbox.world import AdAccount, World

SEED_FIELDS = {
    "account", "account_name", "campaign_name", "creatives", "daily_budget", "currency", "price", "shape",
    "headroom", "plant", "impressions_per_28_days", "campaigns", "status", "objective",
}  # fmt: skip
GEO_US = "urn:li:geo:103644278"


def seed(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Create an ad account with a template campaign, and set the market.

    ``daily_budget`` (default 1785.71) over ``price`` (default 0.05) is what the template buys a day;
    ``impressions_per_28_days`` sets it the other way round. Raises ValueError on an unknown name.
    """
    unknown = sorted(set(body) - SEED_FIELDS)
    if unknown:
        raise ValueError(f"no such setting: {', '.join(unknown)}; there are {', '.join(sorted(SEED_FIELDS))}")
    account_id = str(body.get("account", "500000001"))
    currency = str(body.get("currency", "USD"))
    price = float(body.get("price", 0.05))
    if "daily_budget" in body:
        budget = float(body["daily_budget"])
    else:
        budget = float(body.get("impressions_per_28_days", 1_000_000)) / 28.0 * price
    if not (0.0 < price < math.inf and 0.0 <= budget < math.inf):
        raise ValueError("price is above 0 and daily_budget not below")
    count = int(body.get("campaigns", 1))
    if count < 1:
        raise ValueError("campaigns is at least 1")
    world.accounts[account_id] = AdAccount(
        account_id, str(body.get("account_name", "Sandbox advertiser")), currency=currency
    )
    settings = MarketSettings(
        shape=str(body.get("shape", "A")),
        headroom=float(body.get("headroom", 5.0)),
        plant=str(body.get("plant", "proportional")),
        price=price,
        daily_impressions=budget / price * count,
    )
    settings.build_plant()
    if settings.shape not in {"A", "B", "C", "D", "even"}:
        raise ValueError("shape is A, B, C, D or even")
    world.market.settings = settings
    urn = f"urn:li:sponsoredAccount:{account_id}"
    group = add_group(world, account_id, {"account": urn, "name": "Sandbox group", "status": "ACTIVE"})
    made = [_campaign(world, body, account_id, group, budget, i) for i in range(count)]
    return {"account": account_id, "account_urn": urn, "campaign_group": group, **made[0], "campaigns": made}


def _fields(
    body: dict[str, Any], name: str, *, account_id: str, group: int, budget: float, start: int
) -> dict[str, Any]:
    return {
        "account": f"urn:li:sponsoredAccount:{account_id}",
        "campaignGroup": f"urn:li:sponsoredCampaignGroup:{group}",
        "name": name,
        "type": "SPONSORED_UPDATES",
        "format": "STANDARD_UPDATE",
        "costType": "CPM",
        "objectiveType": str(body.get("objective", "BRAND_AWARENESS")),
        "optimizationTargetType": "MAX_IMPRESSION",
        "creativeSelection": "ROUND_ROBIN",
        "locale": {"country": "US", "language": "en"},
        "status": str(body.get("status", "ACTIVE")),
        "dailyBudget": {"amount": f"{budget:.2f}", "currencyCode": str(body.get("currency", "USD"))},
        "unitCost": {"amount": "50.00", "currencyCode": str(body.get("currency", "USD"))},
        "runSchedule": {"start": start},
        "audienceExpansionEnabled": False,
        "offsiteDeliveryEnabled": False,
        "politicalIntent": "NOT_POLITICAL",
        "targetingCriteria": {
            "include": {
                "and": [
                    {"or": {"urn:li:adTargetingFacet:locations": [GEO_US]}},
                    {"or": {"urn:li:adTargetingFacet:interfaceLocales": ["urn:li:locale:en_US"]}},
                ]
            }
        },
    }


def _campaign(
    world: World, body: dict[str, Any], account_id: str, group: int, budget: float, index: int
) -> dict[str, Any]:
    name = str(body.get("campaign_name", "Template campaign")) + (f" {index + 1}" if index else "")
    fields = _fields(body, name, account_id=account_id, group=group, budget=budget, start=world.now)
    campaign = add_campaign(world, account_id, fields)
    creatives = [
        add_creative(
            world,
            account_id,
            campaign.campaign_id,
            {"reference": f"urn:li:share:{7_000_000_000 + campaign.campaign_id * 100 + i}"},
            "ACTIVE",
            f"Creative {i + 1}",
        )
        for i in range(int(body.get("creatives", 5)))
    ]
    return {
        "campaign": campaign.campaign_id,
        "campaign_urn": f"urn:li:sponsoredCampaign:{campaign.campaign_id}",
        "creatives": creatives,
    }


def seed_google(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Google campaigns that serve to customer lists: see ``gaql``."""
    made: dict[str, Any] = world.google.seed(world, body)
    return made
