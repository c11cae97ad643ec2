"""A segment as a person should see it before it goes live, with the strategist's warnings. Reads only."""

from __future__ import annotations

from datetime import date

from audiences.segments_preview import Preview, preview
from audiences.segments_warnings import Advice, segment_warnings
from audiences.store.errors import NotFound
from flows.activate_lists import list_rules, minimum
from flows.assess import Assessment
from flows.wiring import App


def previewed(app: App, assessment: Assessment, name: str) -> tuple[Preview, tuple[Advice, ...]]:
    """The preview of one segment and what is worth a look. People are read only where it has a list of them."""
    evaluation = assessment.segments[name]
    platforms = app.config.platforms.names()
    people = any("contacts" in kinds for kinds in evaluation.segment.sync.values())
    seen = preview(
        app.config,
        assessment.segments,
        name,
        rules={p: list_rules(app, p) for p in platforms},
        minimums={p: minimum(app, p) for p in platforms},
        contacts=assessment.people_of(name) if people else None,
        suppressed=app.store.suppressed(),
    )
    counted = app.store.segment_sizes(name)
    moved = bool(counted) and counted[-1].size != int(evaluation.members.sum())  # since the last sync
    since = assessment.on if moved else changed_on(app, name)
    return seen, segment_warnings(evaluation, seen, changed_on=since)


def changed_on(app: App, name: str) -> date | None:
    """Since when the same companies have qualified, as far as stored versions tell; None before the first."""
    sizes = app.store.segment_sizes(name)
    if not sizes:
        return None
    first = newest = sizes[-1]
    for size in reversed(sizes):
        if size.size != newest.size:
            break
        first = size
    if first.computed_on == newest.computed_on:
        return newest.computed_on
    try:
        then = app.store.segment_version(name, first.fingerprint)
        now = app.store.segment_version(name)
    except NotFound:  # retention keeps sizes for longer than names
        return first.computed_on
    same = then is not None and now is not None and then.account_ids == now.account_ids
    return first.computed_on if same else newest.computed_on
