"""The page model says what the share tables say, and nothing more."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from balancer.shares import concentration
from balancer.types import Bounded, Exposure, Unplaced
from flows.report import formats, html, tables, text
from flows.report.model import Beside, Measured, build_page
from flows.report.pieces import AccountFacts, Window
from flows.tier_figures import tier_lines

MARCH = Window(date(2026, 3, 2), date(2026, 3, 29))
MAY = Window(date(2026, 4, 27), date(2026, 5, 24))
NOW = datetime(2026, 5, 25, 7, 30, tzinfo=UTC)


def test_the_sentence_names_accounts_share_and_the_unseen(worlds) -> None:
    page = worlds.report_page(compared=False)
    assert page.sentence == ("100 of 2,431 accounts took 44\u00a0% of impressions; 618 saw fewer than 7.")


def test_with_two_windows_the_sentence_compares_them(worlds) -> None:
    sentence = worlds.report_page().sentence
    assert "44\u00a0% of impressions before, 22\u00a0% after" in sentence
    assert "618 saw fewer than 7, 40 do now" in sentence


def test_bounds_and_nameless_impressions_are_said_in_words(worlds) -> None:
    lines = " ".join(worlds.report_page().certainty)
    assert "carry no name" in lines
    assert "at least 20.2\u00a0% and at most 24.4\u00a0%" in lines
    assert "931\u00a0accounts never appeared" in lines


def test_a_complete_report_claims_no_uncertainty(worlds) -> None:
    found = worlds.exposure(50, heavy=0.8, tail=1.0, total=10_000, seed=2, listed=50)
    table = worlds.share_table(replace(found, low=found.point, high=found.point))
    exact = Bounded(table.top_share.point, table.top_share.point, table.top_share.point)
    table = replace(table, top_share=exact, never_seen=0, unattributed=0.0)
    page = build_page("s", Measured(table, MARCH), facts={}, generated_at=NOW)
    assert len(page.certainty) == 1
    assert "attributed to an account" in page.certainty[0]


def test_every_account_is_a_row_in_rank_order_and_shares_sum_to_the_attributed_part(worlds) -> None:
    page = worlds.report_page()
    assert len(page.rows) == 2431
    assert [row.rank for row in page.rows] == list(range(1, 2432))
    counts = [row.impressions for row in page.rows]
    assert counts == sorted(counts, reverse=True)
    assert sum(row.share for row in page.rows) == pytest.approx(sum(counts) / page.now.total)


def some_pages_unmatched() -> Measured:
    """Two accounts, one of them named in the report, and two pages that may be anybody's."""
    pages = Unplaced(np.array([37.0, 7.0]), np.array([43.0, 17.0]))
    found = Exposure(
        ("named.com", "unseen.com"), np.array([148.0, 0]), np.array([150.0, 0]), np.array([180.0, 5.0]), 200.0,
        np.array([True, False]), outside=50.0, mass=(148.0, 156.0), rows=200.0, unplaced=pages,
    )  # fmt: skip
    return Measured(concentration(found, top=1), MARCH)


def test_what_the_reports_leave_open_is_shown_beneath_impressions_and_impressions_per_member() -> None:
    facts = {"named.com": AccountFacts(members=50.0), "unseen.com": AccountFacts(members=10.0)}
    page = build_page("s", some_pages_unmatched(), facts=facts, generated_at=NOW)
    shown = html.render(page)
    for range_ in ("148 to 180", "3.0 to 3.6", "0 to 65", "0.0 to 6.5"):
        assert f"<small>{range_}</small>" in shown
    row = dict(zip(tables.COLUMNS, tables.row_values(page.rows[1]), strict=True))
    assert (row["per_member_low"], row["per_member"], row["per_member_high"]) == (0, 0, 6.5)
    assert "148 to 180" in text.summary(page)


def test_an_exact_count_has_no_range_beneath_it() -> None:
    exact = Measured(concentration(np.array([150.0, 50.0]), top=1), MARCH)
    page = build_page("s", exact, facts={"0": AccountFacts(members=50.0)}, generated_at=NOW)
    assert page.rows[0].rate == Bounded(3.0, 3.0, 3.0)
    assert "<small>3.0 to" not in html.render(page)


