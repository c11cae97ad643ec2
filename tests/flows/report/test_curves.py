"""The curves behind the charts hold the truth for every completion that agrees with the report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.types import Exposure, Unplaced
from flows.report.curves import (
    aligned,
    ceilings,
    even_completion,
    groups_of,
    lorenz,
    ranked_counts,
    top_share_bounds,
    top_sum_bounds,
    top_sums,
)

counts = st.lists(st.integers(0, 60), min_size=1, max_size=12)


@st.composite
def hidden_counts(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True counts and bounds around them."""
    true = np.array(draw(counts), dtype=float)
    slack = st.lists(st.integers(0, 20), min_size=true.size, max_size=true.size)
    low = np.maximum(true - np.array(draw(slack)), 0)
    return low, true, true + np.array(draw(slack))


def exposure_of(low: np.ndarray, point: np.ndarray, high: np.ndarray) -> Exposure:
    names = tuple(f"a{i:02d}" for i in range(low.size))
    return Exposure(names, low, point, high, float(point.sum()), low == high)


@given(hidden_counts())
@settings(max_examples=150, deadline=None)
def test_no_hidden_completion_has_a_top_sum_outside_its_bounds(case) -> None:
    low, true, high = case
    least, most = top_sum_bounds(low, high, total=float(true.sum()))
    actual = top_sums(true)
    assert (least <= actual + 1e-6).all()
    assert (actual <= most + 1e-6).all()


@given(hidden_counts())
@settings(max_examples=150, deadline=None)
def test_the_lorenz_band_encloses_the_true_curve_and_the_drawn_one(case) -> None:
    low, true, high = case
    curve = lorenz(exposure_of(low, true, high))
    if true.sum() == 0:
        return
    falling = np.sort(true)[::-1].cumsum() / true.sum()
    for x, floor, point, ceiling in zip(curve.x, curve.low, curve.point, curve.high, strict=True):
        k = round((1 - x) * true.size)
        actual = 1 - (falling[k - 1] if k else 0.0)
        assert floor - 1e-4 <= actual <= ceiling + 1e-4
        assert floor - 1e-9 <= point <= ceiling + 1e-9
    assert list(curve.x) == sorted(curve.x)


@given(hidden_counts(), st.integers(0, 40), st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_the_share_bounds_hold_when_the_mass_itself_is_uncertain(case, fewer: int, more: int) -> None:
    low, true, high = case
    mass = float(true.sum())
    if mass == 0:
        return
    edges = (max(mass - fewer, low.sum(), 1e-3), min(mass + more, max(high.sum(), mass)))
    least, most = top_share_bounds(low, high, mass=edges)
    actual = top_sums(true) / mass
    assert (least <= actual + 1e-6).all()
    assert (actual <= most + 1e-6).all()


@given(hidden_counts(), st.lists(st.tuples(st.integers(0, 30), st.integers(-1, 5)), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_the_lorenz_band_encloses_the_true_curve_whoever_owns_the_pages_nobody_could_match(
    case, pages
) -> None:
    low, known, high = case
    size = np.array([took for took, _ in pages], dtype=float)
    owners = np.array([owner if owner < known.size else -1 for _, owner in pages])
    ours = owners >= 0
    true = known + np.bincount(owners[ours], weights=size[ours], minlength=known.size)
    found = replace(
        exposure_of(low, known, high), total=float(known.sum() + size.sum()), outside=float(size.sum()),
        unplaced=Unplaced(np.maximum(size - 3, 0), size + 3),
    )  # fmt: skip
    if known.sum() == 0:
        return
    curve, falling = lorenz(found), np.sort(true)[::-1].cumsum() / true.sum()
    for x, floor, ceiling in zip(curve.x, curve.low, curve.high, strict=True):
        k = round((1 - x) * true.size)
        assert floor - 1e-4 <= 1 - (falling[k - 1] if k else 0.0) <= ceiling + 1e-4
    assert (true <= np.where(found.listed, np.inf, ceilings(found)) + 1e-9).all()


def test_a_named_account_is_counted_by_its_own_pages_and_an_unseen_one_may_be_behind_any() -> None:
    found = Exposure(
        ("named", "unseen"), np.array([50.0, 0]), np.array([50.0, 0]), np.array([50.0, 2.0]), 80.0,
        np.array([True, False]), outside=30.0, unplaced=Unplaced(np.array([27.0]), np.array([30.0])),
    )  # fmt: skip
    assert ceilings(found).tolist() == [50.0, 32.0]
    assert ceilings(replace(found, unplaced=None)).tolist() == [50.0, 2.0]


def slow_even_completion(low: np.ndarray, high: np.ndarray, total: float) -> np.ndarray:
    """Hand out one small crumb at a time to whoever has least and may take more."""
    filled, crumb = low.copy(), 0.05
    for _ in range(round(max(total - low.sum(), 0) / crumb)):
        room = np.where(filled + crumb <= high + 1e-9, filled, np.inf)
        if np.isinf(room).all():
            break
        filled[int(room.argmin())] += crumb
    return filled


@given(hidden_counts())
@settings(max_examples=30, deadline=None)
def test_the_most_even_completion_agrees_with_handing_out_crumbs(case) -> None:
    low, true, high = case
    fast = even_completion(low, high, total=float(true.sum()))
    assert fast.sum() == pytest.approx(true.sum(), abs=1e-6)
    assert np.abs(np.sort(fast) - np.sort(slow_even_completion(low, high, float(true.sum())))).max() <= 0.11


def test_nothing_delivered_draws_the_line_of_equality() -> None:
    zero = np.zeros(4)
    assert lorenz(exposure_of(zero, zero, zero)).point == (0.0, 1.0)
    none = np.zeros(0)
    assert lorenz(exposure_of(none, none, none)).x == (0.0, 1.0)
    assert ranked_counts(exposure_of(none, none, none)) == ()


def test_ten_thousand_accounts_are_thinned_to_a_drawable_curve(worlds) -> None:
    curve = lorenz(worlds.exposure(10_000, heavy=0.8, tail=2.0, total=4e6, seed=4, listed=900))
    assert len(curve.x) <= 161
    assert curve.x[0] == 0.0
    assert curve.x[-1] == 1.0


def test_windows_of_different_size_are_compared_by_share() -> None:
    before = exposure_of(*(np.array([30.0, 10.0]),) * 3)
    after = exposure_of(*(np.array([60.0, 20.0]),) * 3)
    _, then, now = aligned(before, after)
    assert (then == now).all()


@given(counts, counts)
@settings(max_examples=80, deadline=None)
def test_group_shares_add_up_to_the_whole(then: list[int], now: list[int]) -> None:
    size = min(len(then), len(now))
    a, b = np.array(then[:size], dtype=float), np.array(now[:size], dtype=float)
    groups = groups_of(a, b, top=2)
    assert sum(g.accounts for g in groups) == size
    assert sum(g.before for g in groups) == pytest.approx(1.0 if a.sum() else 0.0)
    assert sum(g.after for g in groups) == pytest.approx(1.0 if b.sum() else 0.0)
