"""Domains down to what one party registered, and names down to what can be compared."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.companies_domains import registrable, registrables
from audiences.companies_names import akin, lies_inside_a_word, name_keys, plain_names, speaks_of


def key(name: str) -> str | None:
    return pl.DataFrame({"n": [name]}).select(name_keys(plain_names(pl.col("n")))).item()


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("shop.example.co.uk", "example.co.uk"),
        ("EXAMPLE.com.", "example.com"),
        ("a.b.c.example.com.au", "example.com.au"),
        ("acme.github.io", "acme.github.io"),
        ("github.io", None),
        ("co.uk", None),
        ("localhost", None),
        ("foo.bar.ck", "foo.bar.ck"),
        ("www.ck", "www.ck"),
        ("city.kawasaki.jp", "city.kawasaki.jp"),
        ("münchen.de", "xn--mnchen-3ya.de"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("straße.de", "xn--strae-oqa.de"),
        ("a" * 70 + ".ü.de", None),
    ],
)
def test_a_domain_is_what_one_party_registered(host: str, domain: str | None) -> None:
    assert registrable(host) == domain


suffixes = st.sampled_from("com co.uk ck kawasaki.jp github.io jp de s3.amazonaws.com xn--p1ai".split())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.builds("".join, st.tuples(st.from_regex(r"\A([a-z0-9-]{1,5}\.){0,4}\Z"), suffixes))))
def test_a_column_of_hosts_gives_the_answers_of_the_suffix_list_one_by_one(hosts: list[str]) -> None:
    column = pl.Series("h", hosts, dtype=pl.String)

    assert registrables(column).to_list() == [registrable(host) for host in hosts]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NVIDIA CORP.  DL-,001", "nvidia"),
        ("NVIDIA (United States)", "nvidia"),
        ("Nvidia Corporation Common Stock", "nvidia"),
        ("Ünïcode Beispiel GmbH & Co. KG", "unicode beispiel"),
        ("AT&T Inc.", "at and t"),
        ("L'Oréal S.A.", "loreal"),
        ("Company Limited", "company limited"),
        ("The Group", "the group"),
        ("Apple (member)", "apple"),
        ("株式会社", "株式会社"),
        ("!!!", None),
    ],
)
def test_a_name_is_compared_without_its_legal_form_and_decoration(name: str, expected: str | None) -> None:
    assert key(name) == expected


def test_two_names_are_akin_by_a_stated_sign() -> None:
    assert akin("face book", "facebook") == "equal"
    assert akin("acme steel", "acme mining") == "shared word"
    assert akin("international business machines", "ibm") == "initials"
    assert akin("microsoft", "microsoftware") == "beginning"
    assert akin("global energy", "global bank") == ""


def test_a_domain_speaks_of_the_name_it_is_made_of() -> None:
    assert speaks_of("rh", "rh")
    assert not speaks_of("weyerhaeuser", "rh")
    assert not speaks_of("rhythm pharmaceuticals", "rh")
    assert speaks_of("saudi basic industries corporation", "sabic")
    assert lies_inside_a_word("flex", "enerflex")
    assert not lies_inside_a_word("flex", "flexible packaging")
