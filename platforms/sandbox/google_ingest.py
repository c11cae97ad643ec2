"""``audienceMembers``: validation of a request, and its effects when it completes. No HTTP in here.

Validation is all or nothing, stage by stage; every violation of a stage is reported. Effects come in
completion order, which Google does not promise to be arrival order.
Source: developers.google.com/data-manager/api/devguides/audiences/send-audience-members (2026-07).
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Any

from platforms.sandbox import google_errors as err
from platforms.sandbox.clock import SECOND, to_ms
from platforms.sandbox.directory import fraction
from platforms.sandbox.google_errors import Violation
from platforms.sandbox.google_lists import GoogleRequest, Record, UserList, in_eea
from platforms.sandbox.world import World

MAX_DESTINATIONS, MAX_MEMBERS, MAX_IDENTIFIERS = 10, 10_000, 10
DATA = ("userData", "compositeData", "mobileData", "userIdData", "pairData", "ppidData", "googleUserIdData",
        "partnerProvidedIdData")  # fmt: skip
KEY_TYPES = {"userData": "CONTACT_ID", "compositeData": "CONTACT_ID", "mobileData": "MOBILE_ID",
             "userIdData": "USER_ID", "pairData": "PAIR_ID"}  # fmt: skip
REGION = re.compile(r"^[A-Za-z]{2}$")
RANGES = ((20, "LESS_THAN_20"), (30, "20_TO_30"), (40, "31_TO_40"), (50, "41_TO_50"), (60, "51_TO_60"),
          (70, "61_TO_70"), (80, "71_TO_80"), (90, "81_TO_90"), (100, "91_TO_100"))  # fmt: skip
Checked = tuple[
    Record, str, tuple[str, ...]
]  # person, consent ("granted"|"denied"|"none"|"unknown"), references


def check_destinations(world: World, who: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    """Shape and access of the destinations; the lists themselves are looked at last."""
    destinations = body.get("destinations") or []
    found: list[Violation] = []
    if not destinations:
        found.append(("destinations", "REQUIRED_FIELD_MISSING"))
    if len(destinations) > MAX_DESTINATIONS:
        found.append(("destinations", "TOO_MANY_DESTINATIONS"))
    seen: set[str] = set()
    for i, item in enumerate(destinations):
        found += _destination(item, f"destinations[{i}]", seen)
    if found:
        raise err.invalid(found)
    for item in destinations:
        account = item["operatingAccount"]["accountId"]
        if who in world.google.closed_to.get(account, set()):
            raise err.failure(403, "The caller does not have permission", reason="PERMISSION_DENIED")
    return destinations


def _destination(item: dict[str, Any], where: str, seen: set[str]) -> list[Violation]:
    found: list[Violation] = []
    account = item.get("operatingAccount")
    if not account or "accountId" not in account or "accountType" not in account:
        found.append((f"{where}.operating_account", "REQUIRED_FIELD_MISSING"))
    for name in ("operatingAccount", "loginAccount"):
        number = (item.get(name) or {}).get("accountId")
        if number is not None and not number.isdigit():
            path = "operating_account" if name == "operatingAccount" else "login_account"
            found.append((f"{where}.{path}.account_id", "INVALID_NUMBER_FORMAT"))
    if item.get("linkedAccount") and (item.get("loginAccount") or {}).get("accountType") != "DATA_PARTNER":
        reason = "LINKED_ACCOUNT_ONLY_ALLOWED_WITH_DATA_PARTNER_LOGIN_ACCOUNT"
        found.append((f"{where}.linked_account", reason))
    number = item.get("productDestinationId")
    if not number:
        found.append((f"{where}.product_destination_id", "REQUIRED_FIELD_MISSING"))
    elif not number.isdigit():
        found.append((f"{where}.product_destination_id", "INVALID_USER_LIST_ID"))
    reference = item.get("reference")
    if reference is not None:
        if reference in seen:
            found.append((f"{where}.reference", "DUPLICATE_DESTINATION_REFERENCE"))
        seen.add(reference)
    return found


def check_members(body: dict[str, Any]) -> tuple[list[Checked], str]:
    """People of a request as records, and the data type all of them use."""
    members = body.get("audienceMembers") or []
    if not members:
        raise err.invalid([("audience_members", "REQUIRED_FIELD_MISSING")])
    if len(members) > MAX_MEMBERS:
        raise err.invalid([("audience_members", "TOO_MANY_AUDIENCE_MEMBERS")])
    encoding = body.get("encoding")
    default = _consent(body.get("consent"))
    found: list[Violation] = []
    checked: list[Checked] = []
    kinds: set[str] = set()
    for i, member in enumerate(members):
        kind = [name for name in DATA if name in member]
        kinds.update(kind)
        if len(kind) != 1:
            reason = "REQUIRED_FIELD_MISSING" if not kind else "INVALID_AUDIENCE_MEMBER"
            found.append((f"audience_members[{i}]", reason))
            continue
        record = _record(member, kind[0], encoding, f"audience_members[{i}]", found)
        consent = _consent(member["consent"]) if "consent" in member else default
        checked.append((record, consent, tuple(member.get("destinationReferences", ()))))
    if len(kinds) > 1:
        found.append(("audience_members", "MULTIPLE_DATA_TYPES_NOT_ALLOWED"))
    if kinds & {"userData", "compositeData"} and encoding not in ("HEX", "BASE64"):
        found.append(("encoding", "REQUIRED_FIELD_MISSING"))
    if found:
        raise err.invalid(found)
    return checked, next(iter(kinds))


def _consent(value: dict[str, str] | None) -> str:
    if not value:
        return "none"
    states = {value.get("adUserData"), value.get("adPersonalization")}
    if "CONSENT_DENIED" in states:
        return "denied"
    return "granted" if states == {"CONSENT_GRANTED"} else "unknown"


def _record(
    member: dict[str, Any], kind: str, encoding: str | None, where: str, found: list[Violation]
) -> Record:
    data = member[kind]
    if kind == "mobileData":
        return _plain(data.get("mobileIds") or [], f"{where}.mobile_data.mobile_ids", found)
    if kind == "userIdData":
        return _plain([data["userId"]] if data.get("userId") else [], f"{where}.user_id_data.user_id", found)
    if kind not in ("userData", "compositeData"):
        return (f"{kind}:{sorted(map(str, data.items()))}",)
    path = f"{where}.user_data" if kind == "userData" else f"{where}.composite_data.user_data"
    user = data if kind == "userData" else data.get("userData")
    identifiers = (user or {}).get("userIdentifiers") or []
    if not identifiers:
        if kind == "compositeData" and data.get("ipData"):
            return tuple(f"ip:{ip.get('ipAddress')}" for ip in data["ipData"])
        found.append((f"{path}.user_identifiers", "NO_IDENTIFIERS_PROVIDED"))
        return ()
    if len(identifiers) > MAX_IDENTIFIERS:
        found.append((f"{path}.user_identifiers", "TOO_MANY_USER_IDENTIFIERS"))
        return ()
    parts = [
        _identifier(item, encoding, f"{path}.user_identifiers[{j}]", found)
        for j, item in enumerate(identifiers)
    ]
    return tuple(sorted((p for p in parts if p is not None), key=repr))


def _plain(values: list[str], where: str, found: list[Violation]) -> Record:
    if not values:
        found.append((where, "REQUIRED_FIELD_MISSING"))
    elif len(values) > MAX_IDENTIFIERS:
        found.append((where, "TOO_MANY_ELEMENTS"))
    return tuple(sorted(values))


def _identifier(
    item: dict[str, Any], encoding: str | None, where: str, found: list[Violation]
) -> bytes | str | None:
    if len(item) != 1:
        reason = "NO_IDENTIFIERS_PROVIDED" if not item else "INVALID_AUDIENCE_MEMBER"
        found.append((where, reason))
        return None
    if "emailAddress" in item:
        return _digest(item["emailAddress"], encoding, f"{where}.email_address", found)
    if "phoneNumber" in item:
        return _digest(item["phoneNumber"], encoding, f"{where}.phone_number", found)
    address = item["address"]
    path = f"{where}.address"
    missing = [n for n in ("givenName", "familyName", "regionCode", "postalCode") if not address.get(n)]
    if missing:
        found.extend((f"{path}.{_snake(n)}", "REQUIRED_FIELD_MISSING") for n in missing)
        return None
    if not REGION.match(address["regionCode"]):
        found.append((f"{path}.region_code", "INVALID_REGION_CODE"))
    given = _digest(address["givenName"], encoding, f"{path}.given_name", found)
    family = _digest(address["familyName"], encoding, f"{path}.family_name", found)
    if given is None or family is None:
        return None
    return f"address:{given.hex()}{family.hex()}{address['regionCode'].upper()}{address['postalCode']}"


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def _digest(value: str, encoding: str | None, where: str, found: list[Violation]) -> bytes | None:
    """32 bytes from HEX (any case) or BASE64 (case matters)."""
    try:
        if encoding == "BASE64":
            raw = base64.b64decode(value, validate=True)
        else:
            raw = bytes.fromhex(value)
    except (ValueError, binascii.Error):
        name = "INVALID_BASE64_ENCODING" if encoding == "BASE64" else "INVALID_HEX_ENCODING"
        found.append((where, name))
        return None
    if len(raw) != 32:
        found.append((where, "INVALID_SHA256_FORMAT"))
        return None
    return raw


def check_lists(world: World, destinations: list[dict[str, Any]], kind: str | None) -> list[UserList]:
    """The lists exist on the operating account and take this kind of key."""
    found: list[Violation] = []
    targets: list[UserList] = []
    for i, item in enumerate(destinations):
        target = world.google.lists.get(item["productDestinationId"])
        if target is None or target.account != item["operatingAccount"]["accountId"]:
            found.append((f"destinations[{i}].product_destination_id", "INVALID_USER_LIST_ID"))
        elif kind is not None and KEY_TYPES.get(kind) != target.key_type:
            found.append(("audience_members[0]", "INVALID_USER_LIST_TYPE"))
        else:
            targets.append(target)
    if found:
        raise err.invalid(found)
    return targets


def accept(
    world: World, kind: str, destinations: list[dict[str, Any]], payload: dict[str, Any]
) -> GoogleRequest:
    """Queue a request; with the knob, the first of two overlapping requests finishes after the second."""
    number = world.next_id("google_request", 1)
    minutes = world.knobs.google_minutes * (2 if world.knobs.google_unordered and number % 2 else 1)
    request = GoogleRequest(
        request_id=f"r{number:08d}-{round(fraction(world.seed, 'request', number) * 2**40):010x}",
        kind=kind,
        destinations=destinations,
        accepted=world.now,
        due=world.now + round(minutes * 60 * SECOND),
        payload=payload,
    )
    world.google.requests[request.request_id] = request
    world.agenda.put(request.due, "google", request.request_id)
    return request


def complete(world: World, when: int, request_id: str) -> None:
    """Apply a request's effects and settle its status per destination."""
    request = world.google.requests[request_id]
    request.outcomes = [_settle(world, request, d) for d in request.destinations]
    request.payload = {}


