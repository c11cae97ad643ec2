"""The store's accounts to scores and segments, on one date. Reads and writes the store; calls no platform."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from audiences.scoring import score_universe
from audiences.scoring_universe import Universe
from audiences.segments import Evaluation, Mask, evaluate_universe
from flows.wiring import App

RECORDED = "assessment/recorded"


@dataclass(frozen=True, eq=False)
class Assessment:
    """Every segment of the workspace on one date, and the frames it was computed from."""

    on: date
    universe: Universe
    scores: pl.DataFrame
    segments: dict[str, Evaluation]
    read_contacts: Callable[[pl.Series], pl.DataFrame] = field(repr=False)

    @cached_property
    def contacts(self) -> pl.DataFrame:
        """People at the companies of segments with a list of people, in the shape of CONTACT_SCHEMA.

        Read when first asked for: lists of companies need none, and millions take their time.
        """
        listed = np.zeros(self.universe.n, dtype=np.bool_)
        for evaluation in self.segments.values():
            if any("contacts" in kinds for kinds in evaluation.segment.sync.values()):
                listed |= evaluation.members
        return self.read_contacts(self._ids(listed))

    def people_of(self, segment: str) -> pl.DataFrame:
        """People at the companies of one segment (at least), in the same shape."""
        if "contacts" in self.__dict__:
            return self.contacts
        return self.read_contacts(self._ids(self.segments[segment].members))

    def _ids(self, members: Mask) -> pl.Series:
        return self.universe.accounts["account_id"].filter(pl.Series(members))

    def tiers(self) -> dict[str, int]:
        """Account id -> tier."""
        return dict(self.scores.select("account_id", "tier").iter_rows())


def assess(app: App, *, on: date | None = None, record: bool = True) -> Assessment:
    """Score and segment the stored accounts. ``record`` keeps scores and segment versions in the store.

    A version whose fingerprint is already the latest is not stored again.
    """
    day = on or app.today
    known = app.remembered.get("assessment")
    basis = _basis(app, day)
    if known is not None and known[0] == basis:
        found: Assessment = known[1]
    else:
        universe = Universe(app.store.account_frame(), app.store.signal_frame(), on=day)
        scores = score_universe(app.config.scoring, universe)
        segments = evaluate_universe(app.config, universe, scores)
        found = Assessment(day, universe, scores, segments, lambda at: app.store.contact_frame(at=at))
        app.remembered["assessment"] = (basis, found)
    if record:
        _record(app, found, basis)
    return found


def _basis(app: App, day: date) -> str:
    """Hex digest of everything an assessment is computed from: date, data in place, settings."""
    lines = [app.store.last_import(f"{what} in place") for what in ("accounts", "contacts", "signals")]
    parts = [day.isoformat(), app.config.model_dump_json(), *(line.fingerprint for line in lines if line)]
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def _record(app: App, found: Assessment, basis: str) -> None:
    """Scores and versions, unless the last ones recorded rest on the same."""
    if app.store.get(RECORDED) == basis:
        return
    app.store.replace_score_table(found.scores)
    for evaluation in found.segments.values():
        app.store.save_segment_version(evaluation.version, at=app.now())
    app.store.put(RECORDED, basis, at=app.now())


def assess_as_stored(app: App, segment: str) -> Assessment:
    """The assessment behind the segment's stored version: the same date, nothing recorded anew."""
    version = app.store.segment_version(segment)
    return assess(app, on=version.computed_on if version else None, record=False)
