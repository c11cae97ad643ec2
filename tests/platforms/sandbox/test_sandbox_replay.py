"""The journal: killed at any moment and started again, the sandbox is the same world."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from platforms.sandbox.journal import NAME, StateDirBusy
from platforms.sandbox.server import open_engine
from tests.platforms.sandbox.calls import (
    ACCOUNT,
    START,
    STILL,
    Sandbox,
    campaign_body,
    companies,
    digest,
    people,
    segment_body,
)

LISTS = "/v1/accountTypes/GOOGLE_ADS/accounts/1234567890/userLists"


def fingerprint(sandbox) -> tuple:
    shown = sandbox.control("GET", "/truth/state")
    return shown["fingerprint"], shown["by_segment"], shown["impressions"]


def reopened(sandbox, folder, **options) -> Sandbox:
    """As after ``kill -9``: nothing is closed in order, only the lock is let go of by the system."""
    now = sandbox.world.now
    sandbox.engine.journal.close()
    again = Sandbox(state_dir=folder, **options)
    assert again.world.now <= now
    return again


step = st.one_of(
    st.tuples(st.just("segment"), st.sampled_from(["COMPANY", "USER"])),
    st.tuples(st.just("add"), st.integers(0, 3), st.integers(0, 40), st.integers(1, 40)),
    st.tuples(st.just("remove"), st.integers(0, 3), st.integers(0, 40), st.integers(1, 40)),
    st.tuples(st.just("time"), st.integers(1, 60)),
    st.tuples(st.just("target"), st.integers(0, 3)),
    st.tuples(st.just("budget"), st.integers(1, 5000)),
    st.tuples(st.just("clone")),
    st.tuples(st.just("delete"), st.integers(0, 3)),
    st.tuples(
        st.just("google"), st.sampled_from(["ingest", "remove"]), st.integers(0, 30), st.integers(1, 30)
    ),
    st.tuples(
        st.just("fault"),
        st.sampled_from(["rows_refused", "silent_drop", "503", "lost_reply_after_commit", "matching_error"]),
    ),
    st.tuples(st.just("knob"), st.integers(1, 48)),
    st.tuples(st.just("kill")),
)


class Script:
    """Runs steps against a sandbox; a step that the platform refuses is part of the story."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.made = sandbox.seed(shape="C", creatives=2)
        self.segments: list[str] = []
        self.list_id = sandbox.google.post(
            LISTS, json={"displayName": "l", "ingestedUserListInfo": {"uploadKeyTypes": ["CONTACT_ID"]}}
        ).json()["id"]
        self.segment("COMPANY")
        self.segment("USER")
        self.add(0, 0, 40)
        self.add(1, 0, 40)
        self.target(0)

    def run(self, name: str, *args) -> None:
        try:
            getattr(self, name)(*args)
        except Exception as error:
            if "lost on purpose" not in str(error):
                raise

    def segment(self, kind: str) -> None:
        reply = self.sandbox.li.post("/rest/dmpSegments", json=segment_body(kind))
        if reply.status_code == 201:
            self.segments.append(reply.headers["x-restli-id"])
            self.sandbox.pass_time(seconds=6)

    def _push(self, which: int, action: str, first: int, count: int) -> None:
        if which < len(self.segments):
            segment = self.segments[which]
            shown = self.sandbox.li.get(f"/rest/dmpSegments/{segment}")
            kind = shown.json().get("type") if shown.status_code == 200 else None
            rows = companies(count, action, first) if kind == "COMPANY" else people(count, action, first)
            self.sandbox.push(segment, rows, "companies" if kind == "COMPANY" else "users")

    def add(self, which: int, first: int, count: int) -> None:
        self._push(which, "ADD", first, count)

    def remove(self, which: int, first: int, count: int) -> None:
        self._push(which, "REMOVE", first, count)

    def time(self, hours: int) -> None:
        self.sandbox.pass_time(hours=hours)

    def target(self, which: int) -> None:
        if which < len(self.segments):
            shown = self.sandbox.li.get(f"/rest/dmpSegments/{self.segments[which]}")
            if shown.status_code == 200:
                urn = shown.json()["destinations"][0]["destinationSegmentId"]
                self.sandbox.target(self.made["campaign"], [urn])

    def budget(self, amount: int) -> None:
        money = {"amount": f"{amount}.00", "currencyCode": "USD"}
        self.sandbox.patch_campaign(self.made["campaign"], {"dailyBudget": money})

    def clone(self) -> None:
        body = campaign_body(self.made["campaign_group"])
        self.sandbox.li.post(f"/rest/adAccounts/{ACCOUNT}/adCampaigns", json=body)

    def delete(self, which: int) -> None:
        if which < len(self.segments):
            self.sandbox.li.delete(f"/rest/dmpSegments/{self.segments[which]}")

    def google(self, verb: str, first: int, count: int) -> None:
        members = [
            {"compositeData": {"userData": {"userIdentifiers": [{"emailAddress": digest(i)}]}}}
            for i in range(first, first + count)
        ]
        body = {
            "destinations": [
                {
                    "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "1234567890"},
                    "productDestinationId": self.list_id,
                }
            ],
            "audienceMembers": members,
            "encoding": "HEX",
        }
        if verb == "ingest":
            body["termsOfService"] = {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
        self.sandbox.google.post(f"/v1/audienceMembers:{verb}", json=body)

    def fault(self, kind: str) -> None:
        body = {"kind": kind, "match": "POST", "probability": 0.5, "share": 0.3}
        self.sandbox.control("POST", "/faults", body)

    def knob(self, hours: int) -> None:
        self.sandbox.control("POST", "/knobs", {"add_hours": hours})


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(step, min_size=3, max_size=25), seed=st.integers(1, 3))
def test_whatever_was_done_a_replay_gives_the_same_world(tmp_path_factory, steps, seed):
    folder = tmp_path_factory.mktemp("state")
    script = Script(Sandbox(STILL.changed({"minimum_audience": 1}), state_dir=folder, seed=seed))
    for name, *args in steps:
        if name == "kill":
            before = fingerprint(script.sandbox)
            script.sandbox = reopened(script.sandbox, folder, knobs=None)
            assert fingerprint(script.sandbox) == before
        else:
            script.run(name, *args)
    before = fingerprint(script.sandbox)
    again = reopened(script.sandbox, folder, knobs=None)

    assert fingerprint(again) == before
    again.engine.close()


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.floats(0.001, 0.4), min_size=1, max_size=9))
def test_how_often_the_clock_is_moved_changes_nothing(cuts):
    worlds = []
    for pieces in ([1.0], [*cuts, max(0.0, 1.0 - sum(cuts))] if sum(cuts) < 1 else [0.5, 0.5]):
        sandbox = Sandbox()
        made = sandbox.seed()
        segment = sandbox.ready_segment()
        sandbox.push(segment, companies(300))
        sandbox.target(made["campaign"], [sandbox.destination(segment)["destinationSegmentId"]])
        begun, whole = sandbox.world.now, 6 * 86_400_000
        for i, _ in enumerate(pieces):
            moment = begun + round(whole * min(1.0, sum(pieces[: i + 1])))
            sandbox.engine.advance(moment)
        sandbox.engine.advance(begun + whole)
        worlds.append(fingerprint(sandbox))

    assert worlds[0] == worlds[1]