def _settle(world: World, request: GoogleRequest, destination: dict[str, Any]) -> dict[str, Any]:
    target: UserList | None = world.google.lists.get(destination["productDestinationId"])
    head: dict[str, Any] = {"destination": destination}
    if request.kind == "removeAll":
        if target is not None:
            world.google.remove_before(target, request.payload["as_of"])
        return {**head, "requestStatus": "SUCCESS", "removeAllAudienceMembersStatus": {}}
    rows: list[Checked] = [
        row for row in request.payload["rows"] if not row[2] or destination.get("reference") in row[2]
    ]
    errors: dict[str, list[int]] = {}
    taken: list[Record] = []
    too_recent = target is None or (
        request.accepted - target.created < world.knobs.google_too_recent_minutes * 60 * SECOND
    )
    for i, (record, consent, _) in enumerate(rows):
        reason = (
            "DESTINATION_TOO_RECENTLY_CREATED" if too_recent else _refusal(world, request, i, record, consent)
        )
        if reason is None:
            taken.append(record)
        elif reason:
            errors.setdefault(reason, []).append(i)
    matched = _take(world, request, target, taken)
    body = {**head, **_status(rows, errors)}
    body.update(_counts(request, rows, matched))
    return body


def _refusal(world: World, request: GoogleRequest, i: int, record: Record, consent: str) -> str | None:
    """Why a person is not taken over: a reason, "" for a silent drop, None when all is well."""
    effects = request.payload.get("effects", {})
    if _hit(effects, "refuse", i):
        return "INVALID_FORMAT"
    if _hit(effects, "drop", i):
        return ""
    if request.kind == "remove":
        return None
    if consent == "denied":
        return "DENIED_CONSENT"
    if consent != "granted" and in_eea(world, record):
        return "NO_CONSENT" if consent == "none" else "UNKNOWN_CONSENT"
    return None


