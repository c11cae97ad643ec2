"""The store's accounts to scores and segments, on one date. Reads and writes the store; calls no platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from audiences.scoring import score_universe, scores_from
from audiences.scoring_frames import frames_from
from audiences.scoring_universe import Universe
from audiences.segments import Evaluation, evaluate_universe
from flows.wiring import App


@dataclass(frozen=True, eq=False)
class Assessment:
    """Every segment of the workspace on one date, and the frames it was computed from."""

    on: date
    universe: Universe
    scores: pl.DataFrame
    segments: dict[str, Evaluation]
    contacts: pl.DataFrame

    def tiers(self) -> dict[str, int]:
        """Account id -> tier."""
        return dict(self.scores.select("account_id", "tier").iter_rows())


def assess(app: App, *, on: date | None = None, record: bool = True) -> Assessment:
    """Score and segment the stored accounts. ``record`` keeps scores and segment versions in the store.

    A version whose fingerprint is already the latest is not stored again.
    """
    day = on or app.today
    known = app.remembered.get("assessment")
    basis = (day, _data_in_place(app), app.config.model_dump_json())
    if known is not None and known[0] == basis:
        return _recorded(app, known[1], record=record)
    universe = Universe(frames_from(app.store.accounts()).accounts, app.store.signal_frame(), on=day)
    scores = score_universe(app.config.scoring, universe)
    segments = evaluate_universe(app.config, universe, scores)
    found = Assessment(day, universe, scores, segments, app.store.contact_frame())
    app.remembered["assessment"] = (basis, found)
    return _recorded(app, found, record=record)


def _recorded(app: App, found: Assessment, *, record: bool) -> Assessment:
    if record:
        app.store.replace_scores(scores_from(found.scores))
        for evaluation in found.segments.values():
            app.store.save_segment_version(evaluation.version, at=app.now())
    return found


def assess_as_stored(app: App, segment: str) -> Assessment:
    """The assessment behind the segment's stored version: the same date, nothing recorded anew."""
    version = app.store.segment_version(segment)
    return assess(app, on=version.computed_on if version else None, record=False)


def _data_in_place(app: App) -> str:
    last = app.store.last_import("accounts")
    return last.fingerprint if last else ""
