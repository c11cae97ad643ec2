"""Whom a targeting would reach, asked before a campaign that runs (or will run) is changed. It must not change anything.

``audienceCounts`` answers 0 below 300, and for other reasons too, so 0 alone is no measurement: a change is
refused only where people are reached now, nobody would be after it, every list named has been processed, and
LinkedIn counts those lists at all.
Source: learn.microsoft.com/en-us/linkedin/marketing/integrations/ads/advertising-targeting/audience-counts,
2026-08.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from platforms.errors import Garbled, NoPermission, NotFound, Refused
from platforms.linkedin import restli, targeting
from platforms.linkedin.rest import Rest
from platforms.shapes import need_id, need_records, whole

LEAST = 300
PROCESSED = "READY"
RUNNING = "ACTIVE"
KEPT = timedelta(minutes=10)  # lists change by the hour, so one answer serves all steps of one run


class Width:
    """Counts the members behind a targeting, once per targeting and run."""

    def __init__(self, rest: Rest, clock: Callable[[], datetime]) -> None:
        self._rest, self._clock = rest, clock
        self._kept: dict[str, tuple[datetime, int | None]] = {}

    def count(self, criteria: targeting.Criteria) -> int | None:
        """Members reached; None where LinkedIn answers 0. The same question within ten minutes is asked once."""
        now, question = self._clock(), restli.query({"targetingCriteria": dict(criteria)})
        self._kept = {asked: held for asked, held in self._kept.items() if abs(now - held[0]) < KEPT}
        if question not in self._kept:
            self._kept[question] = (now, self._asked(criteria))
        return self._kept[question][1]

    def allow(self, row: Mapping[str, Any], changes: Mapping[str, Any]) -> None:
        """Ask whom a campaign reaches with ``changes`` made, before they are. Raises the error of the question.

        A campaign that is not running afterwards reaches nobody whatever its lists say: a draft's lists may be
        set before they are filled, and a pause is never held up by a question. A budget or a start makes
        nothing narrower, so the answer is for the record, and targeting that LinkedIn cannot count stops
        neither; only a narrower targeting raises Refused.
        """
        if changes.get("status", row.get("status")) != RUNNING:
            return
        before = targeting.checked(row.get("targetingCriteria", {}))
        after = changes.get("targetingCriteria", before)
        if after == before:
            with suppress(Refused):
                self.count(after)
            return
        if self.count(after) is not None or self.count(before) is None:
            return
        lists = targeting.included(after)
        if all(self._list(urn).get("status") == PROCESSED for urn in lists) and self.knows(lists):
            raise Refused(
                f"campaign {need_id(row)} would reach fewer than {LEAST} people and stop; its targeting stays as it "
                "is. To go on all the same, pause the campaign, run this again and start it: the lists of a "
                "paused campaign are not held against a count",
                platform="linkedin",
                code="audience_too_narrow",
            )

    def knows(self, lists: Sequence[str]) -> bool:
        """Whether a count of 0 says something about these lists.

        False where one of them holds enough people by LinkedIn's own number and together they still count as 0.
        """
        sizes = [whole(self._list(urn).get("approximateMemberCount")) or 0 for urn in lists]
        if max(sizes, default=0) < LEAST:
            return True
        try:
            return self.count({"include": {"and": [{"or": {targeting.SEGMENTS: list(lists)}}]}}) is not None
        except Refused:  # lists cannot be asked about alone
            return True

    def _asked(self, criteria: targeting.Criteria) -> int | None:
        reply = self._rest.get(
            "/audienceCounts", {"q": "targetingCriteriaV2", "targetingCriteria": dict(criteria)}
        )
        counts = [whole(element.get("total")) for element in need_records(reply, "elements")]
        if not counts or counts[0] is None:
            raise Garbled("the audience count has no total", platform="linkedin")
        return counts[0] or None

    def _list(self, urn: str) -> Mapping[str, Any]:
        """What LinkedIn says of a list; nobody on it is counted before it is processed."""
        try:
            return self._rest.get(f"/adSegments/{restli.key(restli.tail(urn))}")
        except (NotFound, NoPermission):  # made a moment ago, or not ours to read
            return {}
