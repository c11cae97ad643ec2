"""People read, cleaned and hashed part by part come out as in one pass over all of them."""

from __future__ import annotations

import random
import sqlite3

import polars as pl
import pytest

from audiences import identity_parts
from audiences.clean import clean_companies, clean_contacts
from audiences.companies import resolve
from audiences.companies_attach import attach
from audiences.identity_contacts import identify_contacts
from audiences.model import Rejected
from audiences.sources import SourceFrame, read_source
from flows import load
from flows.load import _with_defaults
from flows.wiring import App
from tests.flows.list_workspace import Lists

MAILS = ["ann@company{0:03}-works.com", "ANN.{0}+x@gmail.com", "ann{0}@googlemail.com", "nobody", "", "a@b"]
PHONES = ["+1 415 555 0{0:03}", "0151 2345 {0:03}", "call me", ""]
COUNTRIES, ANSWERS = ["US", "Germany", "Atlantis", ""], ["yes", "no", "perhaps", ""]


def _file(rng: random.Random, header: str) -> str:
    rows = []
    for _ in range(60):
        cells = {
            "email": rng.choice(MAILS).format(rng.randrange(25)),
            "work email": rng.choice(MAILS).format(rng.randrange(25)),
            "phone": rng.choice(PHONES).format(rng.randrange(9)),
            "first name": rng.choice(["Ann", "Bob", ""]),
            "last name": rng.choice(["Doe", "Roe"]),
            "country": rng.choice(COUNTRIES),
            "zip": rng.choice(["10115", 'A "1"', ""]),
            "company": rng.choice(["Company 007 Works", "Nowhere Ltd", ""]),
            "consent": rng.choice(ANSWERS),
            "department": rng.choice(["Finance", "IT", ""]),
        }
        rows.append(",".join('"' + cells[name].replace('"', '""') + '"' for name in header.split(",")))
    return "\n".join([header, *rows]) + "\n"


def _in_one_pass(app: App) -> tuple[pl.DataFrame, list[Rejected]]:
    """The slow twin: every source in memory at once, and everybody in one frame."""

    def read(file: str | None, kind: str) -> SourceFrame:
        return read_source(app.workspace / str(file), name=str(file), kind=kind)

    sources = app.config.sources
    found = resolve(
        pl.concat([clean_companies(read(one.file, "companies")).frame for one in sources.companies])
    )
    cleaned = [
        (one, clean_contacts(read(one.file, "contacts"), first_party=one.first_party))
        for one in sources.contacts
    ]
    rows = [_with_defaults(attach(part.frame, found), one) for one, part in cleaned]
    people = identify_contacts(pl.concat(rows, how="diagonal_relaxed"))
    return people.table(), [*(reject for _, part in cleaned for reject in part.rejected), *people.rejected]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("part", [17, 60])
def test_people_read_in_parts_are_those_of_one_whole_pass(
    lists: Lists, monkeypatch: pytest.MonkeyPatch, seed: int, part: int
) -> None:
    rng = random.Random(seed)
    header = "email,phone,first name,last name,country,zip,company,consent"
    (lists.folder / "b.csv").write_text(_file(rng, header))
    (lists.folder / "c.csv").write_text(_file(rng, f"work email,{header},department") + "only,two\n")
    lists.config("segments:\n", "    - {file: b.csv}\n    - {file: c.csv, default_country: DE}\nsegments:\n")
    monkeypatch.setattr(load, "PART", 2 * part)
    monkeypatch.setattr(identity_parts, "PART", part)
    monkeypatch.setattr(identity_parts, "PIECE", part)
    with lists.opened() as app:
        table, rejected = _in_one_pass(app)
        loaded = load.load(app)
        assert app.store.rejects("contacts") == tuple(rejected)
    database = sqlite3.connect(lists.folder / "evenreach.db")
    columns = ", ".join(f'"{name}"' for name in table.columns)
    assert database.execute(f"SELECT {columns} FROM contact ORDER BY contact_id").fetchall() == table.rows()
    database.close()
    assert loaded.contacts.read == 521
    assert loaded.contacts.resolved == table.height
    assert 400 < table.height < 521 - 20
    assert {one.reason for one in rejected} >= {"country_unknown", "phone_no_digits", "nothing_to_match_by"}
