"""LinkedIn's error bodies, as documented or measured. Shapes only; it decides nothing.

Sources: learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/error-handling (2026-08),
/marketing/error-responses (2026-08), github.com/linkedin/rest.li ValidateDataAgainstSchema (2026-08).
"""

from __future__ import annotations

from typing import Any

from platforms.sandbox.wire import Answer, Bad, json_answer

MARK = {"x-restli-error-response": "true"}
BAD_REQUEST = "com.linkedin.common.error.BadRequest"


def refuse(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> Bad:
    return Bad(json_answer(status, {"status": status, **body}, {**MARK, **(headers or {})}))


def plain(status: int, message: str, **more: Any) -> Bad:
    return refuse(status, {"message": message, **more})


def detailed(status: int, code: str, message: str, *, field: str = "", inner: str | None = None) -> Bad:
    """The extended form: ``errorDetails.inputErrors[]`` with a field path."""
    error = {"code": inner or code, "description": message, "input": {"inputPath": {"fieldPath": field}}}
    return refuse(
        status,
        {
            "message": message,
            "code": code,
            "errorDetailType": BAD_REQUEST,
            "errorDetails": {"inputErrors": [error]},
        },
    )


def bad_param(name: str, inner: str) -> Bad:
    if inner == "QUERY_PARAM_NOT_ALLOWED":
        return detailed(
            400, "ILLEGAL_ARGUMENT", "Invalid query parameters passed to request", field=name, inner=inner
        )
    message = "Invalid param. Please see errorDetails for more information."
    return detailed(400, "ILLEGAL_ARGUMENT", message, field=name, inner=inner)


def schema(path: str, reason: str) -> Bad:
    """422 of the Rest.li validator."""
    return refuse(422, {"message": schema_text(path, reason)})


def schema_text(path: str, reason: str) -> str:
    return f"ERROR :: /{path.lstrip('/')} :: {reason}"


UNRECOGNIZED = "unrecognized field found but not allowed"
REQUIRED = "field is required but not found and has no default value"
READ_ONLY = "ReadOnly field present in a create request"


def not_an_enum(value: object) -> str:
    return f'"{value}" is not an enum symbol'


def missing_version() -> Bad:
    message = "A version must be present. Please specify a version by adding the LinkedIn-Version header."
    return refuse(400, {"code": "VERSION_MISSING", "message": message}, {"x-restli-gateway-error": "true"})


def dead_version(version: str) -> Bad:
    message = f"Requested version {version}01 is not active"
    return refuse(426, {"code": "NONEXISTENT_VERSION", "message": message})


TOKEN_ERRORS = {
    "empty": (65604, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token"),
    "invalid": (65600, "INVALID_ACCESS_TOKEN", "Invalid access token"),
    "revoked": (65601, "REVOKED_ACCESS_TOKEN", "The token used in the request has been revoked by the user"),
    "expired": (65602, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired"),
}


def bad_token(kind: str) -> Bad:
    number, code, message = TOKEN_ERRORS[kind]
    return refuse(401, {"serviceErrorCode": number, "code": code, "message": message})


def denied(what: str) -> Bad:
    return refuse(
        403,
        {
            "serviceErrorCode": 100,
            "code": "ACCESS_DENIED",
            "message": f"Not enough permissions to access: {what}",
        },
    )


def throttled(scope: str = "") -> Bad:
    """429 of a quota; ``scope`` "" | "APPLICATION DAY" | "MEMBER DAY". No Retry-After exists."""
    middle = f" {scope}" if scope else ""
    message = f"Resource level throttle{middle} limit for calls to this resource is reached."
    return refuse(429, {"serviceErrorCode": 101, "message": message})


def too_many_segments() -> Bad:
    return refuse(
        429,
        {
            "code": "SEGMENT_LIMIT_EXCEEDED",
            "message": "The maximum number of DMP segments for this account is reached.",
        },
    )


def too_much_data() -> Bad:
    message = (
        "The data request limit has been exceeded. More than 45 million metric values were requested "
        "in a 5-minute window."
    )
    return refuse(429, {"message": message})


def no_segment(segment_id: object, *, early: bool = False) -> Bad:
    error = refuse(404, {"message": f"Could not find DMP segment with ID {segment_id}"})
    error.answer.early = early
    return error


def conflict() -> Bad:
    return refuse(409, {"code": "CONFLICT", "message": "Write Conflict"})


def created(entity_id: object) -> Answer:
    """201 with an empty body; the id is in the header and its legacy twin."""
    return Answer(201, b"", {"x-restli-id": str(entity_id), "x-linkedin-id": str(entity_id)})


def no_content() -> Answer:
    return Answer(204)
