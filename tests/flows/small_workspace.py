"""A workspace of four hundred invented companies on the sandbox, two weeks into its campaign, ready to copy.

Everything goes the way the commands go; only Prefect is left out.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path

from flows import activate, activate_plan, balance, collect
from flows.assess import assess
from flows.load import load
from flows.wiring import App, open_app

SEGMENT, CAMPAIGN, COMPANIES = "everyone", "600000001", 400
BASELINE_DAYS = 14
CONFIG = """
workspace: Small
database: sqlite:///evenreach.db
timezone: UTC
sandbox: {starts: 2026-08-24}
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


def make(folder: Path, *, plant: str = "proportional") -> None:
    """Import, push, attach, deliver and collect two weeks. ``plant`` is how the market's prices behave."""
    folder.mkdir(parents=True)
    choose(folder, "bands")
    (folder / "companies.csv").write_text(_companies())
    with open_app(folder) as app:
        assert app.sandbox is not None
        market = {"impressions_per_28_days": 400_000, "price": 0.05, "creatives": 2, "plant": plant}
        app.sandbox.post("/sandbox/seed", market)
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
    """Let the sandbox's clock run to the next morning ``days`` later, a little later in the day than before."""
    assert app.sandbox is not None
    later = app.now() + timedelta(days=days, minutes=10)
    app.sandbox.advance_to(max(later, datetime.combine(later.date(), time(9), later.tzinfo)))


def balance_for(folder: Path, *, days: int) -> None:
    """Carry out a plan a day in bands."""
    with open_app(folder) as app:
        for _ in range(days):
            balanced_day(app)


@dataclass
class Copies:
    """Makes copies of a workspace before balancing, or of the same after some days of it."""

    fresh: Path
    room: Path

    @cached_property
    def banded(self) -> Path:
        """Nine days in bands; made when the first test asks for it."""
        made = self.path("after-nine-days")
        balance_for(made, days=9)
        return made

    def path(self, name: str, *, mode: str = "bands", banded: bool = False) -> Path:
        copy = self.room / name
        shutil.copytree(self.banded if banded else self.fresh, copy, ignore=shutil.ignore_patterns("address"))
        choose(copy, mode)
        return copy

    @contextmanager
    def opened(self, name: str, *, mode: str = "bands", banded: bool = False) -> Iterator[App]:
        with open_app(self.path(name, mode=mode, banded=banded)) as app:
            yield app


def choose(folder: Path, mode: str) -> None:
    """Set the policy's mode (and more of the policy, after a comma)."""
    (folder / "evenreach.yaml").write_text(CONFIG.replace("MODE", mode))


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
