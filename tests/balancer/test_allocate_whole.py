"""Groups, whole impressions, and many segments at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.allocate import water_fill
from balancer.allocate_groups import Group, water_fill_groups
from balancer.allocate_integer import largest_remainder, whole_impressions
from balancer.allocate_many import water_fill_segments
from balancer.errors import BadNumbers
from tests.balancer.slow_twins import every_integer_point, unit_by_unit

PROPERTY = settings(max_examples=80, deadline=None)


@st.composite
def whole_instances(draw, most=8, units=60):
    n = draw(st.integers(1, most))
    w = np.array(draw(st.lists(st.sampled_from([0.3, 1.0, 1.0, 2.0, 7.7]), min_size=n, max_size=n)))
    low = np.array(draw(st.lists(st.integers(0, 4), min_size=n, max_size=n)), dtype=float)
    high = low + np.array(draw(st.lists(st.integers(0, units // 3), min_size=n, max_size=n)))
    total = draw(st.integers(int(low.sum()), int(high.sum())))
    return total, w, low, high


@PROPERTY
@given(whole_instances())
def test_whole_impressions_cost_what_handing_out_single_units_costs(instance):
    total, w, low, high = instance
    x, statuses = whole_impressions(total, weight=w, floor=low, cap=high)
    slow = unit_by_unit(total, w, low, high)
    assert statuses == ()
    assert int(x.sum()) == total
    assert (x >= low).all()
    assert (x <= high).all()
    assert float((x * x / w).sum()) == pytest.approx(float((slow * slow / w).sum()), rel=1e-12)


@PROPERTY
@given(whole_instances(most=4, units=15))
def test_no_integer_point_at_all_is_better(instance):
    total, w, low, high = instance
    x, _ = whole_impressions(total, weight=w, floor=low, cap=high)
    points = every_integer_point(total, low, high)
    assert float((x * x / w).sum()) <= float((points**2 / w).sum(axis=1).min()) * (1.0 + 1e-12)


@PROPERTY
@given(whole_instances())
def test_with_equal_weights_whole_impressions_are_less_than_one_from_the_exact_target(instance):
    total, _, low, high = instance
    x, _ = whole_impressions(total, weight=1.0, floor=low, cap=high)
    exact = water_fill(total, weight=1.0, floor=low, cap=high).target
    assert (np.abs(x - exact) < 1.0 + 1e-9).all()


def test_a_large_list_is_rounded_exactly():
    rng = np.random.default_rng(0)
    w, cap = rng.lognormal(0.0, 1.0, 20_000), np.floor(rng.lognormal(4.0, 1.0, 20_000))
    x, _ = whole_impressions(700_000, weight=w, floor=0.0, cap=cap)
    worth = np.where(x < cap, (2.0 * x + 1.0) / w, np.inf).min()
    paid = np.where(x > 0, (2.0 * x - 1.0) / w, -np.inf).max()
    assert int(x.sum()) == 700_000
    assert paid <= worth * (1.0 + 1e-12)


def test_whole_impressions_pass_shortages_on():
    x, statuses = whole_impressions(10, weight=1.0, floor=0.0, cap=[2.9, 3.0])
    assert (x.tolist(), statuses[0].code, statuses[0].number) == ([2, 3], "inventory_short", 5.0)
    y, short = whole_impressions(3, weight=1.0, floor=[4.0, 4.0], cap=9.0)
    assert (int(y.sum()), short[0].code) == (3, "floor_short")


def test_a_fraction_of_an_impression_cannot_be_handed_out():
    with pytest.raises(BadNumbers, match="whole"):
        whole_impressions(1.5, weight=1.0, floor=0.0, cap=9.0)


@PROPERTY
@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=20).filter(sum), st.integers(0, 1000))
def test_rounded_shares_add_up_and_are_within_one_unit_of_the_quota(values, units):
    counts = largest_remainder(values, units=units)
    quota = np.array(values) * units / sum(values)
    assert int(counts.sum()) == units
    assert (np.abs(counts - quota) < 1.0 + 1e-9).all()


@pytest.mark.parametrize("values", [[np.nan, 1.0], [-1.0, 2.0], [0.0, 0.0], [np.inf]])
def test_values_without_a_share_cannot_be_rounded(values):
    with pytest.raises(BadNumbers):
        largest_remainder(values, units=10)


def test_a_tier_over_its_limit_is_held_there_and_the_rest_goes_to_the_others():
    result = water_fill_groups(
        100.0, weight=1.0, floor=0.0, cap=[np.inf] * 4, groups=[Group(np.array([0, 1]), 20.0)]
    )
    assert result.allocation.target.tolist() == [10.0, 10.0, 40.0, 40.0]
    assert result.full == (0,)
    assert result.allocation.statuses == ()


def test_groups_that_cannot_take_the_total_leave_a_named_gap():
    groups = [Group(np.array([0, 1]), 20.0), Group(np.array([2]), 5.0)]
    result = water_fill_groups(100.0, weight=1.0, floor=0.0, cap=[np.inf] * 3, groups=groups)
    assert result.allocation.total == 25.0
    assert (result.allocation.status.code, result.allocation.status.number) == ("cap_short", 75.0)


def test_floors_above_a_group_limit_are_reported_as_short():
    result = water_fill_groups(
        50.0, weight=1.0, floor=[9.0, 9.0, 0.0], cap=100.0, groups=[Group(np.array([0, 1]), 10.0)]
    )
    assert result.allocation.target.tolist() == [5.0, 5.0, 40.0]
    assert (result.allocation.status.code, result.allocation.status.number) == ("floor_short", 8.0)


def test_groups_that_cross_are_refused():
    crossing = [Group(np.array([0, 1]), 5.0), Group(np.array([1, 2]), 5.0)]
    with pytest.raises(BadNumbers, match="share 1 accounts"):
        water_fill_groups(10.0, weight=1.0, floor=0.0, cap=[9.0] * 3, groups=crossing)
    with pytest.raises(BadNumbers, match="row 7"):
        water_fill_groups(10.0, weight=1.0, floor=0.0, cap=[9.0] * 3, groups=[Group(np.array([7]), 1.0)])


def test_nested_groups_reach_the_optimum_of_the_quadratic_program():
    clarabel = pytest.importorskip("clarabel")
    from scipy import sparse

    for seed in range(25):
        rng = np.random.default_rng(seed)
        n = 12
        w, high = rng.lognormal(0.0, 1.0, n), rng.uniform(5.0, 40.0, n)
        low = rng.uniform(0.0, 3.0, n)
        rows = [np.arange(0, 8), np.arange(0, 3), np.arange(3, 8), np.arange(9, 12)]
        groups = [Group(r, float(rng.uniform(1.0, 0.9 * high[r].sum()) + low[r].sum())) for r in rows]
        room = min(float(high.sum()), sum(groups[i].limit for i in (0, 3)) + float(high[8]))
        total = float(rng.uniform(0.5, 0.95) * min(room, groups[1].limit + groups[2].limit))
        total = max(total, float(low.sum()))
        ours = water_fill_groups(total, weight=w, floor=low, cap=high, groups=groups).allocation
        if ours.statuses:
            continue
        member = np.array([np.isin(np.arange(n), r) for r in rows], dtype=float)
        matrix = sparse.vstack([np.ones((1, n)), np.eye(n), -np.eye(n), member], format="csc")
        bound = np.concatenate([[total], high, -low, [g.limit for g in groups]]) / total
        options = clarabel.DefaultSettings()
        options.verbose = False
        options.tol_gap_abs = options.tol_gap_rel = options.tol_feas = 1e-12
        cones = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(2 * n + len(groups))]
        hessian = sparse.diags(2.0 / w, format="csc")
        solver = clarabel.DefaultSolver(hessian, np.zeros(n), matrix, bound, cones, options)
        theirs = np.asarray(solver.solve().x) * total
        assert float((ours.target**2 / w).sum()) == pytest.approx(float((theirs**2 / w).sum()), rel=1e-8)
        assert all(ours.target[g.members].sum() <= g.limit * (1.0 + 1e-9) for g in groups)


def test_many_segments_at_once_equal_each_alone(instances):
    alone = list(instances(400, seed=9))
    starts = np.cumsum([0] + [w.size for _, w, _, _ in alone])[:-1]
    totals = np.array([total for total, *_ in alone])
    totals[::7] *= 0.05  # floors no longer fit
    totals[::5] *= 30.0  # caps no longer hold it
    w, low, high = (np.concatenate([part[i] for part in alone]) for i in (1, 2, 3))
    result = water_fill_segments(totals, starts=starts, weight=w, floor=low, cap=high)
    for s, start in enumerate(starts):
        rows = slice(int(start), int(start) + alone[s][1].size)
        one = water_fill(totals[s], weight=w[rows], floor=low[rows], cap=high[rows])
        slack = 1e-9 * max(totals[s], 1.0)
        assert np.abs(result.target[rows] - one.target).max() <= slack
        short = {status.code: status.number for status in one.statuses}
        assert result.inventory_short[s] == pytest.approx(short.get("inventory_short", 0.0), abs=slack)
        assert result.floor_short[s] == pytest.approx(short.get("floor_short", 0.0), abs=slack)


@pytest.mark.parametrize(
    ("totals", "starts"),
    [([1.0], [1]), ([1.0, 1.0], [0, 0]), ([1.0, 1.0], [0, 9]), ([np.nan], [0]), ([], [])],
)
def test_segments_that_make_no_sense_are_refused(totals, starts):
    with pytest.raises(BadNumbers):
        water_fill_segments(totals, starts=starts, weight=np.ones(4), floor=0.0, cap=9.0)
