"""Texts as people and systems write them, to values; and the slow obvious twin of each fast path."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.clean_countries import countries_of, country_code, iso_country_codes
from audiences.clean_values import (
    amount,
    amounts_of,
    dates_of,
    headcount,
    headcounts_of,
    hosts_of,
    tags_to_dict,
    year,
    years_of,
)


def _texts(values: list[str | None]) -> pl.Series:
    return pl.Series("t", values, dtype=pl.String)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("US", "US"), ("usa", "US"), ("U.S.", "US"), ("U.S.A.", "US"), ("United States of America", "US"),
        ("UK", "GB"), ("GBR", "GB"), ("United Kingdom (Great Britain)", "GB"), ("England", "GB"),
        ("Deutschland", "DE"), ("Alemania", "DE"), ("Allemagne", "DE"), ("Германия", "DE"), ("ドイツ", "DE"),
        ("Reino Unido", "GB"), ("Türkiye", "TR"), ("Turkey", "TR"), ("Cote Divoire", "CI"),
        ("Côte d’Ivoire", "CI"),
        ("Korea (South)", "KR"), ("South Korea", "KR"), ("The Netherlands", "NL"),
        ("Kingdom of the Netherlands", "NL"),
        ("Czech Republic", "CZ"), ("Czechia", "CZ"), ("Russian Federation", "RU"), ("Macau", "MO"),
        ("Macedonia", "MK"),
        ("DR Congo", "CD"), ("Republic of Ireland", "IE"), ("Réunion", "RE"), ("The Gambia", "GM"),
        ("Myanmar", "MM"),
        ("Private", None), ("Netherlands Antilles", None), ("XX", None), ("Earth", None), ("EU", None),
        ("-", None),
    ],
)  # fmt: skip
def test_a_country_is_recognised_in_many_spellings_and_languages(text: str, code: str | None) -> None:
    assert country_code(text) == code


def test_there_are_249_country_codes() -> None:
    assert len(iso_country_codes()) == 249


def test_a_column_of_countries_keeps_its_order_and_its_blanks() -> None:
    assert countries_of(_texts(["France", None, "nowhere", "US"])).to_list() == ["FR", None, None, "US"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$250,000,000", 250e6), ("1,200", 1200), ("1.200", 1200), ("1.234,5", 1234.5), ("1,234.5", 1234.5),
        ("1 200", 1200), ("1\u202f200", 1200), ("1'200", 1200), ("2.5M", 2.5e6), ("€ 3 Mio", 3e6),
        ("7k", 7000),
        ("1.5 bn", 1.5e9), ("12", 12), ("0.5", 0.5), ("-3", -3), ("(3)", -3), ("0,75", 0.75), ("USD 10", 10),
        ("n/a", None), ("-", None), ("", None), ("1-2", None), ("1.2.3,4,5", None),
    ],
)  # fmt: skip
def test_an_amount_is_read_with_any_thousands_mark(text: str, value: float | None) -> None:
    assert amount(text) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1200", 1200), ("1,200", 1200), ("10,001+ employees", 10001), ("200+", 200), ("myself only", 1),
        ("51-200", 101), ("1001-5000 employees", 2237), ("1 – 10", 3), ("501 to 1,000", 708), ("~40", 40),
        ("many", None), ("200-51", None), ("0", 0),
    ],
)  # fmt: skip
def test_a_headcount_may_be_a_number_a_band_or_a_floor(text: str, value: int | None) -> None:
    assert headcount(text) == value


def test_a_year_may_stand_among_other_words() -> None:
    found = years_of(_texts(["1999", "2013 (1888)", "since 1901", "12", "99999", None]))

    assert found.to_list() == [1999, 2013, 1901, None, None, None]


numbers = st.one_of(st.integers(-10, 10**9).map(str), st.floats(0, 1e6).map(str))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=10), numbers)))
def test_the_fast_number_paths_answer_as_the_slow_ones(texts: list[str | None]) -> None:
    column = _texts(texts)

    assert amounts_of(column).to_list() == [None if t is None else amount(t) for t in texts]
    assert headcounts_of(column).to_list() == [None if t is None else headcount(t) for t in texts]
    assert years_of(column).to_list() == [None if t is None else year(t) for t in texts]


@pytest.mark.parametrize(
    "text",
    ["2026-09-03", "2026-09-03 08:11", "2026-09-03T08:11:00Z", "2026/9/3", "09-03-2026", "09/03/2026",
     "09 03 2026",
     "9/3/2026 2:30 PM", "03 Sep 2026", "Sep 03, 2026"],
)  # fmt: skip
def test_a_day_is_read_in_every_form_exports_use(text: str) -> None:
    assert dates_of(_texts([text]), order="mdy")[0].to_list() == [date(2026, 9, 3)]


def test_the_column_decides_whether_the_day_or_the_month_comes_first() -> None:
    assert dates_of(_texts(["03/09/2026", "25/12/2026"]))[0].to_list() == [
        date(2026, 9, 3),
        date(2026, 12, 25),
    ]
    assert dates_of(_texts(["03/09/2026", "12/25/2026"]))[1] == "mdy"
    assert dates_of(_texts(["31/09/2026", None, "soon"]))[0].to_list() == [None, None, None]


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("example.com", "example.com"), ("WWW.Example.COM", "example.com"),
        ("https://www.example.com/about?x#y", "example.com"),
        ("http://user@example.com:8080/", "example.com"), ("//example.co.uk", "example.co.uk"),
        ("ana@example.com", "example.com"),
        ("example.com.", "example.com"), ("www2.example.com", "example.com"), ("münchen.de", "münchen.de"),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de"), ("例え。jp", "例え.jp"),
        ("10.0.0.1", None), ("localhost", None),
        ("not a host", None), ("example", None), ("-", None), ("http://", None), ("a..b", None),
        ("mail_1.example.com", "mail_1.example.com"),
    ],
)  # fmt: skip
def test_a_host_is_found_in_whatever_stands_in_a_domain_column(text: str, host: str | None) -> None:
    assert hosts_of(_texts([text, None])).to_list() == [host, None]


urls = st.from_regex(
    r"\A(https?://)?(www\.)?[a-z0-9-]{1,8}(\.[a-zA-Zü]{2,5}){0,3}(:\d{2})?(/[a-z?#]{0,4})?\Z"
)


@settings(max_examples=150, deadline=None)
@given(st.lists(urls))
def test_a_host_is_the_same_alone_and_in_a_column_and_once_found_stays(texts: list[str]) -> None:
    found = hosts_of(_texts(texts))

    assert found.to_list() == [hosts_of(_texts([text])).to_list()[0] for text in texts]
    assert hosts_of(found.drop_nulls()).to_list() == found.drop_nulls().to_list()


def test_tags_become_lists_by_key() -> None:
    assert tags_to_dict("tech:go; tech:k8s;sector:Energy;plain;:x; ") == {
        "tech": ["go", "k8s"],
        "sector": ["Energy"],
        "tag": ["plain"],
    }
    assert tags_to_dict(None) == {}
