"""Fit, intent, tiers and grid against the tables a marketer would write and a slow obvious twin."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.config import parse
from audiences.config_scoring import Scoring
from audiences.model import Account, Score, Signal
from audiences.scoring import frames_from, score, scores_from

TODAY = date(2026, 11, 1)

# The worked model: groups add, the best row of size, industry, funding and technology counts.
WORKED = """
workspace: A
scoring:
  fit:
    maximum: 100
    groups:
      size:
        best:
          - {field: employees, between: [100, 500], points: 20}
          - {field: employees, between: [50, 99], points: 10}
          - {field: employees, between: [501, 1000], points: 10}
      industry:
        best:
          - {field: industry, is: SaaS, points: 20}
          - {field: industry, is: FinTech, points: 15}
          - {field: industry, is: HealthTech, points: 10}
          - {field: industry, contains: tech, points: 5}
      funding:
        best:
          - {field: funding, in: [Series A, Series B], points: 15}
          - {field: funding, in: [Seed, Series C, Series D], points: 5}
      technology: {best: [{technology: [HubSpot, Salesforce], points: 10}]}
      organisation:
        sum:
          - {field: marketing_lead, in: [VP, Head], points: 15}
          - {field: marketing_team, at_least: 3, points: 10}
      behaviour:
        sum:
          - {signal: pricing_page, points: 10}
          - {signal: download, points: 5}
          - {signal: webinar, points: 10}
          - {signal: demo_request, points: 20}
