"""A workspace of four hundred invented companies on the sandbox, two weeks into its campaign, ready to copy.

Everything goes the way the commands go; only Prefect is left out.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from flows import activate, activate_plan, balance, collect
from flows.assess import assess
from flows.load import load
from flows.sandbox_link import START
from flows.wiring import App, open_app

SEGMENT, CAMPAIGN, COMPANIES = "everyone", "600000001", 400
BASELINE_DAYS = 14
CONFIG = """
workspace: Small
database: sqlite:///evenreach.db
timezone: UTC
platforms:
  linkedin: {mode: sandbox, ad_account: "500000001"}
sources:
  companies: [{file: companies.csv, layout: companies}]
segments:
  everyone:
    title: Everyone
    where: {field: employees, at_least: 10}
    without: [customers]
    holdout: 5 %
    sync: {linkedin: [companies]}
    balance: {campaign: "600000001", policy: chosen}
  customers:
    title: Customers
    kind: negative
    where: {field: lifecycle_stage, in: [Customer]}
policies:
  chosen: {mode: MODE, ramp: fast}
"""


def make(folder: Path) -> None:
    """Import, push, attach, deliver and collect two weeks."""
    folder.mkdir(parents=True)
    (folder / "evenreach.yaml").write_text(CONFIG.replace("MODE", "bands"))
    (folder / "companies.csv").write_text(_companies())
    with open_app(folder) as app:
        assert app.sandbox is not None
        app.sandbox.post("/sandbox/seed", {"impressions_per_28_days": 400_000, "price": 0.05, "creatives": 2})
        load(app)
        assessment = assess(app)
        for spec in activate.wanted_lists(app):
            activate.patiently(app, lambda spec=spec: activate.prepare(app, assessment, spec))
            activate.patiently(app, lambda spec=spec: activate.send(app, spec.audience_id))
        forward(app, days=2)
        for spec in activate.wanted_lists(app):
            activate.follow(app, spec.audience_id)
        activate_plan.attach(app, SEGMENT)
        forward(app, days=BASELINE_DAYS + 2)
        collect.collect(app, SEGMENT, days=BASELINE_DAYS)


def _companies() -> str:
    lines = ["name,domain,country,employees,Lifecycle Stage"]
    lines += [
        f"Company {i:03} Works,company{i:03}.example.com,US,{20 + i},{'Customer' if i < 10 else 'Lead'}"
        for i in range(COMPANIES)
    ]
    lines += [f"Tiny {i} Shop,tiny{i}.example.com,US,3,Lead" for i in range(5)]
    return "\n".join(lines).replace(".example.com", "-works.com") + "\n"


def forward(app: App, *, days: int) -> None:
    """Let the sandbox's clock run to the same hour ``days`` later."""
    assert app.sandbox is not None
    moment = datetime.combine((app.now() + timedelta(days=days)).date(), START.time(), START.tzinfo)
    app.sandbox.advance_to(moment.replace(hour=9))


@dataclass(frozen=True)
class Copies:
    """Makes copies of one workspace, so that no test sees another's changes."""

    original: Path
    room: Path

    def path(self, name: str, *, mode: str = "bands") -> Path:
        copy = self.room / name
        shutil.copytree(self.original, copy, ignore=shutil.ignore_patterns("address"))
        (copy / "evenreach.yaml").write_text(CONFIG.replace("MODE", mode))
        return copy

    @contextmanager
    def opened(self, name: str, *, mode: str = "bands") -> Iterator[App]:
        with open_app(self.path(name, mode=mode)) as app:
            yield app


def balanced_day(app: App) -> balance.Proposed:
    """One day's run: collect, plan, approve, apply; then the clock goes on by a day."""
    collect.collect(app, SEGMENT, days=3)
    proposed = balance.propose(app, SEGMENT)
    balance.approve(app, proposed.record.plan_id, seen=proposed.record.inputs_hash, who="tester")
    activate_plan.apply_plan(app, proposed.record.plan_id)
    forward(app, days=1)
    return proposed


def last_day(app: App) -> date:
    return collect.newest_complete(app, "linkedin")
