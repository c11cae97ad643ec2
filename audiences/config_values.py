"""The small values of the settings: shares, words, days, ranges, and the short forms people write.

Only reading of single values; what they are for stands with the models that use them.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from audiences.config_yaml import wrong

Scalar = bool | int | float | str | date
Number = int | float
Heat = Literal["hot", "warm", "cool"]
Mode = Literal["strike", "nurture", "handle_with_care", "ignore"]
IfUnknown = Literal["match", "no_match"]


def as_list(value: Any) -> Any:
    """One word where a list is wanted is a list of one."""
    return value if value is None or isinstance(value, list | tuple) else [value]


def as_fraction(value: Any) -> Any:
    """``25 %`` and ``0.25`` both mean a quarter."""
    if isinstance(value, str) and value.strip().endswith("%"):
        try:
            return float(value.strip()[:-1]) / 100.0
        except ValueError:
            return value
    return value


Share = Annotated[float, Field(gt=0.0, le=1.0), BeforeValidator(as_fraction)]
ZeroShare = Annotated[float, Field(ge=0.0, le=1.0), BeforeValidator(as_fraction)]
Change = Annotated[float, Field(gt=0.0), BeforeValidator(as_fraction)]
Words = Annotated[tuple[str, ...], BeforeValidator(as_list), Field(min_length=1)]
Scalars = Annotated[tuple[Scalar, ...], BeforeValidator(as_list), Field(min_length=1)]
Pair = Annotated[tuple[Number, Number], Field()]
Days = Annotated[int, Field(ge=0)]


def ordered(pair: tuple[Number, Number] | None) -> None:
    """Refuse a pair whose first number is the larger one."""
    if pair is not None and pair[0] > pair[1]:
        raise wrong("the first number is larger than the second", "Write the smaller number first")


def as_range(value: Any) -> Any:
    """A bare number is the least that will do."""
    return {"at_least": value} if isinstance(value, int | float) and not isinstance(value, bool) else value
