"""Hard bounds when some pages of a report may or may not belong to our accounts.

A report names company pages, not accounts. A page that nobody could match is an
outsider's, or the page of an account not yet identified, or a second page of an
identified one; two such pages may even be one account's. So a truth is

    y_i = x_i + sum of z_j over the pages j that are account i's

with z_j in [low_j, high_j] what the rows of page j count, wherever it belongs, and x (n,)
all else the accounts took: under pages known to be theirs, and what no row counts. This x
is a point of the ``Box`` the accounts would have without these pages, because an account
hides no more under a page that some lists show than under one that none shows; that it
hides on one page only (``entities`` of ``build_exposure``) stays assumed. Together
``sum x + sum z <= together``. Every bound returned here holds for every such y,
whatever the assignment; without pages each is the box's own, bit for bit.

Two facts carry all the proofs. ``y >= x``: no count falls when a page is given to
its account, so lower ends of sums, tops and coverage stay as they are. And with Z the
most that all pages can hold, ``y <= x + e`` with ``e >= 0`` and ``sum e <= Z``: upper
ends may place Z where it does most harm, and the most even y is that of a box whose
lowest ceilings were raised by Z in all. Ends that no y attains are too wide, never too
narrow. Never guesses which page is whose.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from balancer import bounds
from balancer.allocate import water_fill
from balancer.bounds import MIXES, Box, largest, largest_square_sum, most_even, pieces, tightened
from balancer.types import Exposure, Unplaced, Vector

NO_PAGES = Unplaced(np.zeros(0), np.zeros(0))


@dataclass(frozen=True, eq=False, slots=True)
class Truths:
    """All truths a report allows.

    box       (n,) what accounts took under pages known to be theirs, and under no row at all
    pages     (p,) what is counted of pages that may be theirs
    together  the most impressions the two can add up to
    """

    box: Box
    pages: Unplaced
    together: float

    @property
    def room(self) -> float:
        """Z, the most impressions that the rows of all pages together count."""
        return float(self.pages.high.sum())

    @property
    def mass_high(self) -> float:
        """The most all accounts can have taken, every page counted as theirs."""
        return min(self.together, float(self.box.high.sum()) + self.room)


def truths_of(exposure: Exposure) -> Truths:
    """The set of truths an exposure allows.

    Parts say what the accounts of a campaign took together. A page without an account
    may have taken any of it, so with such pages no part holds for x, and none is used.
    """
    own = exposure.total - exposure.outside
    low, high = exposure.mass if exposure.mass is not None else (own, own)
    pages = exposure.unplaced or NO_PAGES
    box = tightened(exposure.low, exposure.high, low, high, () if pages.high.size else exposure.parts)
    # The upper end of the accounts' own mass has already left every page its least.
    together = exposure.total if exposure.mass is None else high + float(pages.low.sum())
    return Truths(box, pages, together)


def top_sum(truths: Truths, k: int) -> tuple[float, float]:
    """Bounds of the sum of the k largest counts, impressions.

    Upper end: at worst every page is one of the k accounts', so the sum is at most
    ``sum over K of x_i + sum z_j``. With Lagrange's multiplier ``1 - mix`` on the joint
    mass that is at most the value below for every mix in [0, 1]; the smallest is taken.
    """
    box, pages = truths.box, truths.pages
    least, most = bounds.top_sum(box, k)
    if not pages.high.size:
        return least, most
    spare = max(truths.together - float(box.low.sum()) - float(pages.low.sum()), 0.0)
    mixed = (
        (1.0 - mix) * spare
        + largest(mix * box.high + (1.0 - mix) * box.low, k)
        + float((mix * pages.high + (1.0 - mix) * pages.low).sum())
        for mix in MIXES
    )
    return least, float(max(least, min(truths.mass_high, *mixed)))


def group_sum(truths: Truths, rows: NDArray[np.bool_]) -> tuple[float, float]:
    """Bounds of the sum over the accounts where ``rows`` (n,) is true: every page may be theirs, or none."""
    box = truths.box
    least, most = bounds.group_sum(box, rows)
    if not truths.pages.high.size:
        return least, most
    wide = min(float(box.high[rows].sum()) + truths.room, truths.mass_high - float(box.low[~rows].sum()))
    return least, max(least, wide) if rows.any() else 0.0


def each(truths: Truths) -> tuple[Vector, Vector]:
    """(n,) least and (n,) most of every account by itself: all pages may be any one account's."""
    box = truths.box
    if not truths.pages.high.size:
        return box.low, box.high
    alone = truths.mass_high - (float(box.low.sum()) - box.low)
    return box.low, np.maximum(box.low, np.minimum(box.high + truths.room, alone))


