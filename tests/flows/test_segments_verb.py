"""``evenreach segments`` and its neighbours: performance, contrasts, exports, recipes, mapping."""

from __future__ import annotations

import sqlite3

import polars as pl
import pytest

from audiences.config import parse
from flows.cli import main
from tests.flows.list_workspace import Lists

DEALS = "\n".join(
    [
        "Deal ID,Company Domain,Stage,Amount,Create Date,Close Date",
        *(f"{i},company{i:03}-works.com,Closed Won,{1000 * i},2026-01-01,2026-03-01" for i in range(30, 60)),
        *(f"{i},company{i:03}-works.com,Closed Lost,,2026-01-01,2026-02-01" for i in range(60, 70)),
        *(f"{i},company{i:03}-works.com,Negotiation,5000,2026-06-01," for i in range(70, 80)),
        "99,,Closed Won,5,2026-01-01,2026-02-01",
    ]
)


@pytest.fixture
def with_deals(lists: Lists) -> Lists:
    (lists.folder / "deals.csv").write_text(DEALS + "\n")
    lists.config("segments:\n", "  deals: [{file: deals.csv}]\nsegments:\n")
    return lists


def test_performance_joins_deals_and_says_where_there_are_too_few(with_deals: Lists) -> None:
    answer = with_deals.run("segments", "performance")
    assert (answer["deals"], answer["rejected"]) == (50, 1)
    everyone, customers = answer["segments"][0], answer["segments"][1]
    assert everyone["win_rate"]["value"] == 0.75
    assert (everyone["win_rate"]["n"], everyone["cycle_days"]["value"]) == (40, 59.0)
    assert everyone["velocity"]["value"] == pytest.approx(10 * 0.75 * 44_500 / 59)
    assert customers["win_rate"] == {
        "value": None, "n": 0, "low": None, "high": None, "enough": False, "words": "too few to say (n = 0)",
    }  # fmt: skip
    with_deals.capture.readouterr()
    assert main(["segments", "performance", "--workspace", str(with_deals.folder)]) == 0
    printed = with_deals.capture.readouterr().out
    assert "75% (n = 40)" in printed
    assert "too few to say (n = 0)" in printed


def test_performance_without_deals_says_what_to_add(lists: Lists) -> None:
    error = lists.run("segments", "performance", code=1)["error"]
    assert "sources.deals" in error["message"]
    assert lists.run("segments", "contrasts", code=1)["error"]["error"] == "ConfigError"


def test_contrasts_name_what_the_best_customers_have_more_often(with_deals: Lists) -> None:
    answer = with_deals.run("segments", "contrasts", "--top", "12")
    bands = {row["value"]: row for row in answer["contrasts"] if row["field"] == "employees"}
    assert answer["customers"] == 30
    assert bands["50 to 99"]["all_share"] == 1.0


def test_the_export_is_the_same_as_csv_parquet_and_table_and_overwrites_no_stranger(lists: Lists) -> None:
    csv, parquet = lists.folder / "out.csv", lists.folder / "out.parquet"
    assert lists.run("segments", "export", "--out", str(csv))["companies"] == 200
    lists.run("segments", "export", "--out", str(parquet))
    lists.patch.setenv("CRM", "sqlite:///crm.db")
    for _ in range(2):
        lists.run("segments", "export", "--out", "sql:env:CRM", "--table", "accounts")
    frame = pl.read_parquet(parquet)
    database = sqlite3.connect(lists.folder / "crm.db")
    rows = database.execute("SELECT account_id, tier, segments FROM accounts ORDER BY account_id").fetchall()
    assert rows == frame.select("account_id", "tier", "segments").sort("account_id").rows()
    assert pl.read_csv(csv)["segments"].to_list() == frame["segments"].to_list()
    database.execute("CREATE TABLE invoices (account_id TEXT)")
    database.commit()
    error = lists.run("segments", "export", "--out", "sql:env:CRM", "--table", "invoices", code=1)["error"]
    assert "invoices" in error["message"]
    database.close()
    broken = lists.run("segments", "export", "--out", "sql:nosuch://user:word@host/x", code=1)["error"]
    assert "word" not in str(broken)


def test_the_export_of_one_segment_has_its_companies_alone(lists: Lists) -> None:
    csv = lists.folder / "out.csv"
    assert lists.run("segments", "export", "customers", "--out", str(csv))["companies"] == 20
    assert set(pl.read_csv(csv)["segments"]) == {"customers"}


def test_every_recipe_is_a_segment_that_may_be_pasted_into_the_settings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["recipes"]) == 0
    names = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert names == ["competitors", "converted", "customers", "open_deals", "poor_fit", "staff"]
    for name in names:
        assert main(["recipes", name]) == 0
        text = capsys.readouterr().out
        assert text.startswith("#")
        assert parse("workspace: x\n" + text).segments
    assert main(["recipes", "nobody"]) == 1
    assert "customers" in capsys.readouterr().err


