"""Upkeep on the sandbox: lists that live for years, die and come back, end on their day; one trouble at a time."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from audiences.model import AudienceStatus, Member, MemberKind, Op, PushBatch
from flows import activate, activate_renew
from flows.serve import PageOptions, access_for
from flows.tokens import token_conditions, token_path
from flows.upkeep import Kept, UpkeepTrouble, raise_trouble, upkeep
from flows.upkeep_conditions import conditions
from flows.wiring import App, open_app
from platforms.oauth import Token, TokenFile
from tests.flows.kept_workspace import (
    ALIVE,
    COMPANIES,
    PEOPLE,
    forward,
    in_ledger,
    known,
    sync,
    truly_on,
    write,
    write_data,
)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose two lists were pushed and have landed."""
    folder = tmp_path_factory.mktemp("kept") / "workspace"
    write(folder)
    with open_app(folder) as app:
        sync(app)
        forward(app, days=3)
        upkeep(app)
    return folder


@pytest.fixture
def app(synced: Path, tmp_path: Path) -> Iterator[App]:
    folder = tmp_path / "workspace"
    shutil.copytree(synced, folder, ignore=shutil.ignore_patterns("address"))
    with open_app(folder) as opened:
        yield opened


def status(app: App, list_id: str) -> str:
    state = activate.follow(app, list_id)
    assert state is not None
    return str(state.status)


def test_an_idle_list_is_touched_before_day_25_and_only_then(app: App) -> None:
    touched = []
    for _ in range(26):
        forward(app, days=1)
        found = {kept.audience_id: kept.refreshed for kept in upkeep(app).lists}
        touched.append(found[COMPANIES])
    assert [n for n in touched if n] == [5]
    assert 15 <= touched.index(5) + 3 < 25


@pytest.mark.parametrize("end", [AudienceStatus.EXPIRED, AudienceStatus.FAILED, AudienceStatus.GONE])
def test_a_dead_list_is_made_anew_filled_and_put_into_its_campaign_whoever_noticed_first(
    app: App, end: AudienceStatus
) -> None:
    assert app.sandbox is not None
    app.sandbox.post("/sandbox/seed", {"impressions_per_28_days": 1000})
    linkedin = app.platform("linkedin")
    campaign = linkedin.list_campaigns()[0].campaign_id
    linkedin.set_status(campaign, "paused")
    before = known(app, COMPANIES)
    linkedin.set_targets(campaign, include=[before.target_id])
    if end is AudienceStatus.GONE:
        linkedin.delete(before.external_id)
    elif end is AudienceStatus.FAILED:
        app.sandbox.post("/sandbox/faults", {"kind": "matching_error", "match": "companies"})
        one = (Member(b"1" * 32, "one more", (("domain", "one-more.example"),)),)
        linkedin.push(PushBatch("b", COMPANIES, before.external_id, Op.ADD, MemberKind.COMPANY, one))
    else:
        forward(app, days=100)
    assert status(app, COMPANIES) == status(app, COMPANIES) == end  # as a sync asks, before upkeep does

    assert {kept.audience_id: kept for kept in upkeep(app).lists}[COMPANIES].renewed
    assert status(app, COMPANIES) in ALIVE
    forward(app, days=3)
    assert not [kept for kept in upkeep(app).lists if kept.renewed]
    assert truly_on(app, COMPANIES) == in_ledger(app, COMPANIES)
    assert len(in_ledger(app, COMPANIES)) == 120
    now = known(app, COMPANIES)
    assert now.target_id != before.target_id
    assert linkedin.campaign(campaign).include == (now.target_id,)


@pytest.mark.parametrize("list_id", [COMPANIES, PEOPLE])
def test_a_list_somebody_deleted_on_the_platform_comes_back_with_everybody(app: App, list_id: str) -> None:
    before = in_ledger(app, list_id)
    app.platform(list_id.partition("/")[0]).delete(known(app, list_id).external_id)
    for days in (3, 0):
        upkeep(app)
        forward(app, days=days)
    assert truly_on(app, list_id) == before == in_ledger(app, list_id)
    assert len(app.store.audit_log(what="list made anew")) == 1


