"""``evenreach numbers``: what platforms say beside their reports, as a table. Stores nothing, changes nothing."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flows.verbs.outcome import DONE, show, table
from flows.verbs.workspace import opened

if TYPE_CHECKING:
    from flows.wiring import App

SHOWN = 20


def run(arguments: argparse.Namespace) -> int:
    with opened(arguments) as app:
        return {"lists": _lists, "companies": _companies}[arguments.of](arguments, app)


def _able(app: App, ability: str) -> list[Any]:
    """The platforms that are set up and have these numbers. Raises WorkspaceError where none has."""
    from flows.wiring import WorkspaceError

    found = [app.platform(name) for name in app.config.platforms.names()]
    able = [platform for platform in found if hasattr(platform, ability)]
    if not able:
        raise WorkspaceError(f"no platform that is set up has these numbers ({ability.replace('_', ' ')})")
    return able


def _lists(arguments: argparse.Namespace, app: App) -> int:
    """Sizes of lists, and what each was shown at the campaigns it is attached to."""
    end = app.now().date() - timedelta(days=1)
    start = end - timedelta(days=arguments.days - 1)
    rows = [row for platform in _able(app, "list_sizes") for row in _list_rows(platform, start, end)]
    names = ["name", "for_display", "for_search", "match_rate", "status", "impressions", "clicks", "cost"]
    data = {"from": str(start), "to": str(end), "lists": rows}
    show(arguments, data, lambda: table(names, [[row[name] for name in names] for row in rows]))
    return DONE


def _list_rows(platform: Any, start: Any, end: Any) -> list[dict[str, Any]]:
    shown = [
        one
        for level in ("ad_group", "campaign")
        for one in platform.audience_performance(start, end, level=level)
    ]
    rows = []
    for size in platform.list_sizes():
        mine = [one for one in shown if one.list_id == size.list_id]
        counts = {name: sum(getattr(one, name) for one in mine) for name in ("impressions", "clicks")}
        rows.append(asdict(size) | counts | {"cost": str(sum(one.cost for one in mine))})
    return rows


def _companies(arguments: argparse.Namespace, app: App) -> int:
    """Impressions per company over a trailing window, without a cut at the hundred largest."""
    lists = _targets(app, arguments.segment) if arguments.segment else ()
    reports = [
        platform.intelligence_report(
            f"LAST_{arguments.window}_DAYS", lists=lists, campaign=arguments.campaign
        )
        for platform in _able(app, "intelligence_report")
    ]
    found = sorted(
        (row for report in reports for row in report.rows), key=lambda row: -(row.impressions or 0)
    )
    rows = [{"account": r.entity, "impressions": r.impressions, "clicks": r.clicks} for r in found]
    if arguments.out:
        from flows.files import write_atomically
        from flows.report.tables import to_csv

        names = ("account", "impressions", "clicks")
        write_atomically(arguments.out, to_csv(names, [list(row.values()) for row in rows]))
    data = {"from": str(reports[0].start), "to": str(reports[0].end), "companies": rows}
    cells = [list(row.values()) for row in rows[:SHOWN]]
    words = f"{len(rows):,} companies, {data['from']} to {data['to']}; the first {len(cells)}:"
    show(arguments, data, lambda: f"{words}\n{table(['account', 'impressions', 'clicks'], cells)}")
    return DONE


def _targets(app: App, segment: str) -> tuple[str, ...]:
    """What campaigns point at of a segment's lists."""
    lists = app.store.audiences(segment=segment)
    return tuple(one.state.target_id for one in lists if one.state and one.state.target_id)
