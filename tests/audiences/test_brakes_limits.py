"""What stops a change before it is sent, and what lets it go on."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.brakes import Braked, Change, brakes, check
from audiences.config import Brakes

SETTINGS = Brakes()
CALM = Change(
    "linkedin/s/companies", source_rows=5000, desired=990, ledger=1000, leavers=20, minimum_audience=300
)


def codes(change: Change, settings: Brakes = SETTINGS) -> list[str]:
    return [brake.code for brake in brakes(settings, change)]


def test_an_ordinary_day_trips_nothing() -> None:
    assert check(SETTINGS, CALM) == ()


@pytest.mark.parametrize(
    ("change", "code", "number", "override"),
    [
        (replace(CALM, source_rows=0), "empty_source", 0, ""),
        (replace(CALM, leavers=301), "too_many_leavers", 301, "--accept-shrink 301"),
        (replace(CALM, desired=0, leavers=1000), "nobody_left", 1000, "--accept-shrink 1000"),
        (replace(CALM, previous_qualifying=1000, qualifying=600, rules_changed=True), "rule_change", 400,
         "--accept-shrink 400"),
        (replace(CALM, desired=299, ledger=250, leavers=0), "below_minimum", 299, ""),
        (replace(CALM, desired=299, ledger=310), "falls_below_minimum", 20, "--accept-shrink 20"),
    ],
)  # fmt: skip
def test_each_brake_gives_its_number_and_the_exact_way_on(
    change: Change, code: str, number: int, override: str
) -> None:
    found = next(brake for brake in brakes(SETTINGS, change) if brake.code == code)
    assert (found.number, found.override, found.audience_id) == (number, override, "linkedin/s/companies")
    assert f"{number:,}" in found.words


@pytest.mark.parametrize(
    "change",
    [
        replace(CALM, leavers=300),  # exactly the allowed share
        replace(CALM, ledger=9, leavers=9, desired=20, minimum_audience=0),  # too few to mean anything
        replace(CALM, ledger=0, leavers=0),  # a first sync
        replace(CALM, previous_qualifying=1000, qualifying=601, rules_changed=True),
        replace(CALM, previous_qualifying=1000, qualifying=100),  # the market moved, the rules did not
        replace(CALM, desired=300),
    ],
)
def test_nothing_stops_at_the_limit_itself(change: Change) -> None:
    assert codes(change) == []


def test_a_list_still_below_the_minimum_is_told_and_not_stopped() -> None:
    filling = replace(CALM, desired=250, ledger=200, leavers=5)
    assert [brake.code for brake in check(SETTINGS, filling)] == ["below_minimum"]


def test_a_list_that_would_stop_serving_stops_until_somebody_accepts_the_leavers() -> None:
    falling = replace(CALM, desired=295, ledger=315, leavers=20)
    with pytest.raises(Braked):
        check(SETTINGS, falling)
    assert [brake.code for brake in check(SETTINGS, falling, accept_shrink=20)] == ["falls_below_minimum"]


def test_an_empty_source_cannot_be_accepted_away() -> None:
    with pytest.raises(Braked) as caught:
        check(SETTINGS, replace(CALM, source_rows=0, desired=0, leavers=1000), accept_shrink=10**9)
    assert [brake.code for brake in caught.value.brakes] == ["empty_source"]


def test_the_error_names_the_command_and_survives_pickling_without_a_member_in_it() -> None:
    with pytest.raises(Braked) as caught:
        check(SETTINGS, replace(CALM, leavers=400))
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.brakes == caught.value.brakes
    assert str(again) == str(caught.value)
    assert "run again with --accept-shrink 400" in str(again)
    assert not again.retryable


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 2000), st.integers(0, 2000), st.floats(0, 1), st.integers(0, 3000), st.integers(0, 2000)
)  # fmt: skip
def test_what_was_accepted_goes_on_and_not_one_leaver_more(
    ledger: int, desired: int, limit: float, accepted: int, joiners: int
) -> None:
    leavers = max(0, ledger - desired)
    change = Change("a", 10, desired, ledger, leavers)
    settings = Brakes(max_leavers=limit)
    tripped = [b for b in brakes(settings, change) if b.code in ("too_many_leavers", "nobody_left")]
    if any(accepted < brake.number for brake in tripped):
        with pytest.raises(Braked):
            check(settings, change, accept_shrink=accepted)
    else:
        assert check(settings, change, accept_shrink=accepted) == brakes(settings, change)


def test_the_override_on_the_screen_always_releases_what_it_stands_beside() -> None:
    change = replace(CALM, leavers=700, previous_qualifying=2000, qualifying=1000, rules_changed=True)
    with pytest.raises(Braked) as caught:
        check(SETTINGS, change)
    (shown,) = re.findall(r"--accept-shrink (\d+)", str(caught.value))
    assert len(check(SETTINGS, change, accept_shrink=int(shown))) == 2
