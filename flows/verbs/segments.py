"""``evenreach segments``: list, show, preview; and the way to performance, contrasts and export."""

from __future__ import annotations

import argparse
from typing import Any

from flows.verbs import segment_preview, segment_results
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
    found = assessment.segments[arguments.segment]
    return _why(arguments, found) if arguments.account else _described(arguments, app, found)


def _why(arguments: argparse.Namespace, found: Any) -> int:
    """Why one company is in the segment or is not, rule by rule."""
    from audiences.segments_why import why

    answer = why(found, arguments.account)
    steps = [
        {"rule": step.words, "answer": step.answer, "seen": step.seen, "depth": step.depth}
        for step in answer.steps
    ]
    data = {
        "account": answer.account_id,
        "verdict": answer.verdict,
        "words": answer.words(),
        "steps": steps,
    }
    show(arguments, data, lambda: "\n".join([answer.words(), *map(_step, steps)]))
    return DONE


def _step(step: dict[str, Any]) -> str:
    seen = f" (seen: {step['seen']})" if step["seen"] else ""
    return f"{'  ' * int(step['depth'])}{step['answer']:8}{step['rule']}{seen}"


def _described(arguments: argparse.Namespace, app: Any, found: Any) -> int:
    """The rules in words, the companies, and how many there were over time."""
    from audiences.segments_words import segment_in_words

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
    history = table(["on", "companies", "held_out"], [list(size.values()) for size in sizes])
    show(arguments, data, lambda: f"{words}\n\n{history}")
    return DONE


ACTIONS = {
    "list": _list,
    "show": _show,
    "preview": segment_preview.preview,
    "export": segment_results.export,
    "performance": segment_results.performance,
    "contrasts": segment_results.contrasts,
}
