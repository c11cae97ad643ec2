"""A balanced segment one day on: collect, plan and carry out under kills, and what must hold afterwards.

Numbers come from the sandbox's own truth, or from the same command left in peace.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from audiences.store.records import PlanRecord, PlanStatus
from flows import balance, collect
from flows.activate_plan import to_cents
from flows.bands import band_campaigns
from flows.plan_codec import decode_plan
from flows.wiring import App, open_app
from tests.flows import small_workspace
from tests.flows.failing_lists import finish, on_record, rows_sent, times_allowed, truly_on
from tests.flows.failing_trials import UNREPEATED, Operation, Since
from tests.flows.small_workspace import CAMPAIGN, SEGMENT

REPORTS = ("impression", "impression_total", "report_window", "organization_link")
VOLATILE = ("fetched_at", "looked_up_at", "at")  # when it was asked, never what was answered


def operations(
    copies: small_workspace.Copies, room: Path, *, only: int | None = None
) -> dict[str, tuple[Operation, ...]]:
    """Each command on a segment in one campaign (0), and on the same split into bands nine days ago (1)."""
    worlds = [copies.fresh] if only == 0 else [copies.fresh, copies.banded]
    found: dict[str, list[Operation]] = {"collect": [], "balance": [], "apply": []}
    for number, base in enumerate(worlds):
        due, collected, planned = (room / f"{name}-{number}" for name in ("due", "collected", "planned"))
        shutil.copytree(base, due, ignore=UNREPEATED)
        with open_app(due) as app:
            small_workspace.forward(app, days=2)
        shutil.copytree(due, collected, ignore=UNREPEATED)
        with open_app(collected) as app:
            collect.collect(app, SEGMENT, days=5)
        shutil.copytree(collected, planned, ignore=UNREPEATED)
        with open_app(planned) as app:
            plan = balance.propose(app, SEGMENT).record.plan_id
        found["collect"].append(Operation("collect", due, ("collect", "--days", "10"), check_collect()))
        found["balance"].append(Operation("balance", collected, ("balance",), check_balance(plan)))
        found["apply"].append(Operation("apply", planned, ("balance", "--approve", plan), check_apply(plan)))
    return {name: tuple(some) for name, some in found.items()}


# -- collect ---------------------------------------------------------------------


@dataclass
class _Reference:
    """What the record holds after the command was left in peace, once known."""

    tables: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)


def check_collect() -> Callable[[App, Since], None]:
    """The record of reports is that of an undisturbed run, and its totals are the market's truth."""
    peace = _Reference()

    def check(app: App, since: Since) -> None:
        assert since() == []  # reading changes nothing
        found = {name: _table(app, name) for name in REPORTS}
        assert all(found.values())
        peace.tables = peace.tables or found
        assert found == peace.tables
        _totals_true(app)

    return check


def _totals_true(app: App) -> None:
    assert app.sandbox is not None
    end = collect.newest_complete(app, "linkedin")
    counted: Counter[tuple[str, str]] = Counter()
    for total in app.store.totals("linkedin", end.replace(day=1), end, grain="daily"):
        if total.creative_id in ("", None):
            counted[str(total.first), total.campaign_id or ""] += total.impressions
    truth: Counter[tuple[str, str]] = Counter()
    shown = app.sandbox.get(
        "/sandbox/truth/impressions", start=f"{end.replace(day=1)}", end=f"{end}", grain="daily"
    )
    for row in shown["rows"]:
        truth[row["day"], str(row["campaign"])] += row["impressions"]
    assert counted
    assert {key: n for key, n in truth.items() if key in counted} == dict(counted)


def _table(app: App, name: str) -> list[tuple[Any, ...]]:
    engine = create_engine(f"sqlite:///{app.workspace / 'evenreach.db'}")
    with engine.connect() as connection:
        rows = connection.execute(text(f"SELECT * FROM {name}"))
        kept = [i for i, column in enumerate(rows.keys()) if column not in VOLATILE]
        found = sorted((tuple(row[i] for i in kept) for row in rows), key=repr)
    engine.dispose()
    return found


# -- balance ---------------------------------------------------------------------


