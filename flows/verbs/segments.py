"""``evenreach segments``: list, show, preview; and the way to performance, contrasts and export."""

from __future__ import annotations

import argparse
from typing import Any

from flows.verbs import segment_results
from flows.verbs.outcome import DONE, show, table
from flows.verbs.workspace import opened


def run(arguments: argparse.Namespace) -> int:
    from flows.assess import assess
    from flows.load import load
    from flows.wiring import WorkspaceError

    with opened(arguments) as app:
        name = arguments.segment
        if name is None and arguments.action in ("show", "preview"):
            raise WorkspaceError(f"name a segment: {', '.join(app.config.segments)}")
        if name is not None and name not in app.config.segments:
            raise WorkspaceError(f'there is no segment "{name}"; there are {", ".join(app.config.segments)}')
        load(app)
        assessment = assess(app)
        return ACTIONS[arguments.action](arguments, app, assessment)


def _list(arguments: argparse.Namespace, app: Any, assessment: Any) -> int:
    from audiences.segments_warnings import workspace_warnings

    rows = [
        {
            "segment": name,
            "title": found.segment.title,
            "companies": int(found.members.sum()),
            "held_out": int(found.holdout.sum()),
            "owner": found.segment.owner,
            "review_by": str(found.segment.review_by or ""),
            "sync": ", ".join(f"{p} {'+'.join(kinds)}" for p, kinds in found.segment.sync.items()),
        }
        for name, found in assessment.segments.items()
    ]
    advice = [one.words for one in workspace_warnings(app.config)]
    names = ["segment", "companies", "held_out", "owner", "review_by", "sync"]
    text = table(names, [[row[n] for n in names] for row in rows])
    show(
        arguments,
        {"on": assessment.on, "segments": rows, "warnings": advice},
        lambda: "\n".join([text, *advice]),
    )
    return DONE


def _show(arguments: argparse.Namespace, app: Any, assessment: Any) -> int:
    from audiences.segments_why import why
    from audiences.segments_words import segment_in_words

    found = assessment.segments[arguments.segment]
    if arguments.account:
        answer = why(found, arguments.account)
        steps = [
            {"rule": step.words, "answer": step.answer, "seen": step.seen, "depth": step.depth}
            for step in answer.steps
        ]
        lines = [
            f"{'  ' * int(str(s['depth']))}{s['answer']:8}{s['rule']} (seen: {s['seen']})" for s in steps
        ]
        data = {
            "account": answer.account_id,
            "verdict": answer.verdict,
            "words": answer.words(),
            "steps": steps,
        }
        show(arguments, data, lambda: "\n".join([answer.words(), *lines]))
        return DONE
    words = segment_in_words(arguments.segment, found.segment)
    sizes = [
        {"on": str(size.computed_on), "companies": size.size, "held_out": size.holdout}
        for size in app.store.segment_sizes(arguments.segment)
    ]
    data = {
        "segment": arguments.segment,
        "words": words,
        "companies": list(found.version.account_ids),
        "sizes": sizes,
    }
    show(
        arguments,
        data,
        lambda: f"{words}\n\n{table(['on', 'companies', 'held_out'], [list(s.values()) for s in sizes])}",
    )
    return DONE


def _preview(arguments: argparse.Namespace, app: Any, assessment: Any) -> int:
    from audiences.segments_preview import preview
    from audiences.segments_warnings import segment_warnings
    from flows.activate import list_rules, minimum

    platforms = app.config.platforms.names()
    found = preview(
        app.config,
        assessment.segments,
        arguments.segment,
        rules={p: list_rules(app, p) for p in platforms},
        minimums={p: minimum(app, p) for p in platforms},
        contacts=assessment.contacts,
        suppressed=app.store.suppressed(),
    )
    advice = [one.words for one in segment_warnings(assessment.segments[arguments.segment], found)]
    data = _preview_data(found) | {"warnings": advice}
    show(arguments, data, lambda: _preview_words(found, advice))
    return DONE


def _preview_data(found: Any) -> dict[str, Any]:
    return {
        "segment": found.name,
        "words": found.words,
        "companies_looked_at": found.universe,
        "qualifying": found.qualifying,
        "held_out": found.holdout,
        "undecided": found.unknown,
        "excluded": dict(found.excluded),
        "rules": [
            {"path": r.path, "rule": r.words, "entered": r.entered, "kept": r.kept, "dropped": r.dropped,
             "unknown": r.unknown}
            for r in found.rules
        ],
        "overlaps": [{"segment": o.other, "shared": o.shared, "of_this": o.of_this} for o in found.overlaps],
        "reach": [
            {"platform": r.platform, "kind": str(r.kind), "members": r.members, "left_out": dict(r.left_out),
             "matched": list(r.matched), "people": list(r.people) if r.people else None, "minimum": r.minimum}
            for r in found.reach
        ],
        "coverage": [
            {"field": c.field, "known": c.known, "total": c.total, "share": c.share, "needed": c.needed}
            for c in found.coverage
        ],
    }  # fmt: skip


def _preview_words(found: Any, advice: list[str]) -> str:
    rules = [["  " * r.depth + r.words, r.entered, r.kept, r.dropped, r.unknown] for r in found.rules]
    reach = [
        [r.platform, str(r.kind), r.members, f"{r.matched[0]:,.0f} to {r.matched[1]:,.0f}", r.minimum]
        for r in found.reach
    ]
    coverage = [
        [c.field, f"{c.share:.0%}", "-" if c.needed is None else f"{c.needed:.0%}", c.enough]
        for c in found.coverage
    ]
    held = f", {found.holdout:,} of them held out" if found.holdout else ""
    parts = [
        found.words,
        f"{found.qualifying:,} of {found.universe:,} companies qualify{held}; "
        f"for {found.unknown:,} the data does not say.",
        table(["rule", "looked at", "kept", "dropped", "unknown"], rows=rules),
        *[f"{n:,} left out: {reason}" for reason, n in found.excluded.items()],
        table(["platform", "list of", "members", "predicted match", "minimum"], rows=reach) if reach else "",
        table(["field", "known", "needed", "enough"], rows=coverage) if coverage else "",
        *[f"shares {o.shared:,} companies with {o.other}" for o in found.overlaps if o.shared],
        *[f"Warning: {words}" for words in advice],
    ]
    return "\n\n".join(part for part in parts if part)


ACTIONS = {
    "list": _list,
    "show": _show,
    "preview": _preview,
    "export": segment_results.export,
    "performance": segment_results.performance,
    "contrasts": segment_results.contrasts,
}
