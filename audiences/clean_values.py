"""Texts to values: numbers, head-counts, years, dates, hosts, tags.

Each ``*_of`` takes a String column and returns values of the same length, null
where the text says nothing usable. Must not drop a row or raise over a value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import polars as pl


def by_unique(texts: pl.Series, read: Callable[[str], Any], dtype: pl.DataType) -> pl.Series:
    """Apply ``read`` once per distinct text. Right for columns with few spellings, not for free text."""
    if texts.null_count() == len(texts):
        return pl.Series(texts.name, [None], dtype=dtype).new_from_index(0, len(texts))
    distinct, places = spellings(texts)
    values = pl.Series(texts.name, [read(text) for text in distinct], dtype=dtype, strict=False)
    return values.gather(places)


_FIRST = 10_000  # rows in which a column with few spellings has mostly shown them all


def spellings(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The distinct texts, in any order, and for each row its place among them; null where there is none.

    Those of the first rows are tried on all: one look-up per row, where a search for every spelling
    beforehand would be a second one.
    """
    distinct = texts.head(_FIRST).unique().drop_nulls()
    found = texts.cast(pl.Enum(distinct), strict=False)
    if found.null_count() > texts.null_count():
        distinct = pl.concat([distinct, texts.filter(found.is_null()).unique().drop_nulls()])
        found = texts.cast(pl.Enum(distinct))
    return distinct, found.to_physical()


_AMOUNT = re.compile(
    r"(?i)^[^\d\-+(]*([-+(]?)\s*(?:[$€£¥]|usd|eur|gbp)?\s*(\d[\d.,'\s\u00a0\u202f]*)\s*"
    r"(k|m|mm|mn|mio|million|bn|b|billion|mrd|tsd|thousand)?\b[^\d]*$"
)
_SCALE = {
    **dict.fromkeys(("k", "tsd", "thousand"), 1e3),
    **dict.fromkeys(("m", "mm", "mn", "mio", "million"), 1e6),
    **dict.fromkeys(("bn", "b", "billion", "mrd"), 1e9),
}


def amount(text: str) -> float | None:
    """``"$250,000,000"``, ``"1.234,5"``, ``"1 200"``, ``"2.5M"`` as a number; None when not one amount."""
    match = _AMOUNT.match(text.strip())
    if not match:
        return None
    number = _plain_number(re.sub(r"[\s'\u00a0\u202f]", "", match[2]))
    if number is None:
        return None
    value = number * _SCALE.get((match[3] or "").lower(), 1.0)
    return -value if match[1] in ("-", "(") else value


def _plain_number(digits: str) -> float | None:
    """Decide which of ``.`` and ``,`` separates thousands: the last one when both occur, else by groups of
    three.
    """
    digits = digits.rstrip(".,")
    dot, comma = digits.rfind("."), digits.rfind(",")
    if dot >= 0 and comma >= 0:
        decimal, group = (".", ",") if dot > comma else (",", ".")
        digits = digits.replace(group, "").replace(decimal, ".")
    elif dot >= 0 or comma >= 0:
        mark = "." if dot >= 0 else ","
        grouped = re.fullmatch(rf"\d{{1,3}}(?:\{mark}\d{{3}})+", digits)
        digits = digits.replace(mark, "" if grouped else ".")
    try:
        return float(digits)
    except ValueError:
        return None


def amounts_of(texts: pl.Series) -> pl.Series:
    """Float64; plain decimals are cast in one go, only other spellings are read one by one."""
    return _fast_then(texts, r"^-?\d+(\.\d{1,2}|\.\d{4,})?$", pl.Float64(), amount)


def _fast_then(texts: pl.Series, plain: str, dtype: pl.DataType, read: Callable[[str], Any]) -> pl.Series:
    simple = texts.str.contains(plain)
    cast = pl.select(pl.when(simple).then(texts)).to_series().cast(dtype, strict=False)
    if simple.fill_null(value=True).all():
        return cast.alias(texts.name)
    rest = by_unique(pl.select(pl.when(~simple).then(texts)).to_series(), read, dtype)
    return pl.select(pl.coalesce(cast, rest)).to_series().alias(texts.name)


_RANGE = re.compile(r"(\d[\d.,']*)\s*(?:-|–|—|to|bis|a|à)\s*(\d[\d.,']*)")


def headcount(text: str) -> int | None:
    """Employees as one number. A range becomes its geometric mean, ``"10,001+"`` its floor, ``"myself only"``
    1.

    The geometric mean is the middle of a size band on the scale on which
    companies differ; the lower end would put every "51-200" below 100.
    """
    low = text.strip().lower()
    if low in {"myself only", "self-employed", "self employed", "1 employee", "just me"}:
        return 1
    ends = _RANGE.search(low)
    if ends:
        a, b = _plain_number(ends[1]), _plain_number(ends[2])
        return round(math.sqrt(max(a, 1.0) * b)) if a is not None and b is not None and b >= a else None
    value = amount(re.sub(r"[+<>~≈≥≤]", " ", low))
    return int(value) if value is not None and 0 <= value <= 10_000_000 else None