def test_map_adds_a_source_and_keeps_every_comment(lists: Lists) -> None:
    (lists.folder / "more.csv").write_text("Firma,Webseite,Mitarbeiter\nNeu AG,neu.de,50\n")
    before = (lists.folder / "evenreach.yaml").read_text()
    said = lists.run("map", str(lists.folder / "more.csv"), "--write")
    assert said["columns"]["employees"] == ["Mitarbeiter"]
    text = (lists.folder / "evenreach.yaml").read_text()
    assert "# Written by hand; every comment must survive." in text
    assert "# ours" in text
    assert not [line for line in before.splitlines() if line not in text.splitlines()]
    sources = parse(text).sources.companies
    assert [source.file for source in sources] == ["companies.csv", "more.csv"]
    assert lists.run("segments", "list")["segments"][0]["companies"] == 181
    (lists.folder / "odd.csv").write_text("a,b\n1,2\n")
    odd = lists.run("map", str(lists.folder / "odd.csv"), "--write", code=1)
    assert odd["unmapped"] == ["a", "b"]
    assert "columns: {domain: Internet" in odd["notes"][0]
    assert "evenreach map" not in odd["notes"][0]
    lists.run("map", str(lists.folder / "more.csv"), "--write")
    assert (lists.folder / "evenreach.yaml").read_text() == text  # neither the odd one nor the same one again


def test_map_keeps_every_column_a_value_may_stand_in(lists: Lists) -> None:
    (lists.folder / "two.csv").write_text(
        "Company,Account,Website\n,Second AG,second.de\nFirst AG,Other AG,first.de\n"
    )
    lists.run("map", str(lists.folder / "two.csv"), "--write")
    written = parse((lists.folder / "evenreach.yaml").read_text()).sources.companies[-1]
    assert written.columns == {"name": ("Company", "Account"), "website": "Website"}
    lists.run("segments", "list")
    with lists.opened() as app:
        names = {one.account_id: one.name for one in app.store.accounts()}
    assert (names["second.de"], names["first.de"]) == ("Second AG", "First AG")


def test_map_writes_no_column_of_a_file_without_a_header_and_says_what_else_it_needs(lists: Lists) -> None:
    rows = [f"Firm {i},company{i:03}-works.com,,,tech,cloud,80,[1],US" for i in range(20, 30)]
    (lists.folder / "surge.csv").write_text("\n".join(rows) + "\n")
    said = lists.run("map", str(lists.folder / "surge.csv"), "--write")
    assert said["columns"]["domain"] == ["domain"]
    assert any("as_of" in note for note in said["notes"])
    text = (lists.folder / "evenreach.yaml").read_text()
    written = parse(text).sources.signals[-1]
    assert (written.layout, written.columns) == ("bombora_surge_2015", {})
    lists.config("layout: bombora_surge_2015", "layout: bombora_surge_2015\n      as_of: 2026-08-20")
    lists.run("segments", "list")
    with lists.opened() as app:
        assert app.store.signal_frame().height == 10


def test_a_command_about_a_list_or_segment_there_is_not_names_those_there_are(lists: Lists) -> None:
    assert "everyone" in lists.run("segments", "show", "nobody", code=1)["error"]["message"]
    assert "none yet" in lists.run("restore", "linkedin/x/companies", code=1)["error"]["message"]


def test_performance_shows_net_revenue_retention_where_both_revenues_are_named(with_deals: Lists) -> None:
    for i, row in enumerate(with_deals.companies):
        row |= {"ARR last year": "1000", "ARR": "1200" if i % 2 else "900"}
    with_deals.write()
    columns = '{file: companies.csv, columns: {"attribute:before": ARR last year, "attribute:now": ARR}}'
    with_deals.config("{file: companies.csv}", columns)
    with_deals.config("segments:\n", "economics: {revenue_before: before, revenue_now: now}\nsegments:\n")
    everyone, customers, _ = with_deals.run("segments", "performance")["segments"]
    assert everyone["nrr"]["value"] == pytest.approx(1.05)
    assert (everyone["nrr"]["n"], customers["nrr"]["n"]) == (180, 20)


def test_a_segment_that_left_its_own_past_is_named_for_review(lists: Lists) -> None:
    lines = ["Deal ID,Company Domain,Stage,Amount,Create Date,Close Date"]
    for i in range(40, 100):  # before: 50 of 60 won; since June: 10 of 60
        lines.append(
            f"a{i},company{i:03}-works.com,{'Closed Won' if i < 90 else 'Closed Lost'},9,2026-01-01,2026-02-01"
        )
    for i in range(100, 160):
        lines.append(
            f"b{i},company{i:03}-works.com,{'Closed Won' if i < 110 else 'Closed Lost'},9,2026-06-01,2026-07-01"
        )
    (lists.folder / "deals.csv").write_text("\n".join(lines) + "\n")
    lists.config("segments:\n", "  deals: [{file: deals.csv}]\nsegments:\n")
    reviews = lists.run("segments", "performance", "everyone")["reviews"]
    assert any(
        line.startswith("Review everyone: win rate is 17% in the last 92 days and was 83% before")
        for line in reviews
    )
    assert lists.run("segments", "performance", "customers")["reviews"] == []
