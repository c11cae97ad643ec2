"""The store's accounts to scores and segments, on one date. Reads and writes the store; calls no platform."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from audiences.scoring import score_universe, scores_from
from audiences.scoring_frames import contacts_frame, frames_from
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
    frames = frames_from(app.store.accounts(), app.store.signals())
    universe = Universe(frames.accounts, frames.signals, on=day)
    scores = score_universe(app.config.scoring, universe)
    segments = evaluate_universe(app.config, universe, scores)
    if record:
        app.store.replace_scores(scores_from(scores))
        for evaluation in segments.values():
            app.store.save_segment_version(evaluation.version, at=app.now())
    return Assessment(day, universe, scores, segments, contacts_frame(app.store.contacts()))
