"""LinkedIn lists by CSV from the settings to the platform: one word in evenreach.yaml, everything else as ever."""

from __future__ import annotations

import json

import pytest

from flows.cli import main
from tests.flows.list_workspace import Lists

PEOPLE = "linkedin/everyone/contacts"


def held(lists: Lists) -> tuple[str, int]:
    """What the sandbox has of the list of people: its type in the platform's words, and how many are on it."""
    with lists.opened() as app:
        record = app.store.audience(PEOPLE)
        assert record is not None
        assert record.state is not None
        assert app.sandbox is not None
        path = f"/rest/dmpSegments/{record.state.external_id}"
        headers = {"Authorization": "Bearer sandbox-token", "LinkedIn-Version": "202608"}
        kind = app.sandbox.client.get(path, headers=headers).json()["type"]
        rows = app.sandbox.get("/sandbox/truth/members", segment=record.state.external_id)["members"]
        return kind, sum(row["acknowledged"] for row in rows)


def test_a_list_by_file_is_sent_once_followed_and_kept_whole(lists: Lists) -> None:
    lists.config('ad_account: "500000001"}', 'ad_account: "500000001", lists: csv}')
    lists.config("linkedin: [companies, contacts]", "linkedin: [contacts]")
    first = lists.sync("everyone", "--platform", "linkedin")[PEOPLE]
    assert (first["adds"], first["accepted"], first["waiting"]) == (360, 0, 360)
    assert lists.members(PEOPLE) == 360
    assert held(lists) == ("USER_LIST_UPLOAD", 360)
    again = lists.sync("everyone", "--platform", "linkedin")[PEOPLE]
    assert (again["adds"], again["removes"]) == (0, 0)

    lists.companies[60]["employees"] = "3"
    lists.write()
    left = lists.sync("everyone", "--platform", "linkedin")[PEOPLE]
    assert left["removes"] == 2
    assert held(lists) == ("USER_LIST_UPLOAD", 358)


def test_a_list_too_short_for_a_file_is_refused_with_a_sentence(lists: Lists) -> None:
    lists.config('ad_account: "500000001"}', 'ad_account: "500000001", lists: csv}')
    answer = lists.run("sync", "everyone", "--platform", "linkedin", code=1)
    assert "a list file holds 300 to 300,000 rows in 20 MB, this one 180" in str(answer)


def test_the_record_of_lists_by_file_is_printed_beside_the_platforms_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["platforms", "--json"]) == 0
    records = json.loads(capsys.readouterr().out)
    own, by_file = records["linkedin"], records["linkedin (lists: csv)"]
    assert (own["fewest_members"], by_file["fewest_members"]) == (0, 300)
    assert {name for name in own if own[name] != by_file[name]} == {
        "settles_later",
        "notes",
        "fewest_members",
    }


def test_what_a_platform_can_do_is_printed_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["platforms"]) == 0
    printed = capsys.readouterr().out
    for told in (
        "keep alive           25 days",
        "poll every           30 minutes",
        "first build          at once",
    ):
        assert told in printed
    assert (
        "member and one app, whatever the ad account. Companies 300 and people 600 requests a minute"
        in printed
    )
