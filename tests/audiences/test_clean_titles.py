"""Job titles: what they say for sure, and silence about everything else."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.clean import CONTACT_COLUMNS, clean_contacts
from audiences.clean_titles import of_titles, title_words
from audiences.sources import read_source

IT, HR, PRODUCT = "information technology", "human resources", "product management"
LABELLED: dict[str, tuple[str | None, str | None]] = {
    "VP Marketing": ("vp", "marketing"),
    "Senior Vice President, Sales": ("vp", "sales"),
    "EVP Finance": ("vp", "finance"),
    "Head of IT": ("head", IT),
    "Head of Product": ("head", PRODUCT),
    "Head of Legal": ("head", "legal"),
    "CFO": ("cxo", "finance"),
    "CTO": ("cxo", None),
    "Chief Marketing Officer (CMO)": ("cxo", "marketing"),
    "Chief Human Resources Officer": ("cxo", HR),
    "Geschäftsführerin": ("cxo", None),
    "Director of Operations": ("director", "operations"),
    "IT Director": ("director", IT),
    "Directrice Marketing": ("director", "marketing"),
    "Director de Ventas": ("director", "sales"),
    "Diretor Jurídico": ("director", None),
    "Marketing Manager": ("manager", "marketing"),
    "Senior Sales Manager": ("manager", "sales"),
    "Engineering Manager": ("manager", "engineering"),
    "IT-Manager": ("manager", IT),
    "Leiter Vertrieb": ("head", "sales"),
    "Personalleiterin": ("head", HR),
    "Senior Software Engineer": ("senior", "engineering"),
    "Sr. Product Manager": ("senior", PRODUCT),
    "Junior Accountant": ("entry", "accounting"),
    "Softwareentwicklerin": (None, "engineering"),
    "Talent Acquisition Partner": (None, HR),
    "Procurement Specialist": (None, "purchasing"),
    "Praktikant Einkauf": ("training", "purchasing"),
    "Co-Founder": ("owner", None),
    "Owner": ("owner", None),
    "Inhaber": ("owner", None),
    # Two readings, or none: what is open stays unknown.
    "Founder & CEO": (None, None),
    "Sales and Marketing Director": ("director", None),
    "Assistant to the CEO": (None, None),
    "Assistant Vice President": (None, None),
    "Chief of Staff": (None, None),
    "Product Owner": (None, PRODUCT),
    "Service Owner": (None, None),
    "Account Manager": (None, None),
    "Project Manager": (None, None),
    "Creative Director": (None, None),
    "Managing Director": (None, None),
    "Sales Engineer": (None, None),
    "Sales Tax Analyst": (None, None),
    "Former CEO": (None, None),
    "Marketing student": (None, None),
    "Engineer": (None, None),
    "Making it happen": (None, None),
    "Deputy Director": (None, None),
    "": (None, None),
    "部長": (None, None),
}


def _read(titles: list[str | None]) -> list[tuple[str | None, str | None]]:
    found = of_titles(pl.Series(titles, dtype=pl.String))
    return list(zip(found["seniority"], found["function"], strict=True))


def _slowly(title: str) -> tuple[str | None, str | None]:
    """The twin: one word after the other, the longest phrase first."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", title.lower()) if not unicodedata.combining(c))
    tokens = "".join(c if c.isalnum() else " " for c in plain).split()
    words, at, said = title_words(), 0, []
    if words.not_now & set(tokens):
        return None, None
    while at < len(tokens):
        ends = range(len(tokens), at, -1)
        end = next((end for end in ends if " ".join(tokens[at:end]) in words.phrases), 0)
        said += [" ".join(tokens[at:end])] if end else []
        at = end or at + 1
    levels = {words.seniority[phrase] for phrase in said if phrase in words.seniority}
    levels = levels - {"senior"} or levels
    functions = {words.function[phrase] for phrase in said if phrase in words.function}
    sure = len(levels) == 1 and not words.doubt & set(tokens)
    level = words.alone.get(" ".join(tokens)) or (levels.pop() if sure else None)
    return level, functions.pop() if len(functions) == 1 else None


def test_labelled_titles_are_read_as_a_person_reads_them_and_no_doubtful_one_is() -> None:
    assert dict(zip(LABELLED, _read(list(LABELLED)), strict=True)) == LABELLED
    assert sum(1 for level, function in LABELLED.values() if level or function) > 30


_PHRASES = title_words().phrases | title_words().doubt | title_words().not_now
_WORDS = sorted({word for phrase in _PHRASES for word in phrase.split()} | {"Übersee", "&", "EMEA", "and"})
_SOME = st.lists(st.sampled_from(_WORDS), max_size=5).map(" ".join)


@settings(max_examples=30, deadline=None)
@given(st.lists(_SOME | st.sampled_from(sorted(title_words().phrases)), max_size=40))
def test_a_column_of_titles_is_read_as_one_by_one(titles: list[str]) -> None:
    assert _read([*titles, None]) == [*map(_slowly, titles), (None, None)]


def test_every_phrase_is_written_as_titles_are_compared() -> None:
    words = title_words()
    for phrase in words.phrases | words.doubt | words.not_now | set(words.alone):
        folded = "".join(
            c for c in unicodedata.normalize("NFKD", phrase.lower()) if not unicodedata.combining(c)
        )
        assert " ".join(folded.split()) == phrase
    assert all(" " not in word for word in words.doubt | words.not_now)


@pytest.mark.parametrize("header", ["Job Title", "jobtitle", "Cargo", "Berufsbezeichnung"])
def test_a_title_fills_blanks_only_and_goes_no_further(tmp_path: Path, header: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(
        f"Email,{header},Department,Seniority\na@x.example,VP Marketing,,\nb@x.example,VP Marketing,Board,partner\n"
    )
    source = read_source(path)
    frame = clean_contacts(source).frame
    assert source.unmapped == ()
    assert frame.select("function", "seniority").rows() == [("marketing", "vp"), ("Board", "partner")]
    assert frame.columns == list(CONTACT_COLUMNS)
