"""Programs and databases of different age: what is refused says why, and what it says to do works."""

from pathlib import Path

import pytest

from audiences import migrations
from audiences.store import Store
from audiences.store.database import Database
from audiences.store.errors import StoreBehind
from flows.cli import main
from flows.wiring import open_app
from tests.flows import kept_workspace

OLDEST = "0001"


def behind(folder: Path) -> str:
    """A workspace whose database an earlier program made, with one audit line in it."""
    kept_workspace.write(folder, companies=3, people=1)
    url = f"sqlite:///{folder / 'evenreach.db'}"
    database = Database(url)
    with database.write() as connection:
        migrations.upgrade(connection, OLDEST)
        connection.exec_driver_sql("INSERT INTO setting (name, value, at) VALUES ('kept', '7', '2026-01-01')")
    database.close()
    return url


def test_the_remedy_named_for_an_older_database_works_and_keeps_settings_and_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = behind(tmp_path / "old")
    with pytest.raises(StoreBehind, match="evenreach init"):
        Store.open(url)
    settings = (tmp_path / "old" / "evenreach.yaml").read_text()
    assert main(["init", "--workspace", str(tmp_path / "old")]) == 0
    assert "brought up to date" in capsys.readouterr().out
    assert (tmp_path / "old" / "evenreach.yaml").read_text() == settings
    with Store.open(url) as store:
        assert store.get("kept") == 7
    assert main(["init", "--workspace", str(tmp_path / "old")]) == 1  # now there is nothing to do
    assert "nothing was written" in capsys.readouterr().err


def test_a_newer_program_brings_an_older_database_up_to_date_with_its_first_command(tmp_path: Path) -> None:
    behind(tmp_path / "old")
    with open_app(tmp_path / "old") as app:
        assert app.store.get("kept") == 7


@pytest.mark.parametrize("words", [["sync"], ["upkeep"], ["audit"], ["init"]], ids=lambda words: words[0])
def test_an_older_program_refuses_a_newer_database_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    behind(tmp_path / "new")
    file = tmp_path / "new" / "evenreach.db"
    Store.create(f"sqlite:///{file}").close()
    database = Database(f"sqlite:///{file}")
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    before = file.read_bytes()
    assert main([*words, "--workspace", str(tmp_path / "new")]) == 1
    said = capsys.readouterr().err
    assert "revision 9999, which this program does not know" in said
    assert "Upgrade Evenreach" in said
    assert file.read_bytes() == before
