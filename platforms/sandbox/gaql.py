"""Google Ads reads in GAQL: parse, select, filter. The rows come from ``gaql_rows``.

Source: developers.google.com/google-ads/api/fields/v26 (2026-10). int64 are JSON strings, keys camelCase.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from platforms.sandbox.clock import day_of
from platforms.sandbox.gaql_rows import rows_of
from platforms.sandbox.google_errors import ads_failure, failure
from platforms.sandbox.google_shapes import camel
from platforms.sandbox.wire import Answer, Call, json_answer, load_json
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
Condition = tuple[str, str, list[str]]  # name, operator, values
METRICS = {"impressions", "clicks", "cost_micros", "conversions", "all_conversions"}
RESOURCES = {
    "user_list": {"user_list"},
    "ad_group_audience_view": {
        "campaign",
        "ad_group",
        "ad_group_criterion",
        "segments",
        "metrics",
        "customer",
        "ad_group_audience_view",
    },
    "campaign_audience_view": {
        "campaign",
        "campaign_criterion",
        "segments",
        "metrics",
        "customer",
        "campaign_audience_view",
    },
    "campaign": {"campaign", "campaign_budget", "segments", "metrics", "customer"},
    "customer": {"customer"},
}
USER_LIST_FIELDS = {
    "resource_name",
    "id",
    "name",
    "description",
    "size_for_display",
    "size_for_search",
    "size_range_for_display",
    "size_range_for_search",
    "match_rate_percentage",
    "membership_status",
    "membership_life_span",
    "closing_reason",
    "eligible_for_search",
    "eligible_for_display",
    "access_reason",
    "type",
}


def search_stream(world: World, call: Call) -> Answer:
    """A JSON array of batches; an empty result is one batch without ``results``."""
    fields, rows = _run(world, call)
    batch: dict[str, Any] = {"results": rows} if rows else {}
    mask = ",".join(".".join(camel(p) for p in f.split(".")) for f in fields)
    return json_answer(200, [{**batch, "fieldMask": mask, "requestId": _request_id(call)}])


def search(world: World, call: Call) -> Answer:
    if "pageSize" in load_json(call.body or b"{}"):
        raise ads_failure(
            "requestError", "PAGE_SIZE_NOT_SUPPORTED", "Setting the page size is not supported."
        )
    fields, rows = _run(world, call)
    mask = ",".join(".".join(camel(p) for p in f.split(".")) for f in fields)
    return json_answer(200, {"results": rows, "fieldMask": mask})


def _run(world: World, call: Call) -> tuple[list[str], list[dict[str, Any]]]:
    if not world.google.through(call.args["customer"], call.header("login-customer-id") or None):
        raise failure(403, "The caller does not have permission", reason="USER_PERMISSION_DENIED")
    try:
        text = str(load_json(call.body)["query"])
    except (ValueError, KeyError, TypeError):
        raise ads_failure("requestError", "REQUIRED_FIELD_MISSING", "query") from None
    match = QUERY.match(text)
    if match is None:
        raise ads_failure("queryError", "EXPECTED_SELECT", "Error in query: unexpected input.")
    fields = [f.strip() for f in match["fields"].split(",") if f.strip()]
    resource = match["resource"].lower()
    _check_names(fields, resource)
    conditions = [_condition(c) for c in _split(match["where"] or "")]
    _check_names([c[0] for c in conditions], resource)
    first, last, rest = _dates(world, conditions)
    found = rows_of(
        world, call.args["customer"], resource, by_day="segments.date" in fields, first=first, last=last
    )
    rows = [r for r in found if all(_holds(r.get(name), sign, values) for name, sign, values in rest)]
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
        raise ads_failure("queryError", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"'{resource}' is not valid.")
    for name in names:
        head, _, rest = name.partition(".")
        bad = head not in known or (head == "user_list" and rest not in USER_LIST_FIELDS)
        if bad or (head == "metrics" and rest not in METRICS):
            raise ads_failure(
                "queryError", "UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'."
            )


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


def _condition(text: str) -> Condition:
    match = CONDITION.match(text)
    if match is None:
        raise ads_failure("queryError", "BAD_OPERATOR", "Error in WHERE clause.")
    values = [
        v.strip().strip("'\"") for v in re.split(r"\s+AND\s+|,", match[3].strip().strip("()"), flags=re.I)
    ]
    return match[1], match[2].upper(), [v for v in values if v]


def _holds(have: Any, sign: str, values: list[str]) -> bool:
    if have is None and sign not in {"IS NULL", "IS NOT NULL"}:
        return False
    left = _number(have)
    right = [_number(v) for v in values]
    tests: dict[str, Callable[[], bool]] = {
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


def _dates(world: World, conditions: list[Condition]) -> tuple[int, int, list[Condition]]:
    """First and last ordinal day asked for, and the conditions that are not about dates."""
    today = day_of(world.now)
    first, last = 0, today.toordinal()
    for name, sign, values in conditions:
        if name != "segments.date":
            continue
        if sign == "DURING":
            days = DURING.get(values[0].upper())
            if days is None:
                raise ads_failure("queryError", "INVALID_VALUE_WITH_DURING_OPERATOR", values[0])
            first, last = (today - timedelta(days=days)).toordinal(), last - 1
            continue
        bounds = [date.fromisoformat(v).toordinal() for v in values]
        if sign in {"=", ">=", "BETWEEN"}:
            first = bounds[0]
        if sign in {"=", "<=", "BETWEEN"}:
            last = bounds[-1]
    return first, last, [c for c in conditions if c[0] != "segments.date"]


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


def _request_id(call: Call) -> str:
    return sha256(call.body + str(call.now).encode()).hexdigest()[:22]
