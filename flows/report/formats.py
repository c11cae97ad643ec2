"""How numbers, dates and ranges look, everywhere. It knows no figure's meaning.

One rule: thousands with a comma, a no-break space before the per cent sign, a dash for what is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from balancer.types import Bounded
from flows.report.catalogue import say

NBSP = "\u00a0"
DASH = "\u2013"


def count(value: float | None) -> str:
    """``2,431``; an unknown value is a dash."""
    return DASH if value is None or not math.isfinite(value) else f"{round(value):,}"


def decimal(value: float | None, digits: int = 1) -> str:
    """``3.4``; an unknown value is a dash."""
    return DASH if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def rate(value: float | None) -> str:
    """``3.4``, ``340`` where a decimal says nothing more, ``0.03`` where one would show nothing.

    Halves go up, as in the page's script, which writes the same rows.
    """
    if value is None or not math.isfinite(value):
        return DASH
    told = round(value, 3)
    digits = 0 if told >= 99.95 else 1 if told >= 0.095 or told == 0.0 else 2 if told >= 0.01 else 3
    return f"{Decimal(str(told)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):,}"


def percent(fraction: float | None, digits: int = 1) -> str:
    """``38.4 %`` from 0.384; an unknown value is a dash."""
    if fraction is None or not math.isfinite(fraction):
        return DASH
    return f"{fraction * 100:,.{digits}f}{NBSP}%"


def points(change: float | None, digits: int = 2) -> str:
    """``+1.20`` percentage points, always signed, from a fraction."""
    if change is None or not math.isfinite(change):
        return DASH
    rounded = round(change * 100, digits) + 0.0
    return f"{rounded:+.{digits}f}".replace("-", "\u2212")


def times(value: float | None) -> str:
    """``4.1×``; an unknown value is a dash."""
    return DASH if value is None or not math.isfinite(value) else f"{value:,.1f}×"


def money(value: float | None, currency: str) -> str:
    """``1,234.50 USD``; an unknown value is a dash."""
    return DASH if value is None or not math.isfinite(value) else f"{value:,.2f}{NBSP}{currency}"


def day(value: date | None) -> str:
    """``3 Mar 2026``, the same everywhere in the world."""
    return DASH if value is None else f"{value.day}{NBSP}{value:%b}{NBSP}{value:%Y}"


def span(start: date, end: date) -> str:
    return f"{day(start)} {DASH} {day(end)}"


def between(value: Bounded, digits: int = 1) -> str:
    """``36.1 to 40.2 %``, or one figure where the bounds meet."""
    low, high = ends(value, digits)
    return _joined(low, high) if low else high


def dashed(value: Bounded) -> str:
    """``36–40 %``: a range where there is little room."""
    low, high = ends(value, 0)
    return f"{low}{DASH}{high}" if low else high


def ends(value: Bounded, digits: int = 1) -> tuple[str, str]:
    """Both ends in per cent, the sign with the second alone; the first is "" where they look alike."""
    low, high = percent(value.low, digits), percent(value.high, digits)
    return "" if low == high else low.removesuffix(f"{NBSP}%"), high


def _joined(low: str, high: str) -> str:
    return say("range.to", low=low, high=high)


def counts_between(value: Bounded) -> str:
    low, high = count(value.low), count(value.high)
    return low if low == high else _joined(low, high)


def decimals_between(value: Bounded | None) -> str:
    """``3.4 to 5.0``, one figure where the ends look alike, a dash for what is unknown."""
    if value is None:
        return DASH
    low, high = small(value.low), small(value.high)
    return low if low == high else _joined(low, high)


def small(value: float) -> str:
    """``3.4``, and ``0.034`` where one decimal would show nothing."""
    if not math.isfinite(value) or value == 0.0 or abs(value) >= 0.095:
        return decimal(value)
    return decimal(value, 2 if abs(value) >= 0.01 else 3) if abs(value) >= 0.0005 else "<0.001"


def left_open(value: Bounded | None, shape: Callable[[float], str]) -> str:
    """``0 to 340`` where the reports leave a figure open by more than a tenth of itself, else nothing."""
    if value is None or not guessed(value, value.point):
        return ""
    low, high = shape(value.low), shape(value.high)
    return "" if low == high else _joined(low, high)


def signed(value: float) -> str:
    """``+1,200`` or ``−340``."""
    return f"{round(value):+,}".replace("-", "\u2212")


def moment(value: datetime) -> str:
    """``3 Mar 2026, 14:05 UTC``; a time without a zone is shown without one."""
    return f"{day(value.date())}, {value:%H:%M}{NBSP}{value.tzname() or ''}".rstrip(NBSP)


def guessed(value: Bounded, scale: float = 1.0) -> bool:
    """Whether the range is over a tenth of ``scale``: then a best guess would only look like knowledge."""
    return value.high - value.low > 0.1 * scale


def gain(before: Bounded, after: Bounded) -> float:
    """The change of the best guesses where both ranges are narrow, else of the lower ends, which are sure."""
    wide = guessed(before) or guessed(after)
    return after.low - before.low if wide else after.point - before.point


def ranged(value: Bounded, scale: float, shape: Callable[[float], str]) -> str:
    """The best guess where the range is narrow, else the range."""
    return _joined(shape(value.low), shape(value.high)) if guessed(value, scale) else shape(value.point)


def at_least(value: Bounded, scale: float, shape: Callable[[float], str]) -> str:
    """The best guess where the range is narrow, else the end that is sure."""
    return " ".join(least(value, scale, shape)).strip()


def at_most(value: Bounded, scale: float, shape: Callable[[float], str]) -> str:
    """The best guess where the range is narrow, else the end that is sure."""
    return " ".join(most(value, scale, shape)).strip()


def least(value: Bounded, scale: float, shape: Callable[[float], str]) -> tuple[str, str]:
    """The figure of ``at_least`` and what stands before it, "" for a best guess."""
    return (say("range.at_least"), shape(value.low)) if guessed(value, scale) else ("", shape(value.point))


def most(value: Bounded, scale: float, shape: Callable[[float], str]) -> tuple[str, str]:
    """The figure of ``at_most`` and what stands before it, "" for a best guess."""
    return (say("range.at_most"), shape(value.high)) if guessed(value, scale) else ("", shape(value.point))
