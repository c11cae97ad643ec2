"""The rows behind a GAQL resource, as flat dotted names. No query language in here.

Source: developers.google.com/google-ads/api/fields/v26 (2026-10); int64 are JSON strings.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from platforms.sandbox.google_delivery import AD_GROUP, CAMPAIGN
from platforms.sandbox.google_lists import MAX_LIFE
from platforms.sandbox.world import World

# A list shows up where it was attached, and nowhere else: (criterion, plural, level).
VIEWS = {
    "ad_group_audience_view": ("ad_group_criterion", "adGroupAudienceViews", AD_GROUP),
    "campaign_audience_view": ("campaign_criterion", "campaignAudienceViews", CAMPAIGN),
}
GONE = ("0", False, "")


def rows_of(
    world: World, customer: str, resource: str, *, by_day: bool, first: int, last: int
) -> Iterator[dict[str, Any]]:
    """Rows of ``resource``; performance summed over ordinal days first..last, or per day."""
    if resource == "customer":
        yield {"customer.id": customer, "customer.resource_name": f"customers/{customer}"}
    elif resource == "user_list":
        yield from _user_lists(world, customer)
    else:
        yield from _performance(world, customer, resource, by_day=by_day, first=first, last=last)


def _user_lists(world: World, customer: str) -> Iterator[dict[str, Any]]:
    for target in world.google.lists.values():
        if target.account != customer:
            continue
        users = world.google.live_users(target, world.now)
        shown = users if users >= world.knobs.google_minimum_size else None
        yield {
            "user_list.resource_name": f"customers/{customer}/userLists/{target.list_id}",
            "user_list.id": target.list_id,
            "user_list.name": target.fields["displayName"],
            "user_list.description": target.fields.get("description", ""),
            "user_list.size_for_display": None if shown is None else str(shown),
            "user_list.size_for_search": None if shown is None else str(shown),
            "user_list.match_rate_percentage": (
                round(100 * len(target.users) / len(target.records)) if target.records else None
            ),
            "user_list.membership_status": target.fields.get("membershipStatus", "OPEN"),
            "user_list.membership_life_span": str(min(target.life, MAX_LIFE) // 86_400_000),
            "user_list.eligible_for_search": shown is not None,
            "user_list.eligible_for_display": shown is not None,
            "user_list.access_reason": "OWNED",
            "user_list.type": "CRM_BASED",
        }


def _performance(
    world: World, customer: str, resource: str, *, by_day: bool, first: int, last: int
) -> Iterator[dict[str, Any]]:
    book: dict[tuple[Any, ...], list[float]] = {}
    delivery = world.google.delivery
    for day, campaign_id, criterion, impressions, clicks, cost in delivery.days:
        campaign = delivery.campaigns[campaign_id]
        level = campaign.criteria.get(criterion, GONE)[2]
        here = resource not in VIEWS or level in ("", VIEWS[resource][2])
        if first <= day <= last and campaign.customer == customer and here:
            key = (campaign_id, criterion if resource in VIEWS else 0, day if by_day else 0)
            sums = book.setdefault(key, [0, 0, 0.0])
            sums[0] += impressions
            sums[1] += clicks
            sums[2] += cost
    if resource == "campaign" and not by_day:
        for campaign in delivery.campaigns.values():
            if campaign.customer == customer:
                book.setdefault((campaign.campaign_id, 0, 0), [0, 0, 0.0])
    for (campaign_id, criterion, day), sums in sorted(book.items()):
        yield _performance_row(world, customer, resource, campaign_id, criterion, day, sums)


def _performance_row(
    world: World, customer: str, resource: str, campaign_id: int, criterion: int, day: int, sums: list[float]
) -> dict[str, Any]:
    campaign = world.google.delivery.campaigns[campaign_id]
    base = f"customers/{customer}"
    row: dict[str, Any] = {
        "customer.id": customer,
        "campaign.resource_name": f"{base}/campaigns/{campaign_id}",
        "campaign.id": str(campaign_id),
        "campaign.name": campaign.name,
        "campaign.status": campaign.status,
        "campaign.advertising_channel_type": "DISPLAY",
        "campaign_budget.resource_name": f"{base}/campaignBudgets/{campaign_id}",
        "campaign_budget.amount_micros": str(round(campaign.budget * 1e6)),
        "metrics.impressions": str(int(sums[0])),
        "metrics.clicks": str(int(sums[1])),
        "metrics.cost_micros": str(round(sums[2] * 1e6)),
        "metrics.conversions": 0,
        "metrics.all_conversions": 0,
    }
    if day:
        row["segments.date"] = date.fromordinal(day).isoformat()
    if resource in VIEWS:
        name, plural, _ = VIEWS[resource]
        owner = campaign.ad_group_id if resource == "ad_group_audience_view" else campaign_id
        list_id, negative, _ = campaign.criteria.get(criterion, GONE)
        kind = "adGroupCriteria" if resource == "ad_group_audience_view" else "campaignCriteria"
        row |= {
            "ad_group.resource_name": f"{base}/adGroups/{campaign.ad_group_id}",
            "ad_group.id": str(campaign.ad_group_id),
            f"{name}.resource_name": f"{base}/{kind}/{owner}~{criterion}",
            f"{name}.criterion_id": str(criterion),
            f"{name}.type": "USER_LIST",
            f"{name}.negative": negative,
            f"{name}.user_list.user_list": f"{base}/userLists/{list_id}",
            f"{resource}.resource_name": f"{base}/{plural}/{owner}~{criterion}",
        }
    return row
