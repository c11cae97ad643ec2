"""Workbooks, Parquet files and databases become the same rows as text files, and ids stay whole."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from audiences.errors import ConfigError, EmptySource, SourceError, SourceUnavailable, UnknownColumns
from audiences.sources import read_source
from audiences.sources_sql import read_query
from audiences.sources_table import read_table
from tests.audiences.workbooks import workbook


def test_a_workbook_is_read_from_the_sheet_with_a_known_header_and_ids_stay_whole(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "crm.xlsx",
        Notes=[["made by", "Sam"], ["nothing", "here"]],
        Companies=[
            ["Export of today"],
            ["Record ID", "Company name", "Company Domain Name", "Number of Employees"],
            [9001000000001.0, "Northwind", "northwind.example", 1200.0],
            [9001000000002.0, "Quoted, Inc.", None, None],
            ["Total", None, None, 1200.0],
        ],
    )

    source = read_source(path)

    assert source.layout.name == "hubspot_companies"
    assert source.frame["row_id"].to_list() == ["9001000000001", "9001000000002"]
    assert source.frame["line"].to_list() == [3, 4]
    assert source.frame["employees"].to_list() == ["1200", None]
    assert source.notes == ("sheet 'Companies'", "1 footer line left out")


def test_a_parquet_file_keeps_long_ids_and_lists(tmp_path: Path) -> None:
    path = tmp_path / "crm.parquet"
    pl.DataFrame(
        {
            "company_id": [9001000000000001, 2],
            "name": ["A", "B"],
            "technologies": [["go", "k8s"], []],
            "employees": [3.0, None],
        }
    ).write_parquet(path)

    source = read_source(path)

    assert source.frame["row_id"].to_list() == ["9001000000000001", "2"]
    assert source.frame["technologies"].to_list() == ["go;k8s", None]
    assert source.frame["employees"].to_list() == ["3", None]


def test_parquet_columns_that_hold_no_text_are_blank_and_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "crm.parquet"
    wordless = {
        "domain": [{"host": "a.example"}],
        "industry": [timedelta(days=1)],
        "city": [b"x"],
        "tags": [[timedelta(days=1)]],
        "technologies": [[["go"]]],
    }
    words = {
        "name": pl.Series(["A"], dtype=pl.Categorical),
        "revenue_usd": [Decimal("1.10")],
        "founded_year": [date(1999, 5, 1)],
    }
    pl.DataFrame(words | wordless).write_parquet(path)

    source = read_source(path)

    assert source.frame.select(list(words)).rows() == [("A", "1.10", "1999-05-01")]
    assert source.frame.select(list(wordless)).rows() == [(None,) * 5]
    assert source.notes == tuple(f'column "{name}" holds no text and is left blank' for name in wordless)
    assert read_table(path, known=words).columns == list(words)


@pytest.fixture
def database(tmp_path: Path) -> str:
    path = tmp_path / "crm.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table account (id integer, name text, website text, headcount real)")
        rows = [(9001000000000001, "Acme", "https://acme.example", 12.0), (2, "Beta", None, None)]
        connection.executemany("insert into account values (?, ?, ?, ?)", rows)
    connection.close()
    return f"sqlite:///{path}"


def test_a_query_is_mapped_by_column_name_like_a_file(database: str) -> None:
    source = read_query(
        database, "select id as company_id, name, website, headcount from account", name="crm"
    )

    assert source.kind == "companies"
    assert source.frame["row_id"].to_list() == ["9001000000000001", "2"]
    assert source.frame["employees"].to_list() == ["12", None]
    assert source.frame["line"].to_list() == [1, 2]


@pytest.mark.parametrize(
    "statement", ["delete from account", "drop table account", "with x as (select 1) delete from account"]
)
def test_a_query_can_only_read(database: str, statement: str) -> None:
    with pytest.raises((ConfigError, SourceError)):
        read_query(database, statement, name="crm")

    assert read_query(database, "select name from account", name="crm").frame.height == 2


def test_a_database_error_tells_neither_the_address_nor_the_query(database: str) -> None:
    with pytest.raises(SourceError) as refused:
        read_query(database, "select secret_column, name from account", name="crm")
    with pytest.raises(ConfigError) as unusable:
        read_query("nosuch://user:password@host/db", "select 1", name="crm")
    with pytest.raises(SourceUnavailable) as missing:
        read_query("sqlite:////nowhere/crm.db", "select 1", name="crm")
    with pytest.raises(EmptySource):
        read_query(database, "select name from account where 1 = 0", name="crm")
    with pytest.raises(UnknownColumns):
        read_query(database, "select 1 as shoe_size", name="crm")

    assert not any(
        word in str(e.value) for e in (refused, unusable, missing) for word in ("secret", "password")
    )
    assert missing.value.retryable
    assert not refused.value.retryable


def test_a_feed_without_a_header_is_not_taken_for_one_by_a_value_that_is_a_column_name(
    tmp_path: Path,
) -> None:
    rows = [f"Firm {i},firm{i}.com,,,tech,{'web' if i == 3 else 'cloud'},80,[1],US" for i in range(9)]
    path = tmp_path / "feed.csv"
    path.write_text("\n".join(rows) + "\n")

    source = read_source(path)

    assert (source.kind, source.layout.name, source.frame.height) == ("signals", "bombora_surge_2015", 9)


def test_one_known_column_is_a_header_below_a_title_that_is_padded_to_its_width(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("Our customers;;;\nNr;Webseite;Note;Owner\n1;acme.com;x;y\n2;else.com;x;y\n")

    assert read_source(path).frame["website"].to_list() == ["acme.com", "else.com"]
