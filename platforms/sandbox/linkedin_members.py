"""Streaming of users and companies, and CSV lists: what each element is answered. No timing in here.

Source: learn.microsoft.com/en-us/linkedin/marketing/matched-audiences/create-and-manage-segment-users and
.../create-and-manage-segment-companies (2026); 201 means accepted for matching, not matched.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox import segments as life
from platforms.sandbox.directory import bare_host, fraction, squashed
from platforms.sandbox.linkedin_bodies import json_body
from platforms.sandbox.linkedin_segments import segment_of
from platforms.sandbox.wire import Answer, Call, json_answer, load_json
from platforms.sandbox.world import Key, Segment, World

USER_FIELDS = frozenset({"action", "userIds", "firstName", "lastName", "title", "company", "country"})
USER_TEXT = {"firstName": 35, "lastName": 35, "title": 50, "company": 50, "country": 2}
HASH_LENGTH = {"SHA256_EMAIL": 64, "SHA512_EMAIL": 128}
PLAIN_IDS = frozenset({"GOOGLE_AID", "APPLE_IDFA"})
COMPANY_TEXT = {
    "companyName": 255, "companyWebsiteDomain": 255, "companyEmailDomain": 255, "organizationUrn": 100,
    "companyPageUrl": 100, "stockSymbol": 5, "city": 50, "state": 50, "country": 2, "postalCode": 20,
}  # fmt: skip
COMPANY_FIELDS = frozenset({"action", "industries", *COMPANY_TEXT})
COMPANY_KEYS = (
    "organizationUrn",
    "companyPageUrl",
    "companyWebsiteDomain",
    "companyEmailDomain",
    "companyName",
)
ACTIONS = frozenset({"ADD", "REMOVE"})


class Unfit(Exception):
    """One element that is refused: (status, message)."""


def users(world: World, call: Call) -> Answer:
    return _stream(world, call, "USER", USER_FIELDS, _user_key)


def without_names(body: bytes) -> bytes:
    """A ``users`` body with names and titles replaced by digests: nothing else of it is worth hiding.

    Applied before anything reads the body, so that what is kept and what was done agree. A text that is
    too long stays too long.
    """
    if not any(name in body for name in (b'"firstName"', b'"lastName"', b'"title"')):
        return body
    try:
        value = load_json(body)
        for element in value.get("elements", [value]):
            for name in ("firstName", "lastName", "title"):
                if isinstance(element.get(name), str) and element[name]:
                    short = sha256(element[name].encode()).hexdigest()[:32]
                    element[name] = (
                        short if len(element[name]) <= USER_TEXT[name] else "x" * len(element[name])
                    )
    except (ValueError, AttributeError, TypeError):
        return b"{"
    return json_answer(200, value).body


def companies(world: World, call: Call) -> Answer:
    return _stream(world, call, "COMPANY", COMPANY_FIELDS, _company_key)


def _stream(world: World, call: Call, kind: str, allowed: frozenset[str], key_of: Any) -> Answer:
    segment = segment_of(world, call, child=True)
    if segment.kind != kind:
        raise err.plain(400, f"Segment {segment.segment_id} is of type {segment.kind}")
    if life.status(world, segment) == "EXPIRED" and not world.knobs.expired_accepts_pushes:
        raise err.plain(400, f"Segment {segment.segment_id} is EXPIRED")
    body = json_body(call)
    batch = call.header("x-restli-method").upper() == "BATCH_CREATE"
    elements = _elements(world, body, batch=batch)
    if world.knobs.unknown_field_fails_whole_batch:
        _refuse_unknown(elements, allowed)
    statuses = _apply(world, segment, elements, allowed, key_of, call)
    if batch:
        return json_answer(200, {"elements": statuses})
    if statuses[0]["status"] != 201:
        raise err.refuse(statuses[0]["status"], {"message": statuses[0]["error"]["message"]})
    return Answer(201)


def _elements(world: World, body: dict[str, Any], *, batch: bool) -> list[Any]:
    if not batch:
        if "elements" in body:
            raise err.schema("elements", err.UNRECOGNIZED)
        return [body]
    elements = body.get("elements")
    if not isinstance(elements, list):
        raise err.schema("elements", err.REQUIRED)
    for name in body:
        if name != "elements":
            raise err.schema(name, err.UNRECOGNIZED)
    if len(elements) > world.knobs.batch_limit:
        raise err.plain(400, f"Batch size exceeds the limit of {world.knobs.batch_limit}")
    return elements


def _refuse_unknown(elements: list[Any], allowed: frozenset[str]) -> None:
    for i, element in enumerate(elements):
        for name in element if isinstance(element, dict) else ():
            if name not in allowed:
                raise err.schema(f"elements/{i}/{name}", err.UNRECOGNIZED)


def _apply(
    world: World, segment: Segment, elements: list[Any], allowed: frozenset[str], key_of: Any, call: Call
) -> list[dict[str, Any]]:
    """Take each element by itself: one bad row does not spoil the batch (since version 202502)."""
    adds: list[Key] = []
    removes: list[Key] = []
    statuses: list[dict[str, Any]] = []
    refused, dropped = _picked(call, "refuse"), _picked(call, "drop")
    fine: dict[str, Any] = {"status": 201}
    for i, element in enumerate(elements):
        try:
            if refused(i):
                raise Unfit(400, "Element could not be processed")
            action = _action(element, allowed)
            key = key_of(world, element)
        except Unfit as unfit:
            status, message = unfit.args
            statuses.append({"status": status, "error": {"status": status, "message": message}})
            continue
        statuses.append(fine)
        if dropped(i):
            continue
        (adds if action == "ADD" else removes).append(key)
        if segment.companies and action == "ADD":
            segment.sent[key] = {k: element[k] for k in COMPANY_KEYS if element.get(k)}
    if adds or removes:
        life.push(world, segment, adds=adds, removes=removes, pushed=len(adds))
    if "break" in call.effects:
        segment.broken = "ERROR"
    kept = call.effects.get("truncate")
    return statuses if kept is None else statuses[: int(len(statuses) * float(kept))]


def _picked(call: Call, effect: str) -> Any:
    """Which rows an injected fault hits: the same ones on every replay."""
    share = float(call.effects.get(effect, 0.0))
    salt = str(call.effects.get("salt", ""))
    if share <= 0.0:
        return lambda _: False
    return lambda i: fraction(0, effect, salt, i) < share


def _action(element: Any, allowed: frozenset[str]) -> str:
    if not isinstance(element, dict):
        raise Unfit(400, "Element is not a record")
    if not element.keys() <= allowed:
        name = sorted(element.keys() - allowed)[0]
        raise Unfit(422, err.schema_text(name, err.UNRECOGNIZED))
    action = element.get("action")
    if action not in ACTIONS:
        reason = err.REQUIRED if action is None else err.not_an_enum(action)
        raise Unfit(422, err.schema_text("action", reason))
    return str(action)


def _user_key(world: World, element: dict[str, Any]) -> Key:
    """The person an element means: the first e-mail digest, else another id, else the name."""
    ids = element.get("userIds")
    if not isinstance(ids, list):
        raise Unfit(422, err.schema_text("userIds", err.REQUIRED))
    if len(element) > 2:
        _check_text(element, USER_TEXT)
    key: Key | None = None
    for entry in ids:
        found = _identifier(entry)
        if key is None or (isinstance(found, bytes) and not isinstance(key, bytes)):
            key = found
    if key is None:
        first, last = element.get("firstName"), element.get("lastName")
        if not first or not last:
            raise Unfit(400, "userIds may be empty only with firstName and lastName")
        rest = (element.get("company"), element.get("country"))
        key = "person:" + format(int(fraction(world.seed, first, last, *rest) * 2**53), "x")
    return key


def _identifier(entry: Any) -> Key:
    try:
        kind, value = entry["idType"], entry["idValue"]
    except (KeyError, TypeError):
        raise Unfit(422, err.schema_text("userIds", err.REQUIRED)) from None
    length = HASH_LENGTH.get(kind)
    if length is None:
        if kind not in PLAIN_IDS:
            raise Unfit(422, err.schema_text("userIds/idType", err.not_an_enum(kind)))
        return f"{kind}:{str(value).lower()}"
    if len(value) == length:
        try:
            return bytes.fromhex(value)
        except (ValueError, TypeError):
            pass
    raise Unfit(400, f"Invalid {kind} value")


def _company_key(world: World, element: dict[str, Any]) -> Key:
    _check_text(element, COMPANY_TEXT)
    industries = element.get("industries")
    if industries is not None and not (
        isinstance(industries, list)
        and len(industries) <= 3
        and all(isinstance(x, str) and len(x) <= 50 for x in industries)
    ):
        raise Unfit(400, "Invalid industries")
    urn = element.get("organizationUrn")
    if urn and not (urn.startswith("urn:li:organization:") and urn.rsplit(":", 1)[-1].isdigit()):
        raise Unfit(400, "Invalid organization urn")
    for name in ("companyWebsiteDomain", "companyEmailDomain"):
        if element.get(name) and bare_host(element[name]) != element[name]:
            raise Unfit(400, f"Invalid {name}")
    return company_key(world, element)


def company_key(world: World, element: dict[str, Any]) -> Key:
    """The matched organisation's id, else the best identifier as text."""
    first = next((name for name in COMPANY_KEYS if element.get(name)), None)
    if first is None:
        raise Unfit(400, "At least one company identifier is required")
    found = world.directory.resolve(element)
    if found is not None:
        return found
    for name in ("companyWebsiteDomain", "companyEmailDomain"):
        if element.get(name):
            return "domain:" + bare_host(element[name])
    value = element[first]
    return f"{first}:{squashed(value)}"


def _check_text(element: dict[str, Any], limits: dict[str, int]) -> None:
    for name, most in limits.items():
        value = element.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise Unfit(422, err.schema_text(name, "cannot be coerced to String"))
        if len(value) > most:
            raise Unfit(400, f"{name} is longer than {most} characters")
    country = element.get("country")
    if country is not None and not (len(country) == 2 and country.isalpha() and country.isupper()):
        raise Unfit(400, "Invalid country")
