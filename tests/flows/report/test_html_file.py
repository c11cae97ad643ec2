"""The mailed file is complete, small, silent and safe."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from flows.report import code_words, html, tables

HOSTILE = '</script><script>alert(1)</script>"><img src=x onerror=alert(1)>'


class Tags(HTMLParser):
    """Collects tags with their attributes, and fails on a tag closed out of order."""

    VOID = frozenset({"meta", "input", "br", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(document: str) -> Tags:
    tags = Tags()
    tags.feed(document)
    assert tags.open == []
    return tags


@pytest.fixture(scope="module")
def document(worlds) -> str:
    return html.render(worlds.report_page())


def test_the_file_refers_to_nothing_outside_itself(document: str) -> None:
    for tag, attributes in parsed(document).seen:
        for name in ("src", "srcset", "action", "data", "poster"):
            assert name not in attributes, tag
        assert str(attributes.get("href", "#")).startswith("#")
    assert "url(" not in document
    assert "@import" not in document


def test_the_policy_allows_its_own_script_and_style_by_hash_and_nothing_inline(document: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', document)
    assert policy is not None
    rules = policy.group(1).replace("&#39;", "'")
    assert "unsafe" not in rules
    assert rules.startswith("default-src 'none'")
    for tag in ("script", "style"):
        text = re.findall(rf"<{tag}>(.*?)</{tag}>", document, re.S)
        assert len(text) == 1
        digest = base64.b64encode(hashlib.sha256(text[0].encode()).digest()).decode()
        assert f"sha256-{digest}" in rules


def test_no_element_carries_an_inline_style_or_handler(document: str) -> None:
    for tag, attributes in parsed(document).seen:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on")], tag


def test_ten_thousand_accounts_fit_into_three_megabytes(worlds) -> None:
    assert len(html.render(worlds.report_page(10_000)).encode()) <= 3_000_000


def test_a_company_named_like_a_script_stays_text(worlds) -> None:
    page = worlds.report_page(20)
    rows = (replace(page.rows[0], name=HOSTILE, domain=HOSTILE), *page.rows[1:])
    document = html.render(replace(page, rows=rows, title=HOSTILE, segment=HOSTILE, notes=(HOSTILE,)))
    tags = [tag for tag, _ in parsed(document).seen]
    assert tags.count("script") == 2
    assert "img" not in tags
    data = re.search(r'id="account-data">(.*?)</script>', document, re.S)
    assert data is not None
    assert json.loads(data.group(1))["name"][0] == HOSTILE


def test_every_chart_has_a_title_and_a_description(document: str) -> None:
    tags = parsed(document).seen
    drawings = [a for tag, a in tags if tag == "svg" and a.get("role") == "img"]
    ids = {a.get("id") for _, a in tags}
    assert len(drawings) >= 5
    for attributes in drawings:
        assert set(str(attributes["aria-labelledby"]).split()) <= ids
    named = [a["id"] for _, a in tags if "id" in a]
    assert len(named) == len(set(named))


def test_header_cells_say_what_they_head(document: str) -> None:
    assert all(a.get("scope") in ("col", "row") for tag, a in parsed(document).seen if tag == "th")


def test_a_page_with_one_window_and_nothing_else_renders(worlds) -> None:
    page = replace(
        worlds.report_page(30, compared=False), weeks=(), plan=None, lists=(), companies=None, notes=()
    )
    document = html.render(page)
    parsed(document)
    assert "was " not in document.split("</dl>")[0].split("<dl")[1]


def test_the_csv_has_every_account_and_disarms_formulas(worlds) -> None:
    page = worlds.report_page(300)
    page = replace(page, rows=(replace(page.rows[0], name='=HYPERLINK("x")'), *page.rows[1:]))
    lines = list(csv.DictReader(io.StringIO(tables.accounts_csv(page))))
    assert len(lines) == 300
    assert lines[0]["name"] == '\'=HYPERLINK("x")'
    assert float(lines[0]["share"]) == pytest.approx(page.rows[0].share, abs=1e-6)


def test_the_json_keeps_unknown_as_null_and_counts_bands_from_one(worlds) -> None:
    page = worlds.report_page(300)
    rows = json.loads(tables.accounts_json(page))
    assert len(rows) == 300
    by_id = {row["account_id"]: row for row in rows}
    for row in page.rows:
        assert by_id[row.account_id]["band"] == (None if row.band is None else row.band + 1)
    figures = json.loads(tables.figures_json(page))
    assert figures["before"]["top_share"]["low"] <= figures["before"]["top_share"]["high"]


def test_the_column_headings_match_the_data_the_script_reads() -> None:
    assert {key for key, _ in code_words.ACCOUNT_COLUMNS} <= set(tables.COLUMNS)
