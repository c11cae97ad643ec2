"""Plans of every mode, carried out on the sandbox."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from audiences.store.records import PlanRecord
from balancer.types import UNPLACED
from flows import activate_plan, balance
from flows.activate import ensure_list
from flows.activate_turns import held_spec, held_target
from flows.bands import band_campaigns, turns
from flows.cli import main
from flows.demo.truth import matched_organizations, truth
from flows.exceptions import KINDS, AccountException, keep_exception
from flows.plan_codec import decode_inputs, decode_plan, encode_inputs
from flows.wiring import App, open_app
from tests.flows.small_workspace import CAMPAIGN, SEGMENT, Copies, balanced_day, choose, forward


def top_share(app: App, *, days: int, top: int = 40) -> float:
    """Of the market's own counts, over the last whole days."""
    assert app.sandbox is not None
    record = app.store.audience(f"linkedin/{SEGMENT}/companies")
    assert record is not None
    assert record.state is not None
    members = matched_organizations(app.sandbox, record.state.external_id)
    end = app.today - timedelta(days=1)
    campaigns = band_campaigns(app, SEGMENT).everything()
    return truth(app.sandbox, end - timedelta(days=days - 1), end, campaigns, members).top_share(top)


def test_bands_even_out_delivery_and_spend_no_more_than_the_campaign_did(copies: Copies) -> None:
    with copies.opened("bands-before") as app:
        before = top_share(app, days=7)
    with copies.opened("bands", banded=True) as app:
        given = app.platform("linkedin").campaign(CAMPAIGN).daily_budget
        plans = [decode_plan(record.body) for record in app.store.plans(segment=SEGMENT)]
        plans += [balanced_day(app).plan for _ in range(3)]

        assert top_share(app, days=3) < 0.8 * before
        assert all(float(plan.budgets.sum()) == pytest.approx(float(given)) for plan in plans)
        campaigns = band_campaigns(app, SEGMENT)
        statuses = [app.platform("linkedin").campaign(c).status for c in campaigns.campaigns]
        assert statuses == ["active"] * len(campaigns.campaigns)
        assert app.platform("linkedin").campaign(CAMPAIGN).status == "paused"
        assert rebuilt(app)


def test_turns_hold_busy_accounts_out_of_the_one_campaign_and_leave_its_money_alone(copies: Copies) -> None:
    with copies.opened("duty", mode="duty") as app:
        before = top_share(app, days=7)
        given = app.platform("linkedin").campaign(CAMPAIGN).daily_budget
        last = [balanced_day(app) for _ in range(5)][-1]

        campaign = app.platform("linkedin").campaign(CAMPAIGN)
        assert campaign.exclude == (held_target(app, SEGMENT, "linkedin"),)
        assert campaign.daily_budget == given
        assert campaign.status == "active"
        assert band_campaigns(app, SEGMENT).campaigns == ()
        held = [a for a, b in zip(last.plan.accounts, last.plan.band, strict=True) if b == UNPLACED]
        listed = app.store.ledger_counts(held_spec(app, SEGMENT, "linkedin").audience_id)
        assert listed.accepted == len(held) > 0
        assert top_share(app, days=2) < before
        assert rebuilt(app)


def test_a_threshold_excludes_whoever_reached_it(copies: Copies) -> None:
    path = copies.path("threshold", mode="threshold, threshold: 400, interval_days: 14")
    with open_app(path) as app:
        plans = [balanced_day(app).plan for _ in range(4)]
        held = [move for plan in plans for move in plan.moves if move.after == UNPLACED]

        assert held
        assert all(move.reason == "over_threshold" for move in held)
        assert all(move.evidence["counted"] >= 400 for move in held)
        history = turns(app, SEGMENT, plans[-1].accounts)
        assert (history[-1][1] == plans[-1].band).all()
        assert rebuilt(app)


def test_auto_is_carried_out_as_the_mode_it_chose(copies: Copies) -> None:
    with copies.opened("auto", mode="auto") as app:
        balanced_day(app)
        proposed = balanced_day(app)

        assert proposed.record.mode == "auto"
        assert proposed.plan.mode == "bands"
        assert band_campaigns(app, SEGMENT).live_since == proposed.record.day
        assert rebuilt(app)


