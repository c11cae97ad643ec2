"""``evenreach why``: one sentence for any account, with numbers, the rule, and the earliest release."""

from __future__ import annotations

import random
import re
from datetime import timedelta

import numpy as np
import pytest

from audiences.store.records import PlanStatus
from balancer.starved import REASONS, starved
from balancer.types import UNPLACED
from flows import balance
from flows.activate_undo import undo_plan
from flows.balance import usable
from flows.explain import alike, explain
from flows.plan_codec import decode_inputs, decode_plan
from flows.reporting import account_facts
from flows.wiring import App
from tests.flows.small_workspace import SEGMENT, Copies, balanced_day, forward

BANDED = re.compile(
    r" is in band \d of 3 since .*, planned [\d,]+ impressions in 28 days \(\d+\.\d\d of the even share\)"
)
WAITS = re.compile(r" is held out of the campaigns since .*, because others are owed more impressions first")


def one_sentence(text: str) -> bool:
    return text.endswith(".") and not re.search(r"[a-z)]\. [A-Z]", text)


def test_every_account_in_a_plan_has_one_sentence_with_its_numbers(copies: Copies) -> None:
    with copies.opened("why", banded=True) as app:
        record = app.store.latest_plan(SEGMENT)
        assert record is not None
        plan = decode_plan(record.body, record.memory)
        moved = {move.account_id for old in app.store.plans(segment=SEGMENT) for move in old.moves}
        for account in random.Random(7).sample(plan.accounts, 36):
            found = explain(app, SEGMENT, account)
            row = plan.accounts.index(account)

            assert one_sentence(found.words), found.words
            assert account in found.words
            placed = plan.band[row] >= 0
            assert (BANDED if placed else WAITS).search(found.words), found.words
            assert found.numbers["band"] == (int(plan.band[row]) + 1 if placed else None)
            assert found.numbers["target_28_days"] == pytest.approx(28 * float(plan.target[row]), abs=0.06)
            assert account in moved
            assert found.numbers["reason"]
            assert "earliest change back: " in found.words or "earliest release: " in found.words


def test_each_starved_account_has_exactly_one_reason_and_it_is_said(copies: Copies) -> None:
    policy = "bands, pins: {company100-works.com: 5, company101-works.com: 9}, held: [company102-works.com]"
    with copies.opened("starved", mode=policy) as app:
        record = balance.propose(app, SEGMENT, shadow=True).record
        assert record.inputs is not None
        plan = decode_plan(record.body, record.memory)
        state, settings = decode_inputs(record.inputs)
        found = {one.account: one for one in starved(state, plan, usable(state, settings))}

        assert found["company100-works.com"].reason == found["company101-works.com"].reason == "pinned"
        assert found["company102-works.com"].reason == "held"
        for account, one in list(found.items())[:12]:
            said = explain(app, SEGMENT, account)
            assert one.reason in REASONS
            assert said.numbers["starved"] == one.reason
            assert one_sentence(said.words)
        assert "less than a quarter of the even share: you fixed it at this number" in (
            explain(app, SEGMENT, "company100-works.com").words
        )
        fed = next(a for a in plan.accounts if a not in found)
        assert explain(app, SEGMENT, fed).numbers["starved"] is None


@pytest.mark.parametrize(
    "mode", ["bands, max_throttle: 1.2", "duty", "threshold, threshold: 300, interval_days: 14"]
)
def test_every_starved_account_of_a_whole_segment_has_one_reason_in_plan_report_and_sentence(
    copies: Copies, mode: str
) -> None:
    with copies.opened(f"starved-{mode[:4]}", mode=mode) as app:
        for _ in range(3):
            record = balanced_day(app).record
        assert record.inputs is not None
        state, settings = decode_inputs(record.inputs)
        plan = decode_plan(record.body, record.memory)
        found = starved(state, plan, usable(state, settings))
        names = [one.account for one in found]
        even = state.baseline / len(state.accounts)
        expected = np.where(plan.band >= 0, plan.target, 0.0)
        facts = account_facts(app, SEGMENT)

        assert found
        assert names == [a for a, x in zip(plan.accounts, expected, strict=True) if x < 0.25 * even]
        assert len(set(names)) == len(names)
        assert {one.reason for one in found} <= set(REASONS)
        for one in found:
            assert facts[one.account].starved == one.reason
        for one in random.Random(3).sample(found, min(8, len(found))):
            assert explain(app, SEGMENT, one.account).numbers["starved"] == one.reason
        for account, band in zip(plan.accounts, plan.band.tolist(), strict=True):
            waits = band == UNPLACED
            assert facts[account].state == ("paused" if waits else "active")
            assert not waits or facts[account].starved in ("waiting_turn", "over_threshold")


def test_only_whom_a_person_excluded_is_shown_as_excluded(copies: Copies) -> None:
    with copies.opened("excluded", mode="duty, held: [company050-works.com]") as app:
        balanced_day(app)
        facts = account_facts(app, SEGMENT)

        assert facts["company050-works.com"].state == "held"
        assert [a for a, fact in facts.items() if fact.state == "held"] == ["company050-works.com"]
        assert any(fact.state == "paused" for fact in facts.values())


