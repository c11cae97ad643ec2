"""What every LinkedIn call must pass: token, version, scope, quota. It must not touch lists or campaigns."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from platforms.sandbox import linkedin_errors as err
from platforms.sandbox.clock import DAY, SECOND
from platforms.sandbox.restli import NotRestli, last_part, parse_query, protocol_of
from platforms.sandbox.wire import Call
from platforms.sandbox.world import AdAccount, World

WINDOW = 300 * SECOND
APPLICATION, NO_LIMIT = "the application", 10**9


@dataclass(slots=True)
class Quotas:
    """Calls per (member, endpoint) in the current minute and day, and metric values of five minutes.

    Not part of the journal: after a restart the counts begin at zero.
    """

    minute: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    day: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    values: deque[tuple[int, int]] = field(default_factory=deque)

    def take(self, world: World, who: str, endpoint: str, per_minute: int, per_day: int) -> str | None:
        """None, or which quota is used up: "minute" | "day"."""
        for name, book, unit, most in (
            ("day", self.day, DAY, per_day),
            ("minute", self.minute, 60 * SECOND, per_minute),
        ):
            slot = world.now // unit
            since, count = book.get((who, endpoint), (slot, 0))
            count = count + 1 if since == slot else 1
            if count > most:
                return name
            book[who, endpoint] = (slot, count)
        return None

    def charge(self, world: World, amount: int) -> bool:
        """Book ``amount`` metric values; False when five minutes' worth is used up."""
        while self.values and self.values[0][0] <= world.now - WINDOW:
            self.values.popleft()
        if sum(n for _, n in self.values) + amount > world.knobs.metric_values_per_5_minutes:
            return False
        self.values.append((world.now, amount))
        return True


def bearer(call: Call) -> str:
    scheme, _, token = call.header("authorization").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def check_token(world: World, call: Call) -> frozenset[str]:
    """Scopes of the token; sets ``call.who``. Raises 401."""
    text = bearer(call)
    if not text:
        raise err.bad_token("empty")
    token = world.tokens.get(text)
    if token is None:
        raise err.bad_token("invalid")
    if token.revoked or world.now < token.not_before:
        raise err.bad_token("revoked")
    if token.expires is not None and token.expires <= world.now:
        raise err.bad_token("expired")
    call.who = token.who
    return token.scopes


def check_version(world: World, call: Call) -> None:
    """400 without a version, 426 for one that is sunset or unknown; neither is an auth failure."""
    version = call.header("linkedin-version")
    if not version:
        raise err.missing_version()
    if version not in world.knobs.versions:
        raise err.dead_version(version)


def check_scope(scopes: frozenset[str], needed: tuple[str, ...], what: str) -> None:
    if needed and not scopes.intersection(needed):
        raise err.denied(what)


def take_quotas(world: World, who: str, endpoint: str, quotas: Quotas) -> None:
    """Two books per endpoint: the member's by minute and day, and the application's by day. Raises 429.

    Everybody signs in to the sandbox through the same application.
    """
    knobs = world.knobs
    minutes = {"users": knobs.users_per_minute, "companies": knobs.companies_per_minute}
    rate = minutes.get(endpoint, knobs.other_per_minute)
    used_up = quotas.take(world, who, endpoint, rate, knobs.calls_per_day)
    if used_up is not None:
        raise err.throttled("MEMBER DAY" if used_up == "day" else "")
    if quotas.take(world, APPLICATION, endpoint, NO_LIMIT, knobs.application_calls_per_day) is not None:
        raise err.throttled("APPLICATION DAY")


def query_of(world: World, call: Call) -> dict[str, Any]:
    """The parsed query. Raises 400 where it does not parse, with the parameter's name."""
    try:
        return parse_query(
            call.query,
            protocol=protocol_of(call.header("x-restli-protocol-version")),
            accept_encoded=world.knobs.accept_encoded_tuples,
        )
    except NotRestli as error:
        raise err.bad_param(error.name, error.code) from None


def listed(value: Any) -> list[str]:
    """``List(a)`` or a bare value, as a list of strings."""
    if value is None:
        return []
    return [str(v) for v in value] if isinstance(value, list) else [str(value)]


def role_on(world: World, call: Call, account_id: str) -> str | None:
    """The member's role on an ad account; None where there is none (or no such account)."""
    account = world.account(account_id)
    if account is None or call.who in account.closed_to:
        return None
    return account.roles.get(call.who, "CAMPAIGN_MANAGER")


def writable_account(world: World, call: Call, urn: str, what: str) -> AdAccount:
    """The ad account behind a URN or id. Raises 403 without a role above VIEWER."""
    account_id = last_part(urn)
    role = role_on(world, call, account_id)
    if role is None or role == "VIEWER":
        raise err.denied(what)
    return world.accounts[account_id]


def readable_account(world: World, call: Call, urn: str, what: str) -> AdAccount:
    account_id = last_part(urn)
    if role_on(world, call, account_id) is None:
        raise err.denied(what)
    return world.accounts[account_id]
