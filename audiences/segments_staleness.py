"""Which signals a segment rests on have stopped coming, and since when.

Windows end today: where a source is not brought up to date, companies leave a
segment as the days pass although they did nothing. Says so; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from audiences.config import Config
from audiences.config_rules import (
    Condition,
    FitTest,
    HeatTest,
    IntentHeatTest,
    IntentTest,
    MatrixTest,
    MetricTest,
    ModeTest,
    SignalTest,
    TierTest,
    walk,
)
from audiences.config_segments import needs
from audiences.scoring_universe import Universe

# Visits are read daily and bought intent weekly; a source that shows nothing for longer has not been refreshed.
QUIET_DAYS = 7


@dataclass(frozen=True, slots=True)
class Stale:
    """One kind of signal without a new one for more than QUIET_DAYS."""

    kind: str
    newest: date
    days: int

    @property
    def words(self) -> str:
        """``pricing_page of 2026-08-20 (94 days ago)``."""
        return f"{self.kind} of {self.newest} ({self.days} days ago)"


def stale_signals(config: Config, universe: Universe, segment: str) -> tuple[Stale, ...]:
    """Kinds the segment is computed from whose newest signal is older than QUIET_DAYS, oldest first."""
    found = []
    for kind in sorted(signal_kinds(config, segment)):
        part = universe.signals((kind,))
        if part is None or part.is_empty():
            continue
        days = int(part.select(pl.col("age").min()).item())
        if days > QUIET_DAYS:
            found.append(Stale(kind, universe.on - timedelta(days=days), days))
    return tuple(sorted(found, key=lambda one: (-one.days, one.kind)))


def signal_kinds(config: Config, segment: str) -> frozenset[str]:
    """Kinds of signals that decide who is in a segment: by its rules, its scores, and segments it refers to."""
    kinds: set[str] = set()
    for condition in _conditions(config, segment):
        if isinstance(condition, SignalTest):
            kinds.update(condition.signal)
        elif isinstance(condition, MetricTest):
            kinds.add(condition.metric)
        if isinstance(condition, HeatTest | IntentHeatTest | IntentTest | ModeTest):
            kinds.update(config.scoring.intent.weights)
        if isinstance(condition, FitTest | TierTest | ModeTest):
            kinds.update(_of_fit(config))
    return frozenset(kinds)


def _of_fit(config: Config) -> Iterator[str]:
    for group in config.scoring.fit.groups.values():
        for row in group.rows:
            if isinstance(row, SignalTest):
                yield from row.signal
            elif isinstance(row, MetricTest):
                yield row.metric


def _conditions(config: Config, segment: str) -> Iterator[Condition]:
    """Every condition of a segment and of all it is computed from."""
    seen, queue = set[str](), [segment]
    while queue:
        name = queue.pop()
        if name in seen:
            continue
        seen.add(name)
        one = config.segments[name]
        queue += needs(one, config.matrices)
        found = [leaf for _, leaf in walk(one.where)] if one.where else []
        yield from found
        for leaf in found:
            if isinstance(leaf, MatrixTest):
                matrix = config.matrices[leaf.matrix]
                for axis in (*matrix.rows.values(), *matrix.columns.values()):
                    yield from (condition for _, condition in walk(axis))
