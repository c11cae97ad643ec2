"""``userLists``: create, list, get, patch, delete. Who is on a list is not decided here.

Source: developers.google.com/data-manager/api/devguides/audiences/google-ads/customer-match/
create-audience (2026-07).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_plus

from platforms.sandbox import google_errors as err
from platforms.sandbox.clock import DAY, SECOND
from platforms.sandbox.google_errors import Violation
from platforms.sandbox.google_lists import MAX_LIFE, UserList, list_json, same_name
from platforms.sandbox.google_shapes import USER_LIST, camel, read_body
from platforms.sandbox.restli import pairs
from platforms.sandbox.wire import Answer, Call, json_answer
from platforms.sandbox.world import World

OUTPUT_ONLY = {"name", "id", "readOnly", "accessReason", "closingReason", "sizeInfo"}
MUTABLE = {
    "displayName", "description", "membershipDuration", "membershipStatus", "integrationCode",
    "accountAccessStatus", "targetNetworkInfo",
}  # fmt: skip
FILTERS = {
    "id", "displayName", "description", "membershipStatus", "integrationCode", "accessReason",
    "ingestedUserListInfo.uploadKeyTypes",
}  # fmt: skip
TERM = re.compile(r"^\s*([\w.]+)\s*(!=|<=|>=|=|<|>|:)\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"']+))\s*$")
DURATION = re.compile(r"^(\d+)s$")


def create(world: World, call: Call) -> Answer:
    account = _account(world, call)
    if account in world.google.undeclared:
        raise err.invalid([("parent", "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED")])
    body = read_body(USER_LIST, call, "user_list")
    found = _check_fields(body)
    if not body.get("displayName"):
        found.append(("user_list.display_name", "REQUIRED_FIELD_MISSING"))
    info = body.get("ingestedUserListInfo") or {}
    keys = info.get("uploadKeyTypes") or []
    if len(keys) != 1:
        reason = "REQUIRED_FIELD_MISSING" if not keys else "TOO_MANY_ELEMENTS"
        found.append(("user_list.ingested_user_list_info.upload_key_types", reason))
    elif keys[0] not in ("CONTACT_ID", "MOBILE_ID", "USER_ID"):
        where = "user_list.ingested_user_list_info.upload_key_types"
        found.append((where, "UNSUPPORTED_INGESTED_USER_LIST_INFO_CONFIG"))
    if found:
        raise err.invalid(found)
    if same_name(world, account, body["displayName"]):
        raise err.invalid([("user_list.display_name", "DISPLAY_NAME_ALREADY_USED")])
    fields = {k: v for k, v in body.items() if k not in OUTPUT_ONLY}
    if keys[0] == "CONTACT_ID":
        fields["ingestedUserListInfo"].setdefault(
            "contactIdInfo", {"dataSourceType": "DATA_SOURCE_TYPE_FIRST_PARTY"}
        )
    if _flag(call, "validateOnly"):
        return json_answer(200, fields)
    number = str(world.next_id("user_list", 7_090_784_001))
    made = UserList(number, account, fields, created=world.now)
    world.google.lists[number] = made
    return json_answer(200, list_json(world, made))


def _check_fields(body: dict[str, Any]) -> list[Violation]:
    found: list[Violation] = []
    duration = body.get("membershipDuration")
    if duration is not None:
        match = DURATION.match(duration)
        if match is None or int(match.group(1)) * SECOND % DAY:
            found.append(("user_list.membership_duration", "INVALID_FORMAT"))
        elif int(match.group(1)) * SECOND > MAX_LIFE:
            found.append(("user_list.membership_duration", "MEMBERSHIP_DURATION_TOO_LONG"))
    name = body.get("displayName")
    if name is not None and (not name.strip() or len(name) > 255):
        found.append(("user_list.display_name", "INVALID_DISPLAY_NAME"))
    return found


def listing(world: World, call: Call) -> Answer:
    """``pageSize`` (50, at most 1,000, larger is coerced), ``pageToken``, ``filter``."""
    account = _account(world, call)
    query = _query(call)
    shown = [list_json(world, t) for t in world.google.lists.values() if t.account == account]
    shown = [item for item in shown if _passes(item, query.get("filter", ""))]
    try:
        size = min(1000, int(query.get("pageSize") or 50) or 50)
        start = int(query.get("pageToken") or 0)
    except ValueError:
        raise err.invalid([("page_token", "INVALID_PAGE_TOKEN")]) from None
    if not 0 <= start <= len(shown) or size < 0:
        raise err.invalid([("page_token", "INVALID_PAGE_TOKEN")])
    body: dict[str, Any] = {"userLists": shown[start : start + size]} if shown[start : start + size] else {}
    if start + size < len(shown):
        body["nextPageToken"] = str(start + size)
    return json_answer(200, body)


def _passes(item: dict[str, Any], text: str) -> bool:
    """AIP-160 comparisons joined by AND; raises 400 INVALID_FILTER on anything else."""
    if not text.strip():
        return True
    for term in re.split(r"\s+AND\s+", text):
        match = TERM.match(term)
        name = ".".join(camel(part) for part in match.group(1).split(".")) if match else ""
        if match is None or name not in FILTERS:
            raise err.invalid([("filter", "INVALID_FILTER")])
        wanted = next(g for g in match.groups()[2:] if g is not None)
        if not _compare(_value(item, name), match.group(2), wanted):
            return False
    return True


def _value(item: dict[str, Any], name: str) -> str:
    value: Any = item
    for part in name.split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    return ",".join(value) if isinstance(value, list) else str(value)


def _compare(have: str, sign: str, wanted: str) -> bool:
    left: Any = int(have) if have.isdigit() and wanted.isdigit() else have
    right: Any = int(wanted) if have.isdigit() and wanted.isdigit() else wanted
    tests = {
        "=": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
        ":": wanted.strip("*").lower() in have.lower(),
    }
    return bool(tests[sign])


def get(world: World, call: Call) -> Answer:
    return json_answer(200, list_json(world, _list(world, call)))


def update(world: World, call: Call) -> Answer:
    """PATCH with ``updateMask``; immutable fields in the mask are refused."""
    target = _list(world, call)
    body = read_body(USER_LIST, call, "user_list")
    mask = [camel(part.strip()) for part in _query(call).get("updateMask", "").split(",") if part.strip()]
    if not mask:
        raise err.invalid([("update_mask", "REQUIRED_FIELD_MISSING")])
    found: list[Violation] = []
    for name in mask:
        top = name.split(".")[0]
        if top not in USER_LIST:
            found.append(("update_mask", "INVALID_UPDATE_MASK"))
        elif top not in MUTABLE:
            found.append(("update_mask", "IMMUTABLE_FIELD_FOR_UPDATE"))
    found += _check_fields({k: v for k, v in body.items() if k in mask})
    if found:
        raise err.invalid(found)
    if "displayName" in mask and same_name(
        world, target.account, body.get("displayName", ""), but=target.list_id
    ):
        raise err.invalid([("user_list.display_name", "DISPLAY_NAME_ALREADY_USED")])
    if not _flag(call, "validateOnly"):
        for name in {part.split(".")[0] for part in mask}:
            if name in body:
                target.fields[name] = body[name]
            else:
                target.fields.pop(name, None)
    return json_answer(200, list_json(world, target))


def delete(world: World, call: Call) -> Answer:
    target = _list(world, call)
    if not _flag(call, "validateOnly"):
        del world.google.lists[target.list_id]
    return json_answer(200, {})


def _list(world: World, call: Call) -> UserList:
    account = _account(world, call)
    target: UserList | None = world.google.lists.get(call.args["list"])
    if target is None or target.account != account:
        raise err.not_found("User list")
    return target


def _account(world: World, call: Call) -> str:
    account = call.args["account"]
    if call.args["type"] != "GOOGLE_ADS" or not account.isdigit():
        raise err.invalid([("parent", "INVALID_RESOURCE_NAME")])
    login = call.header("login-account").rsplit("/", 1)[-1] or None
    closed = call.who in world.google.closed_to.get(account, set())
    if closed or not world.google.through(account, login):
        raise err.failure(403, "The caller does not have permission", reason="PERMISSION_DENIED")
    return account


def _query(call: Call) -> dict[str, str]:
    return {camel(k): unquote_plus(v) for k, v in pairs(call.query)}


def _flag(call: Call, name: str) -> bool:
    return _query(call).get(name, "").lower() == "true"
