"""Job titles to seniority and function, where the word list beside the layouts leaves no doubt.

Must not guess: a title that could be read in two ways is unknown. The title itself goes no further.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from io import StringIO

import polars as pl
from ruamel.yaml import YAML

from audiences.clean_values import spellings


@dataclass(frozen=True, slots=True)
class TitleWords:
    """The word list. Phrases are folded: lower case, no accents, words parted by one blank."""

    seniority: Mapping[str, str]  # phrase -> level
    function: Mapping[str, str]  # phrase -> function
    phrases: frozenset[str]  # all of them, and those that say nothing
    alone: Mapping[str, str]  # whole title -> level
    doubt: frozenset[str]  # single words that leave the level open ...
    not_now: frozenset[str]  # ... and everything


@cache
def title_words() -> TitleWords:
    """The list shipped with the package."""
    path = resources.files("audiences").joinpath("layouts", "job_titles.yaml")
    listed = YAML(typ="safe", pure=True).load(StringIO(path.read_text(encoding="utf-8")))
    levels = _by_phrase(listed["seniority"]) | _by_phrase(listed["both"])
    functions = _by_phrase(listed["function"])
    return TitleWords(
        seniority=levels,
        function=functions,
        phrases=frozenset({*levels, *functions, *listed["nothing"]}),
        alone=_by_phrase(listed["alone"]),
        doubt=frozenset(listed["doubt"]),
        not_now=frozenset(listed["not_now"]),
    )


def _by_phrase(listed: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {phrase: name for name, phrases in listed.items() for phrase in phrases}


def of_titles(titles: pl.Series) -> pl.DataFrame:
    """``seniority`` and ``function`` of each title; null where it does not say. Same order and length.

    Seniority: training, entry, senior, manager, head, director, vp, cxo, owner. Functions go by LinkedIn's names.
    """
    distinct, places = spellings(titles)
    words = title_words()
    said = distinct.alias("title").to_frame().select(plain=_folded(pl.col("title")))
    said = said.with_columns(found=pl.col("plain").str.extract_all(_any_of(words.phrases)))
    now = ~pl.col("plain").str.contains(_any_of(words.not_now))
    open_level = pl.col("plain").str.contains(_any_of(words.doubt))
    level, function = _names("found", words.seniority), _names("found", words.function)
    whole = pl.col("plain").replace_strict(dict(words.alone), default=None, return_dtype=pl.String)
    table = said.select(
        pl.when(now).then(pl.coalesce(whole, pl.when(~open_level).then(_level(level)))).alias("seniority"),
        pl.when(now).then(_only(function)).alias("function"),
    )
    return pl.DataFrame([values.gather(places) for values in table])


def _folded(title: pl.Expr) -> pl.Expr:
    plain = title.str.to_lowercase().str.normalize("NFKD").str.replace_all(r"\p{M}+", "")
    return plain.str.replace_all(r"[^\p{L}\p{N}]+", " ").str.strip_chars()


def _any_of(phrases: Iterable[str]) -> str:
    """A pattern whose matches from the left are the longest phrases, whole words only."""
    return r"\b(?:" + "|".join(sorted(phrases, key=lambda phrase: (-len(phrase), phrase))) + r")\b"


def _names(found: str, names: Mapping[str, str]) -> pl.Expr:
    """What the phrases stand for, each once."""
    named = pl.element().replace_strict(dict(names), default=None, return_dtype=pl.String)
    return pl.col(found).list.eval(named.drop_nulls().unique())


def _level(levels: pl.Expr) -> pl.Expr:
    """The one level; "senior" gives way to another."""
    return pl.coalesce(_only(levels.list.set_difference(["senior"])), _only(levels))


def _only(names: pl.Expr) -> pl.Expr:
    return pl.when(names.list.len() == 1).then(names.list.first())
