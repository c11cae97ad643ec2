"""The target under limits that may not all be met, resolved in one fixed order.

Inventory comes first, then delivery (relax) or caps (strict), then floors,
then fairness. Whatever gives way says so with a status and a number; nothing
gives way silently.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from balancer.allocate import MASS_TOLERANCE, Allocation, checked_total, water_fill
from balancer.allocate_limits import LIMITS, Limits, deliverable_under_share_cap
from balancer.types import Status, Vector


@dataclass(frozen=True, eq=False, slots=True)
class LimitedTarget:
    """An allocation, and which limit holds whom.

    allocation  the target and its certificate
    binding     (n,) index into LIMITS, 0 where nothing binds
    relaxed     factor all soft caps were multiplied by, 1 when they held
    """

    allocation: Allocation
    binding: NDArray[np.int8]
    relaxed: float = 1.0

    def counts(self) -> dict[str, int]:
        """How many accounts each limit holds, by name; limits that hold nobody are left out."""
        tally = np.bincount(self.binding, minlength=len(LIMITS))
        return {name: int(tally[i]) for i, name in enumerate(LIMITS) if i and tally[i]}


def limited_target(total: float, limits: Limits, *, cap_policy: str = "relax") -> LimitedTarget:
    """Water-fill ``total`` impressions under ``limits``.

    cap_policy  "relax": deliver everything, with all caps multiplied by the
                smallest factor that allows it; "strict": caps hold, and less is delivered.

    Statuses: ``inventory_short`` (number = impressions that do not exist),
    ``cap_relaxed`` (number = the factor), ``cap_short`` (number = impressions
    the caps leave undelivered), ``floor_short`` (number = impressions missing under the floors).
    """
    asked = checked_total(total)
    stock = float(_reach(limits.inventory, limits))
    feasible = min(asked, stock)
    short = (Status("inventory_short", asked - stock),) if asked > stock * (1.0 + MASS_TOLERANCE) else ()
    if cap_policy == "strict":
        return _strict(asked, feasible, limits, short)
    cap = np.minimum(limits.cap, limits.inventory)
    if feasible > _reach(cap, limits) * (1.0 + MASS_TOLERANCE):
        return _relaxed(asked, feasible, limits, short)
    return _filled(asked, feasible, limits, cap, short)


def _reach(cap: Vector, limits: Limits) -> float:
    """What can be given at most: an account of weight 0 gets its floor and no more."""
    return float(_usable(cap, limits).sum())


def _strict(asked: float, feasible: float, limits: Limits, short: tuple[Status, ...]) -> LimitedTarget:
    cap = np.minimum(limits.cap, limits.inventory)
    most = min(feasible, _reach(cap, limits))
    which = limits
    if limits.share_cap is not None:
        most = deliverable_under_share_cap(most, kappa=limits.share_cap, cap=_usable(cap, limits))
        tighter = limits.share_cap * most < cap
        cap = np.minimum(cap, limits.share_cap * most)
        share = np.int8(LIMITS.index("share"))
        which = replace(limits, which=np.where(tighter, share, limits.which).astype(np.int8))
    if feasible > most * (1.0 + MASS_TOLERANCE):
        short = (*short, Status("cap_short", feasible - most))
    return _filled(asked, most, which, cap, short)


def _usable(cap: Vector, limits: Limits) -> Vector:
    if (limits.weight > 0.0).all():
        return cap
    return np.where(limits.weight > 0.0, cap, np.minimum(limits.floor, cap))


def _relaxed(asked: float, feasible: float, limits: Limits, short: tuple[Status, ...]) -> LimitedTarget:
    """The smallest factor on all caps that lets ``feasible`` through: water-filling with the caps as weights.

    Accounts without a soft cap are already full here, or nothing would be missing.
    """
    open_ended = np.isinf(limits.cap)
    low = np.where(open_ended, limits.inventory, np.minimum(limits.floor, limits.cap))
    weight = np.where(open_ended | (limits.weight <= 0.0), 0.0, limits.cap)
    solved = water_fill(feasible, weight=weight, floor=low, cap=limits.inventory)
    factor = max(1.0, solved.level)
    statuses = (*short, Status("cap_relaxed", factor)) if factor > 1.0 else short
    if solved.total < feasible * (1.0 - MASS_TOLERANCE):  # caps of zero cannot be multiplied away
        statuses = (*statuses, Status("cap_short", feasible - solved.total))
    allocation = replace(solved, statuses=(*statuses, *_kept(solved)), asked=asked)
    full = allocation.target >= limits.inventory
    stock = np.int8(LIMITS.index("inventory"))
    named = np.where(np.isin(limits.which, _HARD), limits.which, stock)
    return LimitedTarget(allocation, np.where(full, named, limits.which).astype(np.int8), factor)


_HARD = [LIMITS.index(name) for name in ("inventory", "pin", "held")]


def _filled(
    asked: float, total: float, limits: Limits, cap: Vector, short: tuple[Status, ...]
) -> LimitedTarget:
    solved = water_fill(total, weight=limits.weight, floor=np.minimum(limits.floor, cap), cap=cap)
    allocation = replace(solved, statuses=(*short, *_kept(solved)), asked=asked)
    holds = solved.at_cap | np.isin(limits.which, _HARD[1:])
    return LimitedTarget(allocation, np.where(holds, limits.which, 0).astype(np.int8))


def _kept(solved: Allocation) -> tuple[Status, ...]:
    """Shortages of floors; a shortage of room was already counted by the caller."""
    return tuple(status for status in solved.statuses if status.code == "floor_short")
