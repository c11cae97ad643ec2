"""Google's REST error bodies. Shapes only; it decides nothing.

Source: developers.google.com/data-manager/api/devguides/concepts/understand-errors (2026).
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from platforms.sandbox.wire import Answer, Bad, json_answer

DOMAIN = "datamanager.googleapis.com"
PREFIX = "type.googleapis.com/google.rpc."
STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
TEXTS = {
    "TOO_MANY_AUDIENCE_MEMBERS": "Maximum number of audience members allowed per request is 10,000.",
    "TOO_MANY_USER_IDENTIFIERS": "Maximum number of user identifiers allowed per audience member is 10.",
    "TOO_MANY_DESTINATIONS": "Maximum number of destinations allowed per request is 10.",
    "INVALID_SHA256_FORMAT": "The SHA256 encoded value is malformed.",
    "INVALID_HEX_ENCODING": "The HEX encoded value is malformed.",
    "INVALID_BASE64_ENCODING": "The base64 encoded value is malformed.",
    "REQUIRED_FIELD_MISSING": "Required field is missing.",
    "TERMS_AND_CONDITIONS_NOT_SIGNED": "Required terms and conditions are not accepted.",
    "INVALID_USER_LIST_ID": "User list is not valid.",
    "INVALID_DESTINATION": "This Destination is not valid.",
    "INVALID_REGION_CODE": "The region code is not valid.",
    "INVALID_USER_LIST_TYPE": "Type of the user list is not applicable for this request.",
    "INVALID_NUMBER_FORMAT": "String is not a valid number.",
}
MESSAGES = {
    401: "Request had invalid authentication credentials.",
    409: "The operation was aborted.",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
    504: "The deadline expired before the operation could complete.",
}

Violation = tuple[str, str]  # (field path in snake case, reason)


def failure(
    code: int,
    message: str = "",
    *,
    reason: str = "",
    status: str = "",
    metadata: dict[str, str] | None = None,
    details: list[dict[str, Any]] | None = None,
) -> Bad:
    """An ErrorInfo envelope; failed requests carry their own id, ``t-`` and a UUID."""
    digest = sha256(f"{code}{message}{reason}{details}".encode()).hexdigest()
    request_id = "t-" + "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:32]))
    status = status or STATUS.get(code, "UNKNOWN")
    info = {
        "@type": PREFIX + "ErrorInfo",
        "reason": reason or status,
        "domain": DOMAIN,
        "metadata": {"requestId": request_id, **(metadata or {})},
    }
    body = {
        "code": code,
        "message": message or MESSAGES.get(code, "There was a problem with the request."),
        "status": status,
        "details": [info, {"@type": PREFIX + "RequestInfo", "requestId": request_id}, *(details or [])],
    }
    return Bad(json_answer(code, {"error": body}))


def invalid(violations: list[Violation]) -> Bad:
    """400 with every violation of one stage."""
    listed = [
        {"field": f, "description": TEXTS.get(r, r.replace("_", " ").capitalize() + "."), "reason": r}
        for f, r in violations
    ]
    return failure(
        400,
        "There was a problem with the request.",
        details=[{"@type": PREFIX + "BadRequest", "fieldViolations": listed}],
    )


def unreadable(name: str, where: str, problem: str = "") -> Bad:
    """The transcoding error of an unknown name or a bad enum value."""
    text = problem or f"Unknown name \"{name}\" at '{where}': Cannot find field."
    message = f"Invalid JSON payload received. {text}"
    detail = {
        "@type": PREFIX + "BadRequest",
        "fieldViolations": [{"field": where, "description": message}],
    }
    body = {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": [detail]}
    return Bad(json_answer(400, {"error": body}))


def not_found(what: str) -> Bad:
    return failure(404, f"{what} was not found.", reason="NOT_FOUND")


def exhausted(limit: str) -> Bad:
    return failure(
        429,
        "Quota exceeded.",
        reason="RATE_LIMIT_EXCEEDED",
        metadata={"quota_limit": limit, "service": DOMAIN},
    )


def injected(kind: str, endpoint: str) -> Answer:
    """What a fault of the sandbox looks like here."""
    made: dict[str, Callable[[], Bad]] = {
        "throttle_minute": lambda: exhausted(f"{endpoint}RequestsPerMinutePerProject"),
        "throttle_day": lambda: exhausted(f"{endpoint}RequestsPerDayPerProject"),
        "expired_token": lambda: failure(401),
        "revoked_token": lambda: failure(401),
        "404_after_create": lambda: not_found("User list"),
    }
    maker = made.get(kind, lambda: failure(int(kind)))
    return maker().answer


def ads_failure(kind: str, code: str, message: str) -> Bad:
    """A Google Ads API error: which enum, which value."""
    detail = {
        "@type": "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure",
        "errors": [{"errorCode": {kind: code}, "message": message}],
        "requestId": sha256(message.encode()).hexdigest()[:22],
    }
    error = {
        "code": 400,
        "message": "Request contains an invalid argument.",
        "status": "INVALID_ARGUMENT",
        "details": [detail],
    }
    return Bad(json_answer(400, {"error": error}))
