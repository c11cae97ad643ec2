"""``audienceMembers``: validation of a request, all or nothing, stage by stage. It changes nothing.

Every violation of a stage is reported.
Source: developers.google.com/data-manager/api/devguides/audiences/send-audience-members (2026-07).
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import Any

from platforms.sandbox import google_errors as err
from platforms.sandbox.clock import to_ms
from platforms.sandbox.google_errors import Violation
from platforms.sandbox.google_lists import Record, UserList
from platforms.sandbox.world import World

MAX_DESTINATIONS, MAX_MEMBERS, MAX_IDENTIFIERS = 10, 10_000, 10
DATA = ("userData", "compositeData", "mobileData", "userIdData", "pairData", "ppidData", "googleUserIdData",
        "partnerProvidedIdData")  # fmt: skip
KEY_TYPES = {"userData": "CONTACT_ID", "compositeData": "CONTACT_ID", "mobileData": "MOBILE_ID",
             "userIdData": "USER_ID", "pairData": "PAIR_ID"}  # fmt: skip
REGION = re.compile(r"^[A-Za-z]{2}$")
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
        login = (item.get("loginAccount") or {}).get("accountId")
        if not world.google.through(account, login):
            raise err.failure(403, "The caller does not have permission", reason="PERMISSION_DENIED")
        if account in world.google.undeclared:
            raise err.invalid([("destinations", "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED")])
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
        raw = base64.b64decode(value, validate=True) if encoding == "BASE64" else bytes.fromhex(value)
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
