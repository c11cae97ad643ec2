"""One condition on every account: yes, no, or unknown.

Truth is an int8 per account (1 yes, 0 unknown, -1 no), so that "all" is the
minimum, "any" the maximum and "none" the negation of "any". It never turns
unknown data into a no by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audiences.config_rules import (
    AbsentTechnologyTest,
    AllOf,
    Condition,
    FieldTest,
    FitTest,
    HeatTest,
    IntentHeatTest,
    IntentTest,
    MatrixTest,
    MetricTest,
    ModeTest,
    NoneOf,
    Range,
    SegmentTest,
    SignalTest,
    TechnologyTest,
    TierTest,
    children,
)
from audiences.config_segments import Matrix
from audiences.scoring_universe import Universe

Truth = NDArray[np.int8]
YES, UNKNOWN, NO = 1, 0, -1
TECHNOLOGIES = "technologies"


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
            return _boolean(np.logical_or.reduce([self.members[name] for name in condition.segment]))
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


def _boolean(mask: NDArray[np.bool_]) -> Truth:
    return np.where(mask, YES, NO).astype(np.int8)


def _tri(expression: pl.Expr) -> pl.Expr:
    """A Polars truth value (true, false, null) as 1, -1, 0. Broadcast to the height of the frame."""
    return (expression.cast(pl.Int8) * 2 - 1).fill_null(0).cast(pl.Int8)


# -- fields ----------------------------------------------------------------


def as_field(condition: Condition) -> FieldTest:
    """Technology conditions are conditions on the list of technologies."""
    if isinstance(condition, TechnologyTest):
        return FieldTest(field=TECHNOLOGIES, contains=condition.technology, if_unknown=condition.if_unknown)
    if isinstance(condition, AbsentTechnologyTest):
        return FieldTest(
            field=TECHNOLOGIES, lacks=condition.absent_technology, if_unknown=condition.if_unknown
        )
    if isinstance(condition, FieldTest):
        return condition
    raise TypeError(f"{type(condition).__name__} is not about a field")


def field_expression(universe: Universe, test: FieldTest) -> pl.Expr:
    """All operators of a field test as one expression; null where the data does not say."""
    column = universe.column(test.field)
    if column is None:
        return pl.repeat(None, pl.len(), dtype=pl.Boolean)
    dtype = universe.accounts.schema[column]
    value = pl.col(column)
    asked = _presence(test, value, dtype) + _sameness(test, value, dtype) + _contents(test, value, dtype)
    asked += _amount(test, value, dtype, universe) + _dates(test, value, dtype, universe.on)
    return pl.all_horizontal(asked)


def _presence(test: FieldTest, value: pl.Expr, dtype: pl.DataType) -> list[pl.Expr]:
    known = value.is_not_null()
    if dtype == pl.String:
        known = known & (value.str.strip_chars() != "").fill_null(value=False)
    asked = [] if test.exists is None else [known == pl.lit(test.exists)]
    return asked + ([] if test.missing is None else [known != pl.lit(test.missing)])


def _sameness(test: FieldTest, value: pl.Expr, dtype: pl.DataType) -> list[pl.Expr]:
    asked = []
    if test.is_ is not None:
        asked.append(_among(value, (test.is_,), dtype))
    if test.is_not is not None:
        asked.append(~_among(value, (test.is_not,), dtype))
    if test.in_ is not None:
        asked.append(_among(value, test.in_, dtype))
    if test.not_in is not None:
        asked.append(~_among(value, test.not_in, dtype))
    return asked


def _among(value: pl.Expr, wanted: Sequence[Any], dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.List):
        return _holds(value, wanted, dtype)
    if dtype.is_numeric():
        numbers = [number for number in (_number(item) for item in wanted) if number is not None]
        return value.cast(pl.Float64).is_in(numbers)
    if dtype == pl.Boolean:
        return value.is_in([_truthy(item) for item in wanted])
    return _lowered(value.cast(pl.String)).is_in([_low(item) for item in wanted])


def _contents(test: FieldTest, value: pl.Expr, dtype: pl.DataType) -> list[pl.Expr]:
    asked = [] if test.contains is None else [_holds(value, test.contains, dtype)]
    if test.contains_all is not None:
        asked += [_holds(value, (item,), dtype) for item in test.contains_all]
    if test.lacks is not None:
        asked.append(~_holds(value, test.lacks, dtype))
    return asked


def _holds(value: pl.Expr, wanted: Sequence[Any], dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.List):
        items = value.list.eval(_lowered(pl.element().cast(pl.String)))
        return pl.any_horizontal([items.list.contains(_low(item)) for item in wanted])
    text = _lowered(value.cast(pl.String))
    return pl.any_horizontal([text.str.contains(_low(item), literal=True) for item in wanted])


def _amount(test: FieldTest, value: pl.Expr, dtype: pl.DataType, universe: Universe) -> list[pl.Expr]:
    dated = any(
        isinstance(bound, date) for bound in (test.at_least, test.at_most, test.more_than, test.less_than)
    ) or (test.between is not None and isinstance(test.between[0], date))
    number = _as_date(value, dtype) if dated else _as_number(value, dtype)
    asked = compare(number, test.at_least, test.at_most, test.more_than, test.less_than, test.between)
    asked += shares(_as_number(value, dtype), test.top, test.bottom)
    for other, strict in ((test.at_least_field, False), (test.more_than_field, True)):
        if other is not None:
            column = universe.column(other)
            right = pl.lit(None, dtype=pl.Float64)
            if column is not None:
                right = _as_number(pl.col(column), universe.accounts.schema[column])
            asked.append(number > right if strict else number >= right)
    return asked


def compare(
    value: pl.Expr, at_least: Any, at_most: Any, more_than: Any, less_than: Any, between: Any
) -> list[pl.Expr]:
    """The comparisons that are asked for; NaN counts as unknown before it gets here."""
    asked = [] if at_least is None else [value >= pl.lit(at_least)]
    asked += [] if at_most is None else [value <= pl.lit(at_most)]
    asked += [] if more_than is None else [value > pl.lit(more_than)]
    asked += [] if less_than is None else [value < pl.lit(less_than)]
    return asked + ([] if between is None else [(value >= between[0]) & (value <= between[1])])


def shares(value: pl.Expr, top: float | None, bottom: float | None) -> list[pl.Expr]:
    """The largest (smallest) ``share`` of the accounts whose value is known, rounded up, ties included."""
    asked = []
    for share, descending in ((top, True), (bottom, False)):
        if share is not None:
            rank = value.rank("min", descending=descending).cast(pl.Float64)
            asked.append(rank <= (value.count() * share - 1e-9).ceil())
    return asked


def _dates(test: FieldTest, value: pl.Expr, dtype: pl.DataType, on: date) -> list[pl.Expr]:
    asked, day = [], _as_date(value, dtype)
    if test.within_last_days is not None:
        asked.append((day <= on) & (day >= on - timedelta(days=test.within_last_days)))
    if test.within_next_days is not None:
        asked.append((day >= on) & (day <= on + timedelta(days=test.within_next_days)))
    if test.more_than_days_ago is not None:
        asked.append(day < on - timedelta(days=test.more_than_days_ago))
    return asked


def _as_number(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype.is_numeric():
        return value.cast(pl.Float64).fill_nan(None)
    if dtype == pl.String:
        return value.str.replace_all(",", "", literal=True).str.strip_chars().cast(pl.Float64, strict=False)
    return pl.repeat(None, pl.len(), dtype=pl.Float64)


def _as_date(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype == pl.Date:
        return value
    if dtype == pl.String:
        return value.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return value.cast(pl.Date) if dtype == pl.Datetime else pl.repeat(None, pl.len(), dtype=pl.Date)


def _lowered(value: pl.Expr) -> pl.Expr:
    return value.str.strip_chars().str.to_lowercase()


def _low(item: Any) -> str:
    return str(item).strip().lower()


def _truthy(item: Any) -> bool:
    return _low(item) in {"true", "yes", "1"}


def _number(item: Any) -> float | None:
    try:
        return float(item)
    except (TypeError, ValueError):
        return None


# -- scores ----------------------------------------------------------------


def score_expression(condition: Condition) -> pl.Expr:
    """Conditions on what scoring found; always known."""
    if isinstance(condition, TierTest):
        return pl.col("tier").is_in(list(condition.tier))
    if isinstance(condition, HeatTest):
        return pl.col("heat").is_in(list(condition.heat))
    if isinstance(condition, IntentHeatTest):
        return pl.col("heat").is_in(list(condition.intent))
    if isinstance(condition, ModeTest):
        return pl.col("mode").is_in(list(condition.mode))
    if isinstance(condition, FitTest):
        return _range(pl.col("fit"), condition.fit)
    if isinstance(condition, IntentTest):
        return _range(pl.col("intent"), condition.intent)
    raise TypeError(f"{type(condition).__name__} is not about a score")


def _range(value: pl.Expr, test: Range) -> pl.Expr:
    asked = compare(value, test.at_least, test.at_most, test.more_than, test.less_than, test.between)
    asked += [] if test.is_ is None else [value == test.is_]
    return pl.all_horizontal(asked + shares(value, test.top, test.bottom))


# -- signals ---------------------------------------------------------------


def signal_truth(universe: Universe, test: SignalTest) -> Truth:
    """Counts in the window against the bounds; unknown for all when no source shows such signals."""
    part = universe.signals(test.signal)
    if part is None:
        return np.zeros(universe.n, dtype=np.int8)
    part = part.filter(_matching(test))
    inside = part.filter(_window(test))
    count = universe.total(inside, "events")
    least = test.at_least if test.at_least is not None else (0 if test.at_most is not None else 1)
    result = count >= max(least, 0 if test.more_than is None else test.more_than + 1)
    if test.at_most is not None:
        result &= count <= test.at_most
    if test.people is not None:
        result &= universe.people(inside) >= test.people
    if test.after_silence_days is not None:
        before = part.filter(pl.col("age") > test.within_days)
        silence = universe.extreme(before, largest=False) - universe.extreme(inside, largest=True)
        result &= np.nan_to_num(silence, nan=-1.0) >= test.after_silence_days
    return _boolean(result)


def _matching(test: SignalTest) -> pl.Expr:
    matching = pl.lit(value=True)
    if test.topics is not None:
        matching = matching & pl.col("topic").is_in([_low(topic) for topic in test.topics])
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
    return np.where(known, _boolean(reached), UNKNOWN).astype(np.int8)
