"""Simulated delivery: what a platform does with one day's budgets and membership.

Rehearsal, sandbox and tests all use these. A plant sees rates and money, never
a plan: it must not know what the controller wanted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from balancer.errors import BadNumbers
from balancer.normal import cumulative, quantile
from balancer.types import Vector


@dataclass(frozen=True, eq=False)
class Delivery:
    """What one day brought.

    impressions  (n,) whole counts as floats; 0 where excluded, unplaced or in a band without money
    spend        (K,) money, never above the budget by more than one impression
    throttle     (K,) the level the platform settled on; 1 = the uncontrolled state, 0 = no delivery
    """

    impressions: Vector
    spend: Vector
    throttle: Vector


class Plant(Protocol):
    """One day of delivery.

    rates      (n,) impressions each account would take today at throttle 1, >= 0
    inventory  (n,) most impressions it could take today at any throttle, >= rates; inf = no limit
    included   (n,) bool, False = excluded from its campaign today
    band       (n,) campaign of each account, 0..K-1; any other number = in none
    budgets    (K,) money available today, >= 0
    price      money per impression at throttle 1, > 0
    rng        source of the integer noise; the same state gives the same day

    Every band is independent: its throttle rises until its money is spent or every
    included account is saturated. Inventory bounds the *expected* count of an account.
    Raises BadNumbers for lengths that differ and for numbers outside these ranges.
    """

    def deliver(
        self,
        rates: Vector,
        inventory: Vector,
        *,
        included: NDArray[np.bool_],
        band: NDArray[np.integer],
        budgets: Vector,
        price: float,
        rng: np.random.Generator,
    ) -> Delivery: ...


@dataclass(frozen=True, slots=True)
class Proportional:
    """Flat price: account i takes ``min(inventory, p * rate)`` and every impression costs ``price``.

    The common throttle p is how LinkedIn describes budget pacing: one pass-through rate per campaign
    (Agarwal, Ghosh, Wei, You, KDD 2014).
    """

    def deliver(
        self,
        rates: Vector,
        inventory: Vector,
        *,
        included: NDArray[np.bool_],
        band: NDArray[np.integer],
        budgets: Vector,
        price: float,
        rng: np.random.Generator,
    ) -> Delivery:
        """See ``Plant``."""

        def settle(a: Vector, u: Vector, money: float) -> tuple[Vector, Vector, float]:
            p = spending_throttle(a, u, money / price)
            return np.minimum(u, p * a), np.full(a.size, price), p

        return _by_band(settle, rates, inventory, included, band, budgets, price, rng)


@dataclass(frozen=True, slots=True)
class PowerPrice:
    """Pressure raises the price: an impression costs ``price * p ** eps`` at throttle p (eps >= 0)."""

    eps: float = 0.1

    def __post_init__(self) -> None:
        if not 0.0 <= self.eps < np.inf:
            raise BadNumbers(f"An elasticity is 0 or more, not {self.eps}.")

    def deliver(
        self,
        rates: Vector,
        inventory: Vector,
        *,
        included: NDArray[np.bool_],
        band: NDArray[np.integer],
        budgets: Vector,
        price: float,
        rng: np.random.Generator,
    ) -> Delivery:
        """See ``Plant``. A throttle above the largest headroom buys nothing and is never reached."""

        def settle(a: Vector, u: Vector, money: float) -> tuple[Vector, Vector, float]:
            def cost(p: float) -> float:
                return float(price * p**self.eps * np.minimum(u, p * a).sum())

            highest = _saturation(a, u)
            if np.isinf(highest):  # the quietest account alone would use the money up there
                highest = (money / (price * float(a.min()))) ** (1.0 / (1.0 + self.eps))
            p = _rising_root(cost, money, low=0.0, high=highest)
            return np.minimum(u, p * a), np.full(a.size, price * p**self.eps), p

        return _by_band(settle, rates, inventory, included, band, budgets, price, rng)


@dataclass(frozen=True, slots=True)
class Auction:
    """Second price per opportunity, mean-field: one bid per band moves until the money is spent.

    An account has ``inventory`` opportunities; the highest competing bid of each is log-normal with
    spread ``sigma``, placed so that the natural bid (throttle 1) wins ``rate`` of them. A win pays the
    competing bid. The account whose natural win rate is ``win_rate`` pays ``price`` on average at
    throttle 1; one that is won more often is cheaper. ``throttle`` is the bid over the natural bid, at
    most ``highest``. A mean-field reading of AuctionGym (Jeunen, Murphy, Allison, AdKDD 2022).
    """

    sigma: float = 0.8
    win_rate: float = 0.25
    highest: float = 50.0

    def __post_init__(self) -> None:
        if not (self.sigma > 0.0 and 0.0 < self.win_rate < 1.0 and self.highest > 0.0):
            raise BadNumbers(
                "An auction needs a spread above 0, a win rate between 0 and 1, and a highest bid above 0."
            )

    def deliver(
        self,
        rates: Vector,
        inventory: Vector,
        *,
        included: NDArray[np.bool_],
        band: NDArray[np.integer],
        budgets: Vector,
        price: float,
        rng: np.random.Generator,
    ) -> Delivery:
        """See ``Plant``."""

        def settle(a: Vector, u: Vector, money: float) -> tuple[Vector, Vector, float]:
            if np.isinf(u).any():
                raise BadNumbers("An auction needs a finite inventory: the opportunities there are.")
            place = self.place(a, u)

            def cost(bid: float) -> float:
                wins, paid = self.outcome(place, u, np.float64(bid), price=price)
                return float((wins * paid).sum())

            bid = _rising_root(cost, money, low=0.0, high=self.highest)
            wins, paid = self.outcome(place, u, np.float64(bid), price=price)
            return wins, paid, bid

        return _by_band(settle, rates, inventory, included, band, budgets, price, rng)

    def place(self, rates: Vector, inventory: Vector) -> Vector:
        """(n,) where the natural bid stands among the competing bids, in standard deviations."""
        return quantile(np.clip(rates / np.maximum(inventory, 1e-300), 1e-9, 1.0 - 1e-9))

    def outcome(
        self, place: Vector, inventory: Vector, bid: Vector | np.float64, *, price: float
    ) -> tuple[Vector, Vector]:
        """Expected impressions (n,) and mean price of each (n,) at bids relative to the natural bid."""
        reach = place + np.log(np.maximum(bid, 1e-12)) / self.sigma
        won = cumulative(reach)
        paid = np.exp(-self.sigma * place) * cumulative(reach - self.sigma)
        start = quantile(np.array([self.win_rate]))
        unit = np.exp(-self.sigma * start) * cumulative(start - self.sigma) / self.win_rate
        each = price * paid / np.maximum(won, 1e-300) / unit[0]
        return inventory * won, np.where(won > 0.0, each, 0.0)


def spending_throttle(rates: Vector, inventory: Vector, total: float) -> float:
    """The p with ``sum(min(inventory, p * rates)) = total``, or the saturating p when there is less.

    Exact: sorts the headrooms, O(n log n). rates (n,) >= 0, inventory (n,) >= 0, total >= 0.
    """
    live = rates > 0.0
    a, u = rates[live], inventory[live]
    if a.size == 0 or total <= 0.0:
        return 0.0
    headroom = u / a
    if total >= u.sum():
        return float(headroom.max())
    order = np.argsort(headroom, kind="stable")
    a, u, headroom = a[order], u[order], headroom[order]
    full = np.concatenate([[0.0], np.cumsum(u)[:-1]])  # delivered by accounts saturated before this one
    open_ = np.cumsum(a[::-1])[::-1]
    at = int(np.searchsorted(full + headroom * open_, total))
    return float((total - full[at]) / open_[at])


def _saturation(rates: Vector, inventory: Vector) -> float:
    live = rates > 0.0
    return float((inventory[live] / rates[live]).max()) if live.any() else 0.0


def _rising_root(cost: Callable[[float], float], money: float, *, low: float, high: float) -> float:
    """Largest level in [low, high] that costs no more than ``money``; ``cost`` never falls."""
    top, bottom = cost(high) - money, cost(low) - money if low > 0.0 else -money
    if top <= 0.0:
        return high
    for step in range(60):
        # false position, every third step a halving so that a curved cost cannot stall it
        middle = (low + high) / 2.0 if step % 3 == 2 else low - bottom * (high - low) / (top - bottom)
        found = cost(middle) - money
        if found > 0.0:
            high, top = middle, found
        else:
            low, bottom = middle, found
        if -bottom <= 1e-6 * money or high - low <= 1e-9 * high:
            break
    return low


_Settle = Callable[[Vector, Vector, float], tuple[Vector, Vector, float]]


def _by_band(
    settle: _Settle,
    rates: Vector,
    inventory: Vector,
    included: NDArray[np.bool_],
    band: NDArray[np.integer],
    budgets: Vector,
    price: float,
    rng: np.random.Generator,
) -> Delivery:
    rates, inventory, budgets = _checked(rates, inventory, budgets, price)
    included, band = np.asarray(included, dtype=np.bool_), np.asarray(band)
    if not rates.shape == inventory.shape == included.shape == band.shape:
        raise BadNumbers("Rates, inventory, included and band must be one number per account each.")
    count = budgets.size
    impressions, spend, throttle = np.zeros(rates.size), np.zeros(count), np.zeros(count)
    for b in range(count):
        rows = np.flatnonzero(included & (band == b) & (rates > 0.0))
        if rows.size == 0 or budgets[b] <= 0.0:
            continue
        expected, each, throttle[b] = settle(rates[rows], inventory[rows], float(budgets[b]))
        whole = _whole(expected, rng)
        impressions[rows] = whole
        spend[b] = min(float((whole * each).sum()), float(budgets[b]))
    return Delivery(impressions=impressions, spend=spend, throttle=throttle)


def _checked(
    rates: Vector, inventory: Vector, budgets: Vector, price: float
) -> tuple[Vector, Vector, Vector]:
    """The three as arrays. Raises BadNumbers for what is no rate, no inventory, no money."""
    named = {"rates": rates, "inventory": inventory, "budgets": budgets}
    for name, values in named.items():
        named[name] = array = np.asarray(values, dtype=np.float64)
        endless = name != "inventory" and bool(np.isinf(array).any())
        if array.ndim != 1 or endless or not (array >= 0.0).all():
            raise BadNumbers(f"The {name} must be a list of finite numbers, 0 or more each.")
    if not 0.0 < price < np.inf:
        raise BadNumbers(f"The price of an impression must be above 0, not {price}.")
    return named["rates"], named["inventory"], named["budgets"]


def _whole(expected: Vector, rng: np.random.Generator) -> Vector:
    """Integer counts around ``expected``: one multinomial draw, so the band's total is not noisy."""
    total = float(expected.sum())
    if total <= 0.0:
        return np.zeros(expected.size)
    return rng.multinomial(int(total + 1e-9), expected / total).astype(np.float64)
