"""Pages that nobody could match: whoever they are, the truth is inside every bound."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from balancer import bounds, shares_unplaced
from balancer.bounds import tightened
from balancer.shares import (
    CreativeDayLists,
    ReportRules,
    Rows,
    build_exposure,
    concentration,
    per_member,
    share_by_tier,
)
from balancer.shares_unplaced import NO_PAGES, Truths, raised
from balancer.types import Exposure, Unplaced
from tests.balancer.slow_twins import every_integer_point, every_placement, gini, top_k
from tests.balancer.truncated_worlds import broken_promises, in_campaigns, shown_exposure
from tests.balancer.truncation import cut_report, random_cells

SLACK = 1e-9


def held(ends: tuple[float, float], values: np.ndarray | list[float]) -> bool:
    return bool(ends[0] - SLACK <= min(values) and max(values) <= ends[1] + SLACK)


@st.composite
def small_worlds(draw):
    """At most three accounts and two pages, with at least one whole truth."""
    n, m = draw(st.integers(1, 3)), draw(st.integers(0, 2))
    low = np.array(draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), dtype=float)
    high = low + np.array(draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    mass_low = draw(st.integers(int(low.sum()), int(high.sum())))
    mass_high = draw(st.integers(mass_low, int(high.sum())))
    least = np.array(draw(st.lists(st.integers(0, 5), min_size=m, max_size=m)), dtype=float)
    most = least + np.array(draw(st.lists(st.integers(0, 2), min_size=m, max_size=m)))
    together = mass_high + least.sum() + draw(st.integers(0, 2))
    return Truths(tightened(low, high, float(mass_low), float(mass_high)), Unplaced(least, most), together)


def truths_in(world: Truths) -> np.ndarray:
    box = world.box
    sums = range(int(box.mass_low), int(box.mass_high) + 1)
    points = np.concatenate([every_integer_point(s, box.low, box.high) for s in sums])
    return every_placement(points, world.pages.low, world.pages.high, world.together)


@settings(max_examples=150, deadline=None)
@given(small_worlds())
def test_every_figure_holds_for_every_placement_of_every_page(world):
    found, n = truths_in(world), world.box.low.size
    for k in range(1, n + 1):
        assert held(shares_unplaced.top_sum(world, k), [top_k(y, k) for y in found])
    for k in (1.0, 2.5, 4.0, 7.0):
        assert held(shares_unplaced.covered(world, k), (found >= k).sum(axis=1))
    for chosen in itertools.product([False, True], repeat=n):
        rows = np.array(chosen)
        assert held(shares_unplaced.group_sum(world, rows), found[:, rows].sum(axis=1))
    low, high = shares_unplaced.each(world)
    assert (low - SLACK <= found.min(axis=0)).all()
    assert (found.max(axis=0) <= high + SLACK).all()
    served = found[found.sum(axis=1) > 0]
    assume(served.size)
    assert held(shares_unplaced.gini_bounds(world), [gini(y) for y in served])
    assert held(shares_unplaced.hhi_bounds(world), [float(y @ y) / float(y.sum()) ** 2 for y in served])


@settings(max_examples=60, deadline=None)
@given(small_worlds())
def test_the_most_even_truth_of_the_raised_box_has_no_larger_top_than_any_placement(world):
    even = raised(world)
    for y in truths_in(world):
        flat = bounds.most_even(even, float(y.sum()))
        assert flat.sum() == pytest.approx(y.sum())
        for k in range(1, y.size + 1):
            assert top_k(flat, k) <= top_k(y, k) + 1e-6


@settings(max_examples=60, deadline=None)
@given(small_worlds(), st.integers(1, 3))
def test_without_pages_nothing_changes_by_a_single_bit(world, k):
    bare, rows = replace(world, pages=NO_PAGES), np.arange(world.box.low.size) % 2 == 0
    box = bare.box
    assert shares_unplaced.top_sum(bare, k) == bounds.top_sum(box, k)
    assert shares_unplaced.covered(bare, float(k)) == bounds.covered(box, float(k))
    assert shares_unplaced.group_sum(bare, rows) == bounds.group_sum(box, rows)
    assert shares_unplaced.gini_bounds(bare) == bounds.gini_bounds(box)
    assert shares_unplaced.hhi_bounds(bare) == bounds.hhi_bounds(box)
    assert [end.tobytes() for end in shares_unplaced.each(bare)] == [box.low.tobytes(), box.high.tobytes()]


def test_one_account_may_own_every_page_and_so_be_the_largest():
    box = tightened(np.array([10.0, 20.0]), np.array([10.0, 20.0]), 30.0, 30.0)
    world = Truths(box, Unplaced(np.array([5.0, 8.0]), np.array([5.0, 8.0])), 43.0)
    assert shares_unplaced.top_sum(world, 1) == pytest.approx((20.0, 33.0))
    assert shares_unplaced.hhi_bounds(world)[1] >= (33.0**2 + 10.0**2) / 43.0**2 - SLACK


def test_pages_cover_no_more_accounts_than_there_are_pages_nor_than_their_impressions_allow():
    box = tightened(np.zeros(6), np.full(6, 2.0), 0.0, 12.0)
    pages = Unplaced(np.array([20.0, 20.0]), np.array([20.0, 20.0]))
    assert shares_unplaced.covered(Truths(box, pages, 52.0), 10.0) == (0, 2)
    small = Unplaced(np.full(4, 4.0), np.full(4, 4.0))
    assert shares_unplaced.covered(Truths(box, small, 28.0), 10.0) == (0, 2)  # 8 lacking each, 16 there


def test_as_many_accounts_fewer_may_be_unseen_as_there_are_pages():
    exposure = Exposure(
        ("a", "b", "c"), np.array([50.0, 0, 0]), np.array([50.0, 0, 0]), np.array([50.0, 2, 2]), 80.0,
        np.array([True, False, False]), outside=30.0, mass=(50.0, 54.0),
        unplaced=Unplaced(np.array([23.0]), np.array([29.0])),
    )  # fmt: skip
    table = concentration(exposure, top=1)
    assert (table.never_seen_least, table.never_seen) == (1, 2)
    assert table.top_share.high == pytest.approx(
        77.0 / 80.0
    )  # 50 of its own, and 27 that are not sure outside


def placed_case(seed: int):
    """A truncated world with unmatched pages; each is given to an account, or to nobody, at random."""
    rng = np.random.default_rng([seed, 7])
    n, pages = int(rng.integers(4, 40)), int(rng.integers(1, 5))
    noise = int(rng.integers(0, 2)) * 3
    rules = ReportRules([None, 3, 10, 30][rng.integers(4)], int(rng.integers(0, 4)), noise)
    cells = random_cells(
        rng, accounts=n + pages, lists=int(rng.integers(1, 9)), total=int(rng.integers(200, 3000)),
        sigma=rng.uniform(0.3, 2.5),
    )  # fmt: skip
    owner = rng.integers(-1, n, pages)
    cells[:, :n], eligibility = in_campaigns(cells[:, :n], rng)
    if rng.random() < 0.5:
        open_to = np.where(owner >= 0, eligibility["eligible"][:, np.maximum(owner, 0)], True)
        cells[:, n:] *= open_to[eligibility["audience"]]
    else:
        eligibility = {}
    report = cut_report(
        cells, rng, depth=rules.depth, floor=rules.floor, noise=noise, outsiders=pages, named=True
    )
    shown = rng.integers(3)
    entities = 1 + np.bincount(owner[owner >= 0], minlength=n)
    exposure = shown_exposure(
        report, n, shown, rules, eligibility, entities=entities, outside_at_most=np.inf, unplaced=pages
    )
    took = np.bincount(owner[owner >= 0], weights=cells[:, n:].sum(axis=0)[owner >= 0], minlength=n)
    return replace(report, truth=report.truth + took), exposure


def test_the_truth_is_inside_every_bound_whoever_owns_the_pages_of_truncated_worlds():
    broken, wider = {}, 0
    for seed in range(80):
        report, exposure = placed_case(seed)
        bad = broken_promises(report, exposure, top=3)
        # An account's own ends speak of pages known to be its own; ``per_member`` allows for the others.
        broken |= {seed: bad} if set(bad) - {"account"} else {}
        blind = replace(exposure, unplaced=None)
        wider += bool(set(broken_promises(report, blind, top=3)) - {"account"})
    assert broken == {}
    assert wider > 12  # bounds that take the pages for outsiders are wrong in many of these worlds


def test_what_is_counted_of_a_page_comes_from_whole_window_rows_and_else_from_cells():
    window = Rows(np.array([0, 2]), np.array([50.0, 20.0]))
    lists = CreativeDayLists(
        np.array([0, 0, 0, 1]),
        np.array([0, 2, 3, 2]),
        np.array([50.0, 12.0, 9.0, 8.0]),
        np.array([80.0, 20.0]),
    )

    def counted(**rows) -> list[list[float]]:
        found = build_exposure(["a", "b"], total=100.0, outside_at_most=np.inf, unplaced=2, **rows)
        assert found.unplaced is not None
        return [found.unplaced.low.tolist(), found.unplaced.high.tolist()]

    assert counted(window=window) == [[17.0, 0.0], [23.0, 0.0]]
    assert counted(window=None, lists=lists) == [[14.0, 6.0], [26.0, 12.0]]
    assert counted(window=window, lists=lists) == [[17.0, 0.0], [23.0, 12.0]]


def test_tiers_and_members_allow_for_every_page():
    exposure = build_exposure(
        ["a", "b"], total=100.0, window=Rows(np.array([0, 2]), np.array([60.0, 40.0])),
        rules=ReportRules(None, 0, 0), unplaced=1,
    )  # fmt: skip
    shares = share_by_tier(exposure, np.array([1, 2]))
    assert (shares[2].low, shares[2].high) == pytest.approx((0.0, 0.4))
    assert (shares[1].low, shares[1].high) == pytest.approx((0.6, 1.0))
    _, _, high = per_member(exposure, np.array([10.0, 20.0]))
    assert high == pytest.approx([10.0, 2.0])