def check_balance(wanted: str) -> Callable[[App, Since], None]:
    """One plan waits: the one that an undisturbed run makes, whole, and on record once."""

    def check(app: App, since: Since) -> None:
        assert since() == []
        (waiting,) = app.store.plans(segment=SEGMENT, status=PlanStatus.PROPOSED)
        assert waiting.plan_id == wanted
        assert len(waiting.moves) == len(decode_plan(waiting.body).moves)
        assert balance.rebuild(waiting)
        lines = app.store.audit_log(subject=SEGMENT, what="plan proposed", limit=1000)
        assert [line.detail["plan"] for line in lines].count(wanted[:12]) == 1

    return check


# -- apply -----------------------------------------------------------------------


def check_apply(plan_id: str, *, cut: int = 0) -> Callable[[App, Since], None]:
    """Lists, campaigns, budgets and notes are the plan's, each once."""

    def check(app: App, since: Since) -> None:
        record = app.store.plan(plan_id)
        assert record.status is PlanStatus.APPLIED
        small_workspace.forward(app, days=3)
        finish(app)
        members, plan = members_as_planned(app, record), decode_plan(record.body)
        _money(app, plan)
        _campaigns(app)
        _noted(app, record)
        _asked_for(app, since, members, cut)
        on_record(app)

    return check


def members_as_planned(app: App, record: PlanRecord) -> list[set[str]]:
    """Who the platform has in each band, once that is the plan's, each account in exactly one."""
    plan = decode_plan(record.body)
    numbers = range(len(band_campaigns(app, SEGMENT).campaigns))
    members = [truly_on(app, f"linkedin/{SEGMENT}/companies/band-{b + 1}") for b in numbers]
    for b, found in enumerate(members):
        assert found == {a for a, band in zip(plan.accounts, plan.band, strict=True) if band == b}
    assert sum(map(len, members)) == len(set().union(*members))
    return members


def _money(app: App, plan: Any) -> None:
    from decimal import Decimal

    total = Decimal(str(float(plan.budgets.sum()))).quantize(Decimal("0.01"))
    set_now = [
        app.platform("linkedin").campaign(c).daily_budget for c in band_campaigns(app, SEGMENT).campaigns
    ]
    assert set_now == to_cents([float(b) for b in plan.budgets], total)
    assert sum(set_now) == total


def _campaigns(app: App) -> None:
    """The one campaign and its copies, whole, and no other; either it delivers or they do."""
    bands = band_campaigns(app, SEGMENT)
    campaigns = {c.campaign_id: c for c in app.platform("linkedin").list_campaigns()}
    assert sorted(campaigns) == sorted(bands.everything())
    assert len({c.name for c in campaigns.values()}) == len(campaigns)
    assert {len(c.creatives) for c in campaigns.values()} == {2}
    running = {number for number, c in campaigns.items() if c.status == "active"}
    assert running == ({CAMPAIGN} if bands.live_since is None else set(bands.active))
    for b, number in enumerate(bands.campaigns):
        record = app.store.audience(f"linkedin/{SEGMENT}/companies/band-{b + 1}")
        assert record is not None
        assert record.state is not None
        assert campaigns[number].include == (record.state.target_id,)


def _noted(app: App, record: Any) -> None:
    """What was commanded and set is kept under the plan's day, once; the audit log tells each deed once."""
    moved = {move.account_id: move.after for move in record.moves}
    assert app.store.get(f"commands/{SEGMENT}", {}).get(record.day.isoformat(), {}) == moved
    assert record.day.isoformat() in app.store.get(f"budgets/{SEGMENT}")
    told = Counter(
        (line.what, line.detail.get("plan")) for line in app.store.audit_log(subject=SEGMENT, limit=10_000)
    )
    for what in ("plan proposed", "plan approved", "plan applied"):
        assert told[what, record.plan_id[:12]] == 1, what
    assert told["bands live", None] == (band_campaigns(app, SEGMENT).live_since is not None)


def _asked_for(app: App, since: Since, members: list[set[str]], cut: int) -> None:
    """Nobody was added to a band who is not in it now, nor taken off one who is; nor sent too often."""
    asked = since()
    for (list_id, action), rows in rows_sent(app, asked).items():
        if "/band-" not in list_id:
            assert not rows, list_id
            continue
        inside = members[int(list_id.rpartition("-")[2]) - 1]
        assert set(rows) <= inside if action == "ADD" else not set(rows) & inside
        assert max(rows.values(), default=1) <= times_allowed(app, list_id, asked) + cut
