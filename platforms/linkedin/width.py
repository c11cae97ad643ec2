"""Whom a targeting would reach, asked before it is written. It must not change anything.

``audienceCounts`` answers 0 below 300, and for other reasons too, so 0 alone is no measurement: a change is
refused only where people are reached now, nobody would be after it, and every list named has been processed.
Source: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads/advertising-targeting/audience-counts,
2026-08.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platforms.errors import Garbled, NoPermission, NotFound, Refused
from platforms.linkedin import restli, targeting
from platforms.linkedin.rest import Rest
from platforms.shapes import need_records, whole

LEAST = 300
PROCESSED = "READY"


class Width:
    """Counts the members behind a targeting."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def count(self, criteria: targeting.Criteria) -> int | None:
        """Members reached; None where LinkedIn answers 0."""
        reply = self._rest.get(
            "/audienceCounts", {"q": "targetingCriteriaV2", "targetingCriteria": dict(criteria)}
        )
        counts = [whole(element.get("total")) for element in need_records(reply, "elements")]
        if not counts or counts[0] is None:
            raise Garbled("the audience count has no total", platform="linkedin")
        return counts[0] or None

    def allow(self, row: Mapping[str, Any], before: targeting.Criteria, after: targeting.Criteria) -> None:
        """Raises Refused where the change would leave a campaign that runs with too few people to be served.

        A campaign that does not run reaches nobody, so its lists may be set before they are filled.
        """
        if row.get("status") != "ACTIVE" or self.count(after) is not None:
            return
        if self.count(before) is None or not all(map(self._processed, targeting.included(after))):
            return
        raise Refused(
            f"the campaign would reach fewer than {LEAST} people and stop; its targeting stays as it is",
            platform="linkedin",
            code="audience_too_narrow",
        )

    def _processed(self, urn: str) -> bool:
        """Whether LinkedIn is done with a list; while it builds, nobody on it is counted."""
        try:
            segment = self._rest.get(f"/adSegments/{restli.key(restli.tail(urn))}")
        except (NotFound, NoPermission):  # made a moment ago, or not ours to read
            return False
        return segment.get("status") == PROCESSED
