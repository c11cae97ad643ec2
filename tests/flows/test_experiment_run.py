"""A budget-split on the sandbox from the draft to the answer: two halves, two sets of campaigns, their reports."""

from __future__ import annotations

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from flows import collect
from flows.activate_experiment import start, stop
from flows.assess import assess
from flows.bands import band_campaigns
from flows.cli import main
from flows.demo.truth import matched_organizations, truth
from flows.experiment_record import experiment_of, running
from flows.experiment_reports import evaluate_reports, top_tenth
from flows.exposure import qualified_accounts, segment_accounts
from flows.load import load
from flows.wiring import App, WorkspaceError, open_app
from tests.flows.small_workspace import CAMPAIGN, SEGMENT, Copies, balanced_day, forward

SALT, DAYS = "autumn", 7


@pytest.fixture(scope="module")
def ran(copies: Copies) -> Path:
    """Set up, started, and balanced for a while."""
    path = copies.path("experiment-run")
    with open_app(path) as app:
        start(app, SEGMENT, salt=SALT)
        forward(app, days=2)
        assert start(app, SEGMENT, salt=SALT, go=True).live
        forward(app, days=4)
        for _ in range(12):
            balanced_day(app)
    return path


def campaigns_of(app: App) -> list[str]:
    return [one.campaign_id for one in app.platform("linkedin").list_campaigns()]


