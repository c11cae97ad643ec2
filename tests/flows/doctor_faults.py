"""Faults a workspace can have: the code each is found by, and how it is planted in one that is well."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from audiences.store.records import PlanRecord, PlanStatus
from flows import activate
from flows.wiring import App, open_app
from platforms.oauth import Token, TokenFile
from tests.flows.kept_workspace import COMPANIES, forward, sync


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


def old_signals(folder: Path) -> None:
    (folder / "signals.csv").write_text("domain,kind,date\ncompany0001-works.com,pricing_page,2026-01-15\n")
    edit("sources:\n", "sources:\n  signals: [{file: signals.csv}]\n")(folder)
    edit("timezone: UTC", "timezone: UTC\nscoring: {intent: {weights: {pricing_page: 10}}}")(folder)


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
    "signals that stopped coming": ("signals_old", old_signals),
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