def test_a_torn_last_entry_is_dropped_and_the_rest_stands(tmp_path):
    sandbox = Sandbox(state_dir=tmp_path)
    for _ in range(3):
        sandbox.create_segment()
    sandbox.engine.close()
    path = tmp_path / NAME
    whole = path.read_bytes()
    for cut in (1, 5, 40):
        path.write_bytes(whole[:-cut])
        again = Sandbox(state_dir=tmp_path)
        assert len(again.world.segments) == 2
        again.create_segment()
        again.engine.close()
        third = Sandbox(state_dir=tmp_path)
        assert len(third.world.segments) == 3
        third.engine.close()


def test_ids_go_on_where_they_stopped(tmp_path):
    sandbox = Sandbox(state_dir=tmp_path)
    first = sandbox.create_segment()
    sandbox.engine.close()
    again = Sandbox(state_dir=tmp_path)

    assert int(again.create_segment()) == int(first) + 1
    again.engine.close()


def test_tokens_faults_and_knobs_survive(tmp_path):
    sandbox = Sandbox(state_dir=tmp_path)
    form = {
        "grant_type": "refresh_token",
        "refresh_token": "sandbox-refresh-token",
        "client_secret": "s3cret",
    }
    token = sandbox.bare.post("/oauth/v2/accessToken", data=form).json()["access_token"]
    sandbox.control("POST", "/faults", {"kind": "503", "match": "GET", "times": 3})
    sandbox.control("POST", "/knobs", {"batch_limit": 7})
    sandbox.li.get(f"/rest/adAccounts/{ACCOUNT}")
    again = reopened(sandbox, tmp_path, knobs=None)
    again.li.headers["Authorization"] = f"Bearer {token}"
    statuses = [again.li.get(f"/rest/adAccounts/{ACCOUNT}").status_code for _ in range(3)]

    assert statuses == [503, 503, 200]
    assert again.world.knobs.batch_limit == 7
    assert b"s3cret" not in (tmp_path / NAME).read_bytes()
    assert b"sandbox-token" not in (tmp_path / NAME).read_bytes()
    again.engine.close()


def test_the_clock_never_goes_back_over_a_journaled_change(tmp_path):
    sandbox = Sandbox(state_dir=tmp_path)
    sandbox.pass_time(days=3)
    at = sandbox.world.now
    again = reopened(sandbox, tmp_path, start_at=START)

    assert again.world.now == at
    again.engine.close()


