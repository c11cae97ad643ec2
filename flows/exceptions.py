"""A person's word on single accounts of a balanced segment: kept in the store, laid over the policy.

Every plan made afterwards respects it, by whoever and whenever it is made, until it is taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from balancer.types import Policy
from flows.wiring import App

PIN, EXCLUDE, RAISE_CAP = "pin", "exclude", "raise_cap"
KINDS = (PIN, EXCLUDE, RAISE_CAP)


@dataclass(frozen=True, slots=True)
class AccountException:
    """``kind`` is one of KINDS; ``value`` are impressions over the policy's window, with RAISE_CAP."""

    kind: str
    value: float | None = None
    by: str = ""


def exceptions_of(app: App, segment: str) -> dict[str, AccountException]:
    """Account id -> exception, in order of id."""
    kept: Mapping[str, Mapping[str, str | float | None]] = app.store.get(_name(segment), {})
    return {
        account: AccountException(str(one["kind"]), _number(one.get("value")), str(one.get("by", "")))
        for account, one in sorted(kept.items())
    }


def keep_exception(app: App, segment: str, account: str, exception: AccountException | None) -> None:
    """Keep the exception of one account; None takes it back."""
    kept = dict(app.store.get(_name(segment), {}))
    kept.pop(account, None)
    if exception is not None:
        kept[account] = {"kind": exception.kind, "value": exception.value, "by": exception.by}
    app.store.put(_name(segment), kept or None, at=app.now())


def with_exceptions(policy: Policy, exceptions: Mapping[str, AccountException]) -> Policy:
    """The policy with single accounts' terms added. An excluded account is never served, pinned or not.

    A raised cap leaves the account in the balance: it may take as many impressions, it is not given them.
    """
    if not exceptions:
        return policy
    pins, raised, held = dict(policy.pins), dict(policy.raised), set(policy.held)
    for account, one in exceptions.items():
        if one.kind == PIN:
            pins[account] = float("inf")
        elif one.kind == RAISE_CAP and one.value is not None:
            raised[account] = one.value
        elif one.kind == EXCLUDE:
            held.add(account)
    return replace(policy, pins=pins, raised=raised, held=frozenset(held))


def _name(segment: str) -> str:
    return f"exceptions/{segment}"


def _number(value: str | float | None) -> float | None:
    return None if value is None else float(value)
