"""JSON bodies, patches and index paging of LinkedIn resources. It knows the rules of none of them."""

from __future__ import annotations

from typing import Any

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox.wire import Call, load_json


def page(elements: list[Any], query: dict[str, Any], *, default: int | None = 10) -> dict[str, Any]:
    """Index-style paging. ``default`` None: everything at once unless asked otherwise."""
    try:
        start = int(query.get("start", 0))
        wanted = query.get("count", default if "start" not in query else 10)
        count = len(elements) if wanted is None else int(wanted)
    except (TypeError, ValueError):
        raise err.bad_param("count", "PARAM_INVALID") from None
    shown = elements[start : start + count]
    paging = {"start": start, "count": 10 if wanted is None else count, "links": [], "total": len(elements)}
    return {"elements": shown, "paging": paging}


def json_body(call: Call) -> dict[str, Any]:
    """The body as a JSON object. Raises 400, or 411 for a POST without a body and length."""
    if not call.body:
        if "content-length" not in call.headers:
            raise err.plain(411, "Length Required")
        raise err.plain(400, "Empty body")
    try:
        value = load_json(call.body)
    except ValueError:
        raise err.plain(400, "The request body is not valid JSON") from None
    if not isinstance(value, dict):
        raise err.plain(400, "The request body is not an object")
    return value


def patch_of(call: Call) -> dict[str, Any]:
    """``{"patch": {"$set": {...}, "$delete": [...]}}``; the method header is required."""
    if call.header("x-restli-method").upper() != "PARTIAL_UPDATE":
        raise err.plain(400, "X-RestLi-Method PARTIAL_UPDATE is required for this request")
    body = json_body(call)
    patch = body.get("patch")
    if not isinstance(patch, dict) or set(body) != {"patch"} or not set(patch) <= {"$set", "$delete"}:
        raise err.schema("patch", err.UNRECOGNIZED)
    return patch
