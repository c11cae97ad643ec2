"""Google campaigns that serve to customer lists, day by day. Lists and people are not its business.

Google reports no company, so this is a band's worth of delivery: people on the lists, a frequency, a
budget. Attached lists come from ``campaignCriteria:mutate`` or the control API.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from platforms.sandbox.clock import DAY, day_of

if TYPE_CHECKING:
    from platforms.sandbox.world import World

PER_USER = 1.5  # impressions a reachable person takes a day, at most
CLICK_RATE = 0.008
AD_GROUP, CAMPAIGN = "ad_group", "campaign"


@dataclass(slots=True)
class GoogleCampaign:
    campaign_id: int
    ad_group_id: int
    customer: str
    name: str
    budget: float  # money per day
    price: float  # per impression
    status: str = "ENABLED"
    criteria: dict[int, tuple[str, bool, str]] = field(default_factory=dict)  # id -> (list, negative, level)


@dataclass(slots=True)
class Delivery:
    """``days`` holds (ordinal, campaign, criterion, impressions, clicks, cost)."""

    campaigns: dict[int, GoogleCampaign] = field(default_factory=dict)
    days: list[tuple[int, int, int, int, int, float]] = field(default_factory=list)

    def seed(self, world: World, body: dict[str, Any]) -> dict[str, Any]:
        """``{"customer", "campaigns": [{"name", "daily_budget", "price", "lists": [id], "level"}]}``.

        ``level`` is where the lists are attached: "ad_group" (as people do) or "campaign".
        """
        customer = str(body.get("customer", "1234567890"))
        made = []
        for wanted in body.get("campaigns", [{}]):
            budget, price = float(wanted.get("daily_budget", 100.0)), float(wanted.get("price", 0.01))
            if not (0.0 <= budget < math.inf and 0.0 < price < math.inf):
                raise ValueError("price is above 0 and daily_budget not below")
            campaign = GoogleCampaign(
                campaign_id=world.next_id("google_campaign", 9001),
                ad_group_id=world.next_id("ad_group", 7001),
                customer=customer,
                name=str(wanted.get("name", "Sandbox campaign")),
                budget=budget,
                price=price,
            )
            for list_id in wanted.get("lists", ()):
                level = str(wanted.get("level", AD_GROUP))
                self.attach(world, campaign, str(list_id), negative=False, level=level)
            self.campaigns[campaign.campaign_id] = campaign
            made.append({"campaign": campaign.campaign_id, "ad_group": campaign.ad_group_id})
        return {"customer": customer, "campaigns": made}

    def attach(
        self, world: World, campaign: GoogleCampaign, list_id: str, *, negative: bool, level: str
    ) -> int:
        if level not in (AD_GROUP, CAMPAIGN):
            raise ValueError(f"level is {AD_GROUP} or {CAMPAIGN}")
        number = world.next_id("criterion", 501)
        campaign.criteria[number] = (list_id, negative, level)
        return number

    def run_day(self, world: World, *, day_end: int) -> None:
        """Serve every campaign to its lists until money or people run out."""
        day = day_of(day_end - DAY).toordinal()
        for campaign in self.campaigns.values():
            if campaign.status != "ENABLED":
                continue
            rng = np.random.default_rng([world.seed, 19, day, campaign.campaign_id])
            kept_out = frozenset[Any]().union(
                *(self._users(world, list_id) for list_id, no, _ in campaign.criteria.values() if no)
            )
            reachable = {
                n: len(self._users(world, list_id) - kept_out)
                for n, (list_id, no, _) in campaign.criteria.items()
                if not no
            }
            wanted = sum(reachable.values()) * PER_USER
            share = min(1.0, campaign.budget / campaign.price / wanted) if wanted else 0.0
            for number, users in reachable.items():
                count = int(rng.poisson(users * PER_USER * share))
                if count:
                    clicks = int(rng.binomial(count, CLICK_RATE))
                    cost = count * campaign.price
                    self.days.append((day, campaign.campaign_id, number, count, clicks, cost))

    def _users(self, world: World, list_id: str) -> frozenset[Any]:
        """Google users on a list; nobody on one that is too small to be used."""
        target = world.google.lists.get(list_id)
        if target is None:
            return frozenset()
        users = frozenset(u for u, at in target.users.items() if at + target.life > world.now)
        return users if len(users) >= world.knobs.google_minimum_size else frozenset()

    def fingerprint(self) -> bytes:
        shown = [
            [c.campaign_id, c.budget, c.status, sorted(c.criteria.items())] for c in self.campaigns.values()
        ]
        return sha256(orjson.dumps([shown, self.days])).digest()
