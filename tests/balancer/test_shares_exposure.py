"""Truncated, suppressed and blurred reports: the truth is always inside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from balancer.errors import BadNumbers, InconsistentReport
from balancer.shares import (
    CreativeDayLists,
    ReportRules,
    Rows,
    build_exposure,
    concentration,
)
from tests.balancer.slow_twins import top_k
from tests.balancer.truncated_worlds import broken_promises, inside, random_case
from tests.balancer.truncation import cut_report, random_cells


@pytest.mark.slow  # a thousand worlds, each cut cell by cell in plain Python
@pytest.mark.parametrize("noise", [0, 3])
def test_the_truth_is_inside_every_bound_in_a_thousand_random_truncated_worlds(noise):
    broken = {seed: bad for seed in range(1000) if (bad := broken_promises(*random_case(seed, noise=noise)))}
    assert broken == {}


def test_campaigns_with_accounts_of_their_own_are_found_and_movers_are_left_out_of_them():
    parts = {}
    for seed in range(200):
        _, exposure, _ = random_case(seed, noise=0)
        for part in exposure.parts:
            assert part.low - 1e-6 <= float(exposure.point[part.rows].sum()) <= part.high + 1e-6
        rows = np.concatenate([part.rows for part in exposure.parts]) if exposure.parts else np.array([])
        assert np.unique(rows).size == rows.size
        parts[len(exposure.parts)] = parts.get(len(exposure.parts), 0) + 1
    assert parts.get(2, 0) + parts.get(3, 0) > 20


def test_the_totals_of_campaigns_make_the_bounds_narrower():
    n, half = 40, 20
    eligible = np.zeros((2, n), dtype=bool)
    eligible[0, :half] = eligible[1, half:] = True
    lists = CreativeDayLists(
        np.array([0, 0, 1, 1]), np.array([0, 1, half, half + 1]), np.array([50.0, 40.0, 300.0, 200.0]),
        np.array([200.0, 3000.0]), np.array([0, 1]), eligible,
    )  # fmt: skip
    rows = Rows(lists.account, lists.impressions)
    names = [str(i) for i in range(n)]
    own = build_exposure(names, total=3200.0, window=rows, lists=lists, rules=ReportRules(2, 0, 0))
    whole = replace(own, parts=())
    assert {(part.low, part.high) for part in own.parts} == {(200.0, 200.0), (3000.0, 3000.0)}
    narrow, wide = concentration(own, top=5), concentration(whole, top=5)
    assert narrow.gini.low > wide.gini.low + 0.05
    assert narrow.gini.high <= wide.gini.high
    assert narrow.coverage[25].low >= wide.coverage[25].low


def test_campaign_totals_that_contradict_the_eligibility_are_not_used():
    eligible = np.array([[True, True, False, False], [False, False, True, True]])
    more = {"audience": np.array([0, 1]), "eligible": eligible}
    exposure = three_accounts(depth=None, totals=[60.0, 40.0], eligibility=more)
    assert exposure.parts == ()


def test_a_complete_report_without_noise_is_recovered_exactly():
    cells = random_cells(np.random.default_rng(3), accounts=50, lists=6, total=3000, sigma=1.5)
    report = cut_report(cells, np.random.default_rng(0), depth=None, floor=0, noise=0)
    exposure = build_exposure(
        [str(i) for i in range(50)], total=report.total, window=report.window, lists=report.lists,
        rules=ReportRules(None, 0, 0),
    )  # fmt: skip
    assert exposure.low.tolist() == exposure.high.tolist() == exposure.point.tolist() == report.truth.tolist()


def test_the_best_guess_adds_up_to_the_total():
    for seed in range(40):
        report, exposure, _ = random_case(seed, noise=3)
        if exposure.mass == (report.total, report.total):
            assert exposure.point.sum() == pytest.approx(report.total, rel=1e-9)


def three_accounts(window=((0, 50.0), (1, 20.0)), cells=((0, 0, 50.0), (0, 1, 20.0)), depth=2, **more):
    table = np.array(cells, dtype=float).reshape(-1, 3)
    rows = np.array(window, dtype=float).reshape(-1, 2)
    return build_exposure(
        ["a", "b", "c", "d"],
        total=more.pop("total", 100.0),
        window=Rows(rows[:, 0].astype(np.int64), rows[:, 1]),
        lists=CreativeDayLists(
            table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2],
            np.array(more.pop("totals", [100.0])), **more.pop("eligibility", {}),
        ),
        rules=ReportRules(depth, more.pop("floor", 0), more.pop("noise", 0)),
        **more,
    )  # fmt: skip


def test_a_cell_cut_from_a_full_list_is_at_most_the_lists_smallest_printed_cell():
    exposure = three_accounts()
    assert exposure.high.tolist() == [50.0, 20.0, 20.0, 20.0]
    assert exposure.low.tolist() == [50.0, 20.0, 10.0, 10.0]  # together they hold the other 30


def test_with_noise_a_cut_cell_may_be_three_above_the_smallest_printed_one():
    exposure = three_accounts(noise=3, total=110.0, totals=[110.0])
    assert exposure.high.tolist() == [53.0, 23.0, 23.0, 23.0]


def test_noise_widens_by_three_once_per_row_and_not_once_per_cell():
    cells = [(day, 0, 30.0) for day in range(10)]
    exposure = three_accounts(
        window=[(0, 300.0)], cells=cells, depth=1, noise=3, total=500.0, totals=[np.nan] * 10
    )
    assert (exposure.low[0], exposure.high[0]) == (297.0, 303.0)


def test_a_missing_cell_of_a_list_that_is_not_full_is_below_the_floor():
    exposure = three_accounts(depth=100, floor=3, total=72.0, totals=[72.0])
    assert exposure.high.tolist() == [50.0, 20.0, 2.0, 2.0]


def test_a_small_cell_can_only_have_been_cut_if_the_rest_of_the_list_has_room_for_all_that_outrank_it():
    wide = three_accounts(
        window=[(0, 50.0)], cells=[(0, 0, 50.0)], depth=2, floor=3, total=54.0, totals=[54.0]
    )
    assert wide.high[1:].tolist() == [4.0, 4.0, 4.0]  # 2 dropped for being small, or 2 cut: 4 hidden fit both
    none = three_accounts(
        window=[(0, 50.0)], cells=[(0, 0, 50.0)], depth=100, floor=3, total=52.0, totals=[52.0]
    )
    assert none.high[1:].tolist() == [2.0, 2.0, 2.0]


def test_a_creative_withheld_as_a_whole_may_have_gone_to_anybody():
    exposure = three_accounts(floor=3, total=130.0, totals=[100.0, 30.0])
    assert exposure.high.tolist() == [80.0, 50.0, 50.0, 50.0]


def test_a_silent_list_without_a_total_leaves_everybody_who_was_eligible_unbounded_by_it():
    eligible = {"audience": np.array([0, 1]), "eligible": np.array([[1, 1, 1, 1], [1, 1, 0, 0]], dtype=bool)}
    exposure = three_accounts(floor=3, total=200.0, totals=[100.0, np.nan], eligibility=eligible)
    assert exposure.high.tolist() == [180.0, 150.0, 20.0, 20.0]


def test_without_cells_a_hidden_account_is_still_bounded_by_the_depth_of_the_lists():
    exposure = build_exposure(
        ["a", "b", "c"], total=909.0, window=Rows(np.array([0]), np.array([500.0])),
        rules=ReportRules(100, 0, 0),
    )  # fmt: skip
    assert exposure.high[0] == 509.0
    crowd = build_exposure(
        [str(i) for i in range(500)], total=909.0, window=Rows(np.array([0]), np.array([500.0])),
        rules=ReportRules(100, 0, 0),
    )  # fmt: skip
    assert crowd.high[1:].tolist() == [9.0] * 499


def test_an_account_that_was_not_in_force_in_a_list_has_no_cell_there():
    eligible = {"audience": np.array([0]), "eligible": np.array([[True, True, True, False]])}
    exposure = three_accounts(eligibility=eligible, total=90.0, totals=[90.0])
    assert exposure.high.tolist() == [50.0, 20.0, 20.0, 0.0]
    assert exposure.low[2] == 20.0
    window_wide = three_accounts(eligible=np.array([True, True, True, False]), total=90.0, totals=[90.0])
    assert window_wide.high[3] == 0.0


def test_rows_of_outsiders_leave_less_for_the_segment_and_make_hidden_mass_uncertain():
    exposure = three_accounts(window=[(0, 50.0), (-1, 20.0)], cells=[(0, 0, 50.0), (0, -1, 20.0)])
    assert exposure.mass == (50.0, 80.0)
    assert exposure.rows == 70.0
    table = concentration(exposure, top=1)
    assert "hidden_impressions_may_be_outside_the_segment" in table.notes
    assert table.unattributed == pytest.approx(0.3)
    capped = three_accounts(
        window=[(0, 50.0), (-1, 20.0)], cells=[(0, 0, 50.0), (0, -1, 20.0)], outside_at_most=25.0
    )
    assert capped.mass == (75.0, 80.0)


def test_an_account_with_two_company_pages_may_hide_twice_as_much():
    exposure = three_accounts(total=130.0, totals=[130.0], entities=np.array([1, 1, 2, 1]))
    assert exposure.high.tolist() == [50.0, 20.0, 40.0, 20.0]


def test_rows_may_exceed_the_total_by_their_noise_and_not_by_more():
    small = build_exposure(
        ["a", "b"],
        total=100.0,
        window=Rows(np.array([0, 1]), np.array([50.0, 52.0])),
        rules=ReportRules(noise=3),
    )
    assert "rows_exceed_total_within_noise" in concentration(small, top=1).notes
    with pytest.raises(InconsistentReport, match="exceed the platform's total by 10"):
        build_exposure(
            ["a", "b"],
            total=100.0,
            window=Rows(np.array([0, 1]), np.array([50.0, 60.0])),
            rules=ReportRules(noise=3),
        )


def test_less_room_than_total_shows_that_somebody_outside_was_served():
    exposure = three_accounts(cells=[(0, 0, 50.0), (0, 1, 20.0)], depth=None)
    assert exposure.mass == (70.0, 70.0)
    assert exposure.outside == pytest.approx(30.0)


def test_cells_a_little_beyond_the_promised_noise_widen_the_bounds_instead_of_failing():
    exposure = three_accounts(window=[(0, 50.0)], cells=[(0, 0, 60.0)], noise=3, depth=None, totals=[60.0])
    assert (exposure.low[0], exposure.high[0]) == (53.0, 57.0)


def test_cells_that_contradict_their_row_are_a_contradiction():
    with pytest.raises(InconsistentReport, match="contradict"):
        three_accounts(window=[(0, 10.0)], cells=[(0, 0, 50.0)], noise=3)


@pytest.mark.parametrize(
    "window",
    [[(9, 5.0)], [(-2, 5.0)], [(0, np.nan)], [(0, -4.0)]],
    ids=["row", "sentinel", "nan", "negative"],
)
def test_rows_that_cannot_be_meant_are_refused(window):
    with pytest.raises(BadNumbers):
        three_accounts(window=window)


def test_an_exposure_needs_some_rows():
    with pytest.raises(BadNumbers, match="rows"):
        build_exposure(["a"], total=1.0, window=None)


def test_the_headline_stays_put_when_creatives_are_split_while_delivery_does_not_change():
    rng = np.random.default_rng(5)
    rate = rng.lognormal(0.0, 1.4, 1500)
    day = rng.multinomial(40_000, rate / rate.sum(), size=7)
    shares = []
    for creatives in (2, 8):
        cells = np.concatenate([_split(row, creatives, rng) for row in day])
        report = cut_report(cells, rng, depth=100, floor=3, noise=3)
        exposure = build_exposure(
            [str(i) for i in range(1500)], total=report.total, window=report.window, lists=report.lists
        )
        shares.append(concentration(exposure, top=100).top_share)
    truth = top_k(day.sum(axis=0).astype(float), 100) / day.sum()
    assert abs(shares[0].point - shares[1].point) <= 0.01
    assert all(inside(share, truth) for share in shares)


def _split(row: np.ndarray, parts: int, rng: np.random.Generator) -> np.ndarray:
    return np.array([rng.multinomial(count, np.full(parts, 1.0 / parts)) for count in row]).T
