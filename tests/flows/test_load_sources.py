"""Sources into the store: queries, decisions, suppressions, consent over files, and files of what was left out."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from flows import load
from tests.flows.list_workspace import Lists


def test_a_query_is_a_source_and_its_address_may_stand_in_the_environment(lists: Lists) -> None:
    database = sqlite3.connect(lists.folder / "crm.db")
    database.execute("CREATE TABLE visits (company_domain TEXT, page_kind TEXT, date TEXT)")
    database.execute("INSERT INTO visits VALUES ('company030-works.com', 'pricing_page', '2026-08-20')")
    database.commit()
    lists.patch.setenv("CRM", "sqlite:///crm.db")
    lists.config(
        "segments:\n",
        "  signals: [{sql: 'env:CRM', query: select * from visits, layout: site_visits}]\nsegments:\n",
    )
    with lists.opened() as app:
        assert load.load(app).signals.resolved == 1
        assert not load.load(app).changed
        database.execute("INSERT INTO visits VALUES ('company031-works.com', 'pricing_page', '2026-08-21')")
        database.commit()
        again = load.load(app)
        assert (again.changed, again.signals.resolved) == (True, 2)
    lists.patch.delenv("CRM")
    error = lists.run("segments", "list", code=1)["error"]
    assert "CRM" in error["message"]
    assert "sqlite" not in str(error)


def test_a_decision_and_a_suppression_file_are_followed(lists: Lists) -> None:
    (lists.folder / "decisions.yaml").write_text("same:\n  - [company030-works.com, company031-works.com]\n")
    (lists.folder / "never.csv").write_text(
        "email,domain\nperson100@company100-works.com,\n,company120-works.com\n"
    )
    lists.config("  contacts:\n", "  decisions: decisions.yaml\n  suppressions: never.csv\n  contacts:\n")
    synced = lists.sync("everyone", "--platform", "linkedin", "--dry-run")
    assert synced["linkedin/everyone/companies"]["members"] == 178
    assert synced["linkedin/everyone/companies"]["left_out"] == {"suppressed": 1}
    assert synced["linkedin/everyone/contacts"]["left_out"] == {"suppressed": 3}
    (lists.folder / "never.csv").unlink()
    assert lists.run("segments", "list", code=1)["error"]["error"] == "SourceUnavailable"


def test_a_refusal_of_consent_in_one_file_holds_for_the_person_of_another(lists: Lists) -> None:
    (lists.folder / "refused.csv").write_text("email,consent\nperson100@company100-works.com,no\n")
    lists.config("segments:\n", "    - {file: refused.csv}\nsegments:\n")
    left_out = lists.sync("everyone", "--platform", "linkedin", "--dry-run")["linkedin/everyone/contacts"]
    assert left_out["left_out"] == {"consent_denied": 1}


def test_what_was_left_out_is_written_to_files_without_values_and_goes_when_mended(lists: Lists) -> None:
    lists.people[5]["phone"] = "call me"
    lists.people[6]["email"] = "nobody"
    lists.companies[7]["country"] = "Atlantis"
    lists.write()
    with lists.opened() as app:
        loaded = load.load(app)
        assert set(loaded.files) == {"rejects/companies.csv", "rejects/contacts.csv"}
        texts = [(lists.folder / file).read_text() for file in loaded.files]
    joined = "\n".join(texts)
    assert "7,phone" in joined
    assert "8,email" in joined
    assert "9,country" in joined
    assert not any(value in joined for value in ("call me", "nobody", "Atlantis", "Given"))
    lists.people[5]["phone"] = lists.people[6]["email"] = ""
    lists.companies[7]["country"] = "US"
    lists.write()
    with lists.opened() as app:
        assert load.load(app).files == ()
    assert not list((lists.folder / "rejects").iterdir())


def test_settings_without_companies_say_what_to_add(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.cli import main

    assert main(["init", "--workspace", str(tmp_path)]) == 0
    assert main(["segments", "list", "--workspace", str(tmp_path)]) == 1
    assert "evenreach map FILE --write" in capsys.readouterr().err
