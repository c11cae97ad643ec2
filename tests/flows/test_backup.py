"""Backup and restore of a workspace: all or nothing, nothing overwritten, nothing outside its folder."""

import io
import json
import shutil
import sqlite3
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from audiences.store.errors import StoreAhead
from flows.backup import MANIFEST, BackupError, backup, restore
from flows.cli import main
from flows.wiring import open_app
from platforms.oauth import Token, TokenFile
from tests.audiences.databases import _run, _sibling, empty_postgresql, postgresql_server  # noqa: F401
from tests.flows.kept_workspace import COMPANIES, PEOPLE, in_ledger, sync, truly_on, write

AT = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copied") / "workspace"
    write(folder)
    with open_app(folder) as app:
        sync(app)
    TokenFile(folder / "tokens" / "linkedin.json").save(Token(SecretStr("a-secret-token")))
    (folder / ".env").write_text("EVENREACH_WHO=somebody\n")
    return folder


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "workspace"))


@pytest.fixture
def copy(workspace: Path, tmp_path: Path) -> Path:
    backup(workspace, tmp_path / "copy.tar.gz", at=AT)
    return tmp_path / "copy.tar.gz"


def test_a_workspace_comes_back_whole_and_goes_on_where_it_was(copy: Path, tmp_path: Path) -> None:
    done = restore(copy, tmp_path / "again")
    assert done.record
    with open_app(tmp_path / "again") as app:
        assert len(in_ledger(app, COMPANIES)) == 120
        app.sleep(3 * 86_400.0)
        from flows.upkeep import upkeep

        upkeep(app)
        assert truly_on(app, COMPANIES) == in_ledger(app, COMPANIES)
        assert truly_on(app, PEOPLE) == in_ledger(app, PEOPLE)
        sync(app)  # nothing to send: the restored record and the platform agree
        assert app.store.batches_to_send(COMPANIES) == ()


def test_sign_ins_and_env_stay_out_unless_asked_for(workspace: Path, copy: Path, tmp_path: Path) -> None:
    with tarfile.open(copy) as archive:
        names = archive.getnames()
        content = b"".join(archive.extractfile(name).read() for name in names)  # type: ignore[union-attr]
    assert not [name for name in names if "tokens" in name or ".env" in name]
    assert b"a-secret-token" not in content
    assert copy.stat().st_mode & 0o777 == 0o600
    whole = backup(workspace, tmp_path / "whole.tar.gz", at=AT, with_tokens=True)
    assert whole.tokens
    restore(whole.file, tmp_path / "again")
    file = tmp_path / "again" / "tokens" / "linkedin.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert TokenFile(file).load() is not None


def test_nothing_is_ever_overwritten(workspace: Path, copy: Path, tmp_path: Path) -> None:
    before = copy.read_bytes()
    with pytest.raises(BackupError, match="exists already"):
        backup(workspace, copy, at=AT)
    assert copy.read_bytes() == before
    with pytest.raises(BackupError, match="not empty"):
        restore(copy, workspace)
    (tmp_path / "empty").mkdir()
    restore(copy, tmp_path / "empty")


def test_a_copy_made_while_others_write_is_one_moment_of_the_record(workspace: Path, tmp_path: Path) -> None:
    stop = threading.Event()

    def write_pairs() -> None:
        with closing(sqlite3.connect(workspace / "evenreach.db", timeout=30)) as connection:
            n = 0
            while not stop.is_set():
                n += 1
                with connection:
                    for name in ("one", "two"):
                        sql = "INSERT OR REPLACE INTO setting (name, value, at) VALUES (?, ?, '2026-01-01')"
                        connection.execute(sql, (name, str(n)))

    writer = threading.Thread(target=write_pairs)
    writer.start()
    try:
        for i in range(5):
            backup(workspace, tmp_path / f"{i}.tar.gz", at=AT)
    finally:
        stop.set()
        writer.join()
    for i in range(5):
        restore(tmp_path / f"{i}.tar.gz", tmp_path / f"again-{i}")
        with closing(sqlite3.connect(tmp_path / f"again-{i}" / "evenreach.db")) as connection:
            pairs = connection.execute("SELECT value FROM setting WHERE name IN ('one', 'two')").fetchall()
        assert len(set(pairs)) <= 1


def rewritten(
    copy: Path, change: Callable[[tarfile.TarInfo, bytes], Iterator[tuple[tarfile.TarInfo, bytes]]]
) -> Path:
    """The archive with some entries changed, added or dropped."""
    target = copy.with_name("changed.tar.gz")
    with tarfile.open(copy) as before, tarfile.open(target, "w:gz") as after:
        for entry in before:
            content = before.extractfile(entry).read()  # type: ignore[union-attr]
            for new, body in change(entry, content):
                new.size = len(body) if new.isreg() else 0
                after.addfile(new, io.BytesIO(body))
    return target