def test_pages_that_nobody_could_match_are_counted_and_their_weight_is_said() -> None:
    page = build_page("s", some_pages_unmatched(), facts={}, generated_at=NOW)
    said = " ".join(page.certainty).replace(formats.NBSP, " ")
    assert "2 company pages in the reports, with at most 60 impressions, could not be matched" in said
    figures = json.loads(tables.figures_json(page))["before"]
    assert figures["unplaced"] == {"pages": 2, "impressions_at_most": 60.0}
    assert (figures["never_seen"], figures["never_seen_least"]) == (1, 0)


def test_unknown_facts_stay_unknown(worlds) -> None:
    table = worlds.share_table(worlds.exposure(5, heavy=0.5, tail=1.0, total=500, seed=1, listed=5))
    page = build_page("s", Measured(table, MARCH), facts={}, generated_at=NOW)
    row = page.rows[0]
    assert row.name == row.account_id
    assert (row.tier, row.members, row.per_member, row.cap_use, row.band) == (None,) * 5
    assert row.share_change is None


def test_an_account_without_members_has_no_rate_per_member(worlds) -> None:
    table = worlds.share_table(worlds.exposure(5, heavy=0.5, tail=1.0, total=500, seed=1, listed=5))
    facts = {a: AccountFacts(members=0.0, cap=0.0) for a in table.exposure.accounts}
    page = build_page("s", Measured(table, MARCH), facts=facts, generated_at=NOW)
    assert all(row.per_member is None and row.cap_use is None for row in page.rows)


def test_givers_lose_getters_gain_and_the_largest_come_first(worlds) -> None:
    moved = worlds.report_page().moved
    assert all(line.change < 0 for line in moved.givers)
    assert all(line.change > 0 for line in moved.getters)
    changes = [line.change for line in moved.givers]
    assert changes == sorted(changes)
    assert 0 < moved.impressions < worlds.report_page().now.total


def test_a_share_that_falls_without_more_coverage_is_called_out(worlds) -> None:
    before = worlds.share_table(worlds.exposure(500, heavy=0.8, tail=1.5, total=1e5, seed=1, listed=400))
    flat = worlds.share_table(worlds.exposure(500, heavy=0.5, tail=1.5, total=1e5, seed=1, listed=400))
    after = replace(flat, coverage_even=before.coverage_even)
    page = build_page(
        "s", Measured(after, MAY), earlier=Measured(before, MARCH), facts={}, generated_at=NOW,
    )  # fmt: skip
    assert any("coverage did not grow" in note for note in page.notes)


def test_what_the_reports_leave_open_has_two_ends_and_no_single_number_in_the_download(worlds) -> None:
    table = worlds.share_table(worlds.exposure(500, heavy=0.8, tail=1.5, total=1e5, seed=1, listed=400))
    narrow, wide = (replace(table, gini=Bounded(low, 0.82, 0.9)) for low in (0.81, 0.3))
    for found, point in ((narrow, 0.82), (wide, None)):
        page = build_page("s", Measured(found, MARCH), facts={}, generated_at=NOW)
        gini = json.loads(tables.figures_json(page))["before"]["gini"]
        assert gini == {"low": found.gini.low, "point": point, "high": found.gini.high}
    assert "Gini index was 0.30 to 0.90" in html.render(page)


def test_coverage_that_grew_only_by_guess_is_not_said_to_have_grown(worlds) -> None:
    before = worlds.share_table(worlds.exposure(500, heavy=0.8, tail=1.5, total=1e5, seed=1, listed=400))
    flat = worlds.share_table(worlds.exposure(500, heavy=0.5, tail=1.5, total=1e5, seed=1, listed=400))
    sure = before.coverage_even.low
    after = replace(flat, coverage_even=Bounded(sure, 1.0, 1.0))
    page = build_page(
        "s", Measured(after, MAY), earlier=Measured(before, MARCH), facts={}, generated_at=NOW,
    )  # fmt: skip
    assert any("coverage did not grow" in note for note in page.notes)


def test_tiers_are_shown_from_at_least_to_at_most_everywhere(worlds) -> None:
    found = worlds.exposure(60, heavy=0.6, tail=1.0, total=6_000, seed=1, listed=20)
    facts = {a: AccountFacts(tier=1 + i % 2, members=20.0) for i, a in enumerate(found.accounts[:50])}
    lines = tier_lines(found, found, facts)
    assert [(line.tier, line.accounts) for line in lines] == [(1, 25), (2, 25), (None, 10)]
    assert lines[2].per_member is None
    assert all(line.share.low < line.share.high and line.before == line.share for line in lines)
    page = build_page(
        "s", Measured(worlds.share_table(found), MARCH), facts=facts, generated_at=NOW,
        beside=Beside(tiers=lines),
    )  # fmt: skip
    shown = formats.between(lines[0].share)
    assert shown in html.render(page)
    assert shown.replace("\u00a0", " ") in text.summary(page)
    told = json.loads(tables.figures_json(page))["tiers"][0]
    assert told["share"] == {"low": lines[0].share.low, "high": lines[0].share.high}
    assert tables.TABLES["tiers"](page).rows[2][-2:] == (None, None)


