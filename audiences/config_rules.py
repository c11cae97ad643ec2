"""The rule tree as a marketer writes it: conditions on fields, signals, scores and other segments.

Only the shape of the rules lives here; evaluating them is ``rules``' work.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from audiences.config_values import (
    Change,
    Days,
    Heat,
    IfUnknown,
    Mode,
    Number,
    Pair,
    Scalar,
    Scalars,
    Share,
    Words,
    as_list,
    as_range,
    ordered,
)
from audiences.config_yaml import Part, keys_of, suggestion, wrong


class Range(Part):
    """Numeric operators, all inclusive unless they say ``than``. Several together must all hold."""

    is_: Number | None = Field(None, alias="is")
    at_least: Number | None = None
    at_most: Number | None = None
    more_than: Number | None = None
    less_than: Number | None = None
    between: Pair | None = None
    top: Share | None = None  # among accounts where the value is known, ties included
    bottom: Share | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Range:
        ordered(self.between)
        if not self.model_fields_set:
            raise wrong("no comparison is given", "Add one, for example at_least: 50")
        return self


class FieldTest(Part):
    """A company field or attribute. Unknown data neither matches nor fails unless ``if_unknown`` says so.

    Text is compared without regard to case. On a list (technologies, tags) ``contains`` and ``lacks``
    ask for items; on text they ask for a part of it.
    """

    field: str
    is_: Scalar | None = Field(None, alias="is")
    is_not: Scalar | None = None
    in_: Scalars | None = Field(None, alias="in")
    not_in: Scalars | None = None
    at_least: Number | date | None = None
    at_most: Number | date | None = None
    more_than: Number | date | None = None
    less_than: Number | date | None = None
    between: tuple[Number, Number] | tuple[date, date] | None = None
    contains: Words | None = None  # any of them
    contains_all: Words | None = None
    lacks: Words | None = None  # none of them, and the field is known
    exists: bool | None = None
    missing: bool | None = None
    top: Share | None = None
    bottom: Share | None = None
    at_least_field: str | None = None  # compare with another field, e.g. usage with plan_limit
    more_than_field: str | None = None
    within_last_days: Days | None = None  # the field is a date
    within_next_days: Days | None = None
    more_than_days_ago: Days | None = None
    if_unknown: IfUnknown | None = None

    @model_validator(mode="after")
    def _says_something(self) -> FieldTest:
        if self.between is not None and self.between[0] > self.between[1]:  # type: ignore[operator]
            raise wrong("the first value is larger than the second", "Write the smaller one first")
        if not self.model_fields_set - {"field", "if_unknown"}:
            raise wrong(f'nothing is asked of "{self.field}"', "Add a comparison, for example at_least: 50")
        return self


class SignalTest(Part):
    """Things an account did, counted in a window that ends on the date of evaluation, both ends included."""

    signal: Words  # kinds; one of them is enough
    topics: Words | None = None
    at_least: int | None = Field(None, ge=1)
    at_most: int | None = Field(None, ge=0)
    more_than: int | None = Field(None, ge=0)
    within_days: Days | None = None
    between_days_ago: tuple[Days, Days] | None = None
    minimum_strength: float | None = None
    people: int | None = Field(None, ge=1)  # distinct people of the account
    after_silence_days: int | None = Field(None, ge=1)  # back after at least this long without any
    if_unknown: IfUnknown | None = None

    @model_validator(mode="after")
    def _window_makes_sense(self) -> SignalTest:
        ordered(self.between_days_ago)
        if self.within_days is not None and self.between_days_ago is not None:
            raise wrong("two windows are given", "Keep within_days or between_days_ago")
        if self.after_silence_days is not None and self.within_days is None:
            raise wrong("after_silence_days needs a window", "Add within_days")
        return self


class MetricTest(Part):
    """A measured signal (log-ins, tickets, usage) in the last days against the same span before."""

    metric: str
    within_days: int = Field(ge=1)
    down_at_least: Share | None = None
    up_at_least: Change | None = None
    measure: Literal["sum", "mean"] = "sum"
    if_unknown: IfUnknown | None = None

    @model_validator(mode="after")
    def _has_one_direction(self) -> MetricTest:
        if (self.down_at_least is None) == (self.up_at_least is None):
            raise wrong("give one direction", 'Write down_at_least: "50 %" or up_at_least: "20 %"')
        return self


class TierTest(Part):
    """In one of these tiers."""

    tier: Annotated[tuple[int, ...], BeforeValidator(as_list), Field(min_length=1)]


class HeatTest(Part):
    """``heat: [hot, warm]``; ``intent: hot`` says the same."""

    heat: Annotated[tuple[Heat, ...], BeforeValidator(as_list), Field(min_length=1)]


class ModeTest(Part):
    """In one of these corners of the fit x intent grid."""

    mode: Annotated[tuple[Mode, ...], BeforeValidator(as_list), Field(min_length=1)]


class FitTest(Part):
    """The fit score, 0 to 100; ``fit: 70`` means at least 70."""

    fit: Annotated[Range, BeforeValidator(as_range)]


class IntentTest(Part):
    """The intent score as a number; words go to HeatTest."""

    intent: Annotated[Range, BeforeValidator(as_range)]


class IntentHeatTest(Part):
    """``intent: hot`` or ``intent: [hot, warm]``."""

    intent: Annotated[tuple[Heat, ...], BeforeValidator(as_list), Field(min_length=1)]


ScoreTest = TierTest | HeatTest | ModeTest | FitTest | IntentTest | IntentHeatTest


class TechnologyTest(Part):
    """One of these tools is present."""

    technology: Words
    if_unknown: IfUnknown | None = None


class AbsentTechnologyTest(Part):
    """The tools of the account are known, and none of these is among them. Unknown is not absence."""

    absent_technology: Words
    if_unknown: IfUnknown | None = None


class SegmentTest(Part):
    """Member of one of these segments. A company its rules could not decide is no member."""

    segment: Words


class MatrixTest(Part):
    """In one of these cells of a named matrix."""

    matrix: str
    cells: tuple[tuple[str, str], ...] = Field(min_length=1)


class AllOf(Part):
    """Every one of these."""

    all_: tuple[Condition, ...] = Field(alias="all", min_length=1)


class AnyOf(Part):
    """At least one of these."""

    any_: tuple[Condition, ...] = Field(alias="any", min_length=1)


class NoneOf(Part):
    """Not one of these; while one is unknown, neither is the answer."""

    none_: tuple[Condition, ...] = Field(alias="none", min_length=1)


_KINDS = (
    "all any none field signal metric tier fit intent heat mode technology absent_technology segment matrix"
).split()


def _kind(value: Any) -> str | None:
    if isinstance(value, Part):
        keys = keys_of(type(value))
        found = [kind for kind in _KINDS if kind in keys]
        return "<intent heat>" if isinstance(value, IntentHeatTest) else f"<{found[0]}>"
    if not isinstance(value, dict):
        return None
    found = [kind for kind in _KINDS if kind in value]
    if found == ["intent"]:
        words = value["intent"]
        return "<intent heat>" if isinstance(words, str | list | tuple) else "<intent>"
    return f"<{found[0]}>" if found else None


def _shaped(value: Any) -> Any:
    """A bare list means all of it; anything that is no condition is refused with the choices."""
    if isinstance(value, list):
        return {"all": value}
    if isinstance(value, dict) and _kind(value) is None:
        first = next(iter(value), "")
        raise wrong(f'"{first}" does not start a condition', suggestion(first, _KINDS))
    return value


Condition = Annotated[
    Annotated[AllOf, Tag("<all>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[NoneOf, Tag("<none>")]
    | Annotated[FieldTest, Tag("<field>")]
    | Annotated[SignalTest, Tag("<signal>")]
    | Annotated[MetricTest, Tag("<metric>")]
    | Annotated[TierTest, Tag("<tier>")]
    | Annotated[FitTest, Tag("<fit>")]
    | Annotated[IntentTest, Tag("<intent>")]
    | Annotated[IntentHeatTest, Tag("<intent heat>")]
    | Annotated[HeatTest, Tag("<heat>")]
    | Annotated[ModeTest, Tag("<mode>")]
    | Annotated[TechnologyTest, Tag("<technology>")]
    | Annotated[AbsentTechnologyTest, Tag("<absent_technology>")]
    | Annotated[SegmentTest, Tag("<segment>")]
    | Annotated[MatrixTest, Tag("<matrix>")],
    Discriminator(_kind),
    BeforeValidator(_shaped),
]

for _model in (AllOf, AnyOf, NoneOf):
    _model.model_rebuild()


def children(condition: Condition) -> tuple[Condition, ...]:
    """The conditions inside an all / any / none; () for a leaf."""
    if isinstance(condition, AllOf):
        return condition.all_
    if isinstance(condition, AnyOf):
        return condition.any_
    return condition.none_ if isinstance(condition, NoneOf) else ()


def joiner(condition: Condition) -> str:
    """``all``, ``any`` or ``none``; "" for a leaf."""
    if isinstance(condition, AllOf):
        return "all"
    return "any" if isinstance(condition, AnyOf) else "none" if isinstance(condition, NoneOf) else ""


def walk(condition: Condition, path: str = "where") -> Iterator[tuple[str, Condition]]:
    """Every condition of a tree with its path, parents first."""
    yield path, condition
    for i, child in enumerate(children(condition)):
        yield from walk(child, f"{path}.{joiner(condition)}[{i}]")