def test_a_dry_run_shows_both_halves_and_makes_nothing(
    copies: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copies.path("experiment-dry")
    words = ["experiment", "start", "--salt", SALT, "--dry-run", "--workspace", str(path), "--json"]
    assert main(words) == 0
    shown = json.loads(capsys.readouterr().out)

    assert [half["status"] for half in shown["halves"]] == ["to be made", "to be made"]
    with open_app(path) as app:
        given = app.platform("linkedin").campaign(CAMPAIGN).daily_budget
        assert sum(Decimal(half["budget"]) for half in shown["halves"]) == given
        assert sum(half["accounts"] for half in shown["halves"]) == len(qualified_accounts(app, SEGMENT))
        assert campaigns_of(app) == [CAMPAIGN]
        assert experiment_of(app, SEGMENT) is None


def test_both_halves_are_drafts_until_they_are_started(copies: Copies) -> None:
    with copies.opened("experiment-drafts") as app:
        platform = app.platform("linkedin")
        made = start(app, SEGMENT, salt=SALT)
        again = start(app, SEGMENT, salt=SALT)

        assert made.halves == again.halves
        assert len(campaigns_of(app)) == 3
        assert [half.status for half in made.halves] == ["draft", "draft"]
        assert platform.campaign(CAMPAIGN).status == "active"
        assert segment_accounts(app, SEGMENT) == qualified_accounts(app, SEGMENT)
        early = start(app, SEGMENT, salt=SALT, go=True)
        assert not early.live
        assert "still building" in early.notes[0]
        listed = [app.store.ledger_counts(half.list_id).accepted for half in made.halves]
        assert sum(listed) == len(qualified_accounts(app, SEGMENT))
        budgets = [platform.campaign(half.campaign).daily_budget for half in made.halves]
        assert sum(budgets) == platform.campaign(CAMPAIGN).daily_budget
        with pytest.raises(WorkspaceError, match="set up for the experiment"):
            start(app, SEGMENT, salt="another")


def test_only_the_balanced_half_is_planned_and_the_other_keeps_its_campaign(ran: Path) -> None:
    with open_app(ran) as app:
        experiment = running(app, SEGMENT)
        assert experiment is not None
        mine = segment_accounts(app, SEGMENT)
        campaigns = band_campaigns(app, SEGMENT)
        platform = app.platform("linkedin")
        plan = app.store.latest_plan(SEGMENT)

        assert 0.4 < len(mine) / len(qualified_accounts(app, SEGMENT)) < 0.6
        assert campaigns.template == experiment.balanced
        assert campaigns.live_since is not None
        assert platform.campaign(CAMPAIGN).status == "paused"
        assert platform.campaign(experiment.left_alone).status == "active"
        assert platform.campaign(experiment.left_alone).daily_budget == Decimal(experiment.left_alone_budget)
        assert plan is not None
        banded = [platform.campaign(c).daily_budget for c in campaigns.active]
        assert sum(banded) == Decimal(experiment.balanced_budget)


def test_the_reports_of_both_halves_show_the_effect_the_market_knows(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["experiment", "evaluate", "--days", str(DAYS), "--workspace", str(ran), "--json"]
    assert main(words) == 0
    shown = json.loads(capsys.readouterr().out)
    tenth = next(one for one in shown["figures"] if one["name"] == "share of the top tenth")

    assert tenth["effect"]["works"]
    assert tenth["effect"]["high"] < 0.0
    assert tenth["after"][0] < tenth["before"][0] - 0.05
    assert tenth["after"][1] == pytest.approx(tenth["before"][1], abs=0.06)
    with open_app(ran) as app:
        found = evaluate_reports(app, SEGMENT, days=DAYS)
        experiment = running(app, SEGMENT)
        assert app.sandbox is not None
        assert experiment is not None
        record = app.store.audience(f"linkedin/{SEGMENT}/companies/half-left-alone")
        assert record is not None
        assert record.state is not None
        members = matched_organizations(app.sandbox, record.state.external_id)
        really = truth(app.sandbox, *found.second, [experiment.left_alone], members)
        assert top_tenth(really.counts) == pytest.approx(tenth["after"][1], abs=0.05)
        assert found.band is None  # two weeks before the start are too few
        with pytest.raises(WorkspaceError, match="are compared"):
            evaluate_reports(app, SEGMENT, days=60)


def test_a_company_that_joins_later_gets_into_its_half_with_the_next_plan(ran: Path, tmp_path: Path) -> None:
    path = tmp_path / "joined"
    shutil.copytree(ran, path, ignore=shutil.ignore_patterns("address"))
    with (path / "companies.csv").open("a") as rows:
        rows.writelines(f"Newcomer {i} Works,newcomer{i}-works.com,US,50,Lead\n" for i in range(12))
    with open_app(path) as app:
        load(app)
        assess(app)
        fresh = [a for a in qualified_accounts(app, SEGMENT) if a.startswith("newcomer")]
        mine = [a for a in segment_accounts(app, SEGMENT) if a.startswith("newcomer")]
        assert 0 < len(mine) < len(fresh)
        balanced_day(app)
        listed = app.store.ledger_counts(f"linkedin/{SEGMENT}/companies/half-left-alone").accepted
        others = len(qualified_accounts(app, SEGMENT)) - len(segment_accounts(app, SEGMENT))

        assert listed == others
        assert {s.account_id for s in app.store.band_states(SEGMENT)} >= set(mine)


def test_a_segment_that_is_balanced_already_has_no_untouched_half(copies: Copies) -> None:
    with (
        copies.opened("experiment-late", banded=True) as app,
        pytest.raises(WorkspaceError, match="untouched"),
    ):
        start(app, SEGMENT, salt=SALT)


def test_ending_it_gives_everybody_back_to_the_one_campaign(copies: Copies) -> None:
    with copies.opened("experiment-end") as app:
        start(app, SEGMENT, salt=SALT)
        forward(app, days=2)
        made = start(app, SEGMENT, salt=SALT, go=True)
        forward(app, days=3)
        collect.collect(app, SEGMENT, days=3)
        stop(app, SEGMENT)
        platform = app.platform("linkedin")

        assert platform.campaign(CAMPAIGN).status == "active"
        assert {platform.campaign(half.campaign).status for half in made.halves} == {"paused"}
        assert segment_accounts(app, SEGMENT) == qualified_accounts(app, SEGMENT)
        assert band_campaigns(app, SEGMENT).template == CAMPAIGN
        with pytest.raises(WorkspaceError, match="no experiment runs"):
            stop(app, SEGMENT)
