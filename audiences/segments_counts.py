"""Conditions on signals: counts in a window, distinct people, silence, change over time.

Works on the indexed signals of a Universe; the words of the rules are ``config_rules``' business.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audiences.config_rules import MetricTest, SignalTest
from audiences.scoring_universe import Universe

Truth = NDArray[np.int8]  # per account: 1 yes, 0 unknown, -1 no
YES, UNKNOWN, NO = 1, 0, -1


def boolean(mask: NDArray[np.bool_]) -> Truth:
    """A known answer: yes where the mask is set, no elsewhere."""
    return np.where(mask, YES, NO).astype(np.int8)


def signal_truth(universe: Universe, test: SignalTest) -> Truth:
    """Counts in the window against the bounds; unknown for all when no source shows such signals."""
    part = universe.signals(test.signal)
    if part is None:
        return np.zeros(universe.n, dtype=np.int8)
    part = part.filter(_matching(test, part))
    inside = part.filter(_window(test))
    count = universe.total(inside, "events")
    least = test.at_least if test.at_least is not None else (0 if test.at_most is not None else 1)
    result = count >= max(least, 0 if test.more_than is None else test.more_than + 1)
    if test.at_most is not None:
        result &= count <= test.at_most
    if test.people is not None:
        if part["person"].null_count() == part.height:
            return np.zeros(universe.n, dtype=np.int8)  # the source does not say who it was
        result &= universe.people(inside) >= test.people
    if test.after_silence_days is not None:
        before = part.filter(pl.col("age") > test.within_days)
        silence = universe.extreme(before, largest=False) - universe.extreme(inside, largest=True)
        result &= np.nan_to_num(silence, nan=-1.0) >= test.after_silence_days
    return boolean(result)


def counted(universe: Universe, test: SignalTest) -> NDArray[np.float64] | None:
    """(n,) events in the window of the test; None when no source shows such signals."""
    part = universe.signals(test.signal)
    if part is None:
        return None
    return universe.total(part.filter(_matching(test, part) & _window(test)), "events")


def _matching(test: SignalTest, part: pl.DataFrame) -> pl.Expr:
    matching = pl.lit(value=True)
    if test.topics is not None:
        wanted = {topic.strip().lower() for topic in test.topics}
        spelled = [topic for topic in part["topic"].unique().drop_nulls() if topic.strip().lower() in wanted]
        matching = matching & pl.col("topic").is_in(spelled).fill_null(value=False)
    if test.minimum_strength is not None:
        matching = matching & (pl.col("strength") >= test.minimum_strength)
    return matching


def _window(test: SignalTest) -> pl.Expr:
    if test.within_days is not None:
        return pl.col("age") <= test.within_days
    if test.between_days_ago is not None:
        return pl.col("age").is_between(*test.between_days_ago)
    return pl.lit(value=True)


def metric_truth(universe: Universe, test: MetricTest) -> Truth:
    """Change of a measured signal against the span before; unknown where there is nothing to compare with."""
    part = universe.signals((test.metric,))
    if part is None:
        return np.zeros(universe.n, dtype=np.int8)
    span = test.within_days
    recent, before = (
        part.filter(pl.col("age") < span),
        part.filter(pl.col("age").is_between(span, 2 * span - 1)),
    )
    new, old = universe.total(recent, "strength"), universe.total(before, "strength")
    known = old > 0.0
    if test.measure == "mean":
        rows_new, rows_old = universe.rows(recent), universe.rows(before)
        known &= rows_new > 0.0
        new, old = new / np.maximum(rows_new, 1.0), old / np.maximum(rows_old, 1.0)
    change = np.divide(new - old, old, out=np.zeros_like(old), where=known)
    goal = test.up_at_least if test.up_at_least is not None else -(test.down_at_least or 0.0)
    reached = change >= goal - 1e-12 if goal > 0 else change <= goal + 1e-12
    return np.where(known, boolean(reached), UNKNOWN).astype(np.int8)
