"""The Rest.li methods of LinkedIn's API over one Wire. It must know no entity.

Every call carries the version and protocol headers; a create answers 201 with an empty body and the new id in
``x-restli-id``. Source: learn.microsoft.com/en-us/linkedin/marketing/versioning, 2026-08.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import httpx
import orjson

from platforms.errors import Garbled
from platforms.http import Call, Lane, Wire
from platforms.linkedin import restli
from platforms.linkedin.answers import classify
from platforms.linkedin.settings import LinkedInSettings
from platforms.pacing import Pacer, QuotaStore
from platforms.shapes import mapping, need_records

_ID = re.compile(r"\d|urn")


class Rest:
    """GET, finders, creates, partial updates, batch creates and deletes. Paths start with ``/``."""

    def __init__(
        self,
        settings: LinkedInSettings,
        client: httpx.Client,
        clock: Callable[[], datetime],
        sleep: Callable[[float], None],
        quota: QuotaStore | None = None,
    ) -> None:
        self._settings = settings
        owner = f"linkedin|{settings.member or settings.ad_account}|{settings.app}"
        self._wire = Wire(
            "linkedin",
            client,
            lambda response: classify(response, clock()),
            pacer=Pacer(owner, clock=clock, sleep=sleep, store=quota),
            retry=settings.retry,
        )

    def get(self, path: str, parameters: Mapping[str, object] | None = None) -> dict[str, Any]:
        """GET, tunnelled through POST when the query is too long for an address."""
        query = restli.query(parameters or {})
        url, lane = f"{self._settings.base_url}{path}", _lane(path)
        headers = self._headers(**({"X-RestLi-Method": "FINDER"} if "q" in (parameters or {}) else {}))
        if len(url) + len(query) <= self._settings.url_limit:
            return self._wire.json(Call("GET", f"{url}?{query}" if query else url, headers, lane=lane))
        headers |= {"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}
        return self._wire.json(Call("POST", url, headers, query.encode("ascii"), lane=lane))

    def pages(self, path: str, parameters: Mapping[str, object], *, size: int) -> list[dict[str, Any]]:
        """Every element of a cursor-paged finder, ``size`` a page."""
        rows: list[dict[str, Any]] = []
        token: str | None = None
        while True:
            page = self.get(path, {**parameters, "pageSize": size, "pageToken": token})
            rows += need_records(page, "elements")
            following = mapping(page.get("metadata")).get("nextPageToken")
            if not following or following == token:
                return rows
            token = str(following)

    def create(self, path: str, body: Mapping[str, Any]) -> str:
        """POST an entity; returns its id. Never sent twice unless it surely was not carried out."""
        reply = self._wire.send(self._post(path, orjson.dumps(body), "CREATE", repeatable=False))
        identifier = reply.headers.get("x-restli-id") or reply.headers.get("x-linkedin-id") or ""
        if not identifier:
            raise Garbled("a create answered without an id", platform="linkedin", status=reply.status_code)
        return restli.entity_id(identifier)

    def attach(self, path: str, body: Mapping[str, Any]) -> None:
        """POST a child that replaces the one before it, so it may be repeated; no id is needed."""
        self._wire.send(self._post(path, orjson.dumps(body), "CREATE"))

    def action(self, path: str, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """POST ``?action=name``."""
        return self._wire.json(self._post(f"{path}?action={name}", orjson.dumps(body), "ACTION"))

    def update(self, path: str, changes: Mapping[str, Any]) -> None:
        """PARTIAL_UPDATE: ``$set`` of whole fields. Sending it twice leaves the same state."""
        body = orjson.dumps({"patch": {"$set": changes}})
        self._wire.send(self._post(path, body, "PARTIAL_UPDATE"))

    def batch_create(self, path: str, body: bytes, lane: Lane) -> dict[str, Any]:
        """Streaming of members: adding or removing the same twice is harmless, so it may be repeated."""
        return self._wire.json(self._post(path, body, "BATCH_CREATE", lane=lane))

    def delete(self, path: str) -> None:
        url = f"{self._settings.base_url}{path}"
        self._wire.send(Call("DELETE", url, self._headers(), lane=_lane(path)))

    def upload(self, url: str, content: bytes) -> str:
        """POST a file to an upload address LinkedIn gave; returns the ``Location`` it was put at."""
        reply = self._wire.send(Call("POST", url, {"Content-Type": "text/csv"}, content, repeatable=False))
        location = reply.headers.get("Location", "")
        if not location:
            raise Garbled("an upload answered without a location", platform="linkedin")
        return str(location)

    def _post(
        self, path: str, body: bytes, method: str, *, repeatable: bool = True, lane: Lane | None = None
    ) -> Call:
        headers = self._headers(**{"X-RestLi-Method": method, "Content-Type": "application/json"})
        url = f"{self._settings.base_url}{path}"
        return Call("POST", url, headers, body, repeatable=repeatable, lane=lane or _lane(path))

    def _headers(self, **more: str) -> dict[str, str]:
        return {
            "LinkedIn-Version": self._settings.api_version,
            "X-Restli-Protocol-Version": "2.0.0",
            "Accept": "application/json",
            **more,
        }


def _lane(path: str) -> Lane:
    """A quota belongs to the resource: the last part of the path that is a name, not an id."""
    names = [part for part in path.split("?")[0].split("/") if part and not _ID.match(part)]
    return Lane(names[-1])