def renamed(
    name: str, kind: bytes = tarfile.REGTYPE
) -> Callable[[tarfile.TarInfo, bytes], Iterator[tuple[tarfile.TarInfo, bytes]]]:
    def change(entry: tarfile.TarInfo, content: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
        if entry.name == "workspace/companies.csv":
            entry.name, entry.type, entry.linkname = name, kind, "/etc/passwd"
        yield entry, content

    return change


def twice(entry: tarfile.TarInfo, content: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    yield entry, content
    if entry.name == "workspace/companies.csv":
        yield entry, content


def altered(entry: tarfile.TarInfo, content: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    yield (
        entry,
        content.replace(b"Company 0001", b"Company 6666")
        if entry.name.endswith("companies.csv")
        else content,
    )


def without_list(entry: tarfile.TarInfo, content: bytes) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    if entry.name != MANIFEST:
        yield entry, content


EVIL = {
    "a path that climbs": renamed("workspace/../../climbed.csv"),
    "an absolute path": renamed("/tmp/absolute.csv"),
    "a backslash": renamed("workspace\\..\\climbed.csv"),
    "a name outside the workspace": renamed("elsewhere/companies.csv"),
    "a symbolic link": renamed("workspace/companies.csv", tarfile.SYMTYPE),
    "a hard link": renamed("workspace/companies.csv", tarfile.LNKTYPE),
    "a device": renamed("workspace/companies.csv", tarfile.CHRTYPE),
    "a file twice": twice,
    "a file that was altered": altered,
    "no list of contents": without_list,
}


@pytest.mark.parametrize("evil", EVIL)
def test_an_archive_that_was_tampered_with_is_refused_and_leaves_nothing(
    copy: Path, tmp_path: Path, evil: str
) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(BackupError):
        restore(rewritten(copy, EVIL[evil]), tmp_path / "again")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*before, "changed.tar.gz"])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_copy_cut_short_is_refused(copy: Path, tmp_path: Path, share: float) -> None:
    content = copy.read_bytes()
    copy.write_bytes(content[: int(share * len(content))])
    with pytest.raises(BackupError, match="damaged"):
        restore(copy, tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_record_of_a_newer_program_is_not_put_back(workspace: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(workspace / "evenreach.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'zzzz'")
    backup(workspace, tmp_path / "newer.tar.gz", at=AT)
    with pytest.raises(StoreAhead):
        restore(tmp_path / "newer.tar.gz", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_a_copy_inside_the_workspace_does_not_hold_itself(workspace: Path) -> None:
    done = backup(workspace, workspace / "copy.tar.gz", at=AT)
    with tarfile.open(done.file) as archive:
        assert not [name for name in archive.getnames() if "copy.tar.gz" in name]
    assert not list(workspace.glob(".copy*"))


def test_the_commands_do_it_in_one_step_each_and_the_record_says_so(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "copy.tar.gz"
    assert main(["backup", str(file), "--json", "--workspace", str(workspace)]) == 0
    assert json.loads(capsys.readouterr().out)["record"] is True
    assert main(["backup", str(file), "--workspace", str(workspace)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main(["restore-backup", str(file)]) == 1
    assert "--workspace" in capsys.readouterr().err
    assert main(["restore-backup", str(file), "--workspace", str(tmp_path / "again")]) == 0
    capsys.readouterr()
    assert main(["audit", "--json", "--workspace", str(workspace)]) == 0
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert lines[-1]["what"] == "backup made"
    assert lines[-1]["who"]
    assert main(["audit", "--subject", COMPANIES, "--last", "1", "--workspace", str(workspace)]) == 0
    assert COMPANIES in capsys.readouterr().out


def test_a_record_on_postgresql_comes_back_into_an_empty_database_in_one_step(
    tmp_path: Path,
    postgresql_server: str,  # noqa: F811
    empty_postgresql: str,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    _run(postgresql_server, f"CREATE DATABASE kept TEMPLATE {empty_postgresql}")
    _run(postgresql_server, "CREATE DATABASE put_back")
    before, after = (_sibling(postgresql_server, name) for name in ("kept", "put_back"))
    folder, again = tmp_path / "workspace", tmp_path / "again"
    write(folder)
    settings = (folder / "evenreach.yaml").read_text()
    (folder / "evenreach.yaml").write_text(settings.replace("sqlite:///evenreach.db", f"'{before}'"))
    with open_app(folder) as app:
        sync(app)
    file = str(tmp_path / "copy.tar.gz")
    assert main(["backup", file, "--workspace", str(folder)]) == 0
    assert main(["restore-backup", file, "--workspace", str(again)]) == 1  # the one it names is in use
    assert "not empty" in capsys.readouterr().err
    assert not again.exists()
    assert main(["restore-backup", file, "--workspace", str(again), "--database", after]) == 0
    with open_app(again) as app:
        assert app.config.database == after
        assert len(in_ledger(app, COMPANIES)) == 120
        assert app.config.segments["everyone"].title == "Everyone"
        sync(app)
        assert app.store.batches_to_send(COMPANIES) == ()
