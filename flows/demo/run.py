"""The demo, stage by stage. Each looks first what is done, so it can be stopped anywhere and run again.

Real Prefect flow runs do the work; this module only decides what comes next on
the fixed calendar and lets the sandbox's clock run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from audiences.store.records import PlanStatus
from flows import activate, activate_plan, reporting
from flows.bands import band_campaigns
from flows.demo.calendar import Calendar, morning
from flows.demo.truth import Truth, matched_organizations, moved, truth
from flows.files import write_atomically
from flows.load import Counted
from flows.report.html import render
from flows.report.text import summary
from flows.wiring import App

SEGMENT, CAMPAIGN, ACCOUNT = "tech-and-industry", "600000001", "500000001"
IMPRESSIONS, PRICE = (
    1_090_000,
    0.033,
)
APPROVER = "demo"
DAYS_READ_AGAIN = 2  # the newest complete day, and the one before in case it was restated
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Everything the demo reports, ready for JSON."""

    figures: dict[str, Any]
    page: reporting.Compared
    file: Path


def run(app: App, calendar: Calendar, *, say: Say, tick: Callable[[int, int], None]) -> Outcome:
    """All stages; ``say`` takes a line for the person, ``tick`` (done, of) the days of balancing."""
    seed_market(app)
    sent = load_and_push(app, calendar, say)
    wait_until_ready(app, calendar, say)
    deliver_baseline(app, calendar, say)
    balance_daily(app, calendar, tick)
    return conclude(app, calendar, sent)


def seed_market(app: App) -> None:
    """The advertiser with one campaign and five creatives, and the market. Once."""
    box = _sandbox(app)
    if not box.get("/sandbox/truth/state")["campaigns"]:
        settings = {"impressions_per_28_days": IMPRESSIONS, "price": PRICE, "shape": "A", "headroom": 5.0}
        named = {"account": ACCOUNT, "campaign_name": "ABM evergreen", "creatives": 5}
        box.post("/sandbox/seed", settings | named)


def load_and_push(app: App, calendar: Calendar, say: Say) -> dict[str, int]:
    """Import, score, segment, push. Returns what this run added per list."""
    from flows.deployments import load_flow, sync_flow

    loaded = _run(load_flow(str(app.workspace)))
    say(_import_words(loaded))
    sent: dict[str, int] = {}
    for name, segment in app.config.segments.items():
        for platform in segment.sync:
            result = _run(sync_flow(str(app.workspace), name, platform, on=calendar.loaded))
            sent |= {list_id: counts["adds"] for list_id, counts in result.items()}
    budget = app.platform("linkedin").campaign(CAMPAIGN).daily_budget
    if app.store.get(f"template_budget/{SEGMENT}") is None and budget is not None:
        app.store.put(f"template_budget/{SEGMENT}", float(budget), at=app.now())
    return sent


def wait_until_ready(app: App, calendar: Calendar, say: Say) -> None:
    """Let the platforms build the lists, then point the campaign at its list."""
    from flows.deployments import upkeep_flow

    for hour in (2, 6, 12, 26, 40, 48):
        _sandbox(app).advance_to(morning(calendar.loaded, hour=6) + timedelta(hours=hour))
        if app.now() <= calendar.attached and not _all_ready(app):
            _run(upkeep_flow(str(app.workspace)))
    _sandbox(app).advance_to(calendar.attached)
    if band_campaigns(app, SEGMENT).live_since is None:
        activate_plan.attach(app, SEGMENT)
    for line in reporting.list_lines(app):
        size = f"{line.audience_size:,}" if line.audience_size is not None else "not said"
        counts = f"{line.accepted:>6,} accepted, {line.rejected:,} rejected, {line.unknown:,} unknown"
        say(f"  {line.platform:9}{line.name[:44]:45}{counts}; {line.status}, {size} people")


def _all_ready(app: App) -> bool:
    lists = [spec.audience_id for spec in activate.wanted_lists(app)]
    records = [app.store.audience(list_id) for list_id in lists]
    open_batches = any(app.store.batches_to_settle(list_id) for list_id in lists)
    return not open_batches and all(r and r.state and r.state.status.value == "ready" for r in records)


def deliver_baseline(app: App, calendar: Calendar, say: Say) -> None:
    """Five weeks without control, collected; the last four reported."""
    from flows.deployments import collect_flow, report_flow

    box, (first, last) = _sandbox(app), calendar.baseline
    box.advance_to(morning(calendar.planned[0], hour=8))
    if not _collected(app, first, last):
        _run(collect_flow(str(app.workspace), SEGMENT, days=(last - calendar.quiet[0]).days + 1))
        _run(report_flow(str(app.workspace), SEGMENT, first, last))
    say(summary(reporting.report(app, SEGMENT, (first, last)).page, accounts=5))


