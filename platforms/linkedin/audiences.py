"""LinkedIn DMP segments: find or create, stream members, read state, delete. It must not know campaigns.

Members cannot be read back and names are not unique, so the only safe key is our own ``sourceSegmentId``.
Source: learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/create-and-manage-segments, 2026-08.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from audiences.model import AudienceSpec, AudienceState, AudienceStatus, MemberKind, PushBatch, Receipt
from platforms.errors import Conflict, Garbled, Gone, NotFound, NotReady, PlatformDown, Refused
from platforms.http import Lane
from platforms.linkedin import members, restli
from platforms.linkedin.rest import Rest
from platforms.linkedin.settings import LinkedInSettings
from platforms.pacing import Rate
from platforms.shapes import mapping, need_id, need_list, need_records, whole

T = TypeVar("T")
STREAMING = {MemberKind.COMPANY: "COMPANY", MemberKind.CONTACT: "USER"}
STATUS = {
    "BUILDING": AudienceStatus.BUILDING,
    "PROCESSING": AudienceStatus.BUILDING,  # only third-party schemas name it
    "READY": AudienceStatus.READY,
    "UPDATING": AudienceStatus.UPDATING,
    "ARCHIVED": AudienceStatus.ARCHIVED,
    "EXPIRED": AudienceStatus.EXPIRED,
    "FAILED": AudienceStatus.FAILED,
    "ERROR": AudienceStatus.FAILED,
}
DEAD = (AudienceStatus.EXPIRED, AudienceStatus.FAILED, AudienceStatus.GONE)


class Segments:
    """The lists of one ad account."""

    def __init__(
        self,
        settings: LinkedInSettings,
        rest: Rest,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._settings, self._rest, self._clock, self._sleep = settings, rest, clock, sleep
        self._born: dict[str, float] = {}  # segment id -> creation, seconds since the epoch
        share = settings.headroom
        self._lanes = {
            MemberKind.COMPANY: Lane(
                "companies", Rate(share * settings.companies_per_minute, settings.burst)
            ),
            MemberKind.CONTACT: Lane("users", Rate(share * settings.users_per_minute, settings.burst)),
        }

    def find_or_create(self, spec: AudienceSpec) -> AudienceState:
        """The segment whose ``sourceSegmentId`` is the audience id, created once.

        A create has no idempotency key and its answer may be lost, so after any doubt we look again before
        the next run may create again. Raises PlatformError.
        """
        kind, source = STREAMING[spec.kind], self._settings.source_platform
        found = self.find(spec, kind, source)
        if found is None:
            found = self.create(spec, kind=kind, source=source)
        return self.shown(spec.audience_id, found)

    def find(self, spec: AudienceSpec, kind: str, source: str) -> dict[str, Any] | None:
        """Our oldest living segment of this type, or None. LinkedIn does not filter by type."""
        start, found = 0, list[dict[str, Any]]()
        while True:
            page = self._rest.get(
                "/dmpSegments",
                {
                    "q": "account",
                    "account": self._settings.account_urn,
                    "sourcePlatform": source,
                    "sourceSegmentId": spec.audience_id,
                    "start": start,
                    "count": self._settings.page_size,
                },
            )
            rows = need_records(page, "elements")
            found += [row for row in rows if _is(row, kind, spec.audience_id)]
            if len(rows) < self._settings.page_size:
                break
            start += len(rows)
        found.sort(key=lambda row: (_dead(row), whole(row.get("created")) or 0))
        for row in found:
            self._remember(row)
        return found[0] if found and not _dead(found[0]) else None

    def state(self, audience_id: str, external_id: str) -> AudienceState:
        """What LinkedIn says about one segment; GONE when it was deleted. Raises NotReady."""
        try:
            return self.shown(audience_id, self._segment(external_id))
        except NotReady:
            raise
        except NotFound:
            return AudienceState(audience_id, external_id, None, AudienceStatus.GONE)

    def push(self, batch: PushBatch) -> Receipt:
        """Add or remove members, and say what became of each one.

        LinkedIn answers per element inside a 200, and may answer fewer elements than it was sent; a row with
        no answer is "unknown". 201 means accepted for matching, not matched. Raises PlatformError.
        """
        if len(batch.members) > self._settings.batch_size:
            raise Refused(f"a batch of {len(batch.members)} members is too large", code="batch_size")
        parts = members.elements(batch)
        sendable = [part for part in parts if part is not None]
        if not sendable:
            return Receipt(batch.batch_id, members.row_results(parts, ()))
        child = "companies" if batch.kind is MemberKind.COMPANY else "users"
        path = f"/dmpSegments/{restli.key(batch.external_id)}/{child}"
        body, lane = members.body(sendable), self._lanes[batch.kind]
        reply = self.when_ready(batch.external_id, lambda: self._rest.batch_create(path, body, lane))
        return Receipt(batch.batch_id, members.row_results(parts, need_list(reply, "elements")))

    def settle(self, batch: PushBatch, request_id: str) -> Receipt:
        """LinkedIn answers inside ``push`` or never: what it did not say then stays unknown."""
        return Receipt(batch.batch_id, (members.NO_ANSWER,) * len(batch.members))

    def delete(self, external_id: str) -> None:
        """Remove the segment and its adSegment: take it out of campaigns first, they would change meaning."""
        with suppress(NotFound):
            self._rest.delete(f"/dmpSegments/{restli.key(external_id)}")
        self._born[external_id] = 0.0  # from now on a 404 means deleted, however young it was

    def when_ready(self, external_id: str, act: Callable[[], T]) -> T:
        """Run ``act`` on a segment's children, bridging the seconds after a create in which they answer 404.

        Streaming within five seconds of a create leaves a segment that never fills, so those are waited for.
        """
        self._wait_minimum_age(external_id)
        for pause in (*self._settings.spread_waits, None):
            try:
                return act()
            except NotFound as error:
                if not self._young(external_id):
                    raise Gone("the segment was deleted", platform="linkedin", status=404) from error
                if pause is None:
                    break
                self._sleep(pause)
        raise NotReady("the segment is not there yet", platform="linkedin", status=404)

    def _wait_minimum_age(self, external_id: str) -> None:
        born = self._born.get(external_id)
        if born is not None:
            left = self._settings.minimum_age - (self._clock().timestamp() - born)
            if left > 0.0:
                self._sleep(min(left, self._settings.minimum_age))

    def _young(self, external_id: str) -> bool:
        """Younger than the longest spreading seen (two minutes), as far as we know when it was made."""
        if external_id not in self._born:
            try:
                self._segment(external_id)
            except NotFound:
                return False
        age = self._clock().timestamp() - self._born.get(external_id, 0.0)
        return age < self._settings.spread_age

    def create(self, spec: AudienceSpec, *, kind: str, source: str) -> dict[str, Any]:
        """Create once; after a lost answer the finder decides whether it happened."""
        body = {
            "account": self._settings.account_urn,
            "name": spec.name,
            "type": kind,
            "sourcePlatform": source,
            "sourceSegmentId": spec.audience_id,
            "destinations": [{"destination": "LINKEDIN"}],
            **({"description": spec.description} if spec.description else {}),
        }
        try:
            identifier = self._rest.create("/dmpSegments", body)
        except (PlatformDown, Garbled, Conflict):
            found = self._find_after_doubt(spec, kind, source)
            if found is None:
                raise
            return found
        self._born[identifier] = self._clock().timestamp()
        try:
            return self._segment(identifier)
        except (NotReady, NotFound):  # it exists, LinkedIn just does not show it everywhere yet
            return {"id": identifier, "destinations": [{"status": "BUILDING"}]}

    def _find_after_doubt(self, spec: AudienceSpec, kind: str, source: str) -> dict[str, Any] | None:
        """Look a few times: a segment that was made a moment ago may not be listed yet."""
        for pause in (*self._settings.spread_waits, None):
            found = self.find(spec, kind, source)
            if found is not None or pause is None:
                return found
            self._sleep(pause)
        return None

    def _segment(self, external_id: str) -> dict[str, Any]:
        """GET one segment. Raises NotReady (young), NotFound."""
        try:
            row = self._rest.get(f"/dmpSegments/{restli.key(external_id)}")
        except NotFound as error:
            born = self._born.get(external_id, 0.0)
            if self._clock().timestamp() - born < self._settings.spread_age:
                raise NotReady("the segment is not there yet", platform="linkedin", status=404) from error
            raise
        self._remember(row)
        return row

    def _remember(self, row: dict[str, Any]) -> None:
        created = row.get("created")
        if isinstance(created, int):
            self._born.setdefault(str(row.get("id")), created / 1000.0)

    def shown(self, audience_id: str, row: dict[str, Any]) -> AudienceState:
        """Status and sizes live in ``destinations[0]``; an absent count is unknown, not zero."""
        destination = _destination(row)
        status = _status(row)
        size, matched = whole(destination.get("audienceSize")), whole(destination.get("matchedCount"))
        given = whole(row.get("inputCount"))
        target = destination.get("destinationSegmentId")
        return AudienceState(
            audience_id=audience_id,
            external_id=need_id(row),
            target_id=str(target) if target else None,
            status=status,
            audience_size=size,
            matched=matched,
            match_rate=min(1.0, matched / given) if matched is not None and given else None,
            usable=bool(target) and not _dead(row),
        )


def _is(row: dict[str, Any], kind: str, audience_id: str) -> bool:
    """The finder filters by key, but some answers leave the key out; then the filter is trusted."""
    return row.get("type") == kind and row.get("sourceSegmentId", audience_id) == audience_id


def _destination(row: dict[str, Any]) -> Mapping[str, Any]:
    destinations = row.get("destinations")
    return mapping(destinations[0] if isinstance(destinations, list) and destinations else None)


def _status(row: dict[str, Any]) -> AudienceStatus:
    return STATUS.get(str(_destination(row).get("status", "BUILDING")), AudienceStatus.BUILDING)


def _dead(row: dict[str, Any]) -> bool:
    """Expired and failed segments never come back to life, nor does an archived one that reaches nobody."""
    status = _status(row)
    return status in DEAD or (
        status is AudienceStatus.ARCHIVED and _destination(row).get("audienceSize") == 0
    )
