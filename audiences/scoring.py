"""Fit, intent, tiers and the grid: what a company is worth to us, as numbers.

Pure: frames, settings and a date in, a frame out. Missing data is unknown,
never zero; the share of unknown is part of the answer.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audiences.config_scoring import Fit, Group, Intent, PointsRow, Scoring, Top
from audiences.model import Score
from audiences.scoring_frames import Frames, frames_from
from audiences.scoring_universe import Universe
from audiences.segments_truth import (
    UNKNOWN,
    YES,
    Judge,
    Truth,
)

__all__ = ["SCORE_COLUMNS", "Frames", "frames_from", "score", "score_universe", "scores_from"]

Numbers = NDArray[np.float64]
SCORE_COLUMNS = ("account_id", "fit", "fit_unknown", "tier", "intent", "heat", "mode")


def score(scoring: Scoring, accounts: pl.DataFrame, signals: pl.DataFrame, *, on: date) -> pl.DataFrame:
    """Scores of every account on one date, in byte order of account_id.

    Columns: account_id; fit 0..100; fit_unknown 0..1, the share of the model's points that rest on unknown
    data; tier 1..; intent >= 0, decayed; heat hot | warm | cool; mode strike | nurture | handle_with_care |
    ignore. Raises ValueError when an account id stands twice.
    """
    return score_universe(scoring, Universe(accounts, signals, on=on))


def score_universe(scoring: Scoring, universe: Universe) -> pl.DataFrame:
    """``score`` on data that is already indexed."""
    fit, unknown = fit_points(scoring.fit, universe)
    intent = intent_points(scoring.intent, universe)
    tier = tiers(scoring.tiers, fit)
    heat = heats(scoring.intent, intent)
    columns = {
        "account_id": universe.accounts["account_id"],
        "fit": fit,
        "fit_unknown": unknown,
        "tier": tier,
        "intent": intent,
        "heat": pl.Series(_HEATS, dtype=pl.String).gather(heat),
        "mode": pl.Series(_MODES, dtype=pl.String).gather(modes(scoring, tier, heat)),
    }
    return pl.DataFrame(columns)


def scores_from(frame: pl.DataFrame) -> list[Score]:
    """The rows of a score frame as nouns."""
    return [Score(*row) for row in frame.select(SCORE_COLUMNS).iter_rows()]


# -- fit -------------------------------------------------------------------


def fit_points(fit: Fit, universe: Universe) -> tuple[Numbers, Numbers]:
    """(n,) score 0..100 and (n,) share 0..1 of the reachable points that rest on unknown data."""
    judge = Judge(universe, pl.DataFrame(), {})
    points, open_points = np.zeros(universe.n), np.zeros(universe.n)
    for group in fit.groups.values():
        known, possible = _group_points(group, judge)
        points += known
        open_points += possible - known
    reachable = fit.reachable or 1.0
    return rounded(np.clip(100.0 * points / fit.maximum, 0.0, 100.0)), rounded(open_points / reachable)


def _group_points(group: Group, judge: Judge) -> tuple[Numbers, Numbers]:
    """Points the known data gives, and the points if every unknown turned out well."""
    truths = [(row.points, judge.truth(condition_of(row))) for row in group.rows]
    ceiling = np.inf if group.at_most is None else group.at_most
    known = _points(truths, YES, best=group.best is not None)
    possible = _points(truths, UNKNOWN, best=group.best is not None)
    return np.minimum(known, ceiling), np.minimum(np.maximum(possible, known), ceiling)


def _points(truths: list[tuple[float, Truth]], least: int, *, best: bool) -> Numbers:
    """Largest or total points of the rows that are at least this true; an unknown loss is no gain."""
    rows = [np.where(truth >= (least if points > 0 else YES), points, 0.0) for points, truth in truths]
    if not best:
        return np.asarray(np.sum(rows, axis=0), dtype=np.float64)
    hits = [np.where(truth >= (least if points > 0 else YES), points, -np.inf) for points, truth in truths]
    largest: Numbers = np.max(hits, axis=0)
    return np.where(np.isneginf(largest), 0.0, largest)


def condition_of(row: PointsRow) -> PointsRow:
    """The row as a condition: two rows that differ only in points ask the same."""
    return row.model_copy(update={"points": 0.0})


# -- intent ----------------------------------------------------------------


def intent_points(intent: Intent, universe: Universe) -> Numbers:
    """(n,) sum over signals of weight x strength x 0.5 ** (age / half life), inside the window."""
    total = np.zeros(universe.n)
    for kind, weight in sorted(intent.weights.items()):
        part = universe.signals((kind,))
        if part is None:
            continue
        inside = part.filter(pl.col("age") <= intent.window_days)
        if intent.daily_cap is not None:
            daily = inside.group_by("row", "age").agg(pl.col("strength").sum())
            inside = daily.with_columns(
                pl.col("strength").clip(upper_bound=intent.daily_cap / (weight or 1.0))
            )
        decay = (0.5 ** (pl.col("age") / intent.half_life_days)) * pl.col("strength") * weight
        total += universe.total(inside.with_columns(decay.alias("points")), "points")
    return rounded(np.maximum(total, 0.0))


def rounded(values: NDArray[np.floating[Any]]) -> Numbers:
    """Six decimals: the order in which signals were added up must not show in a score."""
    result: Numbers = np.asarray(np.round(values, 6), dtype=np.float64)
    return result


_HEATS = ("cool", "warm", "hot")


def heats(intent: Intent, points: Numbers) -> NDArray[np.int8]:
    """(n,) 2 hot, 1 warm, 0 cool. A share (top 10 %) is of all accounts, but takes none without intent."""
    hot, warm = _threshold(intent.hot, points), _threshold(intent.warm, points)
    return np.where(points >= hot, 2, np.where(points >= warm, 1, 0)).astype(np.int8)


def _threshold(threshold: float | Top, points: Numbers) -> float:
    if not isinstance(threshold, Top):
        return float(threshold)
    k = int(np.ceil(threshold.top * points.size - 1e-9))
    if points.size == 0 or k == 0:
        return float("inf")
    kth = float(np.partition(points, points.size - k)[points.size - k])
    return max(kth, float(np.nextafter(0.0, 1.0)))


# -- tiers and grid ----------------------------------------------------------


def tiers(floors: dict[int, float], fit: Numbers) -> NDArray[np.int64]:
    """(n,) the first tier whose floor the fit score reaches."""
    result = np.full(fit.size, max(floors), dtype=np.int64)
    for tier, floor in sorted(floors.items(), reverse=True):
        result[fit >= floor] = tier
    return result


_MODES = ("ignore", "handle_with_care", "nurture", "strike")


def modes(scoring: Scoring, tier: NDArray[np.int64], heat: NDArray[np.int8]) -> NDArray[np.int64]:
    """(n,) index into _MODES: fit counts 2, intent counts 1."""
    fit = np.isin(tier, scoring.grid.high_fit_tiers)
    intent = np.isin(heat, [_HEATS.index(word) for word in scoring.grid.high_intent])
    return 2 * fit.astype(np.int64) + intent.astype(np.int64)
