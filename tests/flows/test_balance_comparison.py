"""What may be claimed of two windows: unlike ones are refused, changes that come by themselves are called that."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from balancer.shares import concentration
from balancer.types import Exposure, ShareTable
from flows.comparison import comparison_notes, modelled, modelled_note, quiet_band
from flows.report import words

FIRST, SECOND = (date(2026, 9, 1), date(2026, 9, 28)), (date(2026, 10, 5), date(2026, 11, 1))
QUIET = (0.40, 0.39, 0.41, 0.40, 0.405, 0.395)


def table(counts: np.ndarray[tuple[int], np.dtype[np.float64]], *, top: int = 20) -> ShareTable:
    accounts = tuple(f"a{i:04}" for i in range(counts.size))
    everything = np.ones(counts.size, dtype=np.bool_)
    return concentration(Exposure(accounts, counts, counts, counts, float(counts.sum()), everything), top=top)


def world(*, spread: float, n: int = 200) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.floor(np.random.default_rng(1).lognormal(4.0, spread, n))


def test_equal_windows_are_compared_and_a_large_fall_is_outside_the_usual_band() -> None:
    found = comparison_notes(table(world(spread=1.8)), table(world(spread=0.7)), FIRST, SECOND, weekly=QUIET)

    assert found.change is not None
    assert found.change.top_share.point < -0.2
    assert "change_is_certain" in found.notes
    assert "is outside that." in found.notes[-1]


def test_a_small_change_is_said_to_come_by_itself() -> None:
    before = world(spread=1.2)
    after = before.copy()
    after[:40] *= 1.01
    found = comparison_notes(table(before), table(after), FIRST, SECOND, weekly=QUIET)

    assert found.band is not None
    assert "can come by itself." in found.notes[-1]


@pytest.mark.parametrize(
    ("second", "top", "why"),
    [
        ((SECOND[0], SECOND[0] + timedelta(days=6)), 20, "28 and 7 days"),
        ((FIRST[0] + timedelta(days=7), FIRST[1] + timedelta(days=7)), 20, "overlap"),
        (SECOND, 50, "top 20"),
    ],
)
def test_unlike_windows_are_refused_with_the_reason(second: tuple[date, date], top: int, why: str) -> None:
    found = comparison_notes(table(world(spread=1.5)), table(world(spread=1.0), top=top), FIRST, second)

    assert found.change is None
    assert len(found.notes) == 1
    assert why in found.notes[0]
    assert found.notes[0].startswith("The two windows are not compared.")


def test_another_number_of_creatives_is_told_in_words() -> None:
    tables = table(world(spread=1.5)), table(world(spread=1.0))
    found = comparison_notes(*tables, FIRST, SECOND, creatives=(5, 3))

    assert "creative_count_changed" in found.notes
    assert "number of creatives changed" in words.note("creative_count_changed")


def test_too_few_quiet_weeks_give_no_band() -> None:
    assert quiet_band((0.4, 0.39, 0.41)) is None
    assert quiet_band(QUIET) is not None


def hidden(spread: float, *, seed: int, n: int = 600, shown: int = 150) -> tuple[Exposure, float]:
    """The largest accounts exactly, the rest only as a sum; and the true share of the top tenth."""
    counts = np.sort(np.floor(np.random.default_rng(seed).lognormal(3.0, spread, n)) + 1.0)[::-1]
    listed = np.arange(n) < shown
    rest = float(counts[~listed].sum())
    low = np.where(listed, counts, 0.0)
    high = np.where(listed, counts, counts[shown - 1])
    point = np.where(listed, counts, rest / (n - shown))
    accounts = tuple(f"a{i:04}" for i in range(n))
    exposure = Exposure(accounts, low, point, high, float(counts.sum()), listed)
    return exposure, float((counts >= 0.25 * counts.mean()).mean())


def test_the_modelled_range_is_shown_where_believed_and_holds_the_truth() -> None:
    exposure, coverage = hidden(1.3, seed=4)
    found = modelled(exposure)

    assert found is not None
    assert found.fit.believed
    assert found.coverage_even.low - 0.02 <= coverage <= found.coverage_even.high + 0.02
    assert modelled_note(exposure) == modelled_note(exposure)
    assert "follow the usual shape" in modelled_note(exposure)


def test_no_model_is_shown_where_nothing_is_hidden_or_the_list_is_short() -> None:
    counts = world(spread=1.0, n=80)
    accounts = tuple(f"a{i:04}" for i in range(counts.size))
    everything = np.ones(counts.size, dtype=np.bool_)

    assert modelled_note(Exposure(accounts, counts, counts, counts, float(counts.sum()), everything)) == ""
    few, _ = hidden(1.3, seed=4, n=40, shown=30)
    assert modelled(few) is None