def covered(truths: Truths, k: float) -> tuple[int, int]:
    """Bounds of the number of accounts with at least ``k`` > 0 impressions.

    Most: a page lifts one account only, so at most as many more as there are pages; an
    account whose own ceiling is below k needs ``k - high`` from pages, which hold Z in all;
    and lifting everybody from its least must fit into the joint mass.
    """
    box, pages = truths.box, truths.pages
    fewest, most = bounds.covered(box, k)
    if not pages.high.size:
        return fewest, most
    needy = np.sort(k - box.high[box.high < k])
    by_pages = min(_fitting(needy, truths.room), pages.high.size)
    sure = box.low >= k
    spare = truths.mass_high - float(box.low.sum())
    by_mass = int(sure.sum()) + _fitting(np.sort(k - box.low[~sure]), spare)
    most = min(most + pages.high.size, int((box.high >= k).sum()) + by_pages, by_mass)
    return fewest, max(fewest, most)


def _fitting(needs: Vector, room: float) -> int:
    """How many of the sorted ``needs`` fit into ``room`` together."""
    return int(np.searchsorted(np.cumsum(needs), room * (1.0 + bounds.ROUNDING), side="right"))


def gini_bounds(truths: Truths) -> tuple[float, float]:
    """Bounds of the Gini coefficient of the accounts' own impressions.

    Lower end: the box with raised ceilings (``raised``) contains the most even y of every
    mass. Upper end: each top-k sum of a y of mass at most M is at most that of x plus Z.
    """
    box = truths.box
    if not truths.pages.high.size:
        return bounds.gini_bounds(box)
    n, offset = box.low.size, (box.low.size + 1.0) / box.low.size
    low, high, even = np.inf, 0.0, raised(truths)
    for below, above in pieces(box.mass_low, truths.mass_high):
        if above <= 0.0:
            return 0.0, 1.0
        least = float(np.cumsum(np.sort(most_even(even, below))[::-1]).sum())
        low = min(low, 2.0 * least / (n * above))
        most = float(_top_sums(truths, above).sum())
        high = max(high, 2.0 * most / (n * below) if below > 0.0 else 2.0)
    return max(0.0, low - offset), min(max(high - offset, 0.0), 1.0 - 1.0 / n)


def _top_sums(truths: Truths, mass: float) -> Vector:
    """(n,) upper bounds of the top-k sums, k = 1..n, of every y that adds up to at most ``mass``."""
    low, high = truths.box.low, truths.box.high
    spare = max(mass - float(low.sum()), 0.0)
    best = np.full(low.size, mass)
    for mix in MIXES:
        heaviest = np.cumsum(np.sort(mix * high + (1.0 - mix) * low)[::-1])
        best = np.minimum(best, heaviest + (1.0 - mix) * spare + mix * truths.room)
    return best


def hhi_bounds(truths: Truths) -> tuple[float, float]:
    """Bounds of the sum of squared shares of the accounts' own mass.

    Upper end: with Z of the mass under pages, ``sum (x + e)^2 <= sum x^2 + 2 max(x) Z + Z^2``,
    attained when one account, the largest, owns every page. Taking a unit from x lowers
    ``sum x^2`` by at most ``2 max(high)``, so it is worst when pages hold all they can.
    """
    box = truths.box
    if not truths.pages.high.size:
        return bounds.hhi_bounds(box)
    low, high, even = np.inf, 0.0, raised(truths)
    tallest = float(box.high.max())
    for below, above in pieces(box.mass_low, truths.mass_high):
        if above <= 0.0:
            return 0.0, 1.0
        flat = most_even(even, below)
        low = min(low, float((flat * flat).sum()) / above**2)
        under = min(truths.room, max(above - float(box.low.sum()), 0.0))
        most = largest_square_sum(box, above - under) + 2.0 * tallest * under + under**2
        high = max(high, most / below**2 if below > 0.0 else 1.0)
    return max(low, 1.0 / box.low.size), min(high, 1.0)


def raised(truths: Truths) -> Box:
    """The box in which the most even y of any mass lies: Z spread over the lowest ceilings.

    The y with ``y >= low`` and ``sum max(y - high, 0) <= Z`` of one mass have a least-majorised
    point (their upper constraints ``y(S) <= high(S) + Z`` are submodular). It is one level for
    all, where those whose ceiling is below a second, lower level are lifted to that one.
    """
    box = truths.box
    ceilings = water_fill(
        float(box.high.sum()) + truths.room, weight=1.0, floor=box.high, cap=box.high + truths.room
    ).target
    return replace(box, high=np.maximum(ceilings, box.high), mass_high=truths.mass_high, parts=())
