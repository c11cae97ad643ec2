"""Every kind of source, every oddity of real files, and what is said when a file cannot be used."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path

import pytest

from audiences.clean import COMPANY_COLUMNS, CONTACT_COLUMNS, SIGNAL_COLUMNS, clean_contacts, clean_signals
from audiences.errors import (
    ConfigError,
    EmptySource,
    SourceError,
    SourceUnavailable,
    UnknownColumns,
    UnsupportedSource,
)
from audiences.identity_contacts import identifiers_for, identify_contacts
from audiences.sources import propose_mapping, read_source
from audiences.sources_layout import CARRIED, fold, load_layouts

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize("encoding", "utf-8 utf-8-sig utf-16 utf-16-le utf-16-be utf-32 cp1252".split())
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_encoding_and_delimiter_gives_the_same_rows(
    encoding: str, delimiter: str, tmp_path: Path
) -> None:
    text = "Company name;City;País/región\r\nÜnïcode GmbH;München;España\r\nOther;Zürich;\r\n"
    path = tmp_path / "crm.csv"
    path.write_bytes(text.replace(";", delimiter).encode(encoding))

    frame = read_source(path).frame

    assert frame.rows() == [(2, "Ünïcode GmbH", "España", "München"), (3, "Other", None, "Zürich")]


def test_a_header_is_known_in_any_case_accent_form_and_spacing() -> None:
    assert fold("Pai\u0301s/regio\u0301n  ") == fold("PAÍS / REGIÓN") == "pais region"
    assert fold("\ufeffRecord ID") == "record id"


def test_preamble_comments_footers_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text(
        "Accounts of today,,\n# a comment\n\nAccount Name,Website,Industry\nAcme,acme.example,Steel\n\n"
        "Beta,,\nGrand Total,,2\n\nCopyright (c) somebody\n"
    )

    source = read_source(path)

    assert source.frame["name"].to_list() == ["Acme", "Beta"]
    assert source.frame["line"].to_list() == [5, 7]
    assert source.notes == ("2 footer lines left out",)


def test_a_company_called_total_in_the_middle_is_a_company(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    path.write_text("Account Name,Website,City\nTotal,total.example,Paris\nTotals,,\nBeta,,Rome\n")

    source = read_source(path)

    assert source.frame["name"].to_list() == ["Total", "Beta"]
    assert [(r.line, r.reason) for r in source.rejected] == [(3, "too_few_columns")]


def test_broken_rows_are_rejected_with_their_line_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    path.write_bytes(
        b'Company name,City,Country\nGood,"Two\nlines",US\nToo,many,cells,here\nStray "quote" inside,X,US\n'
        b'"Odd"quote,X,US\nShort,X\nDamaged \xff,\xc3\xbc\xc3\xb6\xc3\xa4,US\nCut,of'
    )

    source = read_source(path)

    assert source.frame["line"].to_list() == [2, 5, 7]
    assert [(r.line, r.reason) for r in source.rejected] == [
        (4, "too_many_columns"), (6, "damaged_quotes"), (8, "damaged_text"), (9, "cut_off"),
    ]  # fmt: skip


def test_an_error_names_file_line_and_remedy_and_survives_pickling(tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    path.write_text('Company name,City\nAcme,Leeds\n"never closed,Rome\nBeta,Oslo\n')

    with pytest.raises(SourceError) as caught:
        read_source(path)

    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again).startswith("open.csv, line 3: a quoted cell opens here")
    assert (again.file, again.line, again.retryable) == ("open.csv", 3, False)


def test_what_cannot_be_used_is_refused_by_its_kind(tmp_path: Path) -> None:
    cases: list[tuple[bytes, type[SourceError]]] = [
        (b"", EmptySource), (b"\n\n", EmptySource), (b"Company name,City\n", EmptySource),
        (b"%PDF-1.7 x", UnsupportedSource), (b"\xd0\xcf\x11\xe0 old", UnsupportedSource),
        (b"\x01\x00\x02\x00\x00\x03", UnsupportedSource), (b"PK\x03\x04 no zip", SourceError),
        (b"PAR1 no parquet", SourceError), (gzip.compress(b"Company name\nA\n")[:-9], SourceError),
        (b"ada@x.example,Ada,Sample\nbo@x.example,Bo,S\n", UnknownColumns),
    ]  # fmt: skip
    for number, (data, error) in enumerate(cases):
        path = tmp_path / f"{number}.csv"
        path.write_bytes(data)
        with pytest.raises(error) as caught:
            read_source(path)
        assert "ada" not in str(caught.value).lower()
    with pytest.raises(SourceUnavailable):
        read_source(tmp_path / "none.csv")
    with pytest.raises(UnsupportedSource, match="impression report"):
        read_source(DATA / "linkedin_campaign_performance_utf8_comma.csv")


def test_unknown_columns_are_listed_and_the_users_own_mapping_wins(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("Firma XY,Auftritt,Contract Value,Sector\nAcme,acme.example,900,Steel\n")

    assert propose_mapping(path).unmapped == ("Firma XY", "Auftritt", "Contract Value", "Sector")
    source = read_source(
        path, columns={"name": "firma xy", "domain": "Auftritt", "attribute:contract_value": "Contract Value"}
    )

    assert source.unmapped == ()
    assert source.frame.row(0, named=True) == {
        "line": 2, "name": "Acme", "domain": "acme.example", "attribute:contract_value": "900",
        "industry": "Steel",
    }  # fmt: skip
    for wrong in (
        {"name": "Nowhere"},
        {"domain": "Auftritt", "name": "Nowhere"},
        {"name": ["Firma XY", "Nowhere"]},
    ):
        with pytest.raises(ConfigError, match=r"columns\.name"):
            read_source(path, columns=wrong)
    for choice in ({"kind": "animals"}, {"layout": "nosuch"}):
        with pytest.raises(ConfigError, match=next(iter(choice))):
            read_source(path, **choice)


@pytest.mark.parametrize(
    ("header", "kind", "read"),
    [
        ("Nachname;Vorname;Mail;Firmenname;Funktion;Mobilnummer", "contacts", 6),
        ("Nom;Prénom;Adresse mail;Nom de la société;Fonction;Téléphone portable", "contacts", 6),
        ("Apellidos;Nombre;Correo electrónico;Compañía;Puesto;Móvil", "contacts", 6),
        ("Sobrenome;Primeiro nome;Endereço de email;Nome da empresa;Cargo;Celular", "contacts", 6),
        ("Cognome;Nome;Indirizzo email;Azienda;Ruolo;Cellulare", "contacts", 6),
        ("Firmenname;Webseite;Wirtschaftszweig;Anzahl Beschäftigte;Land", "companies", 5),
        ("Nom;Site web;Secteur d'activité;Effectifs;Pays", "companies", 5),
        ("Nombre;Dirección web;Sector de actividad;N° de empleados;País", "companies", 5),
        ("Razão social;URL do site;Setor de atividade;Funcionários;País", "companies", 5),
        ("Ragione sociale;Sito internet;Settore;Numero dipendenti;Nazione", "companies", 5),
        ("Company name;Phone number;Website;Industry", "companies", 3),
        ("Phone", "contacts", 1),
    ],
)
def test_the_headers_of_five_languages_are_understood(
    tmp_path: Path, header: str, kind: str, read: int
) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"{header}\n{';'.join('x' for _ in header.split(';'))}\n")

    found = propose_mapping(path)

    assert found.kind == kind
    assert sum(map(len, found.columns.values())) == read, found.unmapped


def test_every_layout_names_a_kind_and_no_header_means_two_things() -> None:
    for layout in load_layouts().values():
        names = [name for synonyms in layout.columns.values() for name in set(synonyms)]
        twice = {name for name in names if names.count(name) > 1}

        assert layout.kind in ("companies", "contacts", "signals", "report")
        assert not twice, (layout.name, twice)
        assert layout.columns or layout.headerless


def test_a_layout_names_no_column_that_nothing_is_made_of() -> None:
    made = {"companies": COMPANY_COLUMNS, "contacts": CONTACT_COLUMNS, "signals": SIGNAL_COLUMNS}
    ours = {"source", "line", "host"}  # said by the reading, or made from the domain
    for kind, columns in made.items():
        assert CARRIED[kind] - {"domain", "website"} - {"job_title"} == set(columns) - ours
    for layout in load_layouts().values():
        assert layout.kind == "report" or set(layout.columns) <= CARRIED[layout.kind] | set(layout.attributes)


def test_a_column_that_is_not_used_is_listed_and_cannot_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Email,Shoe Size,Department\nanna@acme.example,41,Finance\n")

    source = read_source(path)

    assert source.unmapped == ("Shoe Size",)
    assert source.frame["function"].to_list() == ["Finance"]
    with pytest.raises(ConfigError, match="there is no such column"):
        read_source(path, columns={"shoe_size": "Shoe Size"})


def test_one_person_on_several_rows_is_one_contact_and_any_refusal_wins(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(
        "Email,Phone,Country,Consent\nAna.B+x@gmail.com,,US,yes\nana.b+x@GMAIL.com ,(415) 555-2671,US,no\n"
        "bo@y.example,,,granted\n"
    )

    people = identify_contacts(clean_contacts(read_source(path), first_party=True).frame)
    ana, bo = people.contacts()

    assert people.duplicates == 1
    assert (ana.consent, bo.consent) == ("denied", "granted")
    assert ana.first_party
    assert {kind for kind, _ in ana.identifiers} == {
        "linkedin:email_sha256", "google:email_sha256", "phone_sha256", "region_code",
    }  # fmt: skip
    linkedin, google = (dict(identifiers_for(ana.identifiers, p)) for p in ("linkedin", "google"))
    assert linkedin["email_sha256"] == ana.contact_id != google["email_sha256"]
    assert identifiers_for(bo.identifiers, "google") == identifiers_for(bo.identifiers, "linkedin")


def test_site_visits_become_signals_by_page_kind_and_day(tmp_path: Path) -> None:
    path = tmp_path / "visits.csv"
    path.write_text(
        "domain,person,page_kind,date\nacme.example,p1,Pricing page,2026-09-01T10:00:00Z\n"
        "acme.example,,,2026-09-02\n,p2,Pricing,2026-09-02\n"
    )

    cleaned = clean_signals(read_source(path))

    columns = cleaned.frame.select("host", "kind", "person", "strength")
    assert columns.rows() == [("acme.example", "pricing_page", "p1", 1.0)]
    assert {(r.line, r.reason) for r in cleaned.rejected} == {(3, "no_kind"), (4, "nothing_identifies_it")}
