"""Turn a policy into numbers per account: weight, floor, cap, and which cap it is.

Decides which limits apply, never how much anybody gets (``allocate``), and
invents no inventory: ``inf`` means nobody knows a limit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from balancer.allocate import checked_total
from balancer.errors import BadNumbers, ImpossibleCap
from balancer.types import Policy, Vector

LIMITS = (
    "none",
    "share",
    "member",
    "tier",
    "absolute",
    "click",
    "spend",
    "inventory",
    "pin",
    "held",
    "raised",
    "even",
)
SHARE_ROOM = 1.5  # a share cap below 1.5 / n leaves no room to be uneven at all: it starves delivery


@dataclass(frozen=True, eq=False, slots=True)
class Limits:
    """What each account may get over the window, in impressions.

    weight     (n,) fairness weight, > 0, or 0 where held
    floor      (n,) wanted at least
    cap        (n,) soft: the smallest of the policy's caps, inf for none
    inventory  (n,) hard: what the platform can deliver at all; a pin is hard too
    which      (n,) index into LIMITS of the cap that binds first
    share_cap  fraction of what is really delivered, or None
    """

    weight: Vector
    floor: Vector
    cap: Vector
    inventory: Vector
    which: NDArray[np.int8]
    share_cap: float | None = None


def limits_from_policy(
    policy: Policy,
    *,
    total: float,
    members: Vector,
    tier: NDArray[np.integer],
    accounts: Sequence[str] = (),
    inventory: Vector | None = None,
    clicks_per_impression: Vector | None = None,
    cost_per_impression: Vector | None = None,
) -> Limits:
    """Weight, floor and one cap per account, and the name of the cap that binds.

    total                  impressions over the policy's window
    members                (n,) matched members, 0 = unknown: the median of the known is assumed
    tier                   (n,)
    accounts               (n,) ids, needed only for pins, raised caps and held accounts
    inventory              (n,) most impressions available, None = unknown
    clicks_per_impression  (n,) for the click cap
    cost_per_impression    (n,) money, for the spend cap

    Raises ImpossibleCap for a share cap below 1.5 / n under the strict policy
    (it can only be met by delivering nothing) and for a cap below 1.5 even shares,
    BadNumbers for lengths that differ.
    """
    n = members.size
    served = n - len(policy.held.intersection(accounts))
    check_share_cap(policy, served)
    known = known_members(members) if policy.member_cap is not None or policy.beta else members
    given = _caps(policy, total, known, tier, clicks_per_impression, cost_per_impression)
    if policy.even_cap is not None:
        given["even"] = np.full(n, _even_cap(policy.even_cap) * total / max(served, 1))
    cap, which = combine_caps(given, n=n)
    weight = _by_tier(policy.tier_weights, tier, 1.0) if policy.tier_weights else np.broadcast_to(1.0, n)
    if policy.beta:
        weight = weight * known**policy.beta
    hard = np.broadcast_to(np.inf, n) if inventory is None else np.asarray(inventory, dtype=np.float64)
    if hard.size != n or tier.size != n:
        raise BadNumbers(f"There are {n} accounts, but {hard.size} inventories and {tier.size} tiers.")
    which[hard < cap] = LIMITS.index("inventory")
    limits = Limits(weight, np.broadcast_to(float(policy.floor), n), cap, hard, which, policy.share_cap)
    if not policy.pins and not policy.held and not policy.raised:
        return limits
    limits = replace(limits, weight=weight.copy(), floor=limits.floor.copy(), inventory=hard.copy())
    _pin_and_hold(limits, policy, accounts)
    return limits


def _caps(
    policy: Policy,
    total: float,
    members: Vector,
    tier: NDArray[np.integer],
    clicks: Vector | None,
    cost: Vector | None,
) -> dict[str, Vector]:
    """The caps the policy names, each as (n,) impressions. clicks, cost (n,) per impression."""
    n = members.size
    given = {
        "share": _share_impressions(policy, total, n),
        "member": None if policy.member_cap is None else policy.member_cap * members,
        "tier": _by_tier(policy.tier_caps, tier, np.inf) if policy.tier_caps else None,
        "absolute": None if policy.absolute_cap is None else np.full(n, policy.absolute_cap),
        "click": _per(policy.click_cap, clicks, n, "clicks_per_impression"),
        "spend": _per(policy.spend_cap, cost, n, "cost_per_impression"),
    }
    return {name: caps for name, caps in given.items() if caps is not None}


def combine_caps(caps: Mapping[str, Vector], *, n: int) -> tuple[Vector, NDArray[np.int8]]:
    """The smallest of several caps per account, and which one it is (index into LIMITS, 0 = none).

    caps  name in LIMITS -> (n,) impressions, inf for none. The first named wins a tie.
    """
    cap, which = np.full(n, np.inf), np.zeros(n, dtype=np.int8)
    for name, given in caps.items():
        if given.size != n or np.isnan(given).any() or (given < 0.0).any():
            raise BadNumbers(f"The {name} cap has {given.size} values for {n} accounts, or impossible ones.")
        which[given < cap] = LIMITS.index(name)
        np.minimum(cap, given, out=cap)
    return cap, which


def check_share_cap(policy: Policy, n: int) -> None:
    """Refuse a strict share cap that can only be met by delivering nothing. Raises ImpossibleCap."""
    kappa = policy.share_cap
    if kappa is None or policy.cap_policy != "strict" or n == 0:
        return
    if kappa * n < SHARE_ROOM:
        raise ImpossibleCap(
            f"A share cap of {kappa:g} for {n} accounts is below {SHARE_ROOM} / {n} = {SHARE_ROOM / n:g}."
        )


def deliverable_under_share_cap(total: float, *, kappa: float, cap: Vector) -> float:
    """The largest S <= total that can be delivered with nobody above ``kappa * S``.

    kappa  fraction, > 0
    cap    (n,) every other limit, impressions

    ``sum min(cap, kappa S)`` is concave in S and 0 at 0, so the deliverable S
    form an interval [0, S*]. With the j largest at the share cap,
    ``S = (sum of the rest) / (1 - j kappa)``; S* is the smallest of these.
    """
    asked = checked_total(total)
    largest_first = np.sort(cap)[::-1]
    if np.isinf(largest_first).sum() * kappa >= 1.0:
        return asked
    rest = np.concatenate([[0.0], np.cumsum(largest_first[::-1])])[::-1]
    room = 1.0 - kappa * np.arange(rest.size)
    usable = (room > 1e-12) & np.isfinite(rest)
    return min(asked, float((rest[usable] / room[usable]).min(initial=np.inf)))


def known_members(members: Vector) -> Vector:
    """Members with unknowns (0) replaced by the median of the known ones; 1 where none is known."""
    seen = members > 0.0
    if seen.all():
        return members
    return np.where(seen, members, float(np.median(members[seen])) if seen.any() else 1.0)


def _share_impressions(policy: Policy, total: float, n: int) -> Vector | None:
    # Strict: the share of what is really delivered is only known at the fixed point.
    if policy.share_cap is None or policy.cap_policy == "strict":
        return None
    return np.full(n, max(policy.share_cap, SHARE_ROOM / n) * total)


def _even_cap(times: float) -> float:
    """The cap in even shares of those who are served. Raises ImpossibleCap below 1.5: it would starve delivery."""
    if not times >= SHARE_ROOM:
        raise ImpossibleCap(
            f"A cap of {times:g} even shares is below {SHARE_ROOM}, the least there is room for."
        )
    return times


def _per(limit: float | None, rate: Vector | None, n: int, name: str) -> Vector | None:
    """Impressions after which ``limit`` clicks or money are used up."""
    if limit is None:
        return None
    if rate is None or rate.size != n:
        raise BadNumbers(f"This cap needs {name} for each of the {n} accounts.")
    with np.errstate(divide="ignore"):
        return np.where(rate > 0.0, limit / rate, np.inf)


def _by_tier(values: Mapping[int, float], tier: NDArray[np.integer], otherwise: float) -> Vector:
    result = np.full(tier.size, otherwise)
    for name, value in values.items():
        result[tier == name] = value
    return result


def _pin_and_hold(limits: Limits, policy: Policy, accounts: Sequence[str]) -> None:
    """Write single accounts' terms into arrays that are nobody else's; held beats pinned, pinned beats raised."""
    row = {account: i for i, account in enumerate(accounts)}
    for account, most in policy.raised.items():
        if (i := row.get(account)) is not None and most > limits.cap[i]:
            limits.cap[i] = most
            limits.which[i] = LIMITS.index("inventory" if most > limits.inventory[i] else "raised")
    for account, pin in policy.pins.items():
        if (i := row.get(account)) is not None:
            _pin(limits, i, pin)
    for i in (row[account] for account in policy.held if account in row):
        limits.weight[i] = limits.floor[i] = limits.inventory[i] = 0.0
        limits.which[i] = LIMITS.index("held")


def _pin(limits: Limits, i: int, pin: float) -> None:
    limits.cap[i] = np.inf
    if np.isinf(pin):  # "never cap": only the platform's own inventory limits it
        limits.which[i] = LIMITS.index("inventory") if np.isfinite(limits.inventory[i]) else 0
        return
    limits.inventory[i] = limits.floor[i] = min(pin, limits.inventory[i])
    limits.which[i] = LIMITS.index("pin")
