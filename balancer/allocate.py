"""Capped weighted water-filling: the one target every other part aims at.

Decides how much each account should get, never how to get there, and never
which caps apply (``allocate_limits``).

The program is ``min sum w phi(x/w)`` subject to ``sum x = T`` and
``floor <= x <= cap``. Its answer, ``x = clip(level * w, floor, cap)`` with one
scalar ``level``, is optimal for *every* convex ``phi`` at once. With equal
weights it therefore minimises the top-k share for all k, Gini, HHI and the
maximum together, and is max-min fair.

Why, and what ``certificate`` certifies. Take subgradients ``g_i`` of ``phi`` at
``x_i / w_i`` and ``g`` at ``level``. Inside its bounds an account has
``x_i / w_i = level`` and we may choose ``g_i = g``. At its cap
``x_i / w_i <= level``, so ``g_i <= g``, and any feasible ``y`` has
``y_i <= x_i``; at its floor both signs turn. So ``(g_i - g)(y_i - x_i) >= 0`` for
every account, and ``F(y) - F(x) >= sum g_i (y_i - x_i) >= g sum (y_i - x_i) = 0``.
The three cases are the KKT conditions; ``kkt_residual`` is the largest amount
by which an allocation breaks one of them, relative to the even share.

Solvers (``allocate_level``): variable fixing (Bitran and Hax 1981), which drops
decided accounts from every further pass; a breakpoint sort where fixing is slow;
Newton over slices for long lists. All exact; the certificate does not trust them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from balancer.allocate_level import find_level, slices
from balancer.errors import BadNumbers
from balancer.types import Status, Vector

LARGEST = 1e150  # beyond it, and below its inverse, products and sums leave the range of a double
MASS_TOLERANCE = 1e-12  # relative; below this a shortfall is rounding, not scarcity
OK = Status("ok")
ALLOWED = {
    "weight": f"0, or between {1.0 / LARGEST:g} and {LARGEST:g}",
    "floor": f"between 0 and {LARGEST:g}",
    "cap": "0 or more",
}


@dataclass(frozen=True, eq=False, slots=True)
class Allocation:
    """A target and the proof that it is the best one.

    target       (n,) impressions
    level        scalar; target = clip(level * weight, floor, cap)
    at_cap       (n,) bool, held down by its cap
    at_floor     (n,) bool, held up by its floor
    statuses     what could not be met, most severe first; empty when all was
    certificate  KKT residual relative to the even share; ~1e-15 when solved
    asked        the total asked for; ``target.sum()`` is what can be given

    Behaves as its target wherever an array is wanted (``np.asarray``, iteration, indexing, ``len``).
    """

    target: Vector
    level: float
    at_cap: NDArray[np.bool_]
    at_floor: NDArray[np.bool_]
    statuses: tuple[Status, ...]
    certificate: float
    asked: float

    @property
    def status(self) -> Status:
        """The most severe status, ``ok`` when everything asked for was met."""
        return self.statuses[0] if self.statuses else OK

    @property
    def total(self) -> float:
        """What the target adds up to (T_eff), impressions."""
        return float(self.target.sum())

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.target, dtype=dtype, copy=True if copy is None else copy)

    def __len__(self) -> int:
        return int(self.target.size)

    def __iter__(self) -> Iterator[float]:
        return iter(self.target.tolist())

    def __getitem__(self, key: Any) -> Any:
        return self.target[key]


def water_fill(total: float, *, weight: ArrayLike, floor: ArrayLike, cap: ArrayLike) -> Allocation:
    """Share ``total`` out in proportion to ``weight``, within ``floor`` and ``cap``.

    total   impressions, finite, >= 0
    weight  (n,) or scalar, finite, >= 0; an account of weight 0 gets its floor and no more
    floor   (n,) or scalar, finite, >= 0; floors above caps are clipped to the caps
    cap     (n,) or scalar, >= 0, ``inf`` for none

    Statuses: ``inventory_short`` (caps add up to less than the total; number =
    impressions that fit nowhere) and ``floor_short`` (floors add up to more;
    number = impressions missing, and the total is water-filled under the
    floors). Raises BadNumbers on NaN, negatives or lengths that differ.
    """
    asked = checked_total(total)
    w, low, high = checked_bounds(weight, floor, cap)
    room = float(sum(np.where(w[rows] > 0.0, high[rows], low[rows]).sum() for rows in slices(w.size)))
    need = float(low.sum())
    if need > asked * (1.0 + MASS_TOLERANCE):
        return _under_the_floors(asked, w, low, need)
    if asked > room * (1.0 + MASS_TOLERANCE):
        status = Status("inventory_short", asked - room)
        return settle(room, w, low, high, asked=asked, statuses=(status,))
    return settle(min(asked, room), w, low, high, asked=asked)


def settle(
    total: float, w: Vector, low: Vector, high: Vector, *, asked: float, statuses: tuple[Status, ...] = ()
) -> Allocation:
    """Solve a feasible, already checked instance (``sum low <= total <= room``), and certify it."""
    level = find_level(total, w, low, high)
    target = np.empty(w.size)
    at_cap, at_floor = np.empty(w.size, dtype=np.bool_), np.empty(w.size, dtype=np.bool_)
    for rows in slices(w.size):
        wanted = level * w[rows]
        np.clip(wanted, low[rows], high[rows], out=target[rows])
        at_cap[rows] = wanted >= high[rows]
        at_floor[rows] = (wanted <= low[rows]) & (low[rows] > 0.0)
    residual = kkt_residual(target, level, weight=w, floor=low, cap=high, total=total)
    return Allocation(target, level, at_cap, at_floor, statuses, residual, asked)


def _under_the_floors(asked: float, w: Vector, low: Vector, need: float) -> Allocation:
    """Give everybody as much of its floor as there is; accounts of weight 0 come last."""
    zero = np.zeros_like(low)
    reach = float(low[w > 0.0].sum())
    allocation = settle(min(asked, reach), w, zero, low, asked=asked)
    target = allocation.target
    if asked > reach:
        rest = w <= 0.0
        target = target.copy()
        target[rest] = low[rest] * ((asked - reach) / float(low[rest].sum()))
    status = Status("floor_short", need - asked)
    held = np.zeros(low.size, dtype=np.bool_)
    return Allocation(target, allocation.level, held, target >= low, (status,), allocation.certificate, asked)


def kkt_residual(
    target: Vector, level: float, *, weight: Vector, floor: Vector, cap: Vector, total: float
) -> float:
    """How far ``target`` is from optimal, as a multiple of the even share ``total / n``; 0 is exact.

    The largest of: mass missing or too much, a bound broken, and a ratio on
    the wrong side of ``level`` (inside: equal; at the cap: not above; at the
    floor: not below), the last expressed in impressions.
    """
    n = target.size
    even = total / n if n else 0.0
    if even == 0.0:  # nothing to give, or so little that a share of it is no number any more
        return float(np.abs(target).max(initial=0.0))
    worst = abs(float(target.sum()) - total) / n  # in impressions per account, as everything below
    for rows in slices(n):
        x, low, high = target[rows], floor[rows], cap[rows]
        pull = level * weight[rows] - x  # > 0: wants more, fine only at its cap; < 0: wants less
        wants_more = np.minimum(np.maximum(pull, 0.0), high - x)
        wants_less = np.minimum(np.maximum(-pull, 0.0), x - low)
        outside = np.maximum(low - x, x - high)
        worst = max(worst, *(float(part.max()) for part in (wants_more, wants_less, outside)))
    return worst / even


def checked_total(total: float) -> float:
    """The total as a finite number >= 0. Raises BadNumbers."""
    value = float(total)
    if not 0.0 <= value <= LARGEST:
        raise BadNumbers(f"The total must be a finite number of impressions, 0 or more, not {value}.")
    return value


def checked_bounds(weight: ArrayLike, floor: ArrayLike, cap: ArrayLike) -> tuple[Vector, Vector, Vector]:
    """Weight, floor and cap as (n,) float arrays, floors clipped to caps. Raises BadNumbers."""
    named = {"weight": _numbers(weight), "floor": _numbers(floor), "cap": _numbers(cap)}
    try:
        w, low, high = np.broadcast_arrays(*named.values())
    except ValueError:
        sizes = ", ".join(f"{name} has {array.size}" for name, array in named.items())
        raise BadNumbers(f"Weight, floor and cap must have one length; {sizes}.") from None
    w, low, high = np.atleast_1d(w), np.atleast_1d(low), np.atleast_1d(high)
    clipped = False
    for rows in slices(w.size):
        for name, array in (("weight", w), ("floor", low), ("cap", high)):
            _check_slice(name, array[rows], rows.start)
        clipped = clipped or bool((low[rows] > high[rows]).any())
    return w, np.minimum(low, high) if clipped else low, high


def _check_slice(name: str, part: Vector, start: int) -> None:
    fine = (part >= 0.0) & (part <= (np.inf if name == "cap" else LARGEST))
    if name == "weight":
        fine &= (part == 0.0) | (part >= 1.0 / LARGEST)
    if not fine.all():
        first = int(np.argmin(fine))
        raise BadNumbers(
            f"The {name} at position {start + first} is {part[first]}; it must be {ALLOWED[name]}."
        )


def _numbers(values: ArrayLike) -> Vector:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim > 1:
        raise BadNumbers(f"Expected one number per account, not an array of shape {array.shape}.")
    return array
