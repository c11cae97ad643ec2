"""What a day of a workspace leaves in its record, written through the store and the flows that keep notes.

One row or few of every kind that comes with time; no balancer, no platform.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select

from audiences.membership_keys import from_digests
from audiences.model import (
    Account,
    AudienceSpec,
    AudienceState,
    AudienceStatus,
    Delta,
    ImpressionReport,
    MemberKind,
    MemberTable,
    Quarantined,
    Receipt,
    Rejected,
    ReportRow,
    ReportTotal,
    RowResult,
    RowStatus,
    Score,
    SegmentVersion,
)
from audiences.store.records import AuditLine, ImportSummary, PlanMove, PlanRecord, PlanStatus
from audiences.tables import Table
from flows.approvals import lapse_open
from flows.bands import note_budgets, note_command
from flows.push_records import remember
from flows.wiring import App

LIST = "elsewhere/strike/companies"  # on a platform the settings no longer name, so that nothing is sent
ACCOUNTS = 12
NEVER = RowResult(RowStatus.REJECTED, "not_matched")
TAKEN = RowResult(RowStatus.ACCEPTED)


def begin(app: App) -> None:
    app.store.save_audience(
        AudienceSpec(LIST, "elsewhere", "Strike", MemberKind.COMPANY, segment="strike"), at=app.now()
    )
    app.store.replace_accounts([Account(_account(i), _account(i)) for i in range(ACCOUNTS)], "f", app.now())


def write_day(app: App, number: int) -> None:
    """Everything of one day; ``number`` counts the days from 0."""
    day, at = app.today, app.now()
    _sources(app, number, at)
    _list(app, number, at)
    _reports(app, day, at)
    _plans(app, number, day, at)
    note_command(app, "strike", day, {_account(number % ACCOUNTS): number % 3})
    note_budgets(app, "strike", day, [float(number), 5.0])
    app.store.add_quota("us", "adAnalytics", day.isoformat())
    app.store.change_pace("adAnalytics", lambda held: (held[0] + 1.0, held[1]))
    app.store.take_lease(LIST, f"host:{number}", now=at, until=at + timedelta(minutes=5))
    app.store.release_lease(LIST, f"host:{number}")
    remember(app, f"p{number}", {"name": "fair", "confirmed": at.isoformat(), "stage": "ready", "lists": {}})
    app.store.audit(AuditLine(at, "schedule", "synced", LIST, detail={"day": number}))


def _account(i: int) -> str:
    return f"company{i:02}.example"


def _sources(app: App, number: int, at: datetime) -> None:
    summary = ImportSummary("accounts", f"f{number}", at, 10, 8, 1, 1)
    rejects = [Rejected("companies.csv", number, "domain", "domain_malformed")]
    app.store.save_import(summary, rejects, [Quarantined("x.example", "shared_host", ("a:1",), "words")])
    app.store.replace_contacts((), f"f{number}", at)
    app.store.replace_scores([Score(_account(i), 1.0, 0.0, 1, 1.0, "hot", "strike") for i in range(ACCOUNTS)])
    names = tuple(_account(i) for i in range(1 + number % ACCOUNTS))
    app.store.save_segment_version(SegmentVersion("strike", f"f{number}", at.date(), names), at=at)
    app.store.link_organizations("linkedin", {f"urn:li:organization:{number % 50}": _account(0)}, at=at)


def _list(app: App, number: int, at: datetime) -> None:
    """One member joins, one leaves; every fifth is refused; the status changes; everybody is sent again."""
    kind = (AudienceStatus.READY, AudienceStatus.UPDATING)[number % 2]
    app.store.save_state(AudienceState(LIST, "77", None, kind, usable=True), at=at)
    gone = _member(number - 10, payload=b"") if number >= 10 else MemberTable(from_digests(b""), [], [])
    app.store.record_delta(Delta(LIST, number, _member(number), gone), batch_size=10, at=at)
    app.store.plan_refresh(LIST, accepted_before=at, batch_size=10, at=at)
    for batch_id in app.store.batches_to_send(LIST):
        batch = app.store.batch_info(batch_id)
        result = NEVER if number % 5 == 0 and batch.op == "add" and batch.n == 1 else TAKEN
        app.store.settle_batch(batch_id, Receipt(batch_id, (result,) * batch.n), at=at)


def _member(number: int, *, payload: bytes = b'{"domain":"x.example"}') -> MemberTable:
    return MemberTable(from_digests(number.to_bytes(32)), [payload], [_account(number % ACCOUNTS)])


def _reports(app: App, day: date, at: datetime) -> None:
    rows = tuple(ReportRow(day, f"urn:li:organization:{i}", 10 + i, campaign_id="c1") for i in range(5))
    totals = (ReportTotal(day, 100, 1, Decimal("5.00"), campaign_id="c1"),)
    daily = ImpressionReport("linkedin", day, day, "daily", rows, totals, at, scope=("c1",))
    app.store.save_report(daily)
    whole = ImpressionReport("linkedin", day - timedelta(days=27), day, "all", (), (), at, scope=("c1",))
    app.store.save_report(whole)


def _plans(app: App, number: int, day: date, at: datetime) -> None:
    """A plan carried out, a shadow plan, and one that waits until the next takes its place."""
    lapse_open(app, "waits", note="a newer one takes its place")
    moved = _account(number % ACCOUNTS)
    for segment, status in (
        ("strike", PlanStatus.APPLIED),
        ("shadow", PlanStatus.SHADOW),
        ("waits", PlanStatus.PROPOSED),
    ):
        name = f"{segment}-{number:04}"
        moves = (PlanMove(moved, number % 3, (number + 1) % 3, "over_cap", {"share": 0.4}),)
        plan = PlanRecord(
            name, segment, day, "bands", status, "h", b"body", b"in", b"memory", moves, "balance", at
        )
        app.store.save_plan(plan)
    app.store.command_bands("strike", {moved: (number + 1) % 3}, plan_id=f"strike-{number:04}", on=day)
    app.store.land_bands("strike", [moved], on=day)


def rows_per_table(app: App) -> dict[str, int]:
    with app.store._db.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in Table.metadata.sorted_tables
        }


def words_kept(app: App) -> int:
    """Characters in the named values: what grows inside one row."""
    setting = Table.metadata.tables["setting"]
    with app.store._db.read() as connection:
        return int(connection.execute(select(func.sum(func.length(setting.c.value)))).scalar_one())
