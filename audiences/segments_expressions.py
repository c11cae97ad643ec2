"""Conditions on fields and scores as Polars expressions; null where the data does not say.

It compiles and evaluates nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl

from audiences.config_rules import (
    AbsentTechnologyTest,
    Condition,
    FieldTest,
    FitTest,
    HeatTest,
    IntentHeatTest,
    IntentTest,
    ModeTest,
    Range,
    TechnologyTest,
    TierTest,
)
from audiences.scoring_universe import Universe

TECHNOLOGIES = "technologies"


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
