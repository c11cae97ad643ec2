"""People without a word of consent in their file: somebody vouches for them, on the page or at the command."""

from __future__ import annotations

import pytest

from flows.page import page_service
from flows.web.views import PushOrder
from tests.flows.list_workspace import Lists
from tests.flows.page_workspace import until

BARE = "email\n" + "".join(f"p{i}@one.com\n" for i in range(30))
SAID = "email,consent\n" + "".join(f"p{i}@one.com,{'no' if i < 4 else ''}\n" for i in range(30))
GOOGLE = "google/one-off/fair/contact"


def vouched_by(lists: Lists) -> list[tuple[str, object]]:
    with lists.opened() as app:
        lines = [line for line in app.store.audit_tail(50) if line.what == "people vouched for"]
        return [(line.subject, line.detail["by"]) for line in lines]


def test_a_person_vouches_on_the_page_and_google_takes_the_people(
    lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lists.opened() as app:
        page = page_service(app, grace=0.0)
        monkeypatch.setattr(page, "_follow", lambda push_id: None)  # nobody waits until the list is built
        shown = page.push_preview(BARE.encode(), "Fair.csv", mapping=None, who="sam")
        assert {f.platform: f.adds for f in shown.forecasts} == {"linkedin": 30, "google": 0}
        assert shown.vouched_by == ""
        mapping = {column.header: column.field for column in shown.columns}
        shown = page.push_remap(shown.preview_id, mapping, who="maya", vouched=True)
        assert ({f.platform: f.adds for f in shown.forecasts}["google"], shown.vouched_by) == (30, "maya")
        order = PushOrder("Fair", "sam", "", None, ("google",))
        push_id = page.push_confirm(shown.preview_id, order, who="sam")
        assert until(page, push_id, "settling", "failed") == "settling", page.push_progress(push_id).message
        page.workers.wait()
        again = page.push_preview(BARE.encode(), "Fair.csv", mapping=None, who="sam")
        assert again.vouched_by == ""
        line = next(line for line in page.audit(50) if line.action == "people vouched for")
        assert (line.who, line.subject, line.facts["members"]) == ("maya", "Fair", "30")
        assert len(app.store.ledger_keys(GOOGLE).keys) == 30


def test_who_refused_in_the_file_stays_out_whoever_vouches(lists: Lists) -> None:
    with lists.opened() as app:
        page = page_service(app, grace=0.0)
        shown = page.push_preview(SAID.encode(), "Fair.csv", mapping=None, who="maya")
        mapping = {column.header: column.field for column in shown.columns}
        shown = page.push_remap(shown.preview_id, mapping, who="maya", vouched=True)
        assert {f.platform: f.adds for f in shown.forecasts} == {"linkedin": 26, "google": 26}


def test_the_command_says_the_same_with_two_flags_and_a_dry_run_records_nothing(lists: Lists) -> None:
    file = lists.folder / "fair.csv"
    file.write_text(BARE)
    words = ("push", str(file), "--platform", "google")
    assert lists.run(*words, "--dry-run")["left_out"] == {"consent_unknown": 30}
    assert lists.run(*words, "--consented", "--dry-run")["left_out"] == {"not_first_party": 30}
    assert lists.run(*words, "--first-party", "--consented", "--dry-run")["members"] == 30
    assert vouched_by(lists) == []
    assert lists.run(*words, "--first-party", "--consented")["adds"] == 30
    assert [subject for subject, _ in vouched_by(lists)] == [GOOGLE]
