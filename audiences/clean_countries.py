"""A country, however it is written, to ISO 3166-1 alpha-2. Names come from CLDR, through Babel.

Must not guess from a city, a currency or a language; what is no country stays unknown.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from io import StringIO

import polars as pl
from ruamel.yaml import YAML

from audiences.clean_values import by_unique
from audiences.sources_layout import fold

_LANGUAGES = tuple(
    "en de fr es it pt nl sv da nb fi pl cs sk hu ro tr el ru uk bg ja ko zh zh_Hant ar he ca".split()
)
# CLDR also names unions, private codes and places that ISO counts under another country.
_NOT_ISO = frozenset("EU EZ UN XA XB ZZ QO XK AC CP CQ DG EA IC TA".split())


@cache
def country_code(text: str) -> str | None:
    """ISO 3166-1 alpha-2 for a code or a name in any of the languages above; None when it is neither.

    Two- and three-letter codes are read in either case; ``UK`` is an everyday
    word for GB. Superseded codes (``DDR``) count where exactly one country followed.
    """
    from babel.core import get_global

    bare = fold(text)
    upper = bare.upper()
    if upper in iso_country_codes():
        return upper
    if bare in _spellings():
        return _spellings()[bare]
    alias = get_global("territory_aliases").get(upper, [])
    if len(alias) == 1 and alias[0] in iso_country_codes():
        return str(alias[0])
    return next((found for language in _LANGUAGES if (found := _territories(language).get(bare))), None)


def countries_of(texts: pl.Series) -> pl.Series:
    """``country_code`` for a column, once per spelling."""
    return by_unique(texts, country_code, pl.String())


@cache
def iso_country_codes() -> frozenset[str]:
    """Every ISO 3166-1 alpha-2 code in use."""
    from babel import Locale

    codes = (str(code) for code in Locale.parse("en").territories)
    return frozenset(code for code in codes if len(code) == 2 and code.isalpha() and code not in _NOT_ISO)


@cache
def _territories(language: str) -> dict[str, str]:
    from babel import Locale

    names = Locale.parse(language).territories
    return {fold(name): str(code) for code, name in names.items() if str(code) in iso_country_codes()}


@cache
def _spellings() -> dict[str, str]:
    path = resources.files("audiences").joinpath("layouts", "country_spellings.yaml")
    listed = YAML(typ="safe", pure=True).load(StringIO(path.read_text(encoding="utf-8")))["spellings"]
    return {spelling: code for code, spellings in listed.items() for spelling in spellings}
