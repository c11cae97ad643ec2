"""The chart of what evenness costs: which name belongs to which line."""

import re

import pytest

from flows.report.charts_price import price


def names(now: float, aim: float) -> dict[str, tuple[float, str]]:
    """Name -> (horizontal place, which end of the text stands there)."""
    drawn = str(price([(0.03, 0.994), (0.1, 1.0)], now=now, aim=aim))
    found = re.findall(r'<text class="name \w+" x="([\d.]+)"[^>]*text-anchor="(\w+)">([^<]+)', drawn)
    return {name: (float(place), anchor) for place, anchor, name in found}


@pytest.mark.parametrize(("now", "aim"), [(0.11, 0.119), (0.119, 0.11), (0.38, 0.37), (0.37, 0.38)])
def test_of_two_near_lines_each_has_its_name_on_the_side_away_from_the_other(now: float, aim: float) -> None:
    found = names(now, aim)
    left, right = ("today", "this plan") if now < aim else ("this plan", "today")
    assert (found[left][1], found[right][1]) == ("end", "start")
    assert found[left][0] < found[right][0]


def test_two_lines_far_apart_have_their_names_on_the_right() -> None:
    assert {anchor for _, anchor in names(0.38, 0.21).values()} == {"start"}
