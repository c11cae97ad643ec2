"""Campaigns of the marketer's own as bands, named in the settings, instead of copies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from audiences.config import load as load_config
from audiences.errors import ConfigError
from flows import balance
from flows.activate import list_spec
from flows.bands import DAYS_TO_LAND, band_campaigns
from flows.interventions import interventions
from flows.wiring import App, WorkspaceError, open_app
from tests.flows.small_workspace import CAMPAIGN, SEGMENT, Copies, balanced_day


def own_campaigns(app: App, count: int) -> list[str]:
    """Drafts somebody made by hand from the campaign."""
    platform = app.platform("linkedin")
    return [platform.clone(CAMPAIGN, f"Mine {i}", reference=f"by-hand-{i}").campaign_id for i in range(count)]


def named(path: Path, campaigns: list[str]) -> None:
    text = (path / "evenreach.yaml").read_text()
    bands = ", ".join(f'"{campaign}"' for campaign in campaigns)
    old = f'balance: {{campaign: "{CAMPAIGN}", policy: chosen}}'
    assert old in text
    new = f'balance: {{campaign: "{CAMPAIGN}", policy: chosen, bands: [{bands}]}}'
    (path / "evenreach.yaml").write_text(text.replace(old, new))


def test_existing_campaigns_carry_the_bands_and_no_copy_is_made(copies: Copies) -> None:
    path = copies.path("adopted")
    with open_app(path) as app:
        mine = own_campaigns(app, 2)
        creatives = {c: app.platform("linkedin").campaign(c).creatives for c in mine}
    named(path, mine)
    with open_app(path) as app:
        for _ in range(3):
            plan = balanced_day(app).plan
        campaigns = band_campaigns(app, SEGMENT)
        platform = app.platform("linkedin")

        assert plan.budgets.size == 2
        assert campaigns.campaigns == tuple(mine)
        assert campaigns.live_since is not None
        assert {one.campaign_id for one in platform.list_campaigns()} == {CAMPAIGN, *mine}
        assert [platform.campaign(c).status for c in mine] == ["active", "active"]
        assert platform.campaign(CAMPAIGN).status == "paused"
        assert {c: campaigns.creatives[c] for c in mine} == creatives
        assert balance.rebuild(app.store.plans(segment=SEGMENT)[0])
        began = campaigns.live_since - timedelta(days=DAYS_TO_LAND)
        assert (began, "own campaigns become the bands") in interventions(app, SEGMENT)


def test_a_campaign_with_lists_of_its_own_is_not_taken(copies: Copies) -> None:
    path = copies.path("adopted-taken")
    with open_app(path) as app:
        mine = own_campaigns(app, 2)
        spec = replace(
            list_spec(app, SEGMENT, "linkedin", "companies"),
            audience_id="linkedin/other/companies",
            name="Other",
        )
        foreign = app.platform("linkedin").find_or_create(spec)
        app.platform("linkedin").set_targets(mine[1], include=[foreign.target_id])
    named(path, mine)
    with (
        open_app(path) as app,
        pytest.raises(WorkspaceError, match=f"campaign {mine[1]} targets lists of its own"),
    ):
        balanced_day(app)


def test_running_bands_are_not_changed_for_others_under_way(copies: Copies) -> None:
    path = copies.path("adopted-late", banded=True)
    with open_app(path) as app:
        mine = own_campaigns(app, 3)
    named(path, mine)
    with (
        open_app(path) as app,
        pytest.raises(WorkspaceError, match="the bands are running in other campaigns"),
    ):
        balanced_day(app)


@pytest.mark.parametrize(
    ("bands", "said"),
    [(["7"], "one band is no split"), (["7", "7"], "named twice"), ([CAMPAIGN, "7"], "twice")],
)
def test_settings_that_name_bands_wrongly_are_refused(copies: Copies, bands: list[str], said: str) -> None:
    path = copies.path(f"adopted-wrong-{'-'.join(bands)}")
    named(path, bands)

    with pytest.raises(ConfigError, match=said):
        load_config(path / "evenreach.yaml")