def _hit(effects: dict[str, Any], name: str, i: int) -> bool:
    share = float(effects.get(name, 0.0))
    return share > 0.0 and fraction(0, name, effects.get("salt", ""), i) < share


def _take(world: World, request: GoogleRequest, target: UserList | None, taken: list[Record]) -> int:
    if target is None:
        return 0
    if request.kind == "ingest":
        return int(world.google.add(world, target, taken, request.accepted))
    world.google.remove(world, target, taken)
    return 0


def _status(rows: list[Checked], errors: dict[str, list[int]]) -> dict[str, Any]:
    if not errors:
        return {"requestStatus": "SUCCESS"}
    failed = sum(map(len, errors.values()))
    counts = [
        {"reason": f"PROCESSING_ERROR_REASON_{r}", "recordCount": str(len(at)), "recordIndices": at}
        for r, at in sorted(errors.items())
    ]
    state = "FAILED" if failed == len(rows) else "PARTIAL_SUCCESS"
    return {"requestStatus": state, "errorInfo": {"errorCounts": counts}}


def _counts(request: GoogleRequest, rows: list[Checked], matched: int) -> dict[str, Any]:
    """The status union; ``recordCount`` counts everything sent, failures included."""
    kind = request.payload["kind"]
    total = str(len(rows))
    counted = {"recordCount": total}
    identifiers = sum(len(r[0]) for r in rows)
    shown: dict[str, Any]
    if kind == "compositeData":
        types = request.payload["types"]
        shown = {
            **counted,
            "dataTypeCounts": [{"type": t, "count": str(n)} for t, n in sorted(types.items())],
        }
    else:
        name = {"mobileData": "mobileIdCount", "userIdData": "userIdCount"}.get(kind, "userIdentifierCount")
        shown = {**counted, name: str(identifiers)}
    if request.kind == "ingest" and kind in ("compositeData", "userData"):
        shown["uploadMatchRateRange"] = match_range(matched, len(rows))
    word = "Ingestion" if request.kind == "ingest" else "Removal"
    return {f"audienceMembers{word}Status": {f"{kind}{word}Status": shown}}


def match_range(matched: int, sent: int) -> str:
    """The enum bucket of matched / sent."""
    percent = 100.0 * matched / sent if sent else 0.0
    name = "LESS_THAN_20" if percent < 20 else next(n for top, n in RANGES[1:] if percent <= top)
    return f"MATCH_RATE_RANGE_{name}"


def as_of(world: World, text: str | None) -> int:
    """``removeAsOfTime`` as epoch ms; now where it is absent. Raises 400 for a future moment."""
    if text is None:
        return world.now
    try:
        moment = to_ms(datetime.fromisoformat(text.replace("Z", "+00:00")))
    except ValueError:
        raise err.invalid([("remove_as_of_time", "INVALID_FORMAT")]) from None
    if moment > world.now:
        raise err.invalid([("remove_as_of_time", "INVALID_REMOVE_AS_OF_TIME")])
    return moment