def test_auto_joins_the_bands_again_on_the_day_it_changes_to_turns(
    copies: Copies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balancer.auto.LEARNED", 0)
    monkeypatch.setattr("balancer.auto.turns_are_better", lambda *_: True)
    with copies.opened("auto-turns", mode="auto", banded=True) as app:
        days = []
        while not days or (days[-1].plan.mode == "bands" and len(days) < 5):
            days.append(balanced_day(app))
            platform = app.platform("linkedin")
            campaigns = band_campaigns(app, SEGMENT)
            delivering = campaigns.delivering(days[-1].record.day)
            live = {c for c in (CAMPAIGN, *campaigns.campaigns) if platform.campaign(c).status == "active"}
            assert live == set(delivering), "either the bands serve or the one campaign, never both"

        plan = days[-1].plan
        assert [day.plan.mode for day in days] == ["bands"] * (len(days) - 1) + ["duty"]
        assert delivering == (CAMPAIGN,)
        assert platform.campaign(CAMPAIGN).exclude == (held_target(app, SEGMENT, "linkedin"),)
        assert float(platform.campaign(CAMPAIGN).daily_budget) == pytest.approx(plan.budgets.sum(), abs=0.01)
        assert app.store.ledger_counts(held_spec(app, SEGMENT, "linkedin").audience_id).accepted == int(
            (plan.band == UNPLACED).sum()
        )
        assert rebuilt(app)


def test_somebody_elses_exclusion_survives_the_held_list(copies: Copies) -> None:
    with copies.opened("exclusion", mode="duty") as app:
        platform = app.platform("linkedin")
        spec = replace(
            held_spec(app, SEGMENT, "linkedin"), audience_id="linkedin/other/companies", name="Other"
        )
        other = ensure_list(app, spec).target_id
        platform.set_targets(CAMPAIGN, exclude=[other])
        balanced_day(app)

        assert set(platform.campaign(CAMPAIGN).exclude) == {other, held_target(app, SEGMENT, "linkedin")}


def test_changing_the_mode_hands_the_segment_over_and_back(copies: Copies) -> None:
    path = copies.path("handover", mode="duty", banded=True)
    with open_app(path) as app:
        split = band_campaigns(app, SEGMENT).live_since
        joined = balanced_day(app).record.day
        campaigns = band_campaigns(app, SEGMENT)
        platform = app.platform("linkedin")

        assert campaigns.live_since is None
        assert split is not None
        assert campaigns.retired == ((split, joined),)
        assert campaigns.delivering(split) == campaigns.campaigns
        assert campaigns.delivering(joined) == (CAMPAIGN,)
        assert platform.campaign(CAMPAIGN).status == "active"
        assert {platform.campaign(c).status for c in campaigns.campaigns} == {"paused"}
    choose(path, "bands")
    with open_app(path) as app:
        for _ in range(2):  # the lists change once more before the bands start again
            balanced_day(app)
        campaigns = band_campaigns(app, SEGMENT)
        platform = app.platform("linkedin")

        assert campaigns.live_since is not None
        assert platform.campaign(CAMPAIGN).status == "paused"
        assert all(platform.campaign(c).exclude == () for c in campaigns.campaigns)


def test_fewer_bands_pause_the_campaigns_that_are_left_over(copies: Copies) -> None:
    with copies.opened("fewer", mode="bands, bands: 2", banded=True) as app:
        plans = [balanced_day(app).plan for _ in range(3)]
        campaigns = band_campaigns(app, SEGMENT)

        assert plans[-1].budgets.size == 2
        assert campaigns.active == campaigns.campaigns[:2]
        assert app.platform("linkedin").campaign(campaigns.campaigns[2]).status == "paused"
        assert set(np.unique(plans[-1].band)) <= {UNPLACED, 0, 1}


def rebuilt(app: App) -> bool:
    """Whether every stored plan gives the same bytes again, and not with one cent more."""
    stored = app.store.plans(segment=SEGMENT)
    return all(balance.rebuild(record) for record in stored) and not balance.rebuild(
        _with_other_budget(stored[0])
    )


@pytest.mark.parametrize("mode", ["bands", "duty", "threshold, threshold: 400, interval_days: 14"])
def test_plans_with_exceptions_rebuild_byte_for_byte_before_and_after_they_are_carried_out(
    copies: Copies, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copies.path(f"rebuild-{mode[:4]}", mode=mode)
    with open_app(path) as app:
        accounts = balanced_day(app).plan.accounts
        for account, kind, value in zip(accounts, KINDS, (None, None, 900.0), strict=False):
            keep_exception(app, SEGMENT, account, AccountException(kind, value, "tester"))
        shadow = balance.propose(app, SEGMENT, shadow=True).record
        waiting = balance.propose(app, SEGMENT).record
        assert balance.rebuild(app.store.plan(waiting.plan_id))
        _, policy = decode_inputs(waiting.inputs or b"")
        assert {*policy.pins, *policy.held, *policy.raised} == set(accounts[:3])
        balance.approve(app, waiting.plan_id, seen=waiting.inputs_hash, who="tester")
        activate_plan.apply_plan(app, waiting.plan_id)
        keep_exception(app, SEGMENT, accounts[0], None)
        forward(app, days=1)
        refused = balance.propose(app, SEGMENT).record
        balance.refuse(app, refused.plan_id, who="tester")

        assert rebuilt(app)
        kept = {plan.plan_id: str(plan.status) for plan in app.store.plans(segment=SEGMENT)}
        assert kept[waiting.plan_id] == "applied"
        assert kept[refused.plan_id] == "refused"
        assert kept[shadow.plan_id] == "shadow"
    words = ["balance", "--rebuild", waiting.plan_id[:10], "--workspace", str(path)]
    assert main(words) == 0
    assert "follows byte for byte from its recorded inputs" in capsys.readouterr().out


def _with_other_budget(record: PlanRecord) -> PlanRecord:
    assert record.inputs is not None
    state, policy = decode_inputs(record.inputs)
    return replace(record, inputs=encode_inputs(replace(state, budget=state.budget + 0.01), policy))


def test_a_limit_per_member_without_members_is_dropped_aloud(copies: Copies) -> None:
    with copies.opened("member-cap") as app:
        record = balance.propose(app, SEGMENT).record
        assert record.inputs is not None
        state, policy = decode_inputs(record.inputs)
        nobody = replace(state, members=np.zeros(len(state.accounts)))
        plan = balance.plan_for(nobody, policy)

        (status,) = [s for s in plan.statuses if s.code == "member_cap_ignored"]
        assert status.number == 14.0
        assert not any(s.code == "cap_relaxed" for s in plan.statuses)
        assert not any(s.code == "member_cap_ignored" for s in balance.plan_for(state, policy).statuses)


def test_a_plan_that_was_not_approved_is_never_carried_out(copies: Copies) -> None:
    with copies.opened("unapproved") as app:
        plan = balance.propose(app, SEGMENT).record.plan_id

        with pytest.raises(activate_plan.NotApproved):
            activate_plan.apply_plan(app, plan)
        assert band_campaigns(app, SEGMENT).campaigns == ()


def test_an_account_that_left_the_segment_leaves_its_band_list(copies: Copies) -> None:
    path, leaver = copies.path("leaver", banded=True), "company100-works.com"
    rows = (path / "companies.csv").read_text().splitlines()
    changed = [r.replace("Lead", "Customer") if f",{leaver}," in r else r for r in rows]
    (path / "companies.csv").write_text("\n".join(changed) + "\n")
    with open_app(path) as app:
        from flows.assess import assess
        from flows.load import load

        load(app)
        assess(app)
        plan = balanced_day(app).plan
        members = [
            app.store.ledger_counts(f"linkedin/{SEGMENT}/companies/band-{b + 1}").accepted for b in range(3)
        ]

        assert leaver not in plan.accounts
        assert sum(members) == int((plan.band >= 0).sum())


def test_the_marketers_held_accounts_are_served_nowhere(copies: Copies) -> None:
    path = copies.path("never", mode="duty, held: [company050-works.com]")
    with open_app(path) as app:
        plan = balanced_day(app).plan

        assert plan.band[plan.accounts.index("company050-works.com")] == UNPLACED
