"""Migrations on both databases, and what happens when program and database do not fit."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from alembic.operations import Operations
from sqlalchemy import text

from audiences import migrations
from audiences.store import Store
from audiences.store.database import Database
from audiences.store.errors import StoreAhead, StoreBehind, StoreError, StoreGone, StoreMissing

ROOT = Path(__file__).parents[2]


def run(url: str, statement: str) -> None:
    database = Database(url)
    with database.write() as connection:
        connection.execute(text(statement))
    database.close()


def at_once(work: Callable[[], None], programs: int = 4) -> list[BaseException]:
    """What failed when ``programs`` threads began ``work`` at the same moment."""
    failures: list[BaseException] = []
    together = threading.Barrier(programs)

    def start() -> None:
        together.wait()
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(programs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_the_migrations_make_exactly_the_tables_of_the_program(own_url: str) -> None:
    database = Database(own_url)
    with database.write() as connection:
        migrations.check(connection)
    database.close()


def test_the_files_are_named_after_the_revisions_alembic_reads_in_them() -> None:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(migrations.config())
    revisions = [script.revision for script in scripts.walk_revisions()]
    assert len(revisions) >= 4
    assert migrations.head() == scripts.get_current_head() == revisions[0]
    assert all(migrations.known(revision) for revision in revisions)
    assert not migrations.known("9999")


def test_a_database_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'record.db'}"
    Store.create(url).close()
    program = (
        "import sys; from audiences.store import Store; Store.open(sys.argv[1]).close(); "
        "Store.create(sys.argv[1]).close(); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, url], capture_output=True, text=True, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_a_column_nobody_migrated_is_noticed(own_url: str) -> None:
    run(own_url, "ALTER TABLE account ADD COLUMN stray INTEGER")
    database = Database(own_url)
    with pytest.raises(Exception, match="New upgrade operations"), database.write() as connection:
        migrations.check(connection)
    database.close()


def test_creating_twice_keeps_what_is_there(bare_url: str) -> None:
    from tests.audiences.lists_and_members import AT

    with Store.create(bare_url) as store:
        store.put("kept", [1, 2], at=AT)
    with Store.create(bare_url) as store:
        assert store.get("kept") == [1, 2]


def test_a_database_without_our_tables_is_not_opened(bare_url: str) -> None:
    with pytest.raises(StoreMissing, match="evenreach upkeep"):
        Store.open(bare_url)


def test_opening_a_missing_file_does_not_create_it(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing):
        Store.open(f"sqlite:///{tmp_path / 'nothing.db'}")
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_waits_for_migrations_is_refused_until_it_is_brought_up_to_date(
    bare_url: str,
) -> None:
    database = Database(bare_url)
    with database.write() as connection:
        migrations.upgrade(connection, "0001")
    database.close()
    with pytest.raises(StoreBehind, match="0001"):
        Store.open(bare_url)
    Store.create(bare_url).close()
    Store.open(bare_url).close()


@pytest.mark.parametrize("way", [Store.open, Store.create])
def test_an_older_program_refuses_a_newer_database_and_says_what_to_do(own_url: str, way: object) -> None:
    run(own_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreAhead, match="Upgrade Evenreach"):
        way(own_url)  # type: ignore[operator]


def test_another_programs_tables_are_left_alone(bare_url: str) -> None:
    run(bare_url, "CREATE TABLE audience (name TEXT)")
    with pytest.raises(StoreAhead):
        Store.create(bare_url)


def test_a_migration_that_fails_halfway_leaves_nothing(
    bare_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = Operations.create_table, []

    def failing(self: Operations, name: str, *columns: object, **options: object) -> object:
        calls.append(name)
        if len(calls) == 12:
            raise RuntimeError("the machine stops here")
        return real(self, name, *columns, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Operations, "create_table", failing)
    with pytest.raises(RuntimeError):
        Store.create(bare_url)
    monkeypatch.undo()
    with pytest.raises(StoreMissing):
        Store.open(bare_url)
    Store.create(bare_url).close()


def test_two_programs_that_start_at_once_both_find_a_good_database(bare_url: str) -> None:
    assert at_once(lambda: Store.create(bare_url).close()) == []
    Store.open(bare_url).close()


def test_programs_that_meet_on_a_new_file_wait_for_each_other_in_500_files(tmp_path: Path) -> None:
    def first_read(url: str) -> None:
        database = Database(url)
        try:
            with database.read() as connection:
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        finally:
            database.close()

    for number in range(500):
        url = f"sqlite:///{tmp_path / f'{number}.db'}"
        assert at_once(partial(first_read, url)) == []


def test_every_migration_can_be_taken_back(own_url: str) -> None:
    from alembic import command

    database = Database(own_url)
    with database.write() as connection:
        command.downgrade(migrations.config(connection), "base")
        assert migrations.current(connection) is None
    database.close()
    Store.create(own_url).close()


def test_a_server_that_is_not_there_is_named_gone() -> None:
    with pytest.raises(StoreGone) as caught:
        Store.open("postgresql://nobody:geheim@127.0.0.1:9/none")
    assert caught.value.retryable
    assert "geheim" not in str(caught.value)


def test_a_file_that_is_no_database_is_said_to_be_broken(tmp_path: Path) -> None:
    path = tmp_path / "record.db"
    path.write_bytes(b"this is a text, and not a short one " * 100)
    with pytest.raises(StoreError, match="backup"):
        Store.open(f"sqlite:///{path}")
