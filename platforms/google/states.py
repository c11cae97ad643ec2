"""A UserList resource as the state of a list. It must not ask for anything.

Source: developers.google.com/data-manager/api/devguides/audiences/google-ads/customer-match, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiences.model import AudienceState, AudienceStatus
from platforms.shapes import mapping, need_id, whole

SIZES = (
    "displayNetworkMembersCount",
    "searchNetworkMembersCount",
    "youtubeMembersCount",
    "gmailMembersCount",
)


def state_of(customer_id: str, audience_id: str, row: Mapping[str, Any]) -> AudienceState:
    """Sizes are strings, may lag, and are absent below Google's privacy floor: absent is unknown."""
    sizes = mapping(row.get("sizeInfo"))
    counts = [count for name in SIZES if (count := whole(sizes.get(name))) is not None]
    contacts = mapping(mapping(row.get("ingestedUserListInfo")).get("contactIdInfo"))
    rate = whole(contacts.get("matchRatePercentage"))
    closed, network = row.get("membershipStatus") == "CLOSED", mapping(row.get("targetNetworkInfo"))
    eligible = bool(network.get("eligibleForDisplay") or network.get("eligibleForSearch"))
    size = max(counts, default=None)
    identifier = need_id(row)
    return AudienceState(
        audience_id=audience_id,
        external_id=identifier,
        target_id=f"customers/{customer_id}/userLists/{identifier}",
        status=AudienceStatus.ARCHIVED
        if closed
        else AudienceStatus.READY
        if size
        else AudienceStatus.BUILDING,
        audience_size=size,
        match_rate=rate / 100 if rate is not None else None,
        usable=not closed and eligible and row.get("accountAccessStatus", "ENABLED") == "ENABLED",
    )