def test_a_run_cut_off_while_making_a_list_anew_is_finished_by_the_next(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward(app, days=100)

    class Cut(BaseException):
        pass

    def cut(*_: object) -> int:
        raise Cut

    with monkeypatch.context() as patched:
        patched.setattr(activate_renew, "again", cut)
        with pytest.raises(Cut):
            upkeep(app)
    upkeep(app)
    forward(app, days=3)
    upkeep(app)
    assert truly_on(app, COMPANIES) == in_ledger(app, COMPANIES)
    assert len(in_ledger(app, COMPANIES)) == 120
    assert app.sandbox is not None
    named = app.sandbox.get("/sandbox/truth/state")["by_segment"].values()
    assert [row["status"] for row in named if row["source_id"] == COMPANIES].count("EXPIRED") == 1
    assert len(named) == 2  # the dead one, and one that replaced it


def test_members_that_got_no_answer_are_tried_again_when_due(app: App) -> None:
    assert app.sandbox is not None
    write_data(app.workspace, first=40)
    app.sandbox.post("/sandbox/faults", {"kind": "answers_truncated", "match": "companies", "share": 0.5})
    sync(app)
    stuck = app.store.ledger_counts(COMPANIES)
    assert stuck.unknown + stuck.leaving > 0
    assert sum(kept.retried for kept in upkeep(app).lists) == 0  # not due yet
    forward(app, days=1)
    assert sum(kept.retried for kept in upkeep(app).lists) == stuck.unknown + stuck.leaving
    forward(app, days=2)
    assert truly_on(app, COMPANIES) == in_ledger(app, COMPANIES)
    assert app.store.dead_letters(COMPANIES) == ()


def test_members_refused_for_good_are_parked_and_said_once(app: App) -> None:
    assert app.sandbox is not None
    write_data(app.workspace, first=40)
    app.sandbox.post("/sandbox/faults", {"kind": "rows_refused", "match": "companies", "share": 1.0})
    sync(app)
    parked = {kept.audience_id: kept.parked for kept in upkeep(app).lists}[COMPANIES]
    assert parked > 0
    assert app.store.alert_states()[f"parked/{COMPANIES}"][0] == "parked"
    assert not [words for words in upkeep(app).told if "refused" in words]


def test_success_but_empty_is_said_and_healed_by_sending_again(synced: Path, tmp_path: Path) -> None:
    write(tmp_path)
    with open_app(tmp_path) as app:
        assert app.sandbox is not None
        app.sandbox.post("/sandbox/faults", {"kind": "silent_drop", "match": "companies", "share": 1.0})
        sync(app)
        assert app.store.ledger_counts(COMPANIES).accepted == 120
        forward(app, days=8)
        assert truly_on(app, COMPANIES) == set()
        kept = {kept.audience_id: kept for kept in upkeep(app).lists}[COMPANIES]
        assert "shows nobody" in kept.empty
        assert kept.refreshed == 120
        forward(app, days=3)
        assert {kept.audience_id: kept for kept in upkeep(app).lists}[COMPANIES].empty == ""
        assert truly_on(app, COMPANIES) == in_ledger(app, COMPANIES)


@pytest.mark.parametrize("platform", ["linkedin", "google"])
def test_a_one_off_list_is_emptied_on_its_day_and_left_alone_after(app: App, platform: str) -> None:
    from flows.push import one_off_spec, push_list, read_list

    file = app.workspace / ("companies.csv" if platform == "linkedin" else "people.csv")
    if platform == "google":
        lines = ["email,consent", *(f"guest{i}@fair.example.org,granted" for i in range(30))]
        file.write_text("\n".join(lines) + "\n")
    wanted = read_list(app, file, platform, first_party=True)
    spec = one_off_spec("Fair", platform, wanted.kind, "")
    push_list(app, wanted, spec, owner="tester", until=app.today + timedelta(days=5))
    forward(app, days=4)
    upkeep(app)
    assert len(in_ledger(app, spec.audience_id)) == len(wanted.members) > 0
    forward(app, days=1)
    upkeep(app)
    forward(app, days=2)
    upkeep(app)
    assert truly_on(app, spec.audience_id) == set()
    assert app.store.ledger_counts(spec.audience_id).accepted == 0
    assert app.store.one_offs(ending_by=app.today) == ()
    forward(app, days=60)
    assert {kept.audience_id: kept for kept in upkeep(app).lists}[spec.audience_id].notes == ("ended",)


def test_a_one_off_list_ends_on_the_workspaces_day_not_on_the_machines(app: App) -> None:
    from flows.push import one_off_spec, push_list, read_list

    app.config = app.config.model_copy(update={"timezone": "Pacific/Auckland"})
    wanted = read_list(app, app.workspace / "companies.csv", "linkedin")
    spec = one_off_spec("Fair", "linkedin", wanted.kind, "")
    last = app.today + timedelta(days=2)
    push_list(app, wanted, spec, owner="tester", until=last)
    midnight = datetime.combine(last, time(), app.config.zone).astimezone(UTC)
    assert midnight.date() < last  # the machine is a day behind
    assert access_for(app, PageOptions(), lambda: midnight).today == last  # as the page has it
    forward(app, days=(midnight - app.now()) / timedelta(days=1) - 1 / 24)
    assert {kept.audience_id: kept.emptied for kept in upkeep(app).lists}[spec.audience_id] == 0
    forward(app, days=2 / 24)
    assert {kept.audience_id: kept.emptied for kept in upkeep(app).lists}[spec.audience_id] == 120


def test_one_lists_trouble_does_not_stop_the_others_and_is_told_once(app: App) -> None:
    assert app.sandbox is not None
    app.sandbox.post("/sandbox/faults", {"kind": "revoked_token", "match": "dmpSegments", "times": None})
    forward(app, days=30)
    found = upkeep(app)
    assert [kept.audience_id for kept in found.troubles] == [COMPANIES]
    assert {kept.audience_id: kept.refreshed for kept in found.lists}[PEOPLE] == 5
    assert [words for words in found.told if COMPANIES in words]
    assert not [words for words in upkeep(app).told if COMPANIES in words]
    with pytest.raises(UpkeepTrouble, match=COMPANIES):
        raise_trouble(found)


def test_a_passing_trouble_is_told_only_after_a_day_and_a_busy_list_never(app: App) -> None:
    upkeep(app)
    passing = Kept(COMPANIES, trouble="no answer", retryable=True)
    assert not [one for one in conditions(app, [passing]) if COMPANIES in one.subject]
    lasting = replace(passing, retryable=False)
    assert [one.state for one in conditions(app, [lasting]) if COMPANIES in one.subject] == ["trouble"]
    forward(app, days=2)
    assert [one.state for one in conditions(app, [passing]) if COMPANIES in one.subject] == ["trouble"]
    assert not [one for one in conditions(app, [Kept(COMPANIES, busy=True)]) if COMPANIES in one.subject]


def test_a_list_another_run_is_working_on_is_left_to_it(app: App) -> None:
    forward(app, days=30)
    app.store.take_lease(COMPANIES, "elsewhere:1:1", now=app.now(), until=app.now() + timedelta(hours=1))
    found = {kept.audience_id: kept for kept in upkeep(app).lists}
    assert found[COMPANIES].busy
    assert not found[PEOPLE].busy
    raise_trouble(upkeep(app))


@pytest.mark.parametrize(
    ("days_left", "state"), [(40, "ok"), (29, "ends soon"), (6, "last days"), (-1, "ended")]
)
def test_a_sign_in_is_watched_until_it_ends(app: App, days_left: int, state: str) -> None:
    ends = app.now() + timedelta(days=days_left)
    token = Token(SecretStr("a-token"), refresh=SecretStr("r-token"), refresh_until=ends)
    TokenFile(token_path(app, "linkedin")).save(token)
    (condition,) = token_conditions(app)
    assert condition.state == state
    assert "token" not in condition.words
    told = [words for words in upkeep(app).told if words.startswith("linkedin: Consent")]
    assert len(told) == (0 if state == "ok" else 1)
    assert not [words for words in upkeep(app).told if words.startswith("linkedin: Consent")]


def test_the_command_says_what_was_done_as_json(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    from flows.cli import main

    forward(app, days=30)
    assert main(["upkeep", "--json", "--workspace", str(app.workspace)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert {row["audience_id"] for row in data["lists"]} == {COMPANIES, PEOPLE}