def test_without_tiers_there_is_no_table_of_them(worlds) -> None:
    found = worlds.exposure(20, heavy=0.5, tail=1.0, total=500, seed=1, listed=20)
    assert tier_lines(found, None, {}) == ()


def test_overlapping_ranges_are_not_sold_as_proof(worlds) -> None:
    first = worlds.share_table(worlds.exposure(500, heavy=0.8, tail=1.5, total=1e5, seed=1, listed=400))
    share = first.top_share
    second = replace(first, top_share=Bounded(share.low - 0.02, share.point - 0.02, share.high - 0.02))
    page = build_page(
        "s", Measured(second, MAY), earlier=Measured(first, MARCH), facts={}, generated_at=NOW,
    )  # fmt: skip
    assert any("overlap" in note for note in page.notes)


def test_starved_accounts_carry_the_given_reason_or_one_the_numbers_support(worlds) -> None:
    low, high = np.array([800.0, 3, 0, 0, 0]), np.array([900.0, 3, 20, 20, 20])
    seen = np.array([True, True, False, False, False])
    found = Exposure(tuple("abcde"), low, np.array([880.0, 3, 0, 0, 20]), high, 903.0, seen)
    facts = {
        "b": AccountFacts(tier=1, members=50),
        "c": AccountFacts(tier=2, members=0),
        "d": AccountFacts(tier=3, members=9, starved="thin"),
    }
    table = worlds.share_table(found, top=2)
    page = build_page("s", Measured(table, MARCH), facts=facts, generated_at=NOW)
    named = [(line.account_id, line.reason) for line in page.starved]
    assert named == [("b", "outbid"), ("c", "not_matched"), ("d", "thin"), ("e", "below_report")]
    assert (page.starved_total, page.starved_unnamed) == (4, 1)


def test_a_guess_that_could_be_anything_is_not_sold_as_a_count(worlds) -> None:
    table = worlds.share_table(worlds.exposure(500, heavy=0.8, tail=1.5, total=1e5, seed=1, listed=50))
    wide = replace(table, under_served=Bounded(0, 0, 450), coverage_even=Bounded(0.1, 0.9, 1.0))
    page = build_page("s", Measured(wide, MARCH), facts={}, generated_at=NOW)
    assert "450 were never named in a report" in page.sentence
    document = html.render(page)
    assert "<small>at least</small> 10.0\u00a0%" in document
    assert "<small>at most</small> 450" in document


def test_columns_nobody_knows_anything_about_are_left_out(worlds) -> None:
    table = worlds.share_table(worlds.exposure(20, heavy=0.5, tail=1.0, total=500, seed=1, listed=20))
    facts = {a: AccountFacts(tier=2) for a in table.exposure.accounts}
    page = build_page("s", Measured(table, MARCH), facts=facts, generated_at=NOW)
    assert page.empty_columns == ("members", "per_member", "cap_use", "band")
    document = html.render(page)
    assert 'data-key="tier"' in document
    assert 'data-key="members"' not in document


def test_the_same_inputs_give_an_equal_page(worlds) -> None:
    assert worlds.report_page(300) == worlds.report_page(300)


def test_an_empty_segment_says_so_instead_of_dividing_by_zero(worlds) -> None:
    none = np.zeros(0)
    found = Exposure((), none, none, none, 0.0, none.astype(bool))
    page = build_page("s", Measured(worlds.share_table(found), MARCH), facts={}, generated_at=NOW)
    assert page.sentence == "No impressions have been reported for this segment yet."
    assert "No impressions" in text.summary(page)


def test_the_terminal_summary_leads_with_the_sentence_and_lists_ten_accounts(worlds) -> None:
    page = worlds.report_page()
    lines = text.summary(page).splitlines()
    assert lines[1] == page.sentence.replace("\u00a0", " ")
    assert sum(line.startswith(("1 ", "10 ", "5 ")) for line in lines) == 3
    assert all(len(line) <= 100 for line in lines if line[:1].isdigit())
