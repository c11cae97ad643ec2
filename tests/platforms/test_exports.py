"""Downloads: every known layout becomes a report, everything else an error that names the place."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.model import ImpressionReport
from platforms.errors import FileNotUnderstood
from platforms.exports import read_bytes, read_export
from platforms.exports_values import count, dates, money

LAYOUTS = Path(__file__).parent / "layouts"
NOW = datetime(2026, 10, 5, tzinfo=UTC)
SEPTEMBER = (date(2026, 9, 1), date(2026, 9, 30))


def read(name: str, window: tuple[date, date] | None = None) -> ImpressionReport:
    start, end = window or (None, None)
    return read_export(LAYOUTS / name, fetched_at=NOW, start=start, end=end)


def read_text(
    text: str, window: tuple[date, date] | None = SEPTEMBER, encoding: str = "utf-8"
) -> ImpressionReport:
    start, end = window or (None, None)
    return read_bytes(text.encode(encoding), name="f.csv", fetched_at=NOW, start=start, end=end)


@pytest.mark.parametrize("form", ["utf16_tab", "utf8_comma"])
def test_campaign_performance_gives_daily_totals_whatever_its_encoding(form: str) -> None:
    report = read(f"linkedin_campaign_performance_{form}.csv")

    assert (report.start, report.end, report.grain) == (date(2026, 9, 1), date(2026, 9, 3), "daily")
    assert report.rows == ()
    assert report.source == "export"
    first, second, third = report.totals
    assert (first.day, first.campaign_id) == (date(2026, 9, 1), "111000001")
    assert (first.impressions, first.clicks, first.spend) == (10000, 200, Decimal("1234.50"))
    assert second.impressions == 500
    assert third.impressions == 0  # a zero that was written is a zero
    assert report.warnings == ()


def test_ad_performance_is_read_per_ad() -> None:
    report = read("unconfirmed_linkedin_ad_performance_2026_utf16_tab.csv")

    assert [(t.creative_id, t.impressions, t.spend) for t in report.totals] == [
        ("222000001", 1905, Decimal("55.10"))
    ]
    assert (report.start, report.end) == SEPTEMBER
    assert "grain_guessed:all" in report.warnings


def test_demographics_give_the_companies_and_a_dash_stays_unknown() -> None:
    report = read("linkedin_demographics_report_utf16_tab.csv")

    assert [(row.entity, row.impressions, row.clicks) for row in report.rows] == [
        ("Northwind Example Ltd", 12410, 96),
        ("Quoted, Inc.", 318, None),
        ("Ünïcode Beispiel GmbH & Co. KG", 57, 3),
    ]
    assert (report.start, report.end, report.grain) == (*SEPTEMBER, "all")
    assert report.list_depth == 100
    assert report.totals == ()
    assert "no_total" in report.warnings


def test_the_companies_report_needs_a_window_and_withholds_small_audiences() -> None:
    with pytest.raises(FileNotUnderstood, match="window"):
        read("unconfirmed_linkedin_companies_tab_export.csv")
    report = read("unconfirmed_linkedin_companies_tab_export.csv", SEPTEMBER)

    assert [row.members for row in report.rows] == [1204, 38, None]
    assert [row.impressions for row in report.rows] == [12410, 318, 57]
    assert report.list_depth is None


def test_saved_answers_of_the_api_are_read_too() -> None:
    analytics = read("linkedin_adanalytics_member_company.json")
    intelligence = read("linkedin_company_intelligence.json", SEPTEMBER)

    assert [row.entity for row in analytics.rows] == [f"urn:li:organization:100000{n}" for n in (1, 2, 3)]
    assert [row.clicks for row in analytics.rows] == [96, 0, None]
    assert (analytics.start, analytics.end) == SEPTEMBER
    assert [row.entity for row in intelligence.rows] == [
        "urn:li:organization:1000001",
        "Ünïcode Beispiel GmbH & Co. KG",
    ]


@pytest.mark.parametrize(
    "name", ["linkedin_company_list.csv", "linkedin_contact_list.csv", "google_customer_match_hashed.csv"]
)
def test_a_list_of_members_is_not_mistaken_for_a_report(name: str) -> None:
    with pytest.raises(FileNotUnderstood) as caught:
        read(name, SEPTEMBER)
    assert caught.value.file == name


def test_the_company_table_may_stand_anywhere_in_the_stack() -> None:
    text = (
        "Report Start: 9/1/2026\nReport End: 9/30/2026\n"
        "Job Title Segment\tImpressions\tClicks\nCTO\t12\t1\n\n"
        "Company Name Segment\tImpressions\tClicks\nAcme\t1,002\t-\n"
    )
    report = read_text(text, None, "utf-16")

    assert [(row.entity, row.impressions, row.clicks) for row in report.rows] == [("Acme", 1002, None)]


def test_a_german_file_is_read_with_its_own_commas_points_and_dates() -> None:
    text = (
        "Kampagnenleistungsbericht (in UTC)\nBerichtsbeginn: 1. September 2026\nBerichtsende: 30.9.2026\n\n"
        "Startdatum (in UTC);Kontoname;Kampagnenname;Kampagnen-ID;Währung;Gesamtausgaben;Impressions;Klicks\n"
        "2.9.2026;Konto;ABM;111;EUR;1.234;10.000;7\n3.9.2026;Konto;ABM;111;EUR;1,234;-;-\n"
    )
    report = read_text(text, None, "latin-1")

    assert (report.start, report.end) == SEPTEMBER
    assert [(t.day, t.spend, t.impressions) for t in report.totals] == [
        (date(2026, 9, 2), Decimal(1234), 10000)
    ]
    assert report.warnings == ("withheld_line:7",)  # a dash is not a zero


def test_the_german_performance_report_is_read_as_it_is_downloaded() -> None:
    """Header and notation of a real file as a public parser keeps them (2026-10); the values are ours."""
    text = (
        "Bericht zur Performance\nBerichtsbeginn: 1.10.2026\nBerichtsende: 2.10.2026\n\n"
        "Startdatum (in UTC)\tName der Kampagne\tName der Anzeigengruppe\tAnzeigengruppen-ID\tGesamtausgaben"
        "\tImpressions\tKlicks\tConversions\tLeads\n"
        '1.10.2026\tGruppe\tBand 1\t123\t"330,51"\t4197\t17\t9\t2\n'
        '2.10.2026\tGruppe\tBand 1\t123\t"1.004,10"\t12.001\t41\t-\t-\n'
    )
    report = read_text(text, None, "utf-16")

    assert [(t.day, t.campaign_id, t.spend, t.impressions, t.clicks) for t in report.totals] == [
        (date(2026, 10, 1), "123", Decimal("330.51"), 4197, 17),
        (date(2026, 10, 2), "123", Decimal("1004.10"), 12001, 41),
    ]
    assert report.warnings == ()


def test_the_portuguese_names_of_date_and_spend_are_the_downloaded_ones() -> None:
    text = (
        "Data de início (em UTC);ID da campanha;Total investido;Impressões;Cliques\n"
        "01/10/2026;9;R$ 1.330,51;4.197;17\n02/10/2026;9;R$ 12,00;30;-\n"
    )
    report = read_text(text, (date(2026, 10, 1), date(2026, 10, 2)), "utf-8")

    assert [t.spend for t in report.totals] == [Decimal("1330.51"), Decimal("12.00")]


@pytest.mark.parametrize("header", ["展示次数", "Wyświetlenia", "Visningar", "Показы"])
def test_a_header_in_a_language_nobody_taught_us_is_named(header: str) -> None:
    text = f"Preamble\n\nStart Date (in UTC);Campaign ID;{header}\n2026-10-01;123;4197\n"
    with pytest.raises(FileNotUnderstood) as caught:
        read_text(text, None, "utf-16")
    assert f"it has: Start Date (in UTC), Campaign ID, {header}" in str(caught.value)
    assert caught.value.line == 3


@pytest.mark.parametrize(
    "text",
    [
        "Ada,Lovelace,ada@firm.example\nBob,Byron,bob@firm.example\n",
        "Ada,Lovelace,London,94045,12\nBob,Byron,Leeds,94045,15\n",
        "Ada,Lovelace,CTO\nBob,Byron,CEO\n",
    ],
)
def test_people_are_not_quoted_as_a_header(text: str) -> None:
    with pytest.raises(FileNotUnderstood) as caught:
        read_text(text)
    assert "Ada" not in str(caught.value)
    assert "Lovelace" not in str(caught.value)


def test_a_french_companies_report_is_understood() -> None:
    text = "Nom de l’entreprise;Impressions;Clics\nSociété Exemple;12 410;< 3\nTotaux;13 000;5\n"
    report = read_text(text)

    assert [(row.entity, row.impressions, row.clicks) for row in report.rows] == [
        ("Société Exemple", 12410, None)
    ]
    assert report.totals[0].impressions == 13000


def test_a_company_that_is_called_total_is_not_taken_for_the_sum() -> None:
    report = read_text("Company Name,Impressions\nAcme,500\nTotal,20\n")

    assert [row.entity for row in report.rows] == ["Acme", "Total"]
    assert report.totals == ()


def test_a_closing_line_that_does_not_add_up_is_said() -> None:
    text = "Start Date,Campaign ID,Total Spent,Impressions\n9/1/2026,1,1.00,10\nTotal,,1.00,99\n"

    assert "total_line_differs" in read_text(text).warnings


def test_columns_nobody_knows_are_named_not_dropped() -> None:
    report = read_text("Company Name,Impressions,Mood\nAcme,5,good\n")

    assert "column_not_used:Mood" in report.warnings


def test_a_workbook_is_read_like_a_file_of_commas(tmp_path: Path) -> None:
    sheet = pl.DataFrame({"Company Name": ["Acme", "Beta"], "Impressions": ["1,204", "<3"]})
    sheet_bytes = _workbook(sheet)
    report = read_bytes(sheet_bytes, name="c.xlsx", fetched_at=NOW, start=SEPTEMBER[0], end=SEPTEMBER[1])

    assert [(row.entity, row.impressions) for row in report.rows] == [("Acme", 1204), ("Beta", None)]


def _workbook(frame: pl.DataFrame) -> bytes:
    """A minimal .xlsx with inline strings, written by hand: no writer is installed."""
    schema = "http://schemas.openxmlformats.org"
    main, office = f"{schema}/spreadsheetml/2006/main", f"{schema}/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats"
    part = f"{kind}-officedocument.spreadsheetml"

    def relations(target: str, name: str) -> str:
        link = f'<Relationship Id="r1" Type="{office}/{name}" Target="{target}"/>'
        return f'<Relationships xmlns="{schema}/package/2006/relationships">{link}</Relationships>'

    def row(cells: Sequence[str]) -> str:
        return (
            "<row>" + "".join(f'<c t="inlineStr"><is><t>{escape(c)}</t></is></c>' for c in cells) + "</row>"
        )

    rows = "".join(row([str(cell) for cell in cells]) for cells in [frame.columns, *frame.rows()])
    types = (
        f'<Default Extension="rels" ContentType="{kind}-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{part}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{part}.worksheet+xml"/>'
    )
    sheets = '<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets>'
    files = {
        "[Content_Types].xml": f'<Types xmlns="{schema}/package/2006/content-types">{types}</Types>',
        "_rels/.rels": relations("xl/workbook.xml", "officeDocument"),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}">{sheets}</workbook>',
        "xl/_rels/workbook.xml.rels": relations("worksheets/sheet1.xml", "worksheet"),
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("Company Name,Impressions\nAcme,5\nBeta,many\n", 3, "Impressions"),
        ("Company Name,Impressions\n,5\n", 2, ""),
        ("Start Date,Campaign ID,Total Spent,Impressions\nsoon,1,1.00,10\n", 2, "Start Date"),
        ("Start Date,Campaign ID,Total Spent,Impressions\n9/1/2026,x1,1.00,10\n", 2, "Campaign ID"),
        ("Start Date,Campaign ID,Total Spent,Impressions\n9/1/2026,1,1.0.0,10\n", 2, "Total Spent"),
        ("Start Date,Campaign ID,Impressions\n9/1/2026,1,10\n", 1, ""),
        ("Company Name Segment,Impressions\nAcme,1\n\nsomething else,2\n", 4, ""),
        ("Job Title Segment,Impressions\nCTO,1\n", 1, ""),
        ("{", 1, ""),
        ('{"elements": [{"pivotValues": ["urn:li:geo:1"]}]}', 0, "dateRange"),
        ("", 1, ""),
    ],
)
def test_what_is_not_understood_is_named_by_line_and_column(text: str, line: int, column: str) -> None:
    with pytest.raises(FileNotUnderstood) as caught:
        read_text(text)

    assert (caught.value.line, caught.value.column) == (line, column)
    assert not caught.value.retryable
    assert "many" not in str(caught.value)  # the place is named, the cell is not


def test_a_window_that_contradicts_the_file_is_refused() -> None:
    with pytest.raises(FileNotUnderstood, match="window"):
        read("linkedin_demographics_report_utf16_tab.csv", (date(2026, 8, 1), date(2026, 8, 31)))


@given(st.integers(0, 10**12), st.sampled_from([",", ".", " ", "'", " ", " "]))
def test_any_thousands_separator_is_read(number: int, separator: str) -> None:
    assert count(f"{number:,}".replace(",", separator)) == number


@given(st.decimals(0, 10**9, places=2), st.sampled_from(["$", "A$", "€ ", "", "USD "]))
def test_money_is_read_in_both_notations(amount: Decimal, sign: str) -> None:
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))

    assert money(f"{sign}{english}", decimal_mark=".") == amount
    assert money(f"{german} €", decimal_mark=",") == amount


@pytest.mark.parametrize("text", ["-", "--", "", "N/A", "<3", "< 10", "–"])
def test_placeholders_are_unknown_never_zero(text: str) -> None:
    assert count(text) is None
    assert money(text, decimal_mark=".") is None


@pytest.mark.parametrize(
    ("text", "language", "day"),
    [
        ("Report Start: September 1, 2026, 12:00 AM", "en", date(2026, 9, 1)),
        ("9/1/2026", "en", date(2026, 9, 1)),
        ("01/09/2026", "fr", date(2026, 9, 1)),
        ("1.9.2026", "de", date(2026, 9, 1)),
        ("2026-09-01", "es", date(2026, 9, 1)),
        ("1 de septiembre de 2026", "es", date(2026, 9, 1)),
        ("1 septembre 2026", "fr", date(2026, 9, 1)),
        ("1. März 2026", "de", date(2026, 3, 1)),
    ],
)
def test_dates_are_read_as_their_language_writes_them(text: str, language: str, day: date) -> None:
    assert list(dates(text, language)) == [day]


@given(st.binary(max_size=400))
def test_no_bytes_at_all_break_the_reader(data: bytes) -> None:
    with suppress(FileNotUnderstood):
        read_bytes(data, name="f", fetched_at=NOW, start=SEPTEMBER[0], end=SEPTEMBER[1])


@given(st.text(alphabet='Company Name,Impressions\n\t"-12;<Total', max_size=200))
def test_no_nearly_right_text_breaks_the_reader(text: str) -> None:
    with suppress(FileNotUnderstood):
        read_text("Company Name,Impressions\n" + text)
