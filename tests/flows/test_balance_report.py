"""The share report of a balanced segment on the sandbox: every figure with its bounds, nothing swept away."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from flows import collect
from flows.cli import main
from flows.reporting import account_facts, report
from flows.wiring import open_app
from tests.flows.small_workspace import SEGMENT, Copies, last_day

FIGURES = ("top_share", "top_decile", "gini", "hhi", "effective_accounts", "coverage_even", "under_served")


@pytest.fixture(scope="module")
def banded(copies: Copies) -> Path:
    return copies.path("reported", banded=True)


def test_every_figure_has_bounds_and_the_unattributed_share_is_always_told(
    banded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--workspace", str(banded)]
    assert main(["report", "--days", "5", "--top", "40", *where, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["before"]
    for name in FIGURES:
        figure = shown[name]
        assert figure["low"] <= figure["high"], name
        if figure["point"] is None:  # too much is unseen for a single number to mean anything
            assert figure["high"] - figure["low"] > 0.0
        else:
            assert figure["low"] <= figure["point"] <= figure["high"], name
    assert isinstance(shown["top_share"]["point"], float)
    assert 0.0 < shown["unattributed"] < 1.0
    assert main(["report", "--days", "5", "--top", "40", *where]) == 0
    assert f"carry no name       {shown['unattributed']:.1%}".replace("%", " %") in capsys.readouterr().out


def test_windows_of_unlike_length_are_not_compared_and_the_reader_is_told(banded: Path) -> None:
    with open_app(banded) as app:
        end = last_day(app)
        window = (end - timedelta(days=4), end)
        earlier = (end - timedelta(days=17), end - timedelta(days=8))
        for span in (window, earlier):
            collect.collect_window(app, SEGMENT, *span)
        page = report(app, SEGMENT, window, earlier=earlier, top=40).page

        assert page.after is None
        assert any("are not compared" in note for note in page.notes)


def test_people_per_company_come_from_the_source_before_any_plan_is_in_force(copies: Copies) -> None:
    with copies.opened("report-members") as app:
        facts = account_facts(app, SEGMENT)

        assert facts["company100-works.com"].members == 120.0
        assert {fact.state for fact in facts.values()} == {"active"}


def test_the_market_is_named_by_the_platform_that_reports(banded: Path) -> None:
    with open_app(banded) as app:
        end = last_day(app)
        collect.collect_window(app, SEGMENT, end, end)

        assert any("not by LinkedIn" in note for note in report(app, SEGMENT, (end, end)).page.notes)