"""
SCORING = parse(WORKED).scoring


def one(scoring: Scoring, account: Account, *signals: Signal, crowd: tuple[Account, ...] = ()) -> Score:
    frames = frames_from([account, *crowd], signals)
    found = {
        row.account_id: row for row in scores_from(score(scoring, frames.accounts, frames.signals, on=TODAY))
    }
    return found[account.account_id]


def account(
    name: str = "a", employees: int | None = None, industry: str | None = None, **attributes: Any
) -> Account:
    return Account(name, name, employees=employees, industry=industry, attributes=attributes)


def signal(kind: str, days: int = 1, name: str = "a", strength: float = 1.0) -> Signal:
    return Signal(name, kind, TODAY - timedelta(days=days), strength=strength)


BEHAVIOUR = [signal(kind, name="other") for kind in ("pricing_page", "download", "webinar", "demo_request")]


@pytest.mark.parametrize(
    ("company", "signals", "fit", "tier"),
    [
        (account(employees=250, industry="SaaS", funding="Series A", technologies=["HubSpot"],
                 marketing_lead="VP", marketing_team=5), [], 90, 1),
        (account(employees=60, industry="FinTech", funding="Seed", technologies=["Other"]), [], 30, 3),
        (account(employees=700, industry="HealthTech", funding="Series B", technologies=["Salesforce"]), [],
         45, 2),
        (account(employees=40, industry="Food", funding="Bootstrapped", technologies=[]), [], 0, 4),
        (account(employees=250, industry="saas ", funding="series a", technologies=["hubspot"]),
         [signal("pricing_page"), signal("demo_request")], 95, 1),
    ],
)  # fmt: skip
def test_the_worked_fit_model_gives_the_points_of_its_table(
    company: Account, signals: list[Signal], fit: float, tier: int
) -> None:
    result = one(SCORING, company, *signals, *BEHAVIOUR, crowd=(account("other"),))
    assert (result.fit, result.tier) == (fit, tier)


def test_a_perfect_account_is_cut_at_one_hundred_because_the_rows_exceed_the_maximum() -> None:
    company = account(
        employees=200, industry="SaaS", funding="Series A", technologies=["HubSpot"], marketing_lead="VP",
        marketing_team=9,
    )  # fmt: skip
    kinds = ("pricing_page", "download", "webinar", "demo_request")
    assert SCORING.fit.reachable == 135
    assert one(SCORING, company, *(signal(kind) for kind in kinds)).fit == 100


def test_missing_data_is_shown_as_unknown_and_not_as_a_bad_score() -> None:
    company = account(
        employees=1, industry="Food", funding="none", technologies=[], marketing_lead="no", marketing_team=0
    )
    known = one(SCORING, company, *BEHAVIOUR, crowd=(account("other"),))
    nothing = one(SCORING, account(), *BEHAVIOUR, crowd=(known_account(),))
    assert (known.fit, known.fit_unknown) == (0, 0)
    assert nothing.fit == 0
    assert nothing.fit_unknown == pytest.approx(90 / 135)  # all but behaviour, which the sources cover


def known_account() -> Account:
    return account("other", 5, "Food", funding="x", technologies=["y"], marketing_lead="z", marketing_team=1)


def test_a_kind_of_signal_no_source_has_ever_shown_is_unknown_too() -> None:
    covered = one(SCORING, account(employees=1), *BEHAVIOUR, crowd=(account("other"),))
    assert one(SCORING, account(employees=1)).fit_unknown > covered.fit_unknown


INTENT = parse(
    "workspace: A\nscoring: {intent: {weights: {pricing_page: 10, topic_surge: 5}, hot: 15, warm: 5}}"
).scoring


@pytest.mark.parametrize(
    ("days", "points"),
    [(0, 10.0), (14, 5.0), (28, 2.5), (30, 10 * 0.5 ** (30 / 14)), (31, 0.0)],
)
def test_intent_halves_every_fortnight_and_ends_with_the_window(days: int, points: float) -> None:
    assert one(INTENT, account(), signal("pricing_page", days)).intent == pytest.approx(points, abs=1e-6)


def test_several_signals_add_up_by_weight_and_strength() -> None:
    result = one(
        INTENT, account(), signal("pricing_page", 0, strength=2), signal("topic_surge", 14, strength=0.8)
    )
    assert result.intent == pytest.approx(20 + 2)
    assert result.heat == "hot"


def test_signals_of_tomorrow_and_of_strangers_do_not_count() -> None:
    assert (
        one(INTENT, account(), signal("pricing_page", -1), signal("pricing_page", 1, name="stranger")).intent
        == 0
    )


def test_a_daily_cap_keeps_one_busy_day_from_deciding() -> None:
    capped = INTENT.model_copy(update={"intent": INTENT.intent.model_copy(update={"daily_cap": 30.0})})
    burst = [signal("pricing_page", 0) for _ in range(9)]
    assert one(INTENT, account(), *burst).intent == 90
    assert one(capped, account(), *burst).intent == 30
    assert one(capped, account(), *burst, signal("pricing_page", 14)).intent == pytest.approx(35)


def test_a_share_of_the_hottest_takes_the_top_of_all_accounts_but_nobody_without_intent() -> None:
    scoring = parse(
        "workspace: A\nscoring: {intent: {weights: {pricing_page: 1}, hot: top 10 %, warm: top 30 %}}"
    ).scoring
    accounts = [account(f"a{i:03}") for i in range(100)]
    signals = [signal("pricing_page", 0, f"a{i:03}", strength=float(i)) for i in range(81, 100)]
    frames = frames_from(accounts, signals)
    heat = score(scoring, frames.accounts, frames.signals, on=TODAY)["heat"].value_counts()
    assert dict(heat.iter_rows()) == {"hot": 10, "warm": 9, "cool": 81}


@pytest.mark.parametrize(
    ("employees", "visits", "mode"),
    [(200, 4, "strike"), (200, 0, "nurture"), (5, 4, "handle_with_care"), (5, 0, "ignore")],
)
def test_fit_and_intent_together_give_the_four_modes(employees: int, visits: int, mode: str) -> None:
    scoring = parse(
        "workspace: A\nscoring: {fit: {maximum: 20, groups: {size: {best: [{field: employees, at_least: 100, "
        "points: 20}]}}}, intent: {weights: {pricing_page: 10}, hot: 30, warm: 10}}"
    ).scoring
    assert one(scoring, account(employees=employees), *[signal("pricing_page", 0)] * visits).mode == mode


@pytest.mark.parametrize(
    ("fit", "tier"), [(100, 1), (70, 1), (69.9, 2), (45, 2), (44, 3), (25, 3), (24, 4), (0, 4)]
)
def test_tiers_begin_exactly_at_their_floor(fit: float, tier: int) -> None:
    scoring = parse(
        "workspace: A\nscoring: {fit: {maximum: 100, groups: {size: {best: [{field: points, exists: true, "
        f"points: {fit}}}, {{field: nothing, exists: true, points: 100}}]}}}}}}}}"
    ).scoring
    assert one(scoring, account(points=1)).tier == tier


def test_points_may_be_taken_away_and_a_group_may_have_a_ceiling() -> None:
    scoring = parse(
        "workspace: A\nscoring: {fit: {maximum: 20, groups: {a: {sum: [{field: x, is: 1, points: 15}, "
        "{field: y, is: 1, points: 15}, {field: z, is: 1, points: -5}], at_most: 20}}}}"
    ).scoring
    assert one(scoring, account(x=1, y=1, z=0)).fit == 100
    assert one(scoring, account(x=1, y=0, z=1)).fit == 50


def test_the_order_of_rows_in_a_file_does_not_show_in_any_score() -> None:
    rng = random.Random(3)
    accounts = [account(f"a{i}", rng.choice([None, 10, 60, 300])) for i in range(200)]
    kinds = ["pricing_page", "topic_surge"]
    signals = [
        signal(rng.choice(kinds), rng.randrange(40), f"a{rng.randrange(200)}", rng.random())
        for _ in range(2000)
    ]
    first = frames_from(accounts, signals)
    rng.shuffle(accounts)
    rng.shuffle(signals)
    second = frames_from(accounts, signals)
    assert score(INTENT, first.accounts, first.signals, on=TODAY).equals(
        score(INTENT, second.accounts, second.signals, on=TODAY)
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from(["pricing_page", "topic_surge", "noise"]),
            st.integers(-3, 40), st.floats(0, 5),
        ),
        max_size=30,
    )
)  # fmt: skip
def test_intent_equals_the_obvious_sum(rows: list[tuple[str, str, int, float]]) -> None:
    signals = [signal(kind, days, name, strength) for name, kind, days, strength in rows]
    frames = frames_from([account(name) for name in "abc"], signals)
    found = score(INTENT, frames.accounts, frames.signals, on=TODAY)
    weights = INTENT.intent.weights
    for name, intent in found.select("account_id", "intent").iter_rows():
        obvious = sum(
            weights[kind] * strength * 0.5 ** (days / 14)
            for owner, kind, days, strength in rows
            if owner == name and kind in weights and 0 <= days <= 30
        )
        assert intent == pytest.approx(obvious, abs=1e-5)


def test_the_same_account_twice_is_refused() -> None:
    frames = frames_from([account("a"), account("a")])
    with pytest.raises(ValueError, match="1 account ids stand more than once"):
        score(INTENT, frames.accounts, frames.signals, on=TODAY)


def test_attributes_become_columns_of_the_type_of_their_values() -> None:
    rows = [
        account("a", n=1, f=1.5, flag=True, tags=["x"], mixed=1),
        account("b", n=2, f=2, flag=None, tags=[], mixed="y"),
        account("c"),
    ]
    schema = frames_from(rows).accounts.schema
    assert schema["attributes.n"] == pl.Int64
    assert schema["attributes.f"] == pl.Float64
    assert schema["attributes.flag"] == pl.Boolean
    assert schema["attributes.tags"] == pl.List(pl.String)
    assert schema["attributes.mixed"] == pl.String


def test_no_accounts_at_all_give_an_empty_score_table() -> None:
    frames = frames_from([])
    assert score(INTENT, frames.accounts, frames.signals, on=TODAY).height == 0
