"""What became of a segment's companies, with the n behind every number."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.config import Economics
from audiences.performance import (
    EVERYTHING,
    Deal,
    Performance,
    divergences,
    mean,
    performance,
    rate,
)

START = date(2026, 1, 1)
NONE = Economics()


def deal(
    i: int,
    *,
    days: dict[str, int],
    outcome: str = "open",
    amount: float | None = None,
    closed: int | None = None,
    account: str | None = None,
) -> Deal:
    stages = {stage: START + timedelta(days=day) for stage, day in days.items()}
    end = None if closed is None else START + timedelta(days=closed)
    return Deal(f"d{i}", account or f"c{i}", stages, outcome, amount, end)


def book() -> list[Deal]:
    """30 won at 1,000 after 50 days, 30 lost as opportunities, 10 open opportunities, 20 lost as leads."""
    full = {"lead": 0, "mql": 1, "sql": 2, "opportunity": 10}
    deals = [deal(i, days=full, outcome="won", amount=1000.0, closed=60) for i in range(30)]
    deals += [deal(30 + i, days=full, outcome="lost", closed=40) for i in range(30)]
    deals += [deal(60 + i, days=full) for i in range(10)]
    return deals + [deal(70 + i, days={"lead": 0}, outcome="lost", closed=5) for i in range(20)]


def measured(economics: Economics = NONE, members: range = range(90)) -> Performance:
    return performance({"s": {f"c{i}" for i in members}}, book(), economics=economics)["s"]


def test_win_rate_deal_size_and_cycle_are_those_of_closed_deals() -> None:
    found = measured()
    assert (found.win_rate.value, found.win_rate.n) == (30 / 80, 80)
    assert (found.average_deal.value, found.average_deal.n) == (1000, 30)
    assert (found.cycle_days.value, found.cycle_days.n) == (50, 30)


def test_velocity_is_opportunities_times_win_rate_times_deal_by_cycle() -> None:
    found = measured()
    assert found.open_opportunities == 10
    assert found.velocity.value == pytest.approx(10 * (30 / 80) * 1000 / 50)
    assert found.velocity.enough


def test_every_stage_counts_who_moved_who_stopped_and_who_is_still_there() -> None:
    steps = {step.stage: step for step in measured().conversion}
    assert [step.next_stage for step in measured().conversion] == ["lead", "mql", "sql", "opportunity", "won"]
    lead, opportunity = steps["lead"], steps["opportunity"]
    assert (lead.moved, lead.stopped, lead.waiting, lead.rate.value) == (70, 20, 0, 70 / 90)
    assert (opportunity.moved, opportunity.stopped, opportunity.waiting) == (30, 30, 10)
    assert opportunity.rate.value == 0.5


def test_a_deal_that_skipped_a_stage_has_passed_it() -> None:
    found = performance({"s": {"c1"}}, [deal(1, days={"lead": 0, "opportunity": 5})], economics=NONE)["s"]
    assert [(step.stage, step.moved) for step in found.conversion][1:4] == [
        ("lead", 1),
        ("mql", 1),
        ("sql", 1),
    ]


def test_few_deals_say_that_they_are_few() -> None:
    found = measured(members=range(5))
    assert found.win_rate.words == "too few to say (n = 5)"
    assert not found.velocity.enough
    assert measured().win_rate.words == ""


def test_a_segment_without_deals_has_no_numbers_and_no_zero_in_their_place() -> None:
    found = performance({"s": {"nobody"}}, book(), economics=NONE)["s"]
    assert found.deals == 0
    assert [m.value for m in (found.win_rate, found.average_deal, found.cycle_days, found.velocity)] == [
        None
    ] * 4
    assert found.win_rate.words == "too few to say (n = 0)"


def test_costs_and_lifetime_value_are_shown_only_when_they_were_given() -> None:
    assert (measured().cac, measured().ltv) == (None, None)
    given_ = Economics(spend_by_segment={"s": 15_000}, gross_margin=0.8, churn=0.2)
    found = measured(given_)
    assert found.cac is not None
    assert found.ltv is not None
    assert found.cac.value == 500
    assert found.ltv.value == pytest.approx(1000 * 0.8 / 0.2)


def test_spend_of_the_whole_company_is_not_spread_over_segments_by_guess() -> None:
    economics = Economics(marketing_spend=20_000, sales_spend=10_000)
    found = performance({"s": {"c1"}}, book(), economics=economics)
    assert found["s"].cac is None
    everything = found[EVERYTHING].cac
    assert everything is not None
    assert (everything.value, everything.n) == (1000, 30)


def test_two_deals_of_one_company_are_one_customer() -> None:
    deals = [
        deal(i, days={"opportunity": 0}, outcome="won", amount=5, closed=9, account="c") for i in range(2)
    ]
    found = performance({"s": {"c"}}, deals, economics=Economics(spend_by_segment={"s": 100}))["s"]
    assert found.customers == 1
    assert found.cac is not None
    assert found.cac.value == 100


def test_a_deal_closed_before_it_began_gives_no_cycle() -> None:
    odd = deal(1, days={"opportunity": 9}, outcome="won", amount=1, closed=3)
    assert performance({"s": {"c1"}}, [odd], economics=NONE)["s"].cycle_days.n == 0


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_of_a_rate_holds_the_rate_and_stays_between_none_and_all(hits: int, more: int) -> None:
    found = rate(min(hits, more), more)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


def test_the_interval_of_a_rate_is_the_published_one() -> None:
    found = rate(81, 263)  # Newcombe 1998, table I, method 3: 0.2553 to 0.3662
    assert (round(found.low or 0, 4), round(found.high or 0, 4)) == (0.2553, 0.3662)


def test_one_value_has_a_mean_and_no_interval() -> None:
    assert (mean([4.0]).value, mean([4.0]).low, mean([4.0]).enough) == (4.0, None, False)


def test_a_segment_that_left_its_own_past_is_named_and_chance_is_not() -> None:
    def past(won: int, lost: int) -> Performance:
        deals = [
            deal(i, days={"opportunity": 0}, outcome="won" if i < won else "lost") for i in range(won + lost)
        ]
        return performance({"s": {f"c{i}" for i in range(won + lost)}}, deals, economics=NONE)["s"]

    named = [d.measure for d in divergences(past(20, 80), past(50, 50))]
    assert "win_rate" in named
    assert divergences(past(48, 52), past(50, 50)) == ()
    assert divergences(past(1, 9), past(9, 1)) == ()  # too few to say
