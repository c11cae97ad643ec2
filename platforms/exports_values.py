"""Cells of a download as numbers and dates. ``-`` is unknown, not 0; ``<3`` is withheld, not 3. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache

NOTHING = frozenset(["", "-", "--", "–", "—", "n/a", "na", "null"])
_GROUPED = re.compile(r"\d{1,3}(?:([.,' ’])\d{3})(?:\1\d{3})*")
_AMOUNT = re.compile(r"^[^\d<+.,-]{0,5}\s*(-?[\d.,' ’]+)\s*[^\d.,]{0,5}$")
_NUMERIC_DATE = re.compile(r"\b(\d{1,4})([/.-])(\d{1,2})\2(\d{1,4})\b")
_WORDS_DATE = re.compile(
    r"\b(?:([^\W\d_]{3,12})\.?\s+(\d{1,2}),?|(\d{1,2})\.?\s+(?:de\s+)?([^\W\d_]{3,12})\.?,?(?:\s+de)?)\s+(\d{4})\b"
)
LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl")


def is_nothing(text: str) -> bool:
    """A sign for "not known", or a value the platform withholds because it is small (``< 10``)."""
    bare = text.strip().casefold()
    return bare in NOTHING or bare.startswith("<")


def count(text: str) -> int | None:
    """A whole number with any thousands separator; None where nothing is known. Raises ValueError."""
    if is_nothing(text):
        return None
    bare = text.replace(" ", " ").replace(" ", " ").strip()
    if bare.isascii() and bare.isdigit():
        return int(bare)
    if _GROUPED.fullmatch(bare):
        return int(re.sub(r"\D", "", bare))
    raise ValueError("not a whole number")


def money(text: str, *, decimal_mark: str) -> Decimal | None:
    """An amount with or without a currency sign; None where nothing is known. Raises ValueError.

    Where one separator could be either (``1,234``), ``decimal_mark`` of the file's language decides.
    """
    if is_nothing(text):
        return None
    match = _AMOUNT.match(text.replace(" ", " ").replace(" ", " ").strip())
    if match is None:
        raise ValueError("not an amount")
    return Decimal(_plain(match.group(1).strip(), decimal_mark))


def _plain(digits: str, decimal_mark: str) -> str:
    marks = [char for char in digits if char in ".,"]
    if len(set(marks)) == 2:
        decimal_mark = marks[-1]
    elif len(marks) == 1 and len(digits.rsplit(marks[0], 1)[1]) != 3:
        decimal_mark = marks[0]
    elif len(marks) > 1:
        decimal_mark = ""
    split = bool(decimal_mark) and decimal_mark in digits
    whole, fraction = digits.rsplit(decimal_mark, 1) if split else (digits, "")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    if not (whole.isdigit() or _GROUPED.fullmatch(whole)) or not (fraction.isdigit() or not split):
        raise ValueError("not an amount")
    return sign + re.sub(r"\D", "", whole) + (f".{fraction}" if fraction else "")


def dates(text: str, language: str = "en") -> Iterator[date]:
    """Every date in a line, left to right. ``9/1/2026`` is month first in English, day first elsewhere."""
    found: list[tuple[int, date]] = []
    for match in _NUMERIC_DATE.finditer(text):
        first, mark, second, third = match.groups()
        if len(first) == 4:
            year, month, day = int(first), int(second), int(third)
        else:
            month_first = language == "en" and mark == "/"
            month, day = (int(first), int(second)) if month_first else (int(second), int(first))
            year = int(third)
        found += _valid(match.start(), year, month, day)
    for match in _WORDS_DATE.finditer(text):
        word, number = match.group(1) or match.group(4), match.group(2) or match.group(3)
        month = months().get(word.casefold(), 0)
        found += _valid(match.start(), int(match.group(5)), month, int(number))
    yield from (day for _, day in sorted(found))


def _valid(place: int, year: int, month: int, day: int) -> list[tuple[int, date]]:
    try:
        return [(place, date(year, month, day))] if year > 999 else []
    except ValueError:
        return []


@lru_cache
def months() -> dict[str, int]:
    """Month names, long and short, of the languages Campaign Manager is downloaded in."""
    from babel.dates import get_month_names

    names: dict[str, int] = {}
    for language in reversed(LANGUAGES):  # English last: it wins where two languages disagree
        for width in ("wide", "abbreviated"):
            for number, name in get_month_names(width, locale=language).items():
                names[name.casefold().rstrip(".")] = number
    return names
