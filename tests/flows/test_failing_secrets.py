"""Secrets, private files, harmless spreadsheets, paths, and sources that are only read: looks for what was forgotten."""

from __future__ import annotations

import ast
import csv
import io
import re
import stat
from functools import cache
from pathlib import Path

import pytest
from pydantic import SecretStr

from audiences.model import Rejected
from audiences.segments_export import csv_bytes
from audiences.sources_sql import read_query
from flows.backup import backup
from flows.cli import main
from flows.files import write_atomically
from flows.load_rejects import write_rejects
from flows.push import rejects_csv
from flows.report.tables import to_csv
from flows.settings import Settings, prepare_prefect
from flows.wiring import open_app
from tests.audiences.databases import (
    _run,
    _sibling,
    empty_postgresql,  # noqa: F401
    postgresql_server,  # noqa: F401
)
from tests.flows import kept_workspace

ROOT = Path(__file__).parents[2]
CODE = sorted(
    file
    for room in ("audiences", "flows", "platforms", "balancer")
    for file in (ROOT / room).rglob("*.py")
    if "sandbox" not in file.parts
)
SECRET = re.compile(r"(secret|password|passwd|token|webhook|api_key|refresh)$|^(access|secret)_?token")
START_OF_FORMULA = ("=", "+", "-", "@", "\t", "\r")
EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")']


@cache
def trees() -> list[tuple[Path, ast.Module]]:
    return [(file, ast.parse(file.read_text(encoding="utf-8"))) for file in CODE]


def test_every_field_that_is_named_like_a_secret_is_one() -> None:
    told = []
    for file, tree in trees():
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        for node in (field for one in classes for field in one.body):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                kind = ast.unparse(node.annotation)
                hidden = node.value is not None and "repr=False" in ast.unparse(node.value)
                if (
                    SECRET.search(node.target.id)
                    and re.fullmatch(r"str( \| None)?|bytes", kind)
                    and not hidden
                ):
                    told.append(f"{file.relative_to(ROOT)}: {node.target.id}: {kind}")
    assert told == []


def test_settings_show_no_secret_whichever_way_they_are_printed() -> None:
    names = [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]
    assert len(names) >= 7
    settings = Settings(**{name: SecretStr("planted-secret") for name in names})
    for shown in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert "planted" not in shown


def test_no_flow_takes_or_keeps_a_secret_in_prefect() -> None:
    """No block of Prefect is made, and no parameter of a flow or task is named like a secret."""
    for file, tree in trees():
        text = file.read_text(encoding="utf-8")
        assert "prefect.blocks" not in text, file
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                decorated = {ast.unparse(d).partition("(")[0] for d in node.decorator_list}
                if decorated & {"flow", "task"}:
                    named = [a.arg for a in (*node.args.args, *node.args.kwonlyargs)]
                    assert not [name for name in named if SECRET.search(name)], (file, node.name)


def test_every_file_a_workspace_gets_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    kept_workspace.write(folder, companies=6, people=1)
    (folder / "contacts.csv").write_text((folder / "contacts.csv").read_text() + "not-an-address,X,\n")
    (folder / "event.csv").write_text("name,domain\nCompany A Works,companya-works.com\nNobody,\n")
    given = {file for file in folder.rglob("*") if file.is_file()}
    words = ["--workspace", str(folder)]
    assert main(["sync", *words]) == 0
    assert main(["push", str(folder / "event.csv"), "--platform", "linkedin", *words]) == 0
    assert main(["segments", "export", "--out", str(folder / "out.csv"), *words]) == 0
    prepare_prefect(folder / "prefect")
    with open_app(folder) as app:
        backup(folder, folder / "copy.tar.gz", at=app.now())
        write_atomically(folder / "reports" / "r.html", "x")
    made = [file for file in folder.rglob("*") if file.is_file() and file not in given]
    names = {file.name for file in made}
    assert {"evenreach.db", "copy.tar.gz", "journal.bin", "r.html", "out.csv"} <= names
    assert any(file.parent.name == "rejects" for file in made)
    open_to_others = [
        str(file.relative_to(folder))
        for file in made
        if stat.S_IMODE(file.stat().st_mode) & 0o077 and file.name not in ("lock", "address")
    ]
    assert open_to_others == []
    assert stat.S_IMODE((folder / "prefect").stat().st_mode) == 0o700


def test_a_file_that_is_replaced_keeps_the_mode_its_owner_gave_it(tmp_path: Path) -> None:
    file = tmp_path / "evenreach.yaml"
    file.write_text("a")
    file.chmod(0o640)
    write_atomically(file, "b")
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("b", 0o640)


