"""Checks of the data: sources read, columns used, segments filled, consent there. Calls no platform."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from audiences.model import Consent
from flows.doctor import Finding
from flows.wiring import App

LEAST_HELD_OUT = 30  # companies; below this a holdout cannot show any difference one would act on


def sources(app: App) -> Iterator[Finding]:
    """Reads every source as a sync would. Raises what is wrong with a file or a column."""
    from flows.load import load

    loaded = load(app)
    for what in ("companies", "contacts", "signals"):
        yield Finding("source", what, True, getattr(loaded, what).words(what))
    for name, columns in loaded.unmapped.items():
        yield Finding("column_unused", f"columns of {name}", True, f"not used: {', '.join(columns)}")
    if not loaded.companies.read:
        words = "no company was read."
        yield Finding("no_companies", "sources", False, words, "Name a file under sources: companies:")


def segments(app: App) -> Iterator[Finding]:
    """Empty segments, rules on data that is not there, holdouts too small to measure with."""
    from audiences.segments_warnings import workspace_warnings
    from flows.assess import assess

    assessment = assess(app, record=False)
    companies = assessment.scores.height
    for name, found in assessment.segments.items():
        members = int(found.members.sum())
        if not members and companies:
            yield Finding(
                "segment_empty", name, False, "nobody qualifies.", f"Run evenreach segments preview {name}"
            )
        if not members and found.unknown and found.unknown == companies:
            words = f"the data for its rules is missing for all {found.unknown:,} companies."
            remedy = "Check the names of the fields, or map the column: evenreach map FILE"
            yield Finding("column_missing", name, False, words, remedy)
        held = int(found.holdout.sum())
        if found.segment.holdout is not None and members and held < LEAST_HELD_OUT:
            words = (
                f"{held:,} companies are held out, fewer than {LEAST_HELD_OUT}: no difference can be seen."
            )
            remedy = "Hold out a larger share, widen the segment, or take the holdout away."
            yield Finding("holdout_small", name, False, words, remedy)
    for advice in workspace_warnings(app.config):
        yield Finding("advice", "segments", True, f"worth knowing: {advice.words}")


def signals(app: App) -> Iterator[Finding]:
    """Signals so old that none counts any more: an export that stopped, and every account went cold."""
    intent = app.config.scoring.intent
    known = app.store.signal_frame()
    if not intent.weights or known.is_empty():
        return
    newest: date | None = known["on"].max()  # type: ignore[assignment]
    if newest is not None and app.today - newest > timedelta(days=intent.window_days):
        words = (
            f"the newest is of {newest}, and signals count for {intent.window_days} days: "
            "nobody shows intent any more."
        )
        yield Finding(
            "signals_old", "signals", False, words, "Export the signals anew, and see its schedule."
        )


def consent(app: App) -> Iterator[Finding]:
    """People that a platform will take none of, for want of consent or of a first-party source."""
    wanted = {
        name
        for segment in app.config.segments.values()
        for name, kinds in segment.sync.items()
        if "contacts" in kinds
    }
    people = list(app.store.contacts()) if wanted else []
    for name in sorted(wanted):
        able = app.platform(name).capabilities
        granted = sum(one.consent == Consent.GRANTED for one in people)
        own = sum(one.first_party for one in people)
        if able.needs_consent and people and not granted:
            words = f"{name} takes only people who consented, and none of {len(people):,} has a mark of it."
            remedy = "Map a consent column, or write consent: granted on the source if all of them agreed."
            yield Finding("no_consent", name, False, words, remedy)
        if able.needs_first_party and people and not own:
            words = f"{name} takes only people who gave you their address themselves; no source says so."
            yield Finding(
                "not_first_party", name, False, words, "Write first_party: true on the sources that are."
            )
