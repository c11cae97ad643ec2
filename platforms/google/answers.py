"""Google's error answers, sorted into ours. It must not quote a description: it may repeat input.

Source: developers.google.com/data-manager/api/devguides/concepts/understand-errors and /limits, 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from platforms.errors import (
    Conflict,
    Garbled,
    NoPermission,
    NotFound,
    PlatformDown,
    PlatformError,
    QuotaSpent,
    Refused,
    SignInAgain,
    Throttled,
)
from platforms.http import retry_after
from platforms.shapes import field_path, mapping, records

_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,80}")
_ROW = re.compile(r"audience_?[mM]embers\[(\d+)\]")
RESET_HOUR = 8  # UTC: day quotas reset at midnight Pacific time, which is 07:00 or 08:00


def classify(response: httpx.Response, now: datetime) -> PlatformError:
    """The error behind an answer that is not 2xx, by HTTP status, then by stated reason."""
    error = _error(response)
    details = records(error.get("details"))
    state, status = str(error.get("status", "")), response.status_code
    violations = list(_violations(details))
    told: dict[str, Any] = {
        "code": next((reason for _, reason in violations), "") or _reason(details) or _code(state),
        "status": status,
        "request_id": _request_id(details),
    }
    if status == 429:
        return _limit(details, response, now, told)
    if status == 409 and state != "ALREADY_EXISTS":
        return Conflict("Google aborted the request", **told)
    if status >= 500 or status == 408:
        return PlatformDown("Google could not answer", sent=True, **told)
    if status == 401:
        return SignInAgain("Google does not accept the token", **told)
    if status == 403:
        return NoPermission("Google does not allow this", **told)
    if status == 404:
        return NotFound("Google knows no such thing", **told)
    if status < 400:
        return Garbled("Google answered with a redirect", **told)
    places = ", ".join(sorted({place for place, _ in violations if place})[:5])
    rows = sorted({int(m.group(1)) for place, _ in violations if (m := _ROW.search(place))})
    return Refused(
        f"Google refused the request at {places}" if places else "Google refused the request",
        rows=tuple(rows),
        **told,
    )


def _limit(
    details: list[dict[str, Any]], response: httpx.Response, now: datetime, told: dict[str, Any]
) -> PlatformError:
    limits = [str(mapping(detail.get("metadata")).get("quota_limit", "")) for detail in details]
    if any("PerDay" in limit for limit in limits):
        return QuotaSpent("the day quota is used up", reset_at=next_reset(now), **told)
    wait = retry_after(response) or 61.0 - now.second
    return Throttled("too many calls in this minute", wait=wait, **told)


def next_reset(now: datetime) -> datetime:
    """The next moment at which a day quota has surely been reset."""
    today = now.astimezone(UTC).replace(hour=RESET_HOUR, minute=0, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def _violations(details: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """(field path, reason) per violation. Paths are names of fields and element numbers, never values."""
    for detail in details:
        for violation in records(detail.get("fieldViolations")):
            place, reason = str(violation.get("field", "")), str(violation.get("reason", ""))
            yield field_path(place), _code(reason)
        for failure in records(detail.get("errors")):  # Google Ads API: GoogleAdsFailure
            for reason in mapping(failure.get("errorCode")).values():
                yield "", _code(str(reason))


def _reason(details: list[dict[str, Any]]) -> str:
    return next((_code(str(d["reason"])) for d in details if "reason" in d), "")


def _code(text: str) -> str:
    return text if _CODE.fullmatch(text) else ""


def _request_id(details: list[dict[str, Any]]) -> str:
    return next((str(d["requestId"])[:80] for d in details if "requestId" in d), "")


def _error(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    if isinstance(body, list) and body:  # searchStream wraps errors in a list
        body = body[0]
    return mapping(mapping(body).get("error"))
