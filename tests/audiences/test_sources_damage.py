"""Damaged, hostile and merely strange files: a typed error, or rows that can each be explained. Nothing else."""

from __future__ import annotations

import gzip
import io
import random
import zipfile
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.clean import clean_companies, clean_contacts
from audiences.errors import AudienceError, UnsupportedSource
from audiences.identity_contacts import identify_contacts
from audiences.model import Rejected
from audiences.sources import SourceFrame, propose_mapping, read_source
from audiences.sources_table import read_table
from tests.audiences.workbooks import workbook

CUTS = 60
ROWS = [[f"Acme {i}", f"acme{i}.example", 9001000000000001 + i, "Berlin\nMitte"] for i in range(30)]
HEADER = ["Company Name", "Company Domain Name", "Record ID", "City"]
quiet = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def taken(path: Path) -> SourceFrame | None:
    """The whole path of a file through every reader; None when it was refused with one of our errors."""
    for other in (propose_mapping, lambda p: read_table(p, known={"company name", "email"})):
        with suppress(AudienceError):
            other(path)
    try:
        source = read_source(path)
    except AudienceError:
        return None
    if source.kind == "companies":
        companies = clean_companies(source)
        explained(source, companies.frame, companies.rejected)
    elif source.kind == "contacts":
        contacts = clean_contacts(source)
        explained(source, contacts.frame, contacts.rejected)
        people = identify_contacts(contacts.frame)
        nobody = [reject for reject in people.rejected if not reject.column]
        assert people.frame.height + people.duplicates + len(nobody) == contacts.frame.height
    return source


def explained(source: SourceFrame, frame: pl.DataFrame, rejected: tuple[Rejected, ...]) -> None:
    """Every line read is kept or refused as a whole, with a reason; never both, never neither."""
    kept, lines = frame["line"].to_list(), source.frame["line"].to_list()
    refused = {reject.line for reject in rejected if not reject.column}
    assert lines == sorted(set(lines))
    assert set(kept).isdisjoint(refused)
    assert set(lines) <= set(kept) | refused
    assert all(reject.reason for reject in rejected)


def accidents(data: bytes, rng: random.Random) -> bytes:
    """Cut off, holed, doubled, bits turned, or zeros where bytes were."""
    at, length = rng.randrange(len(data)), rng.choice([1, 4, 64, 512])
    kind = rng.randrange(5)
    if kind == 0:
        return data[:at]
    if kind == 1:
        return data[:at] + data[at + length :]
    if kind == 2:
        return data[:at] + data[at : at + length] * 2 + data[at + length :]
    if kind == 3:
        return data[:at] + bytes([data[at] ^ (1 << rng.randrange(8))]) + data[at + 1 :]
    return data[:at] + bytes(min(length, len(data) - at)) + data[at + length :]


def spreadsheet(folder: Path) -> bytes:
    return workbook(folder / "whole.xlsx", Cover=[["Our accounts"]], Data=[HEADER, *ROWS]).read_bytes()


def columns(folder: Path) -> bytes:
    whole = io.BytesIO()
    pl.DataFrame(ROWS, schema=HEADER, orient="row", strict=False).write_parquet(whole)
    return whole.getvalue()


@pytest.mark.parametrize("kind", [spreadsheet, columns])
def test_a_damaged_workbook_or_parquet_file_is_refused_or_its_rows_are_explained(
    kind: object, tmp_path: Path
) -> None:
    whole, rng = kind(tmp_path), random.Random("binary")  # type: ignore[operator]
    read = 0
    for number in range(CUTS):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(accidents(whole, rng))
        read += taken(path) is not None
    print(f"\n{read} of {CUTS} damaged files still understood")


def test_a_workbook_of_which_one_part_is_damaged_inside_is_refused_or_explained(tmp_path: Path) -> None:
    """The zip is sound: only what it holds is not."""
    spreadsheet(tmp_path)
    rng = random.Random("inside")
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    for number in range(CUTS):
        hit = rng.choice(sorted(parts))
        path = tmp_path / f"{number}.xlsx"
        with zipfile.ZipFile(path, "w") as file:
            for name, data in parts.items():
                if name != hit or number % 5:
                    file.writestr(name, accidents(data, rng) if name == hit else data)
        taken(path)


