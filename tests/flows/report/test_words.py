"""Sentences: every code has one, numbers look the same everywhere, nothing unknown is shown as zero."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer import moves, starved
from balancer.bands import Bands
from balancer.types import UNPLACED, Bounded, Move, Policy, State
from flows.report import formats, words
from flows.report.catalogue import sentences, table


def test_every_reason_of_the_balancer_has_words() -> None:
    assert set(moves.REASONS) <= set(table("plan.because"))
    assert set(starved.REASONS) <= set(table("account.starved"))


def test_no_sentence_speaks_in_codes() -> None:
    for sentence in sentences().values():
        assert not re.search(r"[a-z]_[a-z]", re.sub(r"\{\w+\}", "", sentence))


def test_caps_that_give_way_only_until_others_are_raised_are_not_called_too_tight() -> None:
    rate = np.random.default_rng(0).lognormal(0.0, 1.6, 600)
    rate *= 10_000.0 / rate.sum()
    n, members = rate.size, np.full(rate.size, 300.0)
    out = np.full(n, UNPLACED, dtype=np.int8)
    morning = State(
        day=100, accounts=tuple(f"a{i:03d}" for i in range(n)), members=members, tier=np.ones(n, dtype=np.int8),
        budget=1000.0, baseline=10_000.0, band=out, landed=out, reports=(), prior_rate=rate,
    )  # fmt: skip
    policy = Policy(member_cap=2.0, ramp="cautious")
    first = Bands().propose(morning, policy)

    assert [status.code for status in first.statuses] == ["cap_relaxed"]
    assert 28 * morning.baseline < (policy.member_cap or 0.0) * members.sum()  # the caps have room for all
    assert "raised only step by step" in words.status("cap_relaxed", first.statuses[0].number)


def test_an_unknown_code_is_still_readable() -> None:
    assert words.starved_reason("never_heard_of") == "Never heard of."
    assert words.status("never_heard_of", 3) == "Never heard of."
    assert words.note("A sentence: with a colon.") == "A sentence: with a colon."


def test_a_note_with_a_number_says_it() -> None:
    assert words.note("unreachable:12").startswith("12 accounts")


def test_why_names_the_account_the_step_the_reason_the_proof_and_the_release() -> None:
    move = Move("a.example", 2, 0, "too_much", {"natural_per_day": 41.25, "wanted_per_day": 14}, 739_762)
    assert words.why(move, name="Acme").replace(formats.NBSP, " ") == (
        "Acme moves from band 3 to band 1 because it draws more impressions than its band is meant for "
        "(41.2 a day by itself, 14.0 a day wanted). Earliest change back: 26 May 2026."
    )


def test_why_speaks_of_joining_and_leaving() -> None:
    assert "joins band 1" in words.why(Move("a", UNPLACED, 0, "newcomer"), name="A")
    assert "taken off the campaigns because you excluded it." in words.why(
        Move("a", 0, UNPLACED, "held"), name="A"
    )


@given(st.floats(allow_nan=True, allow_infinity=True))
@settings(deadline=None)
def test_any_number_has_a_look_and_the_unknown_is_a_dash(value: float) -> None:
    looks = (formats.count(value), formats.decimal(value), formats.percent(value), formats.times(value))
    for look in (*looks, formats.points(value), formats.money(value, "EUR")):
        assert look
        assert (look == formats.DASH) == (not math.isfinite(value))


@given(st.integers(0, 10**12))
@settings(deadline=None)
def test_thousands_are_grouped_and_read_back(value: int) -> None:
    assert int(formats.count(value).replace(",", "")) == value


def test_ranges_name_both_ends_and_collapse_when_they_meet() -> None:
    assert formats.between(Bounded(0.361, 0.38, 0.402)) == "36.1 to 40.2\u00a0%"
    assert formats.between(Bounded(0.38, 0.38, 0.38)) == "38.0\u00a0%"


def test_a_rate_has_as_many_digits_as_say_something_and_its_halves_go_up() -> None:
    looks = {0.0: "0.0", 0.0034: "0.003", 0.034: "0.03", 3.25: "3.3", 99.94: "99.9", 340.5: "341", None: "–"}
    assert {value: formats.rate(value) for value in looks} == looks


def test_the_smallest_lift_a_list_can_confirm_matches_the_textbook() -> None:
    assert "+78\u00a0%" in words.power(2500)
    assert "+22\u00a0%" in words.power(2500, base_rate=0.2)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0.0"), (3.44, "3.4"), (0.096, "0.1"), (0.034, "0.03"), (0.0031, "0.003"), (0.00001, "<0.001")],
)
def test_a_small_rate_is_not_shown_as_nothing(value: float, shown: str) -> None:
    assert formats.decimals_between(Bounded(value, value, value)) == shown