def test_every_writer_of_csv_neutralises_what_a_spreadsheet_would_run() -> None:
    """Each place that writes CSV for people is known here; a new one has to go through ``to_csv``."""
    writers = {
        "flows/report/tables.py",  # to_csv, below
        "platforms/upload_layouts.py",  # for platforms, below
        "audiences/segments_export.py",  # csv_bytes, below
        "audiences/segments_fingerprint.py",  # only hashed
        "flows/load_sources.py",  # only hashed
        "flows/demo/people.py",  # invented data as an input file
    }
    found = {
        str(file.relative_to(ROOT))
        for file in CODE
        if re.search(r"csv\.(Dict)?[wW]riter\(|write_csv\(", file.read_text(encoding="utf-8"))
    }
    assert found <= writers


def cells(text: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]


def test_formulas_are_neutralised_in_every_csv_for_people(tmp_path: Path) -> None:
    import polars as pl

    rejected = [Rejected("=source.csv", n, evil, evil, evil) for n, evil in enumerate(EVIL, 2)]
    files = write_rejects(tmp_path, rejected, ())
    texts = [
        to_csv(EVIL, [EVIL]),
        rejects_csv(rejected),
        csv_bytes(pl.DataFrame({"name": EVIL})).decode(),
        *((tmp_path / file).read_text() for file in files),
    ]
    for text in texts:
        told = cells(text)
        assert len(told) >= len(EVIL)
        assert [cell for cell in told if cell.startswith(START_OF_FORMULA)] == []


def test_formulas_are_neutralised_in_upload_files() -> None:
    from audiences.model import MemberKind
    from platforms.upload_layouts import TEMPLATES, write_rows

    for layout, kind in TEMPLATES:
        out = io.StringIO()
        people = [[["name", evil], ["domain", "a-works.com"], ["email_sha256", "0" * 64]] for evil in EVIL]
        write_rows(out, layout, kind, people)
        rows = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
        assert kind in tuple(MemberKind)
        assert [cell for row in rows[1:] for cell in row if cell.startswith(START_OF_FORMULA)] == []


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM t",
        "WITH gone AS (SELECT 1) DELETE FROM t",
        "WITH gone AS (SELECT 1) INSERT INTO t SELECT 2, 'b'",
        "SELECT 1 AS a; DELETE FROM t",
        "/* SELECT */ UPDATE t SET name = 'x'",
        "PRAGMA query_only = OFF",
        "ATTACH DATABASE 'x.db' AS x",
    ],
)
def test_a_query_of_a_source_can_only_read(tmp_path: Path, query: str) -> None:
    import sqlite3

    from audiences.errors import AudienceError

    file = tmp_path / "crm.db"
    connection = sqlite3.connect(file)
    connection.executescript("CREATE TABLE t (a, name); INSERT INTO t VALUES (1, 'Acme Works')")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(AudienceError) as caught:
        read_query(f"sqlite:///{file}", query, name="crm", kind="companies")
    assert "Acme" not in str(caught.value)
    assert file.read_bytes() == before


def test_a_source_on_postgresql_can_only_read(
    postgresql_server: str,  # noqa: F811
    empty_postgresql: str,  # noqa: F811
) -> None:
    from sqlalchemy import create_engine, text

    from audiences.errors import AudienceError

    _run(postgresql_server, f"CREATE DATABASE source_read TEMPLATE {empty_postgresql}")
    url = _sibling(postgresql_server, "source_read")
    _run(url, "CREATE TABLE t (name text); INSERT INTO t VALUES ('Acme Works')")
    for query in (
        "WITH gone AS (DELETE FROM t RETURNING name) SELECT name FROM gone",
        "SELECT name FROM t; COMMIT; DELETE FROM t",
        "SELECT set_config('transaction_read_only', 'off', true) AS name; DELETE FROM t",
    ):
        with pytest.raises(AudienceError):
            read_query(url, query, name="crm", kind="companies")
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 1
    engine.dispose()


@pytest.mark.parametrize("name", ["../../outside.csv", "/etc/passwd", "..", "a/../../b.xlsx", "\\..\\x.csv"])
def test_an_uploaded_files_name_never_leaves_its_folder(tmp_path: Path, name: str) -> None:
    from flows.page_uploads import _plain

    inside = (tmp_path / _plain(name)).resolve()
    assert inside.parent == tmp_path.resolve()


@pytest.mark.parametrize("name", ["../outside.csv", "/etc/passwd", "inner/../../x.csv", "link.csv", ""])
def test_a_file_named_in_a_form_must_lie_in_the_inbox(tmp_path: Path, name: str) -> None:
    from audiences.errors import SourceError
    from flows.push_file import in_inbox

    (tmp_path / "inbox").mkdir()
    (tmp_path / "outside.csv").write_text("name,domain\nA,a-works.com\n")
    (tmp_path / "inbox" / "link.csv").symlink_to(tmp_path / "outside.csv")
    with pytest.raises(SourceError):
        in_inbox(tmp_path, name)
