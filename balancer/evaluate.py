"""Did it work, and could this list ever tell? Designs, tests and sample sizes.

Never compares accounts that share one budget: capping some hands their
impressions to the others, so such a comparison has the wrong sign (simulated
truth +70 %, estimate -31 %). The design that is right is a budget-split: two
random halves, each in its own campaign with its own part of the budget (Mao,
Liu, Kang, arXiv 2012.08724). CUPED after Deng, Xu, Kohavi, Walker, WSDM 2013.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from balancer.errors import BadNumbers, DesignRefused
from balancer.types import Vector

Mask = NDArray[np.bool_]
Metric = Callable[[Vector], float]  # (m,) impressions of one half -> one figure, the same for any scale
DRAWS = 999  # re-randomisations; the smallest p-value is 1 / (DRAWS + 1)


@dataclass(frozen=True, eq=False, slots=True)
class Design:
    """Who is balanced in a budget-split, and what each half may spend.

    treated         (n,) bool
    treated_budget  money per day for the balanced half's campaigns
    control_budget  money per day for the other half, left as it is
    """

    treated: Mask
    treated_budget: float
    control_budget: float


@dataclass(frozen=True, slots=True)
class Effect:
    """A difference, treated less control, with a 95 % interval.

    p_value         chance of a difference at least this large if nothing had been done
    works           the flag: better than chance at 5 %, and in the wanted direction
    variance_ratio  what CUPED left of the variance, 1 where it was not used
    """

    estimate: float
    low: float
    high: float
    p_value: float
    works: bool
    variance_ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a list is large enough. ``code`` is "list_cannot_confirm" or "list_can_confirm"."""

    code: str
    per_arm: int
    needed_per_arm: int
    smallest_lift: float


def halves(accounts: Sequence[str], *, salt: str) -> Mask:
    """(n,) a fair coin per account that never changes: the last bit of SHA-256(salt, id).

    Adding or removing accounts moves nobody; another salt is another experiment.
    """
    start = hashlib.sha256(salt.encode() + b"\0")

    def coin(account: str) -> bool:
        digest = start.copy()
        digest.update(account.encode())
        return bool(digest.digest()[-1] & 1)

    return np.fromiter((coin(account) for account in accounts), dtype=np.bool_, count=len(accounts))


def budget_split(
    accounts: Sequence[str], *, salt: str, budget: float, members: Vector, minimum_members: int = 450
) -> Design:
    """Two random halves with their own budgets, in proportion to their number of accounts.

    members  (n,) matched members, 0 = unknown
    Raises DesignRefused when a half has no account or fewer than ``minimum_members`` known members:
    the platform would serve nobody there.
    """
    treated = halves(accounts, salt=salt)
    for half in (treated, ~treated):
        known = float(members[half].sum())
        if not half.any() or (members[half].all() and known < minimum_members):
            raise DesignRefused(
                f"A half of {int(half.sum())} accounts has {known:.0f} members, under {minimum_members}."
            )
    part = budget * float(treated.mean())
    return Design(treated, part, budget - part)


def check_design(design: str, *, mode: str = "bands") -> None:
    """Let only designs through whose answer can be right. Raises DesignRefused with the reason.

    design  "budget_split" | "accounts_in_one_budget" | "switchback" | "before_after"
    """
    if design == "accounts_in_one_budget":
        raise DesignRefused(
            "Accounts that share one budget cannot be compared: what is taken from the treated flows to the "
            "controls, and the estimate gets the wrong sign."
        )
    if design == "switchback" and mode == "bands":
        raise DesignRefused("Switching bands on and off moves every account each time and never settles.")
    if design not in ("budget_split", "switchback", "before_after"):
        raise DesignRefused(f"There is no design called {design!r}.")


def metric_effect(
    before: Vector,
    after: Vector,
    *,
    treated: Mask,
    metric: Metric,
    rng: np.random.Generator,
    lower_is_better: bool = True,
    draws: int = DRAWS,
) -> Effect:
    """Effect of balancing one half on a concentration figure, as a difference in differences.

    before, after  (n,) impressions in equal windows, settling time left out
    metric         e.g. Gini or the share of the largest tenth, of one half

    The p-value is exact whatever the drift, noise or shape of the world: if
    nothing was done, the labels are exchangeable, so they are drawn again
    ``draws`` times. The interval is the estimate with the central 95 % of that
    no-change distribution around it.
    """
    _check_halves(before, after, treated)

    def difference(chosen: Mask) -> float:
        gain = metric(after[chosen]) - metric(before[chosen])
        return gain - (metric(after[~chosen]) - metric(before[~chosen]))

    seen = difference(treated)
    chance = np.array([difference(rng.permutation(treated)) for _ in range(draws)])
    p_value = (1.0 + float((np.abs(chance) >= abs(seen) * (1.0 - 1e-12)).sum())) / (draws + 1.0)
    low, high = np.quantile(chance, [0.025, 0.975])
    wanted = seen < 0.0 if lower_is_better else seen > 0.0
    return Effect(seen, seen - float(high), seen - float(low), p_value, wanted and p_value <= 0.05)


