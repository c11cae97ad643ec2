"""LinkedIn's error answers, sorted into ours. It must not quote a message: LinkedIn's may repeat input.

Sources: learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/error-handling and rate-limits,
/marketing/error-responses, /marketing/integrations/recent-changes (segment limit), 2026-08.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from platforms.errors import (
    Conflict,
    Garbled,
    ListLimitReached,
    NoPermission,
    NotFound,
    PlatformDown,
    PlatformError,
    QuotaSpent,
    Refused,
    SignInAgain,
    Throttled,
    VersionSunset,
)
from platforms.http import retry_after
from platforms.shapes import field_path, mapping, records

DATA_WINDOW = 330.0  # seconds; the volume limit counts a rolling 5 minutes
# Words and short numbers only: a longer run of letters and digits may be a value that was sent.
_WORD = re.compile(r"[A-Za-z]{1,48}|[A-Za-z]{0,8}\d{1,6}")
_SCHEMA_PATH = re.compile(r"ERROR :: (/[\w/.$-]{0,120}) ::")


def classify(response: httpx.Response, now: datetime) -> PlatformError:
    """The error behind an answer that is not 2xx. Decided by status and code; text only splits the 429s."""
    body = _body(response)
    code, status = error_code(body), response.status_code
    told: dict[str, Any] = {"code": code, "status": status, "request_id": request_id(response)}
    if status == 429:
        return _limit(str(body.get("message", "")), response, now, told)
    if status >= 500 or status in (408, 423):
        return PlatformDown("LinkedIn could not answer", sent=True, **told)
    if status < 400:
        return Garbled("LinkedIn answered with a redirect", **told)
    plain: dict[int, tuple[type[PlatformError], str]] = {
        401: (SignInAgain, "LinkedIn does not accept the token"),
        403: (NoPermission, "LinkedIn does not allow this"),
        404: (NotFound, "LinkedIn knows no such thing"),
        409: (Conflict, "two writes met"),
        412: (Conflict, "two writes met"),
        426: (VersionSunset, "LinkedIn no longer serves this API version"),
    }
    if status in plain:
        kind, sentence = plain[status]
        return kind(sentence, **told)
    return Refused(_why(body), **told)


def _limit(message: str, response: httpx.Response, now: datetime, told: dict[str, Any]) -> PlatformError:
    if told["code"] == "SEGMENT_LIMIT_EXCEEDED":
        return ListLimitReached("the ad account holds the most segments LinkedIn allows", **told)
    if " DAY " in message:
        return QuotaSpent("the day quota is used up", reset_at=next_midnight(now), **told)
    if "data request limit" in message:
        return Throttled("too many report values within five minutes", wait=DATA_WINDOW, **told)
    to_next_minute = 61.0 - now.second
    return Throttled("too many calls in this minute", wait=retry_after(response) or to_next_minute, **told)


def next_midnight(now: datetime) -> datetime:
    """Daily quotas reset at 00:00 UTC."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=1)


def error_code(body: Mapping[str, Any]) -> str:
    """The stable code of an error body (envelope, or an element's ``error``); "" if none."""
    for name in ("code", "serviceErrorCode"):
        text = _plain_code(str(body.get(name, "")))
        if text:
            inner = _input_codes(body)
            return f"{text}.{inner[0][0]}" if inner else text
    return ""


def request_id(response: httpx.Response) -> str:
    """What LinkedIn's support asks for."""
    text = response.headers.get("x-li-uuid") or response.headers.get("x-li-request-id") or ""
    return str(text)[:80]


def _why(body: Mapping[str, Any]) -> str:
    places = [path for _, path in _input_codes(body) if path]
    schema = _SCHEMA_PATH.match(str(body.get("message", "")))
    if schema and field_path(schema.group(1)):
        places.append(schema.group(1))
    return (
        f"LinkedIn refused the request at {', '.join(places)}" if places else "LinkedIn refused the request"
    )


def _input_codes(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(code, field path) per input error. Paths are names of fields, never values."""
    found = []
    for error in records(mapping(body.get("errorDetails")).get("inputErrors")):
        code = _plain_code(str(error.get("code", "")))
        if code:
            path = str(mapping(mapping(error.get("input")).get("inputPath")).get("fieldPath", ""))
            found.append((code, field_path(path)))
    return found


def _plain_code(text: str) -> str:
    """The text when it is made like a code, else ""."""
    good = len(text) <= 80 and all(_WORD.fullmatch(word) for word in re.split(r"[_.]", text))
    return text if good else ""


def _body(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return mapping(body)