def test_after_a_plan_was_taken_back_the_one_before_it_is_told(copies: Copies) -> None:
    with copies.opened("why-undone", mode="duty") as app:
        first = balanced_day(app)
        second = balanced_day(app)
        undo_plan(app, SEGMENT)
        account = second.plan.accounts[0]

        assert explain(app, SEGMENT, account).numbers["plan"] == first.record.plan_id[:12]


def test_an_account_that_is_held_back_is_told_since_when_why_and_until_when(copies: Copies) -> None:
    with copies.opened("held-back", mode="duty") as app:
        plan = balanced_day(app).plan
        account = next(a for a, b in zip(plan.accounts, plan.band, strict=True) if b == UNPLACED)
        found = explain(app, SEGMENT, account)

        assert f"{account} is held out of the campaign since " in found.words
        assert "because others are owed more impressions first" in found.words
        assert "earliest release: " in found.words
        assert found.numbers["release"] is not None
        assert found.numbers["band"] is None
        assert one_sentence(found.words)


@pytest.mark.parametrize(
    ("asked", "verdict", "words"),
    [
        ("company003-works.com", "without:customers", "it is in customers, which this segment leaves out"),
        ("tiny2-shop.com", "no_such_account", "no source names it"),
        ("tiny2-works.com", "dropped", "it fails employees at least 10 (seen: 3)"),
        ("nobody-at-all.example", "no_such_account", "no source names it"),
    ],
)
def test_an_account_that_is_in_no_plan_is_told_the_rule(
    outside: App, asked: str, verdict: str, words: str
) -> None:
    found = explain(outside, SEGMENT, asked)

    assert found.numbers["verdict"] == verdict
    assert words in found.words
    assert one_sentence(found.words)


def test_an_account_in_the_holdout_is_told_so(outside: App) -> None:
    version = outside.store.segment_version(SEGMENT)
    assert version is not None
    found = explain(outside, SEGMENT, version.holdout_ids[0])

    assert found.numbers["verdict"] == "holdout"
    assert "5 % of the companies" in found.words


def test_addresses_and_names_find_the_account(outside: App) -> None:
    for asked in (
        "Company 050 Works",
        "https://www.company050-works.com/about?x=1",
        "COMPANY050-works.com",
        "sales.company050-works.com",
    ):
        assert explain(outside, SEGMENT, asked).numbers["account_id"] == "company050-works.com"


def test_an_earlier_day_is_answered_from_the_plan_in_force_then(outside: App) -> None:
    plans = sorted(outside.store.plans(segment=SEGMENT, status=PlanStatus.APPLIED), key=lambda p: p.day)
    then = plans[2].day
    found = explain(outside, SEGMENT, "company100-works.com", on=then)
    before = explain(outside, SEGMENT, "company100-works.com", on=plans[0].day - timedelta(days=1))

    assert found.numbers["day"] == str(then)
    assert "no plan was made on or before" in before.words


@pytest.fixture(scope="module")
def outside(copies: Copies) -> object:
    with copies.opened("outside", banded=True) as app:
        yield app


def test_a_newcomer_waits_for_the_next_plan(copies: Copies) -> None:
    path = copies.path("newcomer", banded=True)
    with (path / "companies.csv").open("a") as rows:
        rows.write("Brand New,brand-new-works.com,US,500,Lead\n")
    from flows.assess import assess
    from flows.load import load
    from flows.wiring import open_app

    with open_app(path) as app:
        load(app)
        assess(app)
        found = explain(app, SEGMENT, "brand-new-works.com")
        assert found.numbers["verdict"] in ("member", "holdout")
        if found.numbers["verdict"] == "member":
            assert "it joined after the plan of " in found.words


def test_a_shadow_plan_is_told_as_what_would_be(copies: Copies) -> None:
    with copies.opened("why-shadow") as app:
        balance.propose(app, SEGMENT, shadow=True)
        forward(app, days=1)

        assert " would be in band " in explain(app, SEGMENT, "company100-works.com").words


def test_a_plan_that_waits_has_moved_nobody_yet(copies: Copies) -> None:
    with copies.opened("why-waiting") as app:
        plan = balance.propose(app, SEGMENT).record
        waiting = explain(app, SEGMENT, "company100-works.com").words
        balance.refuse(app, plan.plan_id, who="tester")

        assert " would be in band " in waiting
        assert " since " not in waiting
        assert "no plan was made" in explain(app, SEGMENT, "company100-works.com").words


def test_a_name_that_is_only_part_of_one_brings_the_domains_it_may_mean(outside: App) -> None:
    assert alike(outside, "company works", most=2) == ("company000-works.com", "company001-works.com")
    assert alike(outside, "company050-works.com") == ()
    assert alike(outside, "nobody at all") == ()
