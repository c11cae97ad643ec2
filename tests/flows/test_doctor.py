"""The doctor: a healthy workspace has nothing to do, and each fault is found by its code, with a remedy."""

import json
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from audiences.store.records import PlanRecord, PlanStatus
from flows import activate, activate_plan, doctor
from flows.cli import main
from flows.doctor import Finding, examine
from flows.doctor_platforms import clock
from flows.settings import Settings
from flows.upkeep import upkeep
from flows.wiring import App, open_app
from platforms.oauth import Token, TokenFile
from tests.flows.kept_workspace import COMPANIES, CONFIG, forward, sync, write

BALANCED = (
    CONFIG.replace(
        "    sync: {linkedin: [companies], google: [contacts]}\n",
        "    sync: {linkedin: [companies], google: [contacts]}\n"
        "    holdout: 50 %\n"
        "    balance: {campaign: '600000001', policy: even}\n"
        "    without: [customers]\n",
    )
    + """
  customers:
    title: Customers
    kind: negative
    where: {field: employees, at_least: 1000000}
    sync: {linkedin: [companies]}
  extra:
    title: Extra
    where: {field: employees, at_least: 10}
policies:
  even: {mode: bands}
"""
)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pushed, landed, attached to its campaign."""
    folder = tmp_path_factory.mktemp("well") / "workspace"
    write(folder)
    (folder / "evenreach.yaml").write_text(BALANCED.replace("at_least: 1000000", "at_most: 30"))
    with open_app(folder) as app:
        assert app.sandbox is not None
        app.sandbox.post("/sandbox/seed", {"impressions_per_28_days": 10_000})
        sync(app)
        forward(app, days=3)
        upkeep(app)
        activate_plan.attach(app, "everyone")
    return folder


@pytest.fixture
def folder(healthy: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "workspace"
    shutil.copytree(healthy, copy, ignore=shutil.ignore_patterns("address"))
    return copy


def faults(folder: Path, *, offline: bool = False, **settings: Any) -> dict[str, Finding]:
    plain = Settings(_env_file=None, **settings)  # type: ignore[call-arg]
    return {one.code: one for one in examine(folder, settings=plain, offline=offline) if not one.well}


def edit(before: str, after: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        file = folder / "evenreach.yaml"
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, after))

    return change


def inside(act: Callable[[App], None]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with open_app(folder) as app:
            act(app)

    return change


def revision(number: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "evenreach.db")) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (number,))
            connection.commit()

    return change


def post(path: str, body: dict[str, Any]) -> Callable[[Path], None]:
    def act(app: App) -> None:
        assert app.sandbox is not None
        app.sandbox.post(path, body)

    return inside(act)


def campaign_says(**fields: object) -> Callable[[Path], None]:
    def act(app: App) -> None:
        app.platform("linkedin")._campaigns._write("600000001", fields)

    return inside(act)


def token(path: str, *, mode: int = 0o600, days: int = 400) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with open_app(folder) as app:
            ends = app.now() + timedelta(days=days)
        file = folder / "tokens" / path
        TokenFile(file).save(Token(SecretStr("a"), refresh=SecretStr("r"), refresh_until=ends))
        file.chmod(mode)

    return change


def waiting_plan(app: App) -> None:
    plan = PlanRecord(
        plan_id="a" * 64,
        segment="everyone",
        day=app.today,
        mode="bands",
        status=PlanStatus.PROPOSED,
        inputs_hash="b" * 64,
        body=b"",
        inputs=None,
        memory=None,
        moves=(),
        created_by="tester",
        created_at=app.now() - timedelta(days=2),
    )
    app.store.save_plan(plan)


def refuse_everybody(app: App) -> None:
    write_people = app.workspace / "contacts.csv"
    assert app.sandbox is not None
    app.sandbox.post("/sandbox/faults", {"kind": "rows_refused", "match": "companies", "share": 1.0})
    numbers = range(120, 125)
    lines = [f"Company {i:04} Works,company{i:04}-works.com,US,{20 + i}" for i in numbers]
    with (app.workspace / "companies.csv").open("a") as file:
        file.write("\n".join(lines) + "\n")
    assert write_people.exists()
    sync(app)


def expire(app: App) -> None:
    app.platform("linkedin").set_status("600000001", "paused")
    forward(app, days=100)
    activate.follow(app, COMPANIES)


def drop_quietly(app: App) -> None:
    record = app.store.audience(COMPANIES)
    assert record is not None
    assert record.state is not None
    from dataclasses import replace

    app.store.save_state(replace(record.state, audience_size=0), at=app.now())
    forward(app, days=5)


def no_consent(folder: Path) -> None:
    edit("first_party: true, consent: granted, ", "")(folder)


FAULTS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a mistake in the settings": ("settings", edit("workspace: Kept", "wrkspace: Kept")),
    "no settings": ("workspace", lambda folder: (folder / "evenreach.yaml").unlink()),
    "a source that is gone": ("source", lambda folder: (folder / "companies.csv").unlink()),
    "a source that cannot be read": (
        "source",
        lambda folder: (folder / "companies.csv").write_bytes(b"\x00\xff\x00" * 500) and None,
    ),
    "a column that is not there": (
        "settings",
        edit("{file: companies.csv, layout: companies}", "{file: companies.csv, columns: {name: Nmae}}"),
    ),
    "a rule on data nobody has": (
        "column_missing",
        edit("title: Extra\n    where: {field: employees, at_least: 10}",
             "title: Extra\n    where: {field: revenue_usd, at_least: 10}"),
    ),
    "a segment without anybody": (
        "segment_empty",
        edit("title: Extra\n    where: {field: employees, at_least: 10}",
             "title: Extra\n    where: {field: employees, at_least: 99999}"),
    ),
    "a holdout too small to measure": ("holdout_small", edit("holdout: 50 %", "holdout: 1 %")),
    "people without consent": ("no_consent", no_consent),
    "people who are not ours": ("not_first_party", no_consent),
    "a database of an older program": ("database_behind", revision("0001")),
    "a database of a newer program": ("database_ahead", revision("zzzz")),
    "a damaged database": (
        "database_broken",
        lambda folder: (folder / "evenreach.db").write_bytes(b"no database at all" * 99) and None,
    ),
    "a database that is away": (
        "database_gone",
        edit("sqlite:///evenreach.db", "postgresql://nobody@127.0.0.1:9/none"),
    ),
    "a token others may read": ("secret_readable", token("linkedin.json", mode=0o644)),
    "a .env others may read": ("secret_readable", lambda folder: (folder / ".env").write_text("A=1") and None),
    "a sign-in about to end": ("sign_in_ends", token("linkedin.sandbox.json", days=9)),
    "the sandbox beside a real sign-in": ("sandbox_mode", token("linkedin.json")),
    "an alert without its secret": (
        "alert_secret",
        edit("timezone: UTC", "timezone: UTC\nalerts: {slack: env:NOT_SET_HERE}"),
    ),
    "a token that was revoked": (
        "sign_in",
        post("/sandbox/faults", {"kind": "revoked_token", "match": "adAccounts", "times": None}),
    ),
    "a person without a role": (
        "role",
        post("/sandbox/accounts", {"id": "500000001", "roles": {"member-1": None}}),
    ),
    "an API version that is gone": (
        "version_sunset",
        edit('ad_account: "500000001"', 'ad_account: "500000001", api_version: "202501"'),
    ),
    "an API version about to go": (
        "version_old",
        edit('ad_account: "500000001"', 'ad_account: "500000001", api_version: "202510"'),
    ),
    "a test account": ("platform", post("/sandbox/accounts", {"id": "500000001", "test": True})),
    "a list that expired": ("list_dead", inside(expire)),
    "a list that shows nobody": ("list_empty", inside(drop_quietly)),
    "members refused for good": ("parked", inside(refuse_everybody)),
    "a plan nobody decides on": ("plan_waiting", inside(waiting_plan)),
    "reports that stopped coming": ("stale_reports", inside(waiting_plan)),
    "audience expansion": ("expansion_on", campaign_says(audienceExpansionEnabled=True)),
    "the audience network": ("network_on", campaign_says(offsiteDeliveryEnabled=True)),
    "customers who see the ads": ("exclusion_missing", edit("    without: [customers]\n", "")),
    "a campaign that reaches too few": ("audience_narrow", post("/sandbox/knobs", {"minimum_audience": 10**7})),
}  # fmt: skip


def test_a_healthy_workspace_has_nothing_to_do(folder: Path) -> None:
    assert faults(folder) == {}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_by_its_code_and_says_what_to_do(folder: Path, fault: str) -> None:
    code, plant = FAULTS[fault]
    plant(folder)
    found = faults(folder)
    assert code in found, sorted(found)
    assert found[code].words
    assert found[code].remedy or "." in found[code].words.rstrip(".")


def test_a_folder_that_cannot_be_written_to_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder and real(path, mode))
    assert "chmod" in faults(folder, offline=True)["unwritable"].remedy


def test_a_full_disk_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.doctor_place.LEAST_DISK", 1e18)
    assert "free" in faults(folder, offline=True)["disk"].words


@pytest.mark.parametrize(("seconds", "found"), [(0, False), (30, False), (600, True), (-7200, True)])
def test_a_clock_that_is_off_is_told_from_the_platforms_own(seconds: int, found: bool) -> None:
    class Platform(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Platform)
    thread = threading.Thread(target=server.handle_request, daemon=True)
    thread.start()
    now = datetime.now(UTC) + timedelta(seconds=seconds)
    said = list(clock("linkedin", f"http://127.0.0.1:{server.server_address[1]}", now))
    thread.join()
    server.server_close()
    assert [one.code for one in said] == (["clock"] if found else [])


def test_a_live_set_up_that_tells_nobody_is_found_without_a_call(folder: Path) -> None:
    edit("linkedin: {mode: sandbox, ad_account", "linkedin: {mode: live, ad_account")(folder)
    found = faults(folder, offline=True)
    assert "no_alerts" in found
    assert "another platform is live" in found["sandbox_mode"].words  # google still is the sandbox


def test_offline_calls_no_platform(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def called(*_: object) -> None:
        raise AssertionError("a platform was called")

    monkeypatch.setattr("flows.doctor_platforms.platform", called)
    assert faults(folder, offline=True) == {}


def test_an_error_of_ours_is_a_finding_and_any_other_is_raised() -> None:
    def broken() -> list[Finding]:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError):
        list(doctor.looked(broken, "x"))


def test_the_command_prints_json_and_fails_when_something_is_to_do(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--json", "--workspace", str(folder)]) == 0
    assert all(one["well"] for one in json.loads(capsys.readouterr().out)["findings"])
    edit("holdout: 50 %", "holdout: 1 %")(folder)
    assert main(["check", "--workspace", str(folder)]) == 1
    assert "DO" in capsys.readouterr().out
