"""What must hold for every instance of water-filling, as properties."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.allocate import water_fill
from tests.balancer.slow_twins import gini, top_k

PROPERTY = settings(max_examples=80, deadline=None)


@st.composite
def instances(draw, *, even=False, least=1, most=12):
    """(total, weight, floor, cap), always feasible."""
    n = draw(st.integers(least, most))
    weights = st.just(1.0) if even else st.floats(0.01, 100.0)
    weight = np.array(draw(st.lists(weights, min_size=n, max_size=n)))
    floor = np.array(draw(st.lists(st.sampled_from([0.0, 0.0, 1.0, 7.5]), min_size=n, max_size=n)))
    room = st.sampled_from([0.0, 2.0, 10.0, 100.0, np.inf])
    cap = floor + np.array(draw(st.lists(room, min_size=n, max_size=n)))
    top = np.where(np.isinf(cap), floor + 200.0, cap)
    part = draw(st.floats(0.0, 1.0, allow_subnormal=False))  # below 1e-307 a total has lost its digits
    return float(floor.sum() + part * (top.sum() - floor.sum())), weight, floor, cap


def fill(total, w, low, high):
    return water_fill(total, weight=w, floor=low, cap=high).target


def close(a, b, total):
    return np.abs(np.asarray(a) - np.asarray(b)).max(initial=0.0) <= 1e-9 * max(total, 1.0)


@PROPERTY
@given(instances())
def test_the_whole_total_is_given_out_within_the_bounds(instance):
    total, _, low, high = instance
    x = fill(*instance)
    assert abs(x.sum() - total) <= 1e-9 * max(total, 1.0)
    assert (x >= low).all()
    assert (x <= high).all()


@PROPERTY
@given(instances())
def test_ratios_are_equal_inside_the_bounds_and_on_the_right_side_of_the_level_at_them(instance):
    total, w, low, high = instance
    solved = water_fill(total, weight=w, floor=low, cap=high)
    ratio, slack = solved.target / w, 1e-9 * max(solved.level, 1.0)
    inside = (solved.target > low) & (solved.target < high)
    assert (np.abs(ratio[inside] - solved.level) <= slack).all()
    assert (ratio[solved.at_cap & (high > low)] <= solved.level + slack).all()
    assert (ratio[solved.at_floor & (high > low)] >= solved.level - slack).all()


@PROPERTY
@given(instances(), st.randoms(use_true_random=False))
def test_the_order_of_accounts_does_not_matter(instance, random):
    total, w, low, high = instance
    order = np.array(random.sample(range(w.size), w.size))
    assert close(fill(total, w[order], low[order], high[order]), fill(*instance)[order], total)


@PROPERTY
@given(instances(), st.floats(1e-3, 1e3))
def test_impressions_scale_and_weights_have_no_unit(instance, c):
    total, w, low, high = instance
    x = fill(*instance)
    assert close(fill(c * total, w, c * low, c * high) / c, x, total)
    assert close(fill(total, c * w, low, high), x, total)


@PROPERTY
@given(instances(), st.floats(0.0, 1.0))
def test_a_larger_total_takes_from_nobody(instance, part):
    total, w, low, high = instance
    smaller = low.sum() + part * (total - low.sum())
    assert (fill(total, w, low, high) >= fill(smaller, w, low, high) - 1e-9 * max(total, 1.0)).all()


@PROPERTY
@given(instances(), st.integers(0, 11), st.floats(0.0, 50.0))
def test_a_raised_cap_gives_nobody_else_more(instance, j, more):
    total, w, low, high = instance
    raised = high.copy()
    raised[j % w.size] += more
    others = np.arange(w.size) != j % w.size
    gain = fill(total, w, low, raised) - fill(*instance)
    assert (gain[others] <= 1e-9 * max(total, 1.0)).all()


@PROPERTY
@given(instances(), st.integers(0, 11), st.floats(1.0, 50.0))
def test_a_larger_weight_never_loses(instance, j, factor):
    total, w, low, high = instance
    heavier = w.copy()
    heavier[j % w.size] *= factor
    gain = fill(total, heavier, low, high) - fill(*instance)
    assert gain[j % w.size] >= -1e-9 * max(total, 1.0)


@PROPERTY
@given(instances(least=2))
def test_equal_accounts_get_equal_amounts(instance):
    total, w, low, high = instance
    w[1], low[1], high[1] = w[0], low[0], high[0]
    x = water_fill(min(total, 1e9), weight=w, floor=low, cap=high).target
    assert x[0] == x[1]


@PROPERTY
@given(instances(even=True, least=2), st.integers(0, 2**32 - 1))
def test_with_equal_weights_no_other_allocation_is_less_concentrated_by_any_measure(instance, seed):
    total, w, low, high = instance
    if total <= 0.0:
        return
    x = fill(*instance)
    rng = np.random.default_rng(seed)
    y = fill(total, rng.lognormal(0.0, 2.0, w.size), low, high)  # some other feasible allocation
    slack = 1e-9 * total
    assert all(top_k(x, k) <= top_k(y, k) + slack for k in range(1, w.size + 1))
    assert gini(x) <= gini(y) + 1e-9
    assert float(x @ x) <= float(y @ y) * (1.0 + 1e-9)


@PROPERTY
@given(instances(even=True))
def test_without_floors_every_account_has_the_level_or_its_cap(instance):
    total, _, _, high = instance
    total = min(total, float(high.sum()))
    solved = water_fill(total, weight=1.0, floor=0.0, cap=high)
    assert close(solved.target, np.minimum(solved.level, high), total)


@PROPERTY
@given(instances())
def test_filling_again_with_the_result_as_cap_changes_nothing(instance):
    total, w, low, _ = instance
    x = fill(*instance)
    assert close(fill(float(x.sum()), w, np.minimum(low, x), x), x, total)


@PROPERTY
@given(instances(least=2), st.integers(1, 11))
def test_a_group_alone_with_its_own_mass_gets_the_same(instance, cut):
    total, w, low, high = instance
    group = slice(0, max(1, cut % w.size))
    x = fill(*instance)
    assert close(fill(float(x[group].sum()), w[group], low[group], high[group]), x[group], total)


@PROPERTY
@given(instances())
def test_the_certificate_certifies_the_result_and_rejects_a_shifted_one(instance):
    from balancer.allocate import kkt_residual

    total, w, low, high = instance
    solved = water_fill(total, weight=w, floor=low, cap=high)
    assert solved.certificate <= 1e-9
    inside = np.flatnonzero((solved.target > low + 0.1) & (solved.target < high - 0.1))
    if inside.size >= 2:
        moved = solved.target.copy()
        moved[inside[0]] += 0.05
        moved[inside[1]] -= 0.05
        even = total / w.size
        broken = kkt_residual(moved, solved.level, weight=w, floor=low, cap=high, total=total)
        assert broken >= 0.04 / even