def headcounts_of(texts: pl.Series) -> pl.Series:
    return _fast_then(texts, r"^\d{1,7}$", pl.Int64(), headcount)


def year(text: str) -> int | None:
    """The first year in the text (``"2013 (1888)"`` is 2013), from 1000 to 2100."""
    found = re.search(r"(?<!\d)(1\d{3}|20\d{2}|2100)(?!\d)", text)
    return int(found[1]) if found else None


def years_of(texts: pl.Series) -> pl.Series:
    return by_unique(texts, year, pl.Int64())


_ISO = r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?$"
_SLASHED = r"^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?:[, T].*)?$"


def dates_of(texts: pl.Series, *, order: str = "") -> tuple[pl.Series, str]:
    """Calendar days (Date), and which order day and month were read in: ``"mdy"``, ``"dmy"`` or ``""``.

    ISO forms are read first. For ``a/b/yyyy`` the column decides: a first part
    above 12 anywhere means day first, a second part above 12 month first;
    ``order`` overrides, and month first is the last resort. Times of day and
    zones are dropped: a signal belongs to the day as written.
    """
    bare = texts.str.strip_chars()
    iso = _ymd(bare, _ISO, (1, 2, 3))
    parts = bare.str.extract_groups(_SLASHED).struct.unnest()
    first, second = (parts.to_series(i).cast(pl.Int32, strict=False) for i in (0, 1))
    if not order:
        day_first, month_first = bool((first > 12).any()), bool((second > 12).any())
        order = "dmy" if day_first and not month_first else ("mdy" if first.count() else "")
    slashed = _ymd(bare, _SLASHED, (3, 1, 2) if order == "mdy" else (3, 2, 1))
    named = bare.str.to_date("%d %b %Y", strict=False)
    named_us = bare.str.to_date("%b %d, %Y", strict=False)
    return pl.select(pl.coalesce(iso, slashed, named, named_us)).to_series().alias(texts.name), order


def _ymd(texts: pl.Series, pattern: str, places: tuple[int, int, int]) -> pl.Series:
    y, m, d = (texts.str.extract(pattern, place).str.zfill(2) for place in places)
    return (
        pl.select(pl.concat_str([y, m, d], separator="-")).to_series().str.to_date("%Y-%m-%d", strict=False)
    )


_PLAIN_HOST = r"^[a-z0-9_\-]+(?:\.[a-z0-9_\-]+)*\.[a-z0-9\-]*[a-z][a-z0-9\-]*$"
_ANY_HOST = r"^[\p{L}\p{M}\p{N}_\-]+(?:\.[\p{L}\p{M}\p{N}_\-]+)+$"


def hosts_of(texts: pl.Series) -> pl.Series:
    """The bare host of a domain, URL or e-mail-like text: no scheme, user, port, path or ``www.``; lower
    case.

    Null for addresses (``10.0.0.1``) and for text that is no host. Most cells
    are bare already; only the others are taken apart.
    """
    if texts.null_count() == len(texts):
        return texts
    bare = texts.str.strip_prefix("www.")
    odd = (~bare.str.contains(_PLAIN_HOST) | bare.str.starts_with("www")).fill_null(value=False).arg_true()
    if odd.is_empty():
        return bare
    rest = texts.gather(odd).alias("t").to_frame().select(_host(pl.col("t"))).to_series()
    return bare.scatter(odd, rest)


def _host(text: pl.Expr) -> pl.Expr:
    host = text.str.to_lowercase().str.strip_chars()
    host = host.str.replace(r"^[a-z][a-z0-9+.\-]*:/*", "").str.replace(r"^//", "")
    host = host.str.replace(r"[/?#\\].*$", "").str.replace(r"^.*@", "").str.replace(r":\d*$", "")
    host = (
        host.str.replace_all("[\u3002\uff0e\uff61]", ".").str.strip_chars(". ").str.replace(r"^www\d?\.", "")
    )
    valid = host.str.contains(_ANY_HOST) & ~host.str.contains(r"^[\d.]+$")
    return pl.when(valid & (host.str.len_chars() <= 253)).then(host)


def tags_to_dict(text: str | None) -> dict[str, list[str]]:
    """``"tech:go;tech:k8s;sector:Energy"`` as lists per key; a bare word goes under ``tag``."""
    found: dict[str, list[str]] = {}
    for part in (text or "").split(";"):
        key, colon, value = part.strip().partition(":")
        if key:
            found.setdefault(key.strip() if colon else "tag", []).append((value if colon else key).strip())
    return found
