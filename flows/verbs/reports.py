"""``evenreach collect``, ``balance``, ``report`` and ``why``: what was shown to whom, and what to do about it."""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from typing import Any

from flows.verbs.outcome import DONE, show, table
from flows.verbs.workspace import opened


def collect(arguments: argparse.Namespace) -> int:
    from flows import collect as collecting
    from flows.balance import balanced_segments

    with opened(arguments) as app:
        found = [
            collecting.collect(app, name, days=arguments.days)
            for name in balanced_segments(app, arguments.segment)
        ]
    rows = [
        {
            "segment": c.segment,
            "campaign_days": c.days,
            "rows": c.rows,
            "newest": str(c.newest),
            "warnings": list(c.warnings),
        }
        for c in found
    ]
    names = ["segment", "campaign_days", "rows", "newest"]
    show(arguments, {"collected": rows}, lambda: table(names, [[r[n] for n in names] for r in rows]))
    return DONE


def balance(arguments: argparse.Namespace) -> int:
    from flows import balance as balancing
    from flows.activate_plan import apply_plan

    with opened(arguments) as app:
        if arguments.refuse:
            record = balancing.refuse(app, balancing.find_plan(app, arguments.refuse).plan_id, who=app.who)
            show(
                arguments,
                _plan(record),
                lambda: f"Plan {record.plan_id[:12]} is refused; nothing of it is carried out.",
            )
            return DONE
        if arguments.approve:
            found = balancing.find_plan(app, arguments.approve)
            record = balancing.approve_as_seen(app, found.plan_id, who=app.who)
            applied = apply_plan(app, record.plan_id)
            data = _plan(record) | {"live": applied.live, "notes": list(applied.notes)}
            data["budgets"] = [str(b) for b in applied.budgets]
            show(
                arguments,
                data,
                lambda: "\n".join(
                    [f"Plan {record.plan_id[:12]} is applied: {applied.moves} moves.", *applied.notes]
                ),
            )
            return DONE
        plans = [
            balancing.propose(app, name, shadow=arguments.shadow)
            for name in balancing.balanced_segments(app, arguments.segment)
        ]
        data = {"plans": [_plan(p.record) | _expected(p.plan) for p in plans]}
        show(arguments, data, lambda: "\n\n".join(_plan_words(p) for p in plans))
    return DONE


def _plan(record: Any) -> dict[str, Any]:
    return {
        "plan": record.plan_id,
        "segment": record.segment,
        "day": str(record.day),
        "mode": record.mode,
        "status": str(record.status),
        "moves": len(record.moves),
        "inputs_hash": record.inputs_hash,
    }


def _expected(plan: Any) -> dict[str, Any]:
    statuses = [{"code": s.code, "number": s.number, "detail": s.detail} for s in plan.statuses]
    return {
        "budgets": [float(b) for b in plan.budgets],
        "forecast": dict(plan.forecast),
        "statuses": statuses,
    }


def _plan_words(proposed: Any) -> str:
    from flows.report import words

    record, plan = proposed.record, proposed.plan
    bands = [[b + 1, int((plan.band == b).sum()), f"{money:,.2f}"] for b, money in enumerate(plan.budgets)]
    expected = [f"{name.replace('_', ' ')}: {value:.3f}" for name, value in sorted(plan.forecast.items())]
    said = [words.status(s.code, s.number, s.detail) for s in plan.statuses]
    return "\n".join(
        [
            f"Plan {record.plan_id[:12]} for {record.segment} on {record.day} ({record.mode}): {len(record.moves)} moves.",
            table(["band", "accounts", "budget a day"], bands),
            *said,
            *expected,
            f"It waits. Approve with: evenreach balance --approve {record.plan_id[:12]}",
        ]
    )


def report(arguments: argparse.Namespace) -> int:
    from flows import reporting
    from flows.balance import balanced_segments
    from flows.collect import collect_window, newest_complete
    from flows.files import write_atomically
    from flows.report.html import render
    from flows.report.tables import figures_json
    from flows.report.text import summary

    with opened(arguments) as app:
        for name in balanced_segments(app, arguments.segment):
            end = date.fromisoformat(arguments.end) if arguments.end else newest_complete(app, "linkedin")
            window = (end - timedelta(days=arguments.days - 1), end)
            before = None
            if arguments.before:
                last = date.fromisoformat(arguments.before)
                before = (last - timedelta(days=arguments.days - 1), last)
            for span in filter(None, (before, window)):
                collect_window(app, name, *span)
            found = reporting.report(app, name, window, earlier=before, top=arguments.top)
            out = arguments.out or app.workspace / "reports" / f"{name}-{end}.html"
            write_atomically(out, render(found.page))
            if arguments.json:
                print(figures_json(found.page))
            else:
                print(f"{summary(found.page)}\n\nReport: {out}")
    return DONE


def why(arguments: argparse.Namespace) -> int:
    from flows import balance as balancing
    from flows.explain import explain

    on = date.fromisoformat(arguments.on) if arguments.on else None
    with opened(arguments) as app:
        found = [explain(app, name, arguments.account, on=on) for name in balancing.balanced_segments(app)]
    data = {
        "account": arguments.account,
        "answers": [{"segment": e.segment, "words": e.words, **e.numbers} for e in found],
    }
    show(arguments, data, lambda: "\n".join(e.words for e in found))
    return DONE