HEADERS = {"companies": "Company Name,Domain,City", "contacts": "Email,First Name,Country"}
ODD = [
    "a" * 140_000,
    "\0",
    "x\0y",
    '"',
    '""',
    'a"b',
    '"unclosed',
    "\x1a",
    "\ufeff",
    "\u2028",
    "\x85",
    "=cmd|'/c calc'!A1",
    "\U0001f600",
    "NaN",
    "-0",
    "1e999",
    "9" * 400,
    "a@b@c",
    "@",
    "http://[::1",
    "xn--",
    ".",
    "..",
    "co.uk",
    "1.2.3.4",
    "\u202eevil",
]


@quiet
@given(
    kind=st.sampled_from(sorted(HEADERS)),
    cells=st.lists(
        st.lists(st.sampled_from([*ODD, "ok", "", "a.example"]), max_size=5), min_size=1, max_size=6
    ),
    end=st.sampled_from(["\n", "\r\n", "\r", "\n\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252"]),
)
def test_hostile_cells_in_any_encoding_are_refused_or_explained(
    kind: str, cells: list[list[str]], end: str, encoding: str, tmp_path: Path
) -> None:
    text = end.join([HEADERS[kind], *(",".join(row) for row in cells)])
    path = tmp_path / "hostile.csv"
    path.write_bytes(text.encode(encoding, "replace"))

    taken(path)


@pytest.mark.parametrize("other", ["cp1252", "utf-16-le", "utf-8-sig", "shift_jis"])
def test_a_file_glued_together_from_two_encodings_is_refused_or_explained(other: str, tmp_path: Path) -> None:
    rows = "".join(f"Müller {i} GmbH,mueller{i}.example,Köln\n" for i in range(2_000))
    path = tmp_path / "glued.csv"
    tail = "".join(rows.splitlines(keepends=True)[:900])
    path.write_bytes((HEADERS["companies"] + "\n" + rows).encode() + tail.encode(other, "replace"))

    source = taken(path)

    if other == "cp1252":
        assert source is not None
        assert source.frame["name"].to_list() == [f"Müller {i} GmbH" for i in range(2_000)]
        assert {reject.reason for reject in source.rejected} == {"damaged_text"}
        assert len(source.rejected) == 900


def test_columns_of_one_name_are_read_as_one_and_none_is_lost_from_the_list(tmp_path: Path) -> None:
    path = tmp_path / "twice.csv"
    path.write_text(
        "Company Name,Company Name,Domain,Domain,Note,Note\n,Acme,acme.example,,x,y\nBolt,,,bolt.example,,\n"
    )

    source = taken(path)

    assert source is not None
    assert source.frame["name"].to_list() == ["Acme", "Bolt"]
    assert source.frame["domain"].to_list() == ["acme.example", "bolt.example"]
    assert source.unmapped == ("Note", "Note")


@pytest.mark.parametrize("text", ['{"elements": []}', '[{"name": "Acme"}]', "\n{\n}\n", '["a", "b"]'])
def test_json_is_called_by_its_name_and_not_taken_for_a_table(text: str, tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    path.write_text(text)
    for read in (read_source, propose_mapping):
        with pytest.raises(UnsupportedSource, match="JSON"):
            read(path)


def test_a_gzip_of_what_is_no_table_and_one_cut_off_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounts.csv.gz"
    for data in (gzip.compress(bytes(range(256)) * 50), gzip.compress(b"Company Name\nAcme\n")[:-9]):
        path.write_bytes(data)
        with pytest.raises(AudienceError):
            read_source(path)


def test_a_cell_of_ten_million_characters_is_one_cell(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(
        f'Company Name,Domain,Note\nAcme,acme.example,"{"x" * 5_000_000}\n{"y" * 5_000_000}"\nBolt,bolt.example,z\n'
    )

    source = read_source(path)

    assert source.frame["line"].to_list() == [2, 4]
    assert source.frame["name"].to_list() == ["Acme", "Bolt"]


def test_a_header_of_thousands_of_long_names_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "crm.csv"
    names = ",".join(f"custom property {i} of the company as its owner calls it" for i in range(5_000))
    path.write_text(f"name,domain,{names}\nAcme,acme.example{',1' * 5_000}\n")

    source = read_source(path)

    assert source.frame.rows() == [(2, "Acme", "acme.example")]
    assert len(source.unmapped) == 5_000


def test_a_null_byte_costs_its_row_and_not_the_file(tmp_path: Path) -> None:
    path = tmp_path / "crm.csv"
    path.write_bytes(b"name,domain\nAc\0me,acme.example\nBeta,beta.example\n")

    source = read_source(path)

    assert source.frame["name"].to_list() == ["Beta"]
    assert [(one.line, one.reason) for one in source.rejected] == [(2, "damaged_text")]
