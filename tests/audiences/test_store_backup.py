"""A copy of the workspace's database can be taken in use and put back."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from audiences.store import Store
from audiences.store.backup import backup, restore
from audiences.store.database import Database
from audiences.store.errors import Conflict, StoreAhead, StoreBroken, StoreError, StoreMissing
from audiences.store.records import AuditLine
from tests.audiences.databases import _run, _sibling
from tests.audiences.lists_and_members import AT, LIST, change, settle_all, with_list


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'record.db'}"


def test_a_copy_taken_in_use_holds_what_was_committed_and_can_be_put_back(
    address: str, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    with Store.create(address) as store:
        with_list(store)
        store.record_delta(change(0, range(40)), batch_size=10, at=AT)
        settle_all(store)
        expected = store.ledger_keys(LIST).keys.tobytes()
        with store._db.write() as connection:
            connection.exec_driver_sql("UPDATE audience SET name = 'not committed yet'")
            backup(address, copy)
        store.record_delta(change(1, [], range(40)), batch_size=10, at=AT)
        settle_all(store)
    restore(address, copy)
    with Store.open(address) as store:
        assert store.ledger_keys(LIST).keys.tobytes() == expected
        record = store.audience(LIST)
        assert record is not None
        assert record.spec.name == LIST
        store.put("works", True, at=AT)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir() if "part" in p.name] == []


def test_a_damaged_copy_is_refused_and_the_database_stays(address: str, tmp_path: Path) -> None:
    with Store.create(address) as store:
        store.put("kept", 1, at=AT)
        backup(address, tmp_path / "copy.db")
    whole = (tmp_path / "copy.db").read_bytes()
    for broken in (
        whole[: len(whole) // 2],
        b"no database at all" * 500,
        whole[:8192] + bytes(4096) + whole[12288:],
    ):
        (tmp_path / "broken.db").write_bytes(broken)
        with pytest.raises((StoreBroken, StoreError)):
            restore(address, tmp_path / "broken.db")
        with Store.open(address) as store:
            assert store.get("kept") == 1


def test_a_copy_of_a_newer_program_is_refused(address: str, tmp_path: Path) -> None:
    Store.create(address).close()
    backup(address, tmp_path / "copy.db")
    database = Database(f"sqlite:///{tmp_path / 'copy.db'}")
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(StoreAhead):
        restore(address, tmp_path / "copy.db")


def test_a_server_database_is_copied_in_use_and_fills_an_empty_one(
    postgresql_server: str,
    empty_postgresql: str,
    tmp_path: Path,
) -> None:
    for name in ("copied", "filled"):
        template = f"TEMPLATE {empty_postgresql}" if name == "copied" else ""
        _run(postgresql_server, f"CREATE DATABASE {name} {template}")
    source, target = _sibling(postgresql_server, "copied"), _sibling(postgresql_server, "filled")
    copy = tmp_path / "record.copy"
    with Store.create(source) as store:
        with_list(store)
        store.record_delta(change(0, range(40)), batch_size=10, at=AT)
        settle_all(store)
        store.audit(AuditLine(at=AT, who="somebody", what="something"))
        expected = store.ledger_keys(LIST).keys.tobytes()
        with store._db.write() as connection:
            connection.exec_driver_sql("UPDATE audience SET name = 'not committed yet'")
            backup(source, copy)
        store.record_delta(change(1, [], range(40)), batch_size=10, at=AT)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    restore(target, copy)
    with Store.open(target) as store:
        assert store.ledger_keys(LIST).keys.tobytes() == expected
        record = store.audience(LIST)
        assert record is not None
        assert record.spec.name == LIST
        store.audit(AuditLine(at=AT, who="somebody", what="something else"))  # numbers go on
        assert [line.what for line in store.audit_log()][-2:] == ["something", "something else"]
    with pytest.raises(Conflict, match="not empty"):
        restore(target, copy)
    whole = copy.read_bytes()
    _run(postgresql_server, "CREATE DATABASE untouched")
    for broken in (whole[: len(whole) // 2], b"no copy", whole[:400] + b"x" * 200 + whole[600:]):
        copy.write_bytes(broken)
        with pytest.raises(StoreError):
            restore(_sibling(postgresql_server, "untouched"), copy)
        with pytest.raises(StoreMissing):
            Store.open(_sibling(postgresql_server, "untouched"))
