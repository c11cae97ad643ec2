"""A workspace with one company list and one list of people on the sandbox, and what the sandbox truly holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from audiences.model import AudienceSpec, AudienceState
from flows import activate
from flows.assess import assess
from flows.load import load
from flows.wiring import App

COMPANIES, PEOPLE = "linkedin/everyone/companies", "google/everyone/contacts"
ALIVE = {"ready", "building", "updating"}  # what the status of a list that lives may be
CONFIG = """
workspace: Kept
database: sqlite:///evenreach.db
timezone: UTC
sandbox: {starts: 2026-08-24}
platforms:
  linkedin: {mode: sandbox, ad_account: "500000001"}
  google: {mode: sandbox, customer: "1234567890"}
sources:
  companies: [{file: companies.csv, layout: companies}]
  contacts: [{file: contacts.csv, layout: contacts, first_party: true, consent: granted, default_country: US}]
segments:
  everyone:
    title: Everyone
    where: {field: employees, at_least: 10}
    sync: {linkedin: [companies], google: [contacts]}
"""


def write(folder: Path, *, first: int = 0, companies: int = 120, people: int = 3) -> None:
    """Settings, ``companies`` companies from number ``first`` on, and ``people`` at each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evenreach.yaml").write_text(CONFIG)
    numbers = range(first, first + companies)
    lines = ["name,domain,country,employees"]
    lines += [f"Company {i:04} Works,company{i:04}-works.com,US,{20 + i}" for i in numbers]
    (folder / "companies.csv").write_text("\n".join(lines) + "\n")
    rows = ["email,company,domain"]
    rows += [
        f"person{i}.{j}@company{i:04}-works.com,Company {i:04} Works,company{i:04}-works.com"
        for i in numbers
        for j in range(people)
    ]
    (folder / "contacts.csv").write_text("\n".join(rows) + "\n")


def write_data(folder: Path, *, first: int) -> None:
    """Other companies and people, under the settings as they are."""
    kept = (folder / "evenreach.yaml").read_text()
    write(folder, first=first)
    (folder / "evenreach.yaml").write_text(kept)


def sync(app: App) -> None:
    """As the command does it."""
    load(app)
    assessment = assess(app)
    for spec in activate.wanted_lists(app):
        sync_one(app, assessment, spec)


def sync_one(app: App, assessment: Any, spec: AudienceSpec) -> None:
    activate.patiently(app, lambda: activate.prepare(app, assessment, spec, accept_shrink=100_000))
    activate.patiently(app, lambda: activate.send(app, spec.audience_id))


def forward(app: App, *, days: float) -> None:
    assert app.sandbox is not None
    app.sandbox.advance_to(app.now() + timedelta(days=days))


def truly_on(app: App, list_id: str) -> set[str]:
    """Whom the sandbox holds in force: companies by domain, people by digest."""
    record = app.store.audience(list_id)
    assert app.sandbox is not None
    assert record is not None
    assert record.state is not None
    shown = app.sandbox.get("/sandbox/truth/members", segment=record.state.external_id)
    if "users" in shown:
        return {row[0] for row in shown["members"]}
    rows = [row for row in shown["members"] if row["effective"]]
    return {row.get("sent", {}).get("companyWebsiteDomain") or row["key"] for row in rows}


def in_ledger(app: App, list_id: str) -> set[str]:
    """The same, as the ledger has them confirmed: companies by id, people by the digest that was sent."""
    found: set[str] = set()
    for part in app.store.confirmed(list_id):
        if "compan" in list_id:
            found |= set(part.account_ids)
        else:
            found |= {bytes(key).hex() for key in part.keys}
    return found


def known(app: App, list_id: str) -> AudienceState:
    """How the record has a list."""
    record = app.store.audience(list_id)
    assert record is not None
    assert record.state is not None
    return record.state
