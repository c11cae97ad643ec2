"""One condition on every account: yes, no, or unknown.

Truth is an int8 per account (1 yes, 0 unknown, -1 no), so that "all" is the
minimum, "any" the maximum and "none" the negation of "any". It never turns
unknown data into a no by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audiences.config_rules import (
    AbsentTechnologyTest,
    AllOf,
    Condition,
    FieldTest,
    MatrixTest,
    MetricTest,
    NoneOf,
    SegmentTest,
    SignalTest,
    TechnologyTest,
    children,
)
from audiences.config_segments import Matrix
from audiences.scoring_universe import Universe
from audiences.segments_counts import NO, UNKNOWN, YES, Truth, boolean, metric_truth, signal_truth
from audiences.segments_expressions import as_field, field_expression, score_expression

__all__ = ["NO", "UNKNOWN", "YES", "Judge", "Truth"]


@dataclass(eq=False)
class Judge:
    """Answers conditions for all accounts, each distinct one once.

    ``scores`` are in the row order of the universe; ``members`` grows as
    segments are decided, which must happen in the order of their references.
    """

    universe: Universe
    scores: pl.DataFrame
    matrices: Mapping[str, Matrix]

    def __post_init__(self) -> None:
        self.members: dict[str, NDArray[np.bool_]] = {}
        self._known: dict[str, Truth] = {}

    def truth(self, condition: Condition) -> Truth:
        """(n,) int8 in {1 yes, 0 unknown, -1 no}."""
        parts = children(condition)
        if parts:
            truths = [self.truth(part) for part in parts]
            if isinstance(condition, AllOf):
                return _fold(np.minimum, truths)
            found = _fold(np.maximum, truths)
            return -found if isinstance(condition, NoneOf) else found
        key = repr(condition)
        if key not in self._known:
            self._known[key] = _settle(self._leaf(condition), getattr(condition, "if_unknown", None))
        return self._known[key]

    def prepare(self, conditions: Sequence[Condition]) -> None:
        """Answer every field condition in one pass over the columns."""
        tests = {repr(c): c for c in conditions if isinstance(c, FieldTest) and repr(c) not in self._known}
        frame = self.universe.accounts.select(
            _tri(field_expression(self.universe, test)).alias(key) for key, test in tests.items()
        )
        for key, test in tests.items():
            self._known[key] = _settle(frame[key].to_numpy(), test.if_unknown)

    def _leaf(self, condition: Condition) -> Truth:
        if isinstance(condition, SignalTest):
            return signal_truth(self.universe, condition)
        if isinstance(condition, MetricTest):
            return metric_truth(self.universe, condition)
        if isinstance(condition, SegmentTest):
            return boolean(np.logical_or.reduce([self.members[name] for name in condition.segment]))
        if isinstance(condition, MatrixTest):
            return self._matrix(condition)
        if isinstance(condition, FieldTest | TechnologyTest | AbsentTechnologyTest):
            return self._columns(self.universe.accounts, field_expression(self.universe, as_field(condition)))
        return self._columns(self.scores, score_expression(condition))

    def _columns(self, frame: pl.DataFrame, expression: pl.Expr) -> Truth:
        return frame.select(_tri(expression).alias("truth"))["truth"].to_numpy()

    def _matrix(self, condition: MatrixTest) -> Truth:
        matrix = self.matrices[condition.matrix]
        cells = [
            np.minimum(self.truth(matrix.rows[row]), self.truth(matrix.columns[column]))
            for row, column in condition.cells
        ]
        return _fold(np.maximum, cells)


def _fold(how: np.ufunc, truths: Sequence[Truth]) -> Truth:
    result: Truth = truths[0].copy()
    for other in truths[1:]:
        how(result, other, out=result)
    return result


def _settle(truth: Truth, if_unknown: str | None) -> Truth:
    if if_unknown is None:
        return truth
    return np.where(truth == UNKNOWN, YES if if_unknown == "match" else NO, truth).astype(np.int8)


def _tri(expression: pl.Expr) -> pl.Expr:
    """A Polars truth value (true, false, null) as 1, -1, 0. Broadcast to the height of the frame."""
    return (expression.cast(pl.Int8) * 2 - 1).fill_null(0).cast(pl.Int8)
