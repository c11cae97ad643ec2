"""What a plan rests on: members, clicks and costs per account, and the money a person gave the segment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from balancer.guards import merge_small
from balancer.types import DayReport, Policy
from flows import balance, collect
from flows.assess import assess
from flows.balance_inputs import make_state
from flows.exposure import segment_accounts
from flows.exposure_rates import click_rates, costs
from flows.load import load
from flows.plan_codec import decode_inputs, encode_inputs
from flows.wiring import App, open_app
from tests.flows.small_workspace import SEGMENT, Copies, last_day


def rewritten(folder: Path, header: str, extra: dict[str, str]) -> None:
    """A further column of the source; only the named domains have a value in it."""
    rows = (folder / "companies.csv").read_text().splitlines()
    cells = [f"{rows[0]},{header}"] + [f"{row},{extra.get(row.split(',')[1], '')}" for row in rows[1:]]
    (folder / "companies.csv").write_text("\n".join(cells) + "\n")


def state_of(app: App, policy: Policy) -> tuple[dict[str, float], object]:
    state = make_state(app, SEGMENT, policy, app.today)
    return dict(zip(state.accounts, state.members.tolist(), strict=True)), state


def test_members_come_from_employees_or_from_the_sources_own_column(copies: Copies) -> None:
    path = copies.path("members")
    rewritten(path, "Matched members", {"company100-works.com": '"1,234"', "company101-works.com": "n/a"})
    with open_app(path) as app:
        load(app)
        assess(app)
        members, _ = state_of(app, Policy())

        assert members["company100-works.com"] == 1234.0
        assert members["company101-works.com"] == 20 + 101  # not a number: its employees
        assert members["company102-works.com"] == 20 + 102


def test_the_size_of_an_account_that_nobody_told_stays_unknown(copies: Copies) -> None:
    path = copies.path("sizes")
    text = (path / "evenreach.yaml").read_text()
    everywhere = "where: {field: country, is: US}"
    changed = text.replace("where: {field: employees, at_least: 10}", everywhere, 1)
    (path / "evenreach.yaml").write_text(changed)
    rows = (path / "companies.csv").read_text()
    (path / "companies.csv").write_text(
        rows.replace("company100-works.com,US,120", "company100-works.com,US,")
    )
    with open_app(path) as app:
        load(app)
        assess(app)
        members, _ = state_of(app, Policy())

        assert "company100-works.com" not in app.store.account_sizes()
        assert members["company100-works.com"] == 0.0
        assert all(size > 0.0 for account, size in members.items() if account != "company100-works.com")


def test_unknown_sizes_count_as_the_middle_one_where_audiences_must_be_large_enough() -> None:
    known = np.array([300.0, 0.0, 0.0, 0.0])
    band = np.array([0, 0, 1, 1], dtype=np.int8)

    assert (merge_small(band, known, 2, 450.0) == band).all()
    assert len(set(merge_small(band, np.minimum(known, 100.0), 2, 450.0).tolist())) == 1


def test_a_small_company_is_not_planned_more_than_its_people_may_see(copies: Copies) -> None:
    with copies.opened("member-limit", mode="bands, member_cap: 5") as app:
        plan = balance.propose(app, SEGMENT).plan
        state = make_state(app, SEGMENT, balance.policy_of(app, SEGMENT), app.today)

        assert not any(s.code == "member_cap_ignored" for s in plan.statuses)
        most = (
            5 * state.members * max([s.number for s in plan.statuses if s.code == "cap_relaxed"], default=1.0)
        )
        assert (28 * plan.target <= most * (1 + 1e-9)).all()
        assert (28 * plan.target >= most * 0.999).any()


def test_clicks_and_costs_per_impression_lean_on_the_whole_segment(copies: Copies) -> None:
    with copies.opened("rates") as app:
        accounts, end = segment_accounts(app, SEGMENT), last_day(app)
        start = end.replace(day=1) if end.day > 14 else end
        columns = app.store.impressions("linkedin", start, end, grain="daily", source="api")
        told = (columns.impressions > 0) & (columns.clicks >= 0)
        usual = columns.clicks[told].sum() / columns.impressions[told].sum()
        rate = click_rates(app, SEGMENT, accounts, start, end)
        money = costs(app, SEGMENT, accounts, start, end)

        assert rate is not None
        assert money is not None
        assert rate.size == money.size == len(accounts)
        assert (rate > 0).all()
        unseen = np.array([a not in set(columns.accounts) for a in accounts])
        assert unseen.any()
        assert rate[unseen] == pytest.approx(usual, rel=0.05)
        assert float(np.median(money)) == pytest.approx(0.05, rel=0.05)  # the market's price of an impression


def test_a_cap_in_even_shares_is_read_from_the_settings_and_kept_by_the_plan(copies: Copies) -> None:
    with open_app(copies.path("even-cap", mode="bands, even_cap: 2")) as app:
        proposed = balance.propose(app, SEGMENT)
        state, policy = decode_inputs(proposed.record.inputs or b"")
        plan = proposed.plan
        even = state.baseline / len(state.accounts)
        relaxed = max([s.number for s in plan.statuses if s.code == "cap_relaxed"], default=1.0)

        assert policy.even_cap == 2.0
        assert (plan.target <= 2.0 * even * relaxed * (1 + 1e-6)).all()
        assert balance.rebuild(proposed.record)


def test_a_click_cap_and_a_spend_cap_bind_where_reports_tell_clicks_and_costs(copies: Copies) -> None:
    path = copies.path("click-cap", mode="bands, click_cap: 4, spend_cap: 40")
    with open_app(path) as app:
        proposed = balance.propose(app, SEGMENT)
        assert proposed.record.inputs is not None
        state, policy = decode_inputs(proposed.record.inputs)
        assert state.click_rate is not None
        assert state.cost is not None
        plan = proposed.plan

        assert not any(s.code == "cap_ignored" for s in plan.statuses)
        relaxed = max([s.number for s in plan.statuses if s.code == "cap_relaxed"], default=1.0)
        assert (28 * plan.target * state.click_rate <= 4 * relaxed * (1 + 1e-6)).all()
        assert (28 * plan.target * state.cost <= 40 * relaxed * (1 + 1e-6)).all()
        assert balance.rebuild(proposed.record)
        assert encode_inputs(state, policy) == proposed.record.inputs

        blind = balance.plan_for(replace(state, click_rate=None), policy)
        assert any(s.code == "cap_ignored" and s.detail == "click_cap" for s in blind.statuses)


def test_inputs_from_before_clicks_were_known_keep_their_hash() -> None:
    from balancer.canon import _value
    from balancer.types import State

    report = DayReport(
        1,
        np.ones(1),
        np.ones(1),
        np.ones(1),
        np.zeros(1, np.int64),
        np.ones(1),
        np.ones(1),
        np.zeros(1, np.int8),
    )
    zero, band = np.zeros(1), np.zeros(1, np.int8)
    state = State(2, ("a",), zero, band, 1.0, 1.0, band, band, (report,))

    assert b"".join(_value(state)) != b"".join(_value(replace(state, click_rate=zero)))
    assert b"".join(_value(state)).endswith(b"".join(_value({})))  # the last field there was


def test_a_changed_budget_of_the_campaign_rescales_the_bands(copies: Copies) -> None:
    from tests.flows.small_workspace import CAMPAIGN, balanced_day

    with copies.opened("budget", banded=True) as app:
        platform = app.platform("linkedin")
        given = platform.campaign(CAMPAIGN).daily_budget
        before = balance.propose(app, SEGMENT).plan
        assert float(before.budgets.sum()) == pytest.approx(float(given))
        platform.set_daily_budget(CAMPAIGN, 2 * given)
        (note,) = collect.collect(app, SEGMENT, days=3).notes
        after = balanced_day(app).plan

        assert f"daily budget of campaign {CAMPAIGN} to {2 * given:,.2f}" in note
        assert float(after.budgets.sum()) == pytest.approx(2 * float(given))
        assert float(after.target.sum()) == pytest.approx(2 * float(before.target.sum()), rel=0.02)
        assert collect.collect(app, SEGMENT, days=3).notes == ()
