"""Customer Match lists through the Data Manager API: create, ingest, remove, settle. It must not report.

Requests are processed later and in no promised order, so one direction per list at a time, and a batch is
only known once its status is final. Source: developers.google.com/data-manager/api, v1.8, 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import orjson

from audiences.model import (
    AudienceSpec,
    AudienceState,
    AudienceStatus,
    Op,
    PushBatch,
    Receipt,
    RowResult,
    RowStatus,
)
from platforms.errors import Conflict, Garbled, NotFound, PlatformDown, Refused
from platforms.google.answers import classify
from platforms.google.members import (
    PENDING,
    UNFINISHED,
    Prepared,
    join_request_id,
    positions,
    prepare,
    split_request_id,
    spread,
    statuses,
)
from platforms.google.settings import GoogleSettings
from platforms.google.states import state_of
from platforms.http import Call, Lane, Wire
from platforms.pacing import Pacer, QuotaStore, Rate
from platforms.shapes import need_id, records

UNTRACEABLE = RowResult(RowStatus.UNKNOWN, "request_not_known", retryable=True)


class UserLists:
    """The lists of one Google Ads customer."""

    def __init__(
        self,
        settings: GoogleSettings,
        client: httpx.Client,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        quota: QuotaStore | None = None,
    ) -> None:
        self._settings, self._clock = settings, clock
        self._polled: dict[str, int] = {}  # request id -> polls that were due when it was last asked about
        owner = f"google|{settings.project or settings.quota_project or settings.customer_id}"
        self._wire = Wire(
            "google",
            client,
            lambda response: classify(response, clock()),
            pacer=Pacer(owner, clock=clock, sleep=sleep, store=quota),
            retry=settings.retry,
        )
        rate = Rate(settings.headroom * settings.requests_per_minute, settings.burst)
        self._lanes = {name: Lane(name, rate) for name in ("ingest", "status", "lists_write", "lists_read")}
        self._lists = f"{settings.base_url}/accountTypes/GOOGLE_ADS/accounts/{settings.customer_id}/userLists"

    def find_or_create(self, spec: AudienceSpec) -> AudienceState:
        """The list whose ``integrationCode`` is the audience id, created once. Raises PlatformError.

        A name in use by a list that is not ours is an error: a foreign list is never adopted.
        """
        found = self.find(spec.audience_id)
        if found is None:
            found = self._create(spec)
        elif found.get("membershipStatus") == "CLOSED":
            found = self._reopen(need_id(found))
        return state_of(self._settings.customer_id, spec.audience_id, found)

    def find(self, audience_id: str) -> dict[str, Any] | None:
        """Our list, the oldest if there are several; None if there is none."""
        quoted = audience_id.replace("\\", "\\\\").replace('"', '\\"')
        params = {"filter": f'integration_code = "{quoted}"', "pageSize": str(self._settings.page_size)}
        found, token = list[dict[str, Any]](), ""
        while True:
            query = httpx.QueryParams({**params, **({"pageToken": token} if token else {})})
            page = self._wire.json(self._call("GET", f"{self._lists}?{query}", lane="lists_read"))
            rows = records(page.get("userLists"))
            found += [row for row in rows if row.get("integrationCode") == audience_id]
            following = str(page.get("nextPageToken", ""))
            if not following or following == token:
                break
            token = following
        return min(found, key=lambda row: (len(need_id(row)), need_id(row)), default=None)

    def state(self, audience_id: str, external_id: str) -> AudienceState:
        """What Google says about one list; status GONE when it was deleted."""
        try:
            row = self._wire.json(self._call("GET", f"{self._lists}/{external_id}", lane="lists_read"))
        except NotFound:
            return AudienceState(audience_id, external_id, None, AudienceStatus.GONE)
        return state_of(self._settings.customer_id, audience_id, row)

    def push(self, batch: PushBatch) -> Receipt:
        """Send one batch; its rows stay unknown until ``settle``. Raises PlatformError.

        One bad member makes Google refuse the whole request, so members it names are taken out, marked
        rejected, and the rest is sent again. Their row numbers travel in the receipt's request id.
        """
        if len(batch.members) > self._settings.batch_size:
            raise Refused(f"a batch of {len(batch.members)} members is too large", code="batch_size")
        prepared = first = self._prepare(batch)
        for _ in range(self._settings.bisect_rounds):
            if not prepared.rows:
                return Receipt(batch.batch_id, spread(prepared, (), len(batch.members)))
            try:
                return self._send(batch, prepared, first)
            except Refused as error:
                if not error.rows:
                    raise
                prepared = prepared.without(error.rows, error.code or "refused")
        raise Refused("Google kept refusing members of this batch", platform="google", code="bisect_rounds")

    def settle(self, batch: PushBatch, request_id: str) -> Receipt:
        """What became of a batch; asked of Google only when a poll is due (``settings.cadence``).

        ``settled`` False: it is still being processed. After a day it is given up; after about 50 days Google
        says the id is not valid. Either way the rows are unknown and may be sent again: that only refreshes.
        """
        google_id, sent, named = split_request_id(request_id)
        prepared = self._prepare(batch)
        prepared = prepared.without(positions(prepared, named), "refused_by_google")
        told, final = self._told(google_id, sent, len(prepared.rows))
        results = spread(prepared, told, len(batch.members))
        return Receipt(batch.batch_id, results, request_id=request_id, settled=final)

    def _told(self, google_id: str, sent: datetime | None, rows: int) -> tuple[tuple[RowResult, ...], bool]:
        cadence = self._settings.cadence
        age = self._clock() - sent if sent is not None else cadence.give_up
        if sent is not None and cadence.due(age) == self._polled.get(google_id, 0):
            return (PENDING,) * rows, False
        try:
            told, final = statuses(self.request_status(google_id), rows)
        except Refused as error:
            if error.code not in ("INVALID_REQUEST_ID", "REQUEST_TOO_OLD"):
                raise
            told, final = (UNTRACEABLE,) * rows, True
        if not final and sent is not None and age >= cadence.give_up:
            told, final = (UNFINISHED,) * rows, True
        self._polled[google_id] = cadence.due(age)
        return told, final

    def request_status(self, google_id: str) -> dict[str, Any]:
        """The raw status of one request."""
        query = httpx.QueryParams({"requestId": google_id})
        url = f"{self._settings.base_url}/requestStatus:retrieve?{query}"
        return self._wire.json(self._call("GET", url, lane="status"))

    def delete(self, external_id: str) -> None:
        """Remove the list; one that is gone already is a success."""
        try:
            self._wire.send(self._call("DELETE", f"{self._lists}/{external_id}", lane="lists_write"))
        except NotFound:
            return

    def check(self) -> tuple[str, ...]:
        """Read one list; findings in plain words."""
        self._wire.json(self._call("GET", f"{self._lists}?pageSize=1", lane="lists_read"))
        if not self._settings.terms_accepted:
            return ("The Customer Match terms are not marked as accepted: nothing can be added.",)
        return ()

    def _prepare(self, batch: PushBatch) -> Prepared:
        return prepare(
            batch,
            member_data=self._settings.member_data,
            identifier_limit=self._settings.identifiers_per_member,
            consent_required=self._settings.consent_required,
        )

    def _send(self, batch: PushBatch, prepared: Prepared, first: Prepared) -> Receipt:
        """``first`` is the batch before Google refused anyone: what ``settle`` can work out again."""
        body: dict[str, Any] = {
            "destinations": [self._destination(batch.external_id)],
            "encoding": "HEX",
        }
        if batch.op is Op.ADD:  # a removal carries neither consent nor terms
            consent, terms = self._settings.consent, self._settings.terms_accepted
            body["consent"] = {"adUserData": consent, "adPersonalization": consent}
            body["termsOfService"] = {
                "customerMatchTermsOfServiceStatus": "ACCEPTED" if terms else "REJECTED"
            }
        people = b',"audienceMembers":[' + b",".join(prepared.members) + b"]}"
        content = orjson.dumps(body)[:-1] + people
        google_id = self._ingest("ingest" if batch.op is Op.ADD else "remove", content)
        named = sorted(set(prepared.refused) - set(first.refused))
        results = spread(prepared, (PENDING,) * len(prepared.rows), len(batch.members))
        known = join_request_id(google_id, self._clock(), named)
        return Receipt(batch.batch_id, results, request_id=known, settled=False)

    def _ingest(self, verb: str, content: bytes) -> str:
        """Adding or removing the same members twice is harmless, so a lost answer is repeated."""
        url = f"{self._settings.base_url}/audienceMembers:{verb}"
        reply = self._wire.json(self._call("POST", url, content, lane="ingest"))
        if not isinstance(reply.get("requestId"), str):
            raise Garbled("Google answered without a request id", platform="google")
        return str(reply["requestId"])

    def _create(self, spec: AudienceSpec) -> dict[str, Any]:
        body = {
            "displayName": spec.name,
            "description": spec.description or spec.name,
            "membershipDuration": f"{self._settings.membership_days * 86_400}s",
            "integrationCode": spec.audience_id,
            "ingestedUserListInfo": {
                "uploadKeyTypes": ["CONTACT_ID"],
                "contactIdInfo": {"dataSourceType": "DATA_SOURCE_TYPE_FIRST_PARTY"},
            },
        }
        try:
            call = self._call("POST", self._lists, body, lane="lists_write", repeatable=False)
            return self._wire.json(call)
        except (PlatformDown, Garbled, Conflict, Refused) as error:
            found = self.find(spec.audience_id)  # a lost answer, or a racer: both leave our code on a list
            if found is None:
                raise error
            return found

    def _reopen(self, external_id: str) -> dict[str, Any]:
        """Google closes lists that were unused for long; a closed one takes no members."""
        url = f"{self._lists}/{external_id}?updateMask=membershipStatus"
        return self._wire.json(self._call("PATCH", url, {"membershipStatus": "OPEN"}, lane="lists_write"))

    def _destination(self, external_id: str) -> dict[str, Any]:
        customer = {"accountType": "GOOGLE_ADS", "accountId": self._settings.customer_id}
        destination: dict[str, Any] = {"operatingAccount": customer, "productDestinationId": external_id}
        if self._settings.login_customer_id:
            manager = {"accountType": "GOOGLE_ADS", "accountId": self._settings.login_customer_id}
            destination["loginAccount"] = manager
        return destination

    def _call(self, method: str, url: str, body: Any = None, *, lane: str, repeatable: bool = True) -> Call:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._settings.project:
            headers["x-goog-user-project"] = self._settings.project
        if self._settings.login_customer_id and lane.startswith("lists"):
            headers["login-account"] = f"accountTypes/GOOGLE_ADS/accounts/{self._settings.login_customer_id}"
        content = body if isinstance(body, bytes) else orjson.dumps(body) if body is not None else b""
        return Call(method, url, headers, content, repeatable=repeatable, lane=self._lanes[lane])