def outcome_effect(
    outcome: Vector, *, treated: Mask, covariate: Vector | None = None, higher_is_better: bool = True
) -> Effect:
    """Difference of mean outcome per account between the halves of a budget-split.

    outcome    (n,) e.g. visits, opportunities (0/1)
    covariate  (n,) the same figure before the start, for CUPED; None = none

    Welch standard error and a normal interval; meant for some fifty accounts per half and more.
    """
    _check_halves(outcome, outcome if covariate is None else covariate, treated)
    adjusted, ratio = (outcome, 1.0) if covariate is None else cuped(outcome, covariate, treated=treated)
    one, other = adjusted[treated], adjusted[~treated]
    error = float(np.sqrt(one.var(ddof=1) / one.size + other.var(ddof=1) / other.size))
    estimate = float(one.mean() - other.mean())
    if error == 0.0:
        return Effect(estimate, estimate, estimate, 1.0, False, ratio)
    p_value = 2.0 * NormalDist().cdf(-abs(estimate) / error)
    wide = NormalDist().inv_cdf(0.975) * error
    wanted = estimate > 0.0 if higher_is_better else estimate < 0.0
    return Effect(estimate, estimate - wide, estimate + wide, p_value, wanted and p_value <= 0.05, ratio)


def cuped(outcome: Vector, covariate: Vector, *, treated: Mask) -> tuple[Vector, float]:
    """The outcome less what the pre-period explains, and the fraction of variance left (``1 - rho^2``).

    The slope is pooled *within* halves, so a true effect is not explained away.
    """
    x, y = covariate.astype(np.float64), outcome.astype(np.float64)
    centred_x, centred_y = x.copy(), y.copy()
    for half in (treated, ~treated):
        centred_x[half] -= x[half].mean()
        centred_y[half] -= y[half].mean()
    spread, noise = float(centred_x @ centred_x), float(centred_y @ centred_y)
    if spread == 0.0 or noise == 0.0:
        return y, 1.0
    slope = float(centred_x @ centred_y) / spread
    left = centred_y - slope * centred_x
    return y - slope * (x - x.mean()), float(left @ left) / noise


def sample_size(
    base: float, lift: float, *, rho: float = 0.0, power: float = 0.8, level: float = 0.05
) -> int:
    """Accounts per arm to see a relative ``lift`` of a rate ``base``, two-sided.

    base  rate without balancing, in (0, 1)
    lift  relative, e.g. 0.25
    rho   correlation of the outcome with its CUPED covariate
    ``n = 2 (z_{1-level/2} + z_power)^2 p (1 - p) / (p lift)^2 (1 - rho^2)``
    """
    _check_rates(base, rho)
    if lift == 0.0 or not np.isfinite(lift):
        raise BadNumbers(
            "A lift must be a finite number; none at all cannot be seen with any number of accounts."
        )
    z = NormalDist().inv_cdf(1.0 - level / 2.0) + NormalDist().inv_cdf(power)
    exact = 2.0 * z**2 * base * (1.0 - base) / (base * lift) ** 2 * (1.0 - rho**2)
    return int(np.ceil(exact - 1e-9))


def smallest_lift(
    base: float, per_arm: int, *, rho: float = 0.0, power: float = 0.8, level: float = 0.05
) -> float:
    """The smallest relative lift that ``per_arm`` accounts can show; the inverse of ``sample_size``."""
    _check_rates(base, rho)
    if per_arm < 1:
        raise BadNumbers("An arm needs at least one account.")
    z = NormalDist().inv_cdf(1.0 - level / 2.0) + NormalDist().inv_cdf(power)
    return float(z * np.sqrt(2.0 * (1.0 - base) * (1.0 - rho**2) / (base * per_arm)))


def can_confirm(accounts: int, *, base: float, lift: float, rho: float = 0.0) -> Verdict:
    """Whether two halves of ``accounts`` can confirm ``lift``; say so before the experiment, not after."""
    per_arm = accounts // 2
    needed = sample_size(base, lift, rho=rho)
    code = "list_can_confirm" if per_arm >= needed else "list_cannot_confirm"
    return Verdict(code, per_arm, needed, smallest_lift(base, max(per_arm, 1), rho=rho))


def _check_halves(before: Vector, after: Vector, treated: Mask) -> None:
    if not before.shape == after.shape == treated.shape:
        raise BadNumbers(f"Lengths differ: {before.size}, {after.size} and {treated.size}.")
    if min(int(treated.sum()), int((~treated).sum())) < 2:
        raise BadNumbers("Each half needs at least two accounts.")
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        raise BadNumbers("An outcome is not a number.")


def _check_rates(base: float, rho: float) -> None:
    if not 0.0 < base < 1.0 or not -1.0 < rho < 1.0:
        raise BadNumbers(f"The base rate must be in (0, 1) and rho in (-1, 1), not {base} and {rho}.")
