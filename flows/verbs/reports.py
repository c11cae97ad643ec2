"""``evenreach collect``, ``balance``, ``report`` and ``why``: what was shown to whom, and what to do about it."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import Any

from flows.verbs.outcome import DONE, FAILED, show, table
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
            "notes": list(c.notes),
        }
        for c in found
    ]
    names = ["segment", "campaign_days", "rows", "newest"]
    said = [f"{c.segment}: {note}." for c in found for note in c.notes]
    show(
        arguments,
        {"collected": rows},
        lambda: "\n".join([table(names, [[r[n] for n in names] for r in rows]), *said]),
    )
    return DONE


def balance(arguments: argparse.Namespace) -> int:
    from flows import balance as balancing

    with opened(arguments) as app:
        for asked, act in (("refuse", _refuse), ("approve", _approve), ("rebuild", _rebuild)):
            if getattr(arguments, asked):
                return act(arguments, app, balancing.find_plan(app, getattr(arguments, asked)))
        names = balancing.balanced_segments(app, arguments.segment)
        if arguments.scores:
            return _scores(arguments, app, names)
        plans = [balancing.propose(app, name, shadow=arguments.shadow) for name in names]
        data = {"plans": [_plan(p.record) | _expected(p.plan) | _beside(app, p) for p in plans]}
        pairs = zip(plans, data["plans"], strict=True)
        show(arguments, data, lambda: "\n\n".join(_plan_words(p, one) for p, one in pairs))
    return DONE


def _refuse(arguments: argparse.Namespace, app: Any, found: Any) -> int:
    from flows.balance import refuse

    record = refuse(app, found.plan_id, who=app.who)
    words = f"Plan {record.plan_id[:12]} is refused; nothing of it is carried out."
    show(arguments, _plan(record), lambda: words)
    return DONE


def _approve(arguments: argparse.Namespace, app: Any, found: Any) -> int:
    from flows.activate_plan import apply_plan
    from flows.balance import approve_as_seen

    record = approve_as_seen(app, found.plan_id, who=app.who)
    applied = apply_plan(app, record.plan_id)
    data = _plan(app.store.plan(record.plan_id)) | {"live": applied.live, "notes": list(applied.notes)}
    data["budgets"] = [str(b) for b in applied.budgets]
    done = "was carried out before" if str(found.status) == "applied" else "is carried out"
    lines = [f"Plan {record.plan_id[:12]} {done}: {applied.moves:,} moves.", *applied.notes]
    show(arguments, data, lambda: "\n".join(lines))
    return DONE


def _rebuild(arguments: argparse.Namespace, _app: Any, found: Any) -> int:
    from flows.balance import rebuild, why_not_rebuilt

    same = rebuild(found)
    reason = "" if same else why_not_rebuilt(found)
    verdict = "follows byte for byte from" if same else "does NOT follow from"
    words = f"Plan {found.plan_id[:12]} of {found.day} {verdict} its recorded inputs. {reason}".rstrip()
    show(arguments, _plan(found) | {"rebuilt": same, "reason": reason}, lambda: words)
    return DONE if same else FAILED


def _scores(arguments: argparse.Namespace, app: Any, names: list[str]) -> int:
    from dataclasses import asdict

    from flows.forecast import score

    found = {name: [asdict(one) for one in score(app, name)] for name in names}
    show(arguments, {"scores": found}, lambda: "\n\n".join(_score_words(n, s) for n, s in found.items()))
    return DONE


def _score_words(segment: str, scores: list[dict[str, Any]]) -> str:
    if not scores:
        return f"{segment}: no forecast can be scored yet; the day after a plan must have been reported."
    rows = [
        [
            s["day"],
            f"{s['expected']:,.0f}",
            f"{s['impressions']:,.0f}",
            f"{s['error']:.1%}",
            f"{s['naive_error']:.1%}",
            f"{s['leaders']:.1%}",
            f"{s['leaders_seen']:.1%}",
        ]
        for s in scores
    ]
    error, naive = (sum(s[k] for s in scores) / len(scores) for k in ("error", "naive_error"))
    header = ["day", "expected", "reported", "error", "as the day before", "leaders expected", "at least"]
    return "\n".join(
        [
            f"{segment}: forecasts of the next reported day, over the accounts the reports name",
            table(header, rows),
            f"Mean error {error:.1%}; repeating the day before would have been wrong by {naive:.1%}.",
        ]
    )


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
    from flows.report import words

    statuses = [
        {
            "code": s.code,
            "number": s.number,
            "detail": s.detail,
            "words": words.status(s.code, s.number, s.detail),
        }
        for s in plan.statuses
    ]
    return {
        "held": int((plan.band < 0).sum()),
        "budgets": [float(b) for b in plan.budgets],
        "forecast": dict(plan.forecast),
        "statuses": statuses,
    }


def _beside(app: Any, proposed: Any) -> dict[str, Any]:
    """What the newest reports say of prices, and what people changed by hand."""
    from flows.band_edits import edits
    from flows.price_response import as_json, measured_response, response_words

    segment = proposed.record.segment
    found = measured_response(app, segment)
    told = [edit.words() for edit in edits(app, segment)]
    return {"price_response": as_json(found), "response_words": response_words(found), "edits": told}


def _plan_words(proposed: Any, data: dict[str, Any]) -> str:
    from flows.plan_words import expected
    from flows.report import words

    record, plan = proposed.record, proposed.plan
    held = int((plan.band < 0).sum())
    one = plan.mode in ("duty", "threshold")
    label = ["campaign"] if one else [f"band {b + 1}" for b in range(plan.budgets.size)]
    bands = [[n, int((plan.band == b).sum()), f"{plan.budgets[b]:,.2f}"] for b, n in enumerate(label)]
    bands += [["held out", held, "-"]] if held else []
    expects = [f"{label}: {value}" for label, value in expected(plan.forecast)]
    said = [words.status(s.code, s.number, s.detail) for s in plan.statuses]
    waits = str(record.status) == "proposed"
    mode = record.mode if record.mode == plan.mode else f"{record.mode}: {plan.mode}"
    return "\n".join(
        [
            f"Plan {record.plan_id[:12]} for {record.segment} on {record.day} ({mode}): {len(record.moves):,} moves.",
            table(["", "accounts", "budget a day"], bands),
            *said,
            *expects,
            *([data["response_words"]] if data["response_words"] else []),
            *[f"Note: {edit}." for edit in data["edits"]],
            f"It waits. Approve with: evenreach balance --approve {record.plan_id[:12]}"
            if waits
            else f"It is recorded as {record.status}; nothing is changed.",
        ]
    )


def report(arguments: argparse.Namespace) -> int:
    from flows import reporting
    from flows.balance import balanced_segments
    from flows.bands import band_campaigns
    from flows.collect import collect_window, newest_complete
    from flows.files import write_atomically
    from flows.report.html import render
    from flows.report.tables import figures_json
    from flows.report.text import summary

    with opened(arguments) as app:
        for name in balanced_segments(app, arguments.segment):
            end = arguments.end or newest_complete(app, band_campaigns(app, name).platform)
            window = (end - timedelta(days=arguments.days - 1), end)
            before = None
            if arguments.before:
                before = (arguments.before - timedelta(days=arguments.days - 1), arguments.before)
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
    from flows.explain import alike, explain

    with opened(arguments) as app:
        balanced = [name for name, segment in app.config.segments.items() if segment.balance]
        names = balanced or list(app.config.segments)
        found = [explain(app, name, arguments.account, on=arguments.on) for name in names]
        near = alike(app, arguments.account)
    data = {
        "account": arguments.account,
        "answers": [{"segment": e.segment, "words": e.words, **e.numbers} for e in found],
        "alike": list(near),
    }
    hint = [f"Companies with that in their name: {', '.join(near)}. Ask by the domain."] if near else []
    show(arguments, data, lambda: "\n".join([*(e.words for e in found), *hint]))
    return DONE
