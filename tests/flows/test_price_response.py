"""The market's price response is found while balancing runs, and told with its uncertainty."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from balancer.elasticity import PriceResponse
from flows import balance, collect, reporting
from flows.cli import main
from flows.price_response import measured_response, price_of_a_point, response_words
from flows.wiring import open_app
from tests.flows.small_workspace import SEGMENT, Copies, balanced_day, last_day, make

PLANTED = 0.25  # exponent of the market's price


@pytest.fixture(scope="module")
def dear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A market where pressure raises the price, under balancing for two weeks and a half."""
    path = tmp_path_factory.mktemp("dear") / "dear"
    make(path, plant=f"power_price:{PLANTED}")
    with open_app(path) as app:
        for _ in range(18):
            balanced_day(app)
    return path


def test_a_planted_price_response_is_recovered_from_the_reports(dear: Path) -> None:
    with open_app(dear) as app:
        found = measured_response(app, SEGMENT)
        believed = balance.propose(app, SEGMENT).plan.forecast["elasticity"]

        assert found is not None
        assert found.elasticity == pytest.approx(PLANTED, abs=0.05)
        assert found.low <= PLANTED <= found.high
        assert found.high - found.low < 0.2
        assert believed == pytest.approx(PLANTED, abs=0.08)  # what the plans themselves reckon with


def test_the_plan_and_the_report_tell_the_response_and_the_price_of_a_point(
    dear: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["balance", "--shadow", "--workspace", str(dear), "--json"]) == 0
    (plan,) = json.loads(capsys.readouterr().out)["plans"]
    assert (
        plan["price_response"]["low"] < plan["price_response"]["elasticity"] < plan["price_response"]["high"]
    )
    assert main(["balance", "--shadow", "--workspace", str(dear)]) == 0
    said = (
        r"where accounts are served 10 % more, an impression costs \+2\.\d % \(95 %: \+\d\.\d % to \+\d\.\d %"
    )
    assert re.search(said, capsys.readouterr().out)
    with open_app(dear) as app:
        end = last_day(app)
        start = end.fromordinal(end.toordinal() - 6)
        collect.collect_window(app, SEGMENT, start, end)
        page = reporting.report(app, SEGMENT, (start, end)).page

        assert any(re.search(said, note) for note in page.notes)
        assert any("one more point of the top-100 share costs about" in note for note in page.notes)


def test_a_rehearsal_of_the_segment_reckons_with_the_response_it_measured(
    dear: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["rehearse", SEGMENT, "--compare", "--mode", "bands", "--caps", "none", "--floor", "0.5"]
    assert main([*words, "--weeks", "4", "--workspace", str(dear), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)

    drawn = [point["elasticity"] for point in found["frontier"]]
    assert drawn == sorted(drawn)
    assert len(drawn) == 4
    assert min(abs(e - PLANTED) for e in drawn) < 0.05
    assert any(one.startswith("Price: ") for one in found["assumed"])


def test_where_prices_do_not_answer_the_interval_holds_zero(copies: Copies) -> None:
    with copies.opened("flat-price", banded=True) as app:
        for _ in range(4):
            balanced_day(app)
        found = measured_response(app, SEGMENT)

        assert found is not None
        assert found.low - 0.01 <= 0.0 <= found.high + 0.01
        assert abs(found.elasticity) < 0.02


def test_before_bands_deliver_nothing_is_said(copies: Copies) -> None:
    with copies.opened("no-price") as app:
        assert measured_response(app, SEGMENT) is None
        assert response_words(None) == ""
        flat = PriceResponse(elasticity=0.0, low=-0.001, high=0.001, days=26)
        assert "did not make an impression dearer, over 26 days" in response_words(flat)
        end = last_day(app)
        collect.collect_window(app, SEGMENT, end, end)
        assert price_of_a_point(None, reporting.share_table(app, SEGMENT, end, end).exposure, top=100) == ""