def balance_daily(app: App, calendar: Calendar, tick: Callable[[int, int], None]) -> None:
    """One flow run a day: collect, plan, apply; once a week upkeep, or idle lists would be archived."""
    from flows.deployments import balance_flow, upkeep_flow

    applied = {plan.day for plan in app.store.plans(segment=SEGMENT, status=PlanStatus.APPLIED, limit=10_000)}
    days = calendar.planned
    for done, day in enumerate(days, 1):
        if day not in applied:
            _sandbox(app).advance_to(morning(day, hour=8 if day == days[0] else 9))
            _run(balance_flow(str(app.workspace), SEGMENT, day, days=DAYS_READ_AGAIN, approved_by=APPROVER))
            if done % 7 == 0:
                _run(upkeep_flow(str(app.workspace)))
        tick(done, len(days))
    _sandbox(app).advance_to(calendar.finished)


def conclude(app: App, calendar: Calendar, sent: dict[str, int]) -> Outcome:
    """Read the last windows, compare, write the report file."""
    from flows.deployments import report_flow, upkeep_flow

    _run(upkeep_flow(str(app.workspace)))
    for start, end in (*calendar.weeks_shown(), calendar.compared):
        if not _collected(app, start, end):
            _run(report_flow(str(app.workspace), SEGMENT, start, end))
    compared = reporting.report(
        app, SEGMENT, calendar.compared, earlier=calendar.baseline, weeks=calendar.weeks_shown()
    )
    file = app.workspace / "reports" / f"{SEGMENT}-{calendar.compared[1]}.html"
    write_atomically(file, render(compared.page))
    return Outcome(figures(app, calendar, compared, sent) | {"report": str(file)}, compared, file)


def figures(
    app: App, calendar: Calendar, compared: reporting.Compared, sent: dict[str, int]
) -> dict[str, Any]:
    """The market's truth beside what the reports could show."""
    before, after = (_truth(app, window) for window in (calendar.baseline, calendar.compared))
    assert compared.after is not None
    imported = reporting.companies(app)
    return {
        "top100_share_before": before.top_share(),
        "top100_share_after": after.top_share(),
        "reported_before": _bounds(compared.before.top_share),
        "reported_after": _bounds(compared.after.top_share),
        "delivery_ratio": after.total / before.total,
        "gini_before": before.gini(),
        "gini_after": after.gini(),
        "coverage_before": before.coverage(),
        "coverage_after": after.coverage(),
        "impressions_before": round(before.total),
        "impressions_after": round(after.total),
        "impressions_moved": moved(before, after),
        "cpm_before": 1000.0 * before.spend / before.total,
        "cpm_after": 1000.0 * after.spend / after.total,
        "lists": lists(app, sent),
        "companies": asdict(imported) if imported else {},
    }


def lists(app: App, sent: dict[str, int]) -> list[dict[str, Any]]:
    """Per list: ``adds`` of this run; accepted, rejected, unknown and status as they now stand."""
    rows = []
    for record in app.store.audiences():
        list_id, state = record.spec.audience_id, record.state
        counts = app.store.ledger_counts(list_id)
        rows.append(
            {
                "list": list_id,
                "name": record.spec.name,
                "platform": record.spec.platform,
                "kind": str(record.spec.kind),
                "adds": sent.get(list_id, 0),
                "accepted": counts.accepted,
                "rejected": counts.rejected,
                "unknown": counts.unknown + counts.pending_adds,
                "status": str(state.status) if state else None,
                "audience_size": state.audience_size if state else None,
            }
        )
    return rows


def _truth(app: App, window: tuple[date, date]) -> Truth:
    record = app.store.audience(activate.audience_id("linkedin", SEGMENT, "companies"))
    assert record is not None
    assert record.state is not None
    box = _sandbox(app)
    members = matched_organizations(box, record.state.external_id)
    return truth(box, *window, band_campaigns(app, SEGMENT).everything(), members)


def _collected(app: App, start: date, end: date) -> bool:
    windows = app.store.report_windows("linkedin", start, end, grain="all", source="api")
    return any((w.first, w.last) == (start, end) for w in windows)


def _bounds(value: Any) -> dict[str, float]:
    return {"low": float(value.low), "point": float(value.point), "high": float(value.high)}


def _import_words(loaded: Any) -> str:
    counted = {what: Counted(**loaded[what]) for what in ("companies", "contacts", "signals")}
    return "\n".join(f"{what}: {one.words(what)}" for what, one in counted.items())


def _sandbox(app: App) -> Any:
    assert app.sandbox is not None, "the demo runs on the sandbox"
    return app.sandbox


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)
