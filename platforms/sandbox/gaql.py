"""Google Ads reads (GAQL) and the two mutates that steer a band. Delivery is in ``google_delivery``.

Source: developers.google.com/google-ads/api/fields/v26 (2026-10). int64 are JSON strings, keys camelCase.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from platforms.sandbox.clock import day_of
from platforms.sandbox.google_lists import MAX_LIFE
from platforms.sandbox.google_shapes import camel
from platforms.sandbox.wire import Answer, Bad, Call, json_answer, load_json
from platforms.sandbox.world import World

QUERY = re.compile(
    r"^\s*SELECT\s+(?P<fields>.+?)\s+FROM\s+(?P<resource>\w+)(?:\s+WHERE\s+(?P<where>.+?))?"
    r"(?:\s+ORDER\s+BY\s+(?P<order>.+?))?(?:\s+LIMIT\s+(?P<limit>\d+))?(?:\s+PARAMETERS\s+.+)?\s*$",
    re.I | re.S,
)
CONDITION = re.compile(
    r"^\s*([\w.]+)\s*(=|!=|>=|<=|>|<|BETWEEN|DURING|IN|NOT IN|IS NOT NULL|IS NULL|LIKE)\s*(.*)$", re.I | re.S
)
DURING = {"LAST_7_DAYS": 7, "LAST_14_DAYS": 14, "LAST_30_DAYS": 30, "YESTERDAY": 1}
METRICS = {"impressions", "clicks", "cost_micros", "conversions", "all_conversions"}
VIEWS = {
    "ad_group_audience_view": ("ad_group_criterion", "adGroupAudienceViews"),
    "campaign_audience_view": ("campaign_criterion", "campaignAudienceViews"),
}
RESOURCES = {
    "user_list": {"user_list"},
    "ad_group_audience_view": {
        "campaign", "ad_group", "ad_group_criterion", "segments", "metrics", "customer", "ad_group_audience_view",
    },
    "campaign_audience_view": {
        "campaign", "campaign_criterion", "segments", "metrics", "customer", "campaign_audience_view",
    },
    "campaign": {"campaign", "campaign_budget", "segments", "metrics", "customer"},
    "customer": {"customer"},
}  # fmt: skip
USER_LIST_FIELDS = {
    "resource_name", "id", "name", "description", "size_for_display", "size_for_search", "size_range_for_display",
    "size_range_for_search", "match_rate_percentage", "membership_status", "membership_life_span",
    "closing_reason", "eligible_for_search", "eligible_for_display", "access_reason", "type",
}  # fmt: skip


def search_stream(world: World, call: Call) -> Answer:
    """A JSON array of batches; an empty result is one batch without ``results``."""
    fields, rows = _run(world, call)
    batch: dict[str, Any] = {"results": rows} if rows else {}
    mask = ",".join(".".join(camel(p) for p in f.split(".")) for f in fields)
    return json_answer(200, [{**batch, "fieldMask": mask, "requestId": _request_id(call)}])


def search(world: World, call: Call) -> Answer:
    if "pageSize" in load_json(call.body or b"{}"):
        raise _failure("requestError", "PAGE_SIZE_NOT_SUPPORTED", "Setting the page size is not supported.")
    fields, rows = _run(world, call)
    mask = ",".join(".".join(camel(p) for p in f.split(".")) for f in fields)
    return json_answer(200, {"results": rows, "fieldMask": mask})


def _run(world: World, call: Call) -> tuple[list[str], list[dict[str, Any]]]:
    try:
        text = str(load_json(call.body)["query"])
    except (ValueError, KeyError, TypeError):
        raise _failure("requestError", "REQUIRED_FIELD_MISSING", "query") from None
    match = QUERY.match(text)
    if match is None:
        raise _failure("queryError", "EXPECTED_SELECT", "Error in query: unexpected input.")
    fields = [f.strip() for f in match["fields"].split(",") if f.strip()]
    resource = match["resource"].lower()
    _check_names(fields, resource)
    conditions = [_condition(c) for c in _split(match["where"] or "")]
    _check_names([c[0] for c in conditions], resource)
    rows = [
        r for r in _rows(world, call.args["customer"], resource, fields, conditions) if _keeps(r, conditions)
    ]
    if match["order"]:
        name, *direction = match["order"].split()
        rows.sort(
            key=lambda r: _number(r.get(name)), reverse=bool(direction) and direction[0].upper() == "DESC"
        )
    if match["limit"]:
        rows = rows[: int(match["limit"])]
    return fields, [_nested(r, fields, resource) for r in rows]


def _check_names(names: list[str], resource: str) -> None:
    known = RESOURCES.get(resource)
    if known is None:
        raise _failure("queryError", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"'{resource}' is not valid.")
    for name in names:
        head, _, rest = name.partition(".")
        bad = head not in known or (head == "user_list" and rest not in USER_LIST_FIELDS)
        if bad or (head == "metrics" and rest not in METRICS):
            raise _failure("queryError", "UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'.")


def _split(where: str) -> list[str]:
    """Conditions at the ANDs that do not belong to a BETWEEN."""
    parts = re.split(r"\s+AND\s+", where.strip(), flags=re.I) if where.strip() else []
    joined: list[str] = []
    for part in parts:
        if joined and re.search(r"\bBETWEEN\s+\S+$", joined[-1], re.I):
            joined[-1] += f" AND {part}"
        else:
            joined.append(part)
    return joined


def _condition(text: str) -> tuple[str, str, list[str]]:
    match = CONDITION.match(text)
    if match is None:
        raise _failure("queryError", "BAD_OPERATOR", "Error in WHERE clause.")
    values = [
        v.strip().strip("'\"") for v in re.split(r"\s+AND\s+|,", match[3].strip().strip("()"), flags=re.I)
    ]
    return match[1], match[2].upper(), [v for v in values if v]


def _keeps(row: dict[str, Any], conditions: list[tuple[str, str, list[str]]]) -> bool:
    return all(_holds(row.get(name), sign, values) for name, sign, values in conditions)


def _holds(have: Any, sign: str, values: list[str]) -> bool:
    if sign == "DURING" or (have is None and sign not in {"IS NULL", "IS NOT NULL"}):
        return sign == "DURING"
    left = _number(have)
    right = [_number(v) for v in values]
    tests = {
        "=": lambda: left == right[0],
        "!=": lambda: left != right[0],
        ">": lambda: left > right[0],
        "<": lambda: left < right[0],
        ">=": lambda: left >= right[0],
        "<=": lambda: left <= right[0],
        "BETWEEN": lambda: right[0] <= left <= right[1],
        "IN": lambda: left in right,
        "NOT IN": lambda: left not in right,
        "IS NULL": lambda: have is None,
        "IS NOT NULL": lambda: have is not None,
        "LIKE": lambda: values[0].strip("%").lower() in str(have).lower(),
    }
    return bool(tests[sign]())


def _number(value: Any) -> Any:
    """Sortable and comparable: (0, number) or (1, text)."""
    text = str(value)
    return (0, float(text)) if re.fullmatch(r"-?\d+(\.\d+)?", text) else (1, text)


def _rows(
    world: World,
    customer: str,
    resource: str,
    fields: list[str],
    conditions: list[tuple[str, str, list[str]]],
) -> Iterator[dict[str, Any]]:
    if resource == "customer":
        yield {"customer.id": customer, "customer.resource_name": f"customers/{customer}"}
    elif resource == "user_list":
        yield from _user_lists(world, customer)
    else:
        yield from _performance(world, customer, resource, fields, conditions)


def _user_lists(world: World, customer: str) -> Iterator[dict[str, Any]]:
    for target in world.google.lists.values():
        if target.account != customer:
            continue
        users = world.google.live_users(target, world.now)
        shown = users if users >= world.knobs.google_minimum_size else None
        yield {
            "user_list.resource_name": f"customers/{customer}/userLists/{target.list_id}",
            "user_list.id": target.list_id,
            "user_list.name": target.fields["displayName"],
            "user_list.description": target.fields.get("description", ""),
            "user_list.size_for_display": None if shown is None else str(shown),
            "user_list.size_for_search": None if shown is None else str(shown),
            "user_list.match_rate_percentage": (
                round(100 * len(target.users) / len(target.records)) if target.records else None
            ),
            "user_list.membership_status": target.fields.get("membershipStatus", "OPEN"),
            "user_list.membership_life_span": str(min(target.life, MAX_LIFE) // 86_400_000),
            "user_list.eligible_for_search": shown is not None,
            "user_list.eligible_for_display": shown is not None,
            "user_list.access_reason": "OWNED",
            "user_list.type": "CRM_BASED",
        }


def _performance(
    world: World,
    customer: str,
    resource: str,
    fields: list[str],
    conditions: list[tuple[str, str, list[str]]],
) -> Iterator[dict[str, Any]]:
    """Rows summed over the days of the query, or per day where ``segments.date`` is selected."""
    first, last = _dates(world, conditions)
    by_day = "segments.date" in fields
    book: dict[tuple[Any, ...], list[float]] = {}
    delivery = world.google.delivery
    for day, campaign_id, criterion, impressions, clicks, cost in delivery.days:
        if first <= day <= last and delivery.campaigns[campaign_id].customer == customer:
            key = (campaign_id, criterion if resource in VIEWS else 0, day if by_day else 0)
            sums = book.setdefault(key, [0, 0, 0.0])
            sums[0] += impressions
            sums[1] += clicks
            sums[2] += cost
    if resource == "campaign" and not by_day:
        for campaign in delivery.campaigns.values():
            if campaign.customer == customer:
                book.setdefault((campaign.campaign_id, 0, 0), [0, 0, 0.0])
    for (campaign_id, criterion, day), sums in sorted(book.items()):
        yield _performance_row(world, customer, resource, campaign_id, criterion, day, sums)


def _performance_row(
    world: World, customer: str, resource: str, campaign_id: int, criterion: int, day: int, sums: list[float]
) -> dict[str, Any]:
    campaign = world.google.delivery.campaigns[campaign_id]
    base = f"customers/{customer}"
    row: dict[str, Any] = {
        "customer.id": customer,
        "campaign.resource_name": f"{base}/campaigns/{campaign_id}",
        "campaign.id": str(campaign_id),
        "campaign.name": campaign.name,
        "campaign.status": campaign.status,
        "campaign.advertising_channel_type": "DISPLAY",
        "campaign_budget.resource_name": f"{base}/campaignBudgets/{campaign_id}",
        "campaign_budget.amount_micros": str(round(campaign.budget * 1e6)),
        "metrics.impressions": str(int(sums[0])),
        "metrics.clicks": str(int(sums[1])),
        "metrics.cost_micros": str(round(sums[2] * 1e6)),
        "metrics.conversions": 0,
        "metrics.all_conversions": 0,
    }
    if day:
        row["segments.date"] = date.fromordinal(day).isoformat()
    if resource in VIEWS:
        name, plural = VIEWS[resource]
        owner = campaign.ad_group_id if resource == "ad_group_audience_view" else campaign_id
        list_id, negative = campaign.criteria.get(criterion, ("0", False))
        kind = "adGroupCriteria" if resource == "ad_group_audience_view" else "campaignCriteria"
        row |= {
            "ad_group.resource_name": f"{base}/adGroups/{campaign.ad_group_id}",
            "ad_group.id": str(campaign.ad_group_id),
            f"{name}.resource_name": f"{base}/{kind}/{owner}~{criterion}",
            f"{name}.criterion_id": str(criterion),
            f"{name}.type": "USER_LIST",
            f"{name}.negative": negative,
            f"{name}.user_list.user_list": f"{base}/userLists/{list_id}",
            f"{resource}.resource_name": f"{base}/{plural}/{owner}~{criterion}",
        }
    return row


def _dates(world: World, conditions: list[tuple[str, str, list[str]]]) -> tuple[int, int]:
    today = day_of(world.now)
    first, last = 0, today.toordinal()
    for name, sign, values in conditions:
        if name != "segments.date":
            continue
        if sign == "DURING":
            days = DURING.get(values[0].upper())
            if days is None:
                raise _failure("queryError", "INVALID_VALUE_WITH_DURING_OPERATOR", values[0])
            return (today - timedelta(days=days)).toordinal(), (today - timedelta(days=1)).toordinal()
        bounds = [date.fromisoformat(v).toordinal() for v in values]
        if sign in {"=", ">=", "BETWEEN"}:
            first = bounds[0]
        if sign in {"=", "<=", "BETWEEN"}:
            last = bounds[-1]
    for condition in [c for c in conditions if c[0] == "segments.date"]:
        conditions.remove(condition)
    return first, last


def _nested(row: dict[str, Any], fields: list[str], resource: str) -> dict[str, Any]:
    """Dotted names as nested camelCase; resource names are always there, unset fields never."""
    heads = {f.split(".")[0] for f in fields}
    wanted = [*fields, *(f"{h}.resource_name" for h in heads), f"{resource}.resource_name"]
    shown: dict[str, Any] = {}
    for name in wanted:
        value = row.get(name)
        if value is None:
            continue
        here = shown
        *path, last = [camel(p) for p in name.split(".")]
        for part in path:
            here = here.setdefault(part, {})
        here[last] = value
    return shown


def mutate_criteria(world: World, call: Call) -> Answer:
    """Attach or detach a list: ``create`` with campaign and userList, ``remove`` by resource name."""
    results = []
    base = f"customers/{call.args['customer']}"
    for operation in load_json(call.body).get("operations", []):
        if "create" in operation:
            wanted = operation["create"]
            campaign = _campaign(world, str(wanted.get("campaign", "")).rsplit("/", 1)[-1])
            list_id = str((wanted.get("userList") or {}).get("userList", "")).rsplit("/", 1)[-1]
            if list_id not in world.google.lists:
                raise _failure("criterionError", "INVALID_USER_LIST", "The user list is invalid.")
            negative = bool(wanted.get("negative", False))
            number = world.google.delivery.attach(world, campaign, list_id, negative=negative)
            name = f"{base}/campaignCriteria/{campaign.campaign_id}~{number}"
        else:
            name = str(operation.get("remove", ""))
            owner, _, text = name.rsplit("/", 1)[-1].partition("~")
            gone = _campaign(world, owner).criteria.pop(int(text) if text.isdigit() else -1, None)
            if gone is None:
                raise _failure("mutateError", "RESOURCE_NOT_FOUND", "Resource was not found.")
        results.append({"resourceName": name})
    return json_answer(200, {"results": results})


def mutate_budgets(world: World, call: Call) -> Answer:
    """``update`` with resourceName and amountMicros."""
    results = []
    for operation in load_json(call.body).get("operations", []):
        wanted = operation.get("update") or {}
        name = str(wanted.get("resourceName", ""))
        if "amountMicros" not in wanted or "updateMask" not in operation:
            raise _failure("fieldError", "REQUIRED", "The required field was not present.")
        _campaign(world, name.rsplit("/", 1)[-1]).budget = int(wanted["amountMicros"]) / 1e6
        results.append({"resourceName": name})
    return json_answer(200, {"results": results})


def _campaign(world: World, number: str) -> Any:
    found = world.google.delivery.campaigns.get(int(number)) if number.isdigit() else None
    if found is None:
        raise _failure("mutateError", "RESOURCE_NOT_FOUND", "Resource was not found.")
    return found


def _failure(kind: str, code: str, message: str) -> Bad:
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


def _request_id(call: Call) -> str:
    return sha256(call.body + str(call.now).encode()).hexdigest()[:22]
