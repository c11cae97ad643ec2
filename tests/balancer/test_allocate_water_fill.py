"""Water-filling: against its slow twin, against linear and quadratic programs, and at its edges."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from balancer.allocate import water_fill
from balancer.allocate_level import level_by_fixing, level_by_newton, level_by_sorting
from balancer.errors import BadNumbers
from tests.balancer.slow_twins import bisect_fill, linear_max_min, linear_top_k, quadratic, top_k


def test_fixing_sorting_and_bisection_agree_on_random_instances(instances):
    for total, w, low, high in instances(600):
        slow = bisect_fill(total, w, low, high)
        for level in (level_by_fixing(total, w, low, high), level_by_sorting(total, w, low, high)):
            fast = np.clip(level * w, low, high)
            assert np.abs(fast - slow).max() <= 1e-9 * max(total, 1.0)


def test_newton_agrees_wherever_it_settles_and_it_settles_nearly_always(instances):
    settled = 0
    for total, w, low, high in instances(300, seed=6):
        level = level_by_newton(total, w, low, high) if total > 0.0 else None
        if level is not None:
            settled += 1
            slow = bisect_fill(total, w, low, high)
            assert np.abs(np.clip(level * w, low, high) - slow).max() <= 1e-9 * total
    assert settled >= 240


def test_a_long_list_is_solved_as_exactly_as_a_short_one():
    rng = np.random.default_rng(0)
    n = 200_000
    w, low = rng.lognormal(0.0, 2.0, n), rng.exponential(1.0, n) * (rng.random(n) < 0.3)
    high = low + rng.lognormal(3.0, 1.5, n)
    for part in (0.0, 0.1, 0.5, 0.99, 1.0):
        total = float(low.sum() + part * (high.sum() - low.sum()))
        solved = water_fill(total, weight=w, floor=low, cap=high)
        assert solved.certificate <= 1e-9
        assert solved.total == pytest.approx(total, rel=1e-12)
        assert solved.statuses == ()


def test_no_feasible_allocation_has_a_smaller_top_k_sum_than_the_linear_program_finds(instances):
    for total, w, low, high in instances(25, seed=1):
        x = water_fill(total, weight=1.0, floor=low, cap=high).target
        for k in {1, max(1, w.size // 3), w.size}:
            assert top_k(x, k) == pytest.approx(linear_top_k(total, low, high, k), rel=1e-9, abs=1e-9)


def test_the_worst_off_account_gets_what_the_max_min_linear_program_finds(instances):
    for total, w, _, high in instances(25, seed=2):
        total = min(total, float(high.sum()))
        x = water_fill(total, weight=w, floor=0.0, cap=high).target
        free = high / w >= total / w.sum()
        assert (x[free] / w[free]).min() == pytest.approx(linear_max_min(total, w, high), rel=1e-9, abs=1e-12)


def test_the_quadratic_program_finds_nothing_better(instances):
    for total, w, low, high in instances(40, seed=3):
        if total <= 0.0:
            continue
        x = water_fill(total, weight=w, floor=low, cap=high).target
        ours, (_, theirs) = float((x * x / w).sum()), quadratic(total, w, low, high)
        assert ours == pytest.approx(theirs, rel=1e-9)


def test_the_certificate_is_zero_to_rounding_for_the_optimum_and_large_for_anything_else(instances):
    for total, w, low, high in instances(100, seed=4):
        assert water_fill(total, weight=w, floor=low, cap=high).certificate <= 1e-9


def test_the_result_serves_as_an_array():
    result = water_fill(1000.0, weight=np.ones(5), floor=np.zeros(5), cap=np.full(5, np.inf))
    assert np.asarray(result).tolist() == [200.0] * 5
    assert (len(result), list(result), float(np.sum(result)), result[1]) == (5, [200.0] * 5, 1000.0, 200.0)
    assert np.allclose(result, result.target)
    assert (result - np.ones(5)).sum() == 995.0
    result_copy = np.array(result)
    result_copy[0] = -1.0
    assert result.target[0] == 200.0


def test_lists_and_scalars_are_accepted():
    result = water_fill(10, weight=[1, 2, 3], floor=0, cap=[1, 9, 9])
    assert result.target.tolist() == pytest.approx([1.0, 3.6, 5.4])
    assert result.at_cap.tolist() == [True, False, False]


def test_caps_below_the_total_are_an_inventory_shortage_with_its_size():
    result = water_fill(10.0, weight=[1, 2, 3], floor=0.0, cap=[1, 1, 2])
    assert (result.status.code, result.status.number) == ("inventory_short", 6.0)
    assert result.target.tolist() == [1.0, 1.0, 2.0]
    assert (result.total, result.asked) == (4.0, 10.0)


def test_floors_above_the_total_are_water_filled_and_the_gap_is_named():
    result = water_fill(6.0, weight=1.0, floor=[1.0, 4.0, 8.0], cap=np.inf)
    assert (result.status.code, result.status.number) == ("floor_short", 7.0)
    assert result.target.tolist() == [1.0, 2.5, 2.5]


def test_floors_above_caps_are_clipped_to_the_caps():
    assert water_fill(10.0, weight=1.0, floor=[8.0, 0.0], cap=[3.0, 50.0]).target.tolist() == [3.0, 7.0]


def test_an_account_of_weight_zero_gets_its_floor_and_no_more():
    result = water_fill(10.0, weight=[0.0, 1.0], floor=[2.0, 0.0], cap=[9.0, 9.0])
    assert result.target.tolist() == [2.0, 8.0]
    short = water_fill(20.0, weight=[0.0, 1.0], floor=[2.0, 0.0], cap=[9.0, 9.0])
    assert (short.status.code, short.status.number) == ("inventory_short", 9.0)


def test_floors_of_weight_zero_accounts_are_met_last_when_floors_do_not_fit():
    result = water_fill(6.0, weight=[0.0, 0.0, 1.0], floor=[6.0, 2.0, 4.0], cap=np.inf)
    assert result.target.tolist() == pytest.approx([1.5, 0.5, 4.0])


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1.0, 1e6, 1e12])
def test_any_scale_of_impressions_and_weights_is_solved(scale, instances):
    for total, w, low, high in instances(20, seed=5):
        x = water_fill(total * scale, weight=w / scale, floor=low * scale, cap=high * scale)
        y = water_fill(total, weight=w, floor=low, cap=high)
        assert np.allclose(x.target / scale, y.target, rtol=1e-9, atol=1e-9 * max(total, 1.0))


def test_weights_twenty_four_orders_of_magnitude_apart_are_solved():
    result = water_fill(100.0, weight=[1e-12, 1.0, 1e12], floor=0.0, cap=[5.0, 20.0, 90.0])
    assert result.target.sum() == pytest.approx(100.0, rel=1e-12)
    assert result.target.tolist() == pytest.approx([0.0, 10.0, 90.0], abs=1e-9)


@pytest.mark.parametrize(
    ("total", "weight", "floor", "cap", "target"),
    [
        (0.0, [1, 1], 0, [5, 5], [0, 0]),
        (0.0, [0, 0], 0, 0, [0, 0]),
        (7.0, [3], 0, np.inf, [7]),
        (10.0, [1, 2], 0, [4, 6], [4, 6]),
        (4.0, [1, 1], [1, 3], [9, 9], [1, 3]),
        (5.0, [1, 1, 1], 0, [0, 9, 9], [0, 2.5, 2.5]),
    ],
)
def test_edges_have_the_obvious_answer(total, weight, floor, cap, target):
    result = water_fill(total, weight=weight, floor=floor, cap=cap)
    assert result.target.tolist() == pytest.approx(target)
    assert np.isfinite(result.level)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("weight", np.nan),
        ("weight", -1.0),
        ("weight", np.inf),
        ("floor", np.nan),
        ("floor", -1.0),
        ("floor", np.inf),
        ("cap", np.nan),
        ("cap", -1.0),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused_with_their_position(field, value):
    bounds = {"weight": np.ones(3), "floor": np.zeros(3), "cap": np.full(3, 9.0)}
    bounds[field][1] = value
    with pytest.raises(BadNumbers, match=f"The {field} at position 1"):
        water_fill(5.0, **bounds)


@pytest.mark.parametrize("total", [np.nan, -1.0, np.inf])
def test_a_total_that_is_no_number_of_impressions_is_refused(total):
    with pytest.raises(BadNumbers, match="total"):
        water_fill(total, weight=1.0, floor=0.0, cap=1.0)


def test_lengths_that_differ_are_refused_with_both_lengths_and_the_error_survives_pickling():
    with pytest.raises(BadNumbers, match=r"weight has 2.*cap has 3") as refused:
        water_fill(1.0, weight=[1, 1], floor=0.0, cap=[1, 1, 1])
    again = pickle.loads(pickle.dumps(refused.value))
    assert (str(again), again.retryable) == (str(refused.value), False)


def test_a_list_built_to_make_fixing_slow_is_still_solved_exactly():
    n = 400
    cap = np.cumprod(np.full(n, 1.7)) * 1e-60
    total = float(cap.sum()) * 0.999999
    result = water_fill(total, weight=np.ones(n), floor=np.zeros(n), cap=cap)
    assert result.certificate <= 1e-9


def test_the_smallest_budget_there_is_gives_nobody_anything_and_is_no_error() -> None:
    found = water_fill(5e-324, weight=np.ones(2), floor=np.zeros(2), cap=np.full(2, 0.5))
    assert (found.target.tolist(), found.certificate) == ([0.0, 0.0], 0.0)
