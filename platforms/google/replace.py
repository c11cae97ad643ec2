"""A list made to hold exactly what is sent: everybody again, then whoever was added earlier is taken off.

It must not decide who belongs on the list. Source: developers.google.com/data-manager/api/devguides/audiences/
remove-all-members, v1.8, 2026-11.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from audiences.model import Receipt, RowStatus
from platforms.errors import NotReady, Refused
from platforms.google.audiences import UserLists
from platforms.google.members import statuses


class ReplaceableLists(UserLists):
    """Implements ``ReplacingPlatform``. The list is never empty meanwhile."""

    def remove_all(self, external_id: str, *, added_before: datetime | None = None) -> str:
        """Take out every member last added before that moment (None: everyone). Returns the request id."""
        body: dict[str, Any] = {"destinations": [self._destination(external_id)]}
        if added_before is not None:
            body["removeAsOfTime"] = added_before.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return self._ingest("removeAll", orjson.dumps(body))

    def begin_replace(self) -> datetime:
        """First step of replacing a list's content: note the time, then push the whole new membership.

        Google compares with its own clock: one of ours that runs ahead would take the new members off too.
        """
        reply = self._wire.send(self._call("GET", f"{self._lists}?pageSize=1", lane="lists_read"))
        theirs = None
        with suppress(ValueError):
            theirs = parsedate_to_datetime(reply.headers.get("Date", ""))
        return min(self._clock(), theirs) if theirs is not None and theirs.tzinfo else self._clock()

    def finish_replace(self, external_id: str, started: datetime, receipts: Sequence[Receipt]) -> str:
        """Last step: remove whoever was not sent again. Returns the request id.

        Raises NotReady while a push is unsettled, Refused while anybody's fate is open: they would be lost.
        """
        if any(not receipt.settled for receipt in receipts):
            raise NotReady("the new members are still being processed", platform="google")
        rows = [row for receipt in receipts for row in receipt.results]
        if any(row.retryable or row.status is RowStatus.UNKNOWN for row in rows):
            raise Refused(
                "send what is not accepted again; the old ones stay", platform="google", code="open"
            )
        if not any(row.status is RowStatus.ACCEPTED for row in rows):
            raise Refused("no new member was accepted, so the old ones stay", platform="google", code="empty")
        return self.remove_all(external_id, added_before=started)

    def replace_done(self, request_id: str) -> bool:
        """Whether whoever was not sent again is off the list. Raises Refused where Google could not do it."""
        (row,), final = statuses(self.request_status(request_id), 1)
        if final and row.status is not RowStatus.ACCEPTED:
            raise Refused(
                "the former members could not be taken off", platform="google", code=row.reason or ""
            )
        return final
