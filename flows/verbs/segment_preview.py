"""``evenreach segments preview``: rules, lists, fields, overlap and what to watch, as data and as words."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from audiences.segments_preview import Preview
from audiences.segments_reach import ListReach
from audiences.segments_warnings import Advice
from flows.verbs.outcome import DONE, show, table

LONG = 200  # a sentence beyond this is read more easily from the table of rules


def preview(arguments: argparse.Namespace, app: Any, assessment: Any) -> int:
    """Show one segment before it goes live; sends nothing."""
    from flows.segment_preview import previewed

    found, advice = previewed(app, assessment, arguments.segment)
    data = _data(found) | {"warnings": [one.words for one in advice], "advice": [asdict(a) for a in advice]}
    show(arguments, data, lambda: "\n\n".join(_words(found, advice)))
    return DONE


def _data(found: Preview) -> dict[str, Any]:
    return {
        "segment": found.name,
        "words": found.words,
        "companies_looked_at": found.universe,
        "qualifying": found.qualifying,
        "held_out": found.holdout,
        "fit_unknown": found.fit_unknown,
        "undecided": found.unknown,
        "excluded": dict(found.excluded),
        "rules": [
            {"path": r.path, "rule": r.words, "entered": r.entered, "kept": r.kept, "dropped": r.dropped,
             "unknown": r.unknown, "alone": r.alone}
            for r in found.rules
        ],
        "overlaps": [asdict(one) | {"segment": one.other} for one in found.overlaps],
        "reach": [
            {"platform": r.platform, "kind": str(r.kind), "members": r.members, "left_out": dict(r.left_out),
             "by_identifier": dict(r.by_identifier), "matched": list(r.matched),
             "people": list(r.people) if r.people else None, "minimum": r.minimum, "serves": r.serves}
            for r in found.reach
        ],
        "coverage": [
            {"field": c.field, "known": c.known, "total": c.total, "share": c.share, "needed": c.needed}
            for c in found.coverage
        ],
    }  # fmt: skip


def _words(found: Preview, advice: tuple[Advice, ...]) -> Iterator[str]:
    held = f", {found.holdout:,} of them held out" if found.holdout else ""
    unsure = f"; for {found.unknown:,} the data does not say" if found.unknown else ""
    yield found.words if len(found.words) <= LONG else f"{found.words.partition(':')[0]}:"
    fit = (
        ""
        if found.fit_unknown is None
        else (f" {_percent(found.fit_unknown)} of their fit score rests on what is not known.")
    )
    yield f"{found.qualifying:,} of {found.universe:,} companies qualify{held}{unsure}.{fit}"
    rules = [
        ["  " * r.depth + r.words, r.entered, r.kept, r.dropped, r.unknown, r.alone] for r in found.rules
    ]
    if rules:
        yield table(["rule", "looked at", "kept", "dropped", "not known", "alone would keep"], rules)
    excluded = [f"{n:,} {_excluded(reason)}" for reason, n in found.excluded.items() if n]
    if excluded:
        yield "\n".join(excluded)
    yield from _lists(found)
    if found.coverage:
        rows = [
            [c.field, _percent(c.share), "any" if c.needed is None else _percent(c.needed), c.enough]
            for c in found.coverage
        ]
        yield table(["field", "known for", "needed", "enough"], rows)
    if found.overlaps:
        shared = [[o.other, o.shared, _percent(o.of_this), _percent(o.of_other)] for o in found.overlaps]
        yield table(["also in", "companies", "of this segment", "of that one"], shared)
    if advice:
        yield "\n".join(["Worth a look:", *(f"- {one.words}" for one in advice)])


def _excluded(reason: str) -> str:
    kind, _, other = reason.partition(":")
    words = {
        "outside": f"companies are outside {other}, of which this is a part",
        "without": f"that meet the rules are in {other}, which is left out",
        "priority": f"that meet the rules go to {other}, which comes first",
    }
    return words.get(kind, reason)


def _lists(found: Preview) -> Iterator[str]:
    from flows.report.code_words import left_out

    if not found.reach:
        yield "No list is made of it: sync: names no platform."
        return
    names = ["list", "members", "found by", "predicted match", "people reached", "serves from", "will serve"]
    yield table(names, [_row(one) for one in found.reach])
    lines = [f"Not on {_list(one)}: {left_out(one.left_out)}" for one in found.reach if one.left_out]
    if lines:
        yield "\n".join(lines)


def _row(one: ListReach) -> list[object]:
    by = ", ".join(
        f"{kind.removesuffix('_sha256').replace('_', ' ')} {n:,}" for kind, n in one.by_identifier.items()
    )
    people = "not known" if one.people is None else f"{_about(one.people[0])} to {_about(one.people[1])}"
    serves = {True: "yes", False: "no", None: "perhaps"}[one.serves]
    match = f"{_about(one.matched[0])} to {_about(one.matched[1])}"
    return [_list(one), one.members, by or "-", match, people, f"{one.minimum:,} people", serves]


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def _about(number: float) -> str:
    """A prediction, to two digits: more would promise what nobody knows."""
    digits = max(len(str(int(number))) - 2, 0)
    return f"{round(number, -digits):,.0f}"


def _list(one: ListReach) -> str:
    return f"{one.platform} {'companies' if str(one.kind) == 'company' else 'people'}"
