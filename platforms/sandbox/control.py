"""The control calls under ``/sandbox``: clock, seed, knobs, faults, tokens, truth. No platform has these."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from platforms.sandbox import seeding, truth
from platforms.sandbox.clock import SECOND, iso, to_ms
from platforms.sandbox.restli import pairs
from platforms.sandbox.routes import Handler, Route, route
from platforms.sandbox.wire import Answer, Bad, Call, json_answer, load_json
from platforms.sandbox.world import AdAccount, Token, World

if TYPE_CHECKING:
    from platforms.sandbox.engine import Engine


def table(engine: Engine) -> tuple[Route, ...]:
    """Control routes; the ones that change something are journaled like any other call."""

    def on(
        method: str, path: str, handler: Callable[[Engine, World, Call], Any], *, writes: bool = False
    ) -> Route:
        return route(method, "/sandbox" + path, _guarded(engine, handler), "sandbox", writes=writes)

    return (
        on("GET", "/?", _hello),
        on("GET", "/clock", _clock),
        on("POST", "/clock/advance", _advance, writes=True),
        on("POST", "/seed", lambda e, w, c: seeding.seed(w, _body(c)), writes=True),
        on("POST", "/google/seed", lambda e, w, c: seeding.seed_google(w, _body(c)), writes=True),
        on("GET", "/knobs", lambda e, w, c: w.knobs.as_record()),
        on("POST", "/knobs", _knobs, writes=True),
        on("GET", "/faults", lambda e, w, c: {"faults": [f.as_record() for f in e.faults.active.values()]}),
        on("POST", "/faults", lambda e, w, c: e.faults.add(_body(c)).as_record(), writes=True),
        on("DELETE", "/faults", lambda e, w, c: {"deleted": e.faults.clear()}, writes=True),
        on("DELETE", "/faults/{number}", _delete_fault, writes=True),
        on("POST", "/tokens", _token, writes=True),
        on("POST", "/accounts", _account, writes=True),
        on("POST", "/google/accounts", _google_account, writes=True),
        on("GET", "/truth/impressions", _impressions),
        on("GET", "/truth/members", lambda e, w, c: truth.members(w, _query(c).get("segment", ""))),
        on("GET", "/truth/state", lambda e, w, c: truth.state(w)),
    )


def _guarded(engine: Engine, handler: Callable[[Engine, World, Call], Any]) -> Handler:
    def run(world: World, call: Call) -> Answer:
        try:
            return json_answer(200, handler(engine, world, call))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise Bad(json_answer(400, {"error": str(error)})) from None

    return run


def _body(call: Call) -> dict[str, Any]:
    value = load_json(call.body) if call.body else {}
    if not isinstance(value, dict):
        raise ValueError("the body is a JSON object")
    return value


def _query(call: Call) -> dict[str, str]:
    return dict(pairs(call.query))


def _hello(engine: Engine, world: World, call: Call) -> dict[str, Any]:
    return {"name": "Evenreach sandbox", "seed": engine.seed, **_clock(engine, world, call)}


def _clock(engine: Engine, world: World, call: Call) -> dict[str, Any]:
    return {"now": iso(world.now), "epoch_ms": world.now, "mode": engine.mode}


def _advance(engine: Engine, world: World, call: Call) -> dict[str, Any]:
    """``{"seconds": n}`` or ``{"to": "2026-11-22T06:00:00Z"}``; time only moves forward."""
    body = _body(call)
    if "to" in body:
        moment = datetime.fromisoformat(str(body["to"]).replace("Z", "+00:00"))
        target = to_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    else:
        target = world.now + round(float(body["seconds"]) * SECOND)
    if target < world.now:
        raise ValueError(f"the clock is at {iso(world.now)} and only moves forward")
    engine.advance(target)
    return _clock(engine, world, call)


def _knobs(engine: Engine, world: World, call: Call) -> dict[str, Any]:
    world.knobs = world.knobs.changed(_body(call))
    return world.knobs.as_record()


def _delete_fault(engine: Engine, world: World, call: Call) -> dict[str, Any]:
    return {"deleted": engine.faults.clear(int(call.args["number"]))}


def _token(engine: Engine, world: World, call: Call) -> dict[str, Any]:
    """A token with chosen scopes and state: ``{"token", "who", "scopes", "expires_in", "revoked", ...}``.

    ``{"withdrawn": refresh token}`` ends a consent: platforms may do that at any time.
    """
    body = _body(call)
    if "withdrawn" in body:
        return {"who": world.refreshes.pop(str(body["withdrawn"])).who}
    life = body.get("expires_in")
    world.tokens[str(body["token"])] = Token(
        who=str(body.get("who", "member-1")),
        scopes=frozenset(body.get("scopes", ())),
        expires=None if life is None else world.now + round(float(life) * SECOND),
        revoked=bool(body.get("revoked", False)),
        not_before=world.now + round(float(body.get("usable_in", 0.0)) * SECOND),
    )
    return {"who": world.tokens[str(body["token"])].who}


def _account(engine: Engine, world: World, call: Call) -> dict[str, Any]:
    """An ad account and who may do what on it: ``{"id", "name", "test", "roles": {who: role | null}}``."""
    body = _body(call)
    number = str(body["id"])
    account = world.accounts.setdefault(number, AdAccount(number, str(body.get("name", number))))
    account.test = bool(body.get("test", account.test))
    for who, role in (body.get("roles") or {}).items():
        if role is None:
            account.closed_to.add(who)
        else:
            account.closed_to.discard(who)
            account.roles[who] = str(role)
    return {"id": number, "roles": account.roles, "closed_to": sorted(account.closed_to)}


def _google_account(engine: Engine, world: World, call: Call) -> dict[str, Any]:
    """Who has no access to a Google account, the manager it is reached through, a missing EU declaration."""
    body = _body(call)
    number = str(body["id"])
    world.google.closed_to[number] = set(body.get("closed_to", ()))
    world.google.managers.pop(number, None)
    if body.get("manager"):
        world.google.managers[number] = str(body["manager"])
    if body.get("eu_declaration_missing"):
        world.google.undeclared.add(number)
    else:
        world.google.undeclared.discard(number)
    return {"id": number, "closed_to": sorted(world.google.closed_to[number])}


def _impressions(engine: Engine, world: World, call: Call) -> dict[str, Any]:
    query = _query(call)
    return truth.impressions(
        world,
        start=date.fromisoformat(query["start"]) if "start" in query else None,
        end=date.fromisoformat(query["end"]) if "end" in query else None,
        campaign=query.get("campaign"),
        grain=query.get("grain", "all"),
    )