def test_only_one_process_owns_a_state_folder(tmp_path):
    first = open_engine(state_dir=tmp_path)
    first.journal.publish("http://127.0.0.1:1234")
    with pytest.raises(StateDirBusy) as caught:
        open_engine(state_dir=tmp_path)
    assert caught.value.address == "http://127.0.0.1:1234"
    assert "in use by another process at http://127.0.0.1:1234" in str(caught.value)
    first.close()
    open_engine(state_dir=tmp_path).close()


def test_knobs_given_at_a_restart_are_a_change_from_then_on(tmp_path):
    sandbox = Sandbox(state_dir=tmp_path)
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(20))
    again = reopened(sandbox, tmp_path, knobs=STILL.changed({"batch_limit": 10}))
    assert again.push(segment, companies(11)).status_code == 400
    third = reopened(again, tmp_path, knobs=None)

    assert third.push(segment, companies(11)).status_code == 400
    assert len(third.members(segment)) == 20
    third.engine.close()


def test_a_write_that_is_refused_is_refused_again_in_a_replay(tmp_path):
    sandbox = Sandbox(state_dir=tmp_path)
    segment = sandbox.create_segment()
    assert sandbox.push(segment, companies(3)).status_code == 404
    assert sandbox.li.post("/rest/dmpSegments", json={"name": "x"}).status_code == 422
    assert sandbox.li.delete("/rest/dmpSegments/4711").status_code == 404
    sandbox.pass_time(seconds=5)
    sandbox.push(segment, companies(2))
    before = fingerprint(sandbox)
    again = reopened(sandbox, tmp_path, knobs=None)

    assert fingerprint(again) == before
    assert len(again.members(segment)) == 2
    again.engine.close()


def test_names_of_people_are_not_kept_and_still_mean_the_same_person(tmp_path):
    sandbox = Sandbox(state_dir=tmp_path)
    segment = sandbox.ready_segment("USER")
    jane = {"userIds": [], "firstName": "Janina", "lastName": "Quxdoe", "title": "Chief Frobnicator"}
    rows = [{"action": "ADD", **jane}, {"action": "ADD", **jane, "firstName": "J" * 36}]
    answers = sandbox.push(segment, rows, "users").json()["elements"]
    assert [a["status"] for a in answers] == [201, 400]
    again = reopened(sandbox, tmp_path, knobs=None)
    assert len(again.members(segment)) == 1
    again.push(segment, [{"action": "REMOVE", **jane}], "users")
    again.pass_time(days=3)
    kept = (tmp_path / NAME).read_bytes()

    assert again.members(segment) == []
    assert not any(word in kept for word in (b"Janina", b"Quxdoe", b"Frobnicator"))
    again.engine.close()


def test_a_real_clock_goes_on_with_the_day_after_a_stop(tmp_path):
    first = open_engine(clock="real", state_dir=tmp_path, start_at=START)
    first.close()
    again = open_engine(clock="real", state_dir=tmp_path, start_at=START + timedelta(days=2))
    again.call("GET", "/sandbox/clock", "", {}, b"")

    assert again.world.now >= (START + timedelta(days=2)).timestamp() * 1000
    again.close()


def test_the_address_of_a_killed_sandbox_is_forgotten(tmp_path):
    (tmp_path / "address").write_text("http://127.0.0.1:1")
    engine = open_engine(state_dir=tmp_path)
    assert not (tmp_path / "address").exists()
    engine.close()


def test_reading_leaves_no_entry(tmp_path):
    sandbox = Sandbox(state_dir=tmp_path)
    size = (tmp_path / NAME).stat().st_size
    sandbox.li.get(f"/rest/adAccounts/{ACCOUNT}")
    sandbox.control("GET", "/truth/state")

    assert (tmp_path / NAME).stat().st_size == size
    sandbox.engine.close()


def test_a_quarter_of_a_year_is_replayed_whole(tmp_path):
    """3,000 companies in five campaigns, 10,000 contacts, 84 market days, a few hundred calls."""
    sandbox = Sandbox(state_dir=tmp_path)
    made = sandbox.seed(campaigns=5, creatives=5)
    urns = []
    for i, campaign in enumerate(made["campaigns"]):
        segment = sandbox.ready_segment()
        sandbox.push(segment, companies(600, first=600 * i))
        urns.append(sandbox.destination(segment)["destinationSegmentId"])
        sandbox.target(campaign["campaign"], [urns[-1]])
    contacts = sandbox.ready_segment("USER")
    for i in range(2):
        sandbox.push(contacts, people(5000, first=5000 * i), "users")
    for day in range(84):
        sandbox.pass_time(days=1)
        for campaign in made["campaigns"][:3]:
            money = {"amount": f"{900 + day}.00", "currencyCode": "USD"}
            sandbox.patch_campaign(campaign["campaign"], {"dailyBudget": money})
    before = fingerprint(sandbox)
    sandbox.engine.close()
    again = Sandbox(state_dir=tmp_path)

    assert fingerprint(again) == before
    assert again.control("GET", "/truth/state")["days"] == 84
    again.engine.close()
