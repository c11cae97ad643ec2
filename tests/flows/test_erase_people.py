"""Suppressing and erasing: off every list, out of the record, never back, and nothing personal printed."""

from __future__ import annotations

import hashlib

import pytest

from tests.flows.list_workspace import Lists

PERSON = "person100@company100-works.com"
DIGEST = hashlib.sha256(PERSON.encode()).hexdigest()


def test_an_erased_person_leaves_every_list_and_the_record_and_never_comes_back(lists: Lists) -> None:
    before = lists.sync()
    lists.stdin(f"  {PERSON.upper()} \nnot an address\n")
    answer = lists.run("erase", code=1)  # one line was not understood, and Google has not confirmed yet
    assert answer["unread"] == [2]
    assert [step["audience_id"] for step in answer["receipts"][0]["steps"]] == [
        "google/everyone/contacts",
        "linkedin/everyone/contacts",
    ]
    lists.days_pass(1)
    lists.stdin(PERSON)
    lists.run("erase", code=1)  # Google has the removal now
    lists.days_pass(1)
    lists.stdin(PERSON)
    again = lists.run("erase")
    assert again["receipts"][0]["done"]
    assert again["receipts"][0]["number"] == answer["receipts"][0]["number"]
    for text in (PERSON, "person100", DIGEST):
        assert text not in str(answer) + str(again)
    after = lists.sync()  # the source still names them
    assert (
        after["linkedin/everyone/contacts"]["members"] == before["linkedin/everyone/contacts"]["members"] - 1
    )
    assert all(row["adds"] == row["removes"] == 0 for row in after.values())
    with lists.opened() as app:
        assert DIGEST not in {contact.contact_id for contact in app.store.contacts()}
        assert app.store.ledger_counts("linkedin/everyone/contacts").accepted == 359
    lists.companies[199]["employees"] = "220"
    lists.write()
    lists.sync()
    with lists.opened() as app:
        assert DIGEST not in {contact.contact_id for contact in app.store.contacts()}
    assert DIGEST.encode() not in (lists.folder / "evenreach.db").read_bytes()
    assert bytes.fromhex(DIGEST) not in _ledger_and_batches(lists)


def test_upkeep_finishes_an_erasure_that_a_list_had_not_confirmed(lists: Lists) -> None:
    lists.sync("everyone", "--platform", "google")
    lists.stdin(PERSON)
    lists.run("erase", code=1)
    erased = []
    for _ in range(3):
        lists.days_pass(1)
        erased.append(lists.run("upkeep")["erased"])
    assert sum(erased) == 1
    assert bytes.fromhex(DIGEST) not in _ledger_and_batches(lists)
    with lists.opened() as app:
        assert app.store.open_erasures() == ()
        assert [line.detail["done"] for line in app.store.audit_log(what="person erased")] == [False, True]


def _ledger_and_batches(lists: Lists) -> bytes:
    with lists.opened() as app, app.store._db.read() as connection:
        keys = connection.exec_driver_sql("SELECT key FROM ledger").scalars().all()
        batches = connection.exec_driver_sql("SELECT member_keys FROM push_batch").scalars().all()
        return b"".join(map(bytes, [*keys, *batches]))


def test_a_suppressed_person_and_company_leave_at_the_next_sync_and_may_be_taken_off_again(
    lists: Lists,
) -> None:
    lists.sync("everyone", "--platform", "linkedin")
    lists.stdin(f"{PERSON}\nhttps://www.company120-works.com/about\n???\n")
    said = lists.run("suppress", code=1)
    assert (said["lines"], said["unread"]) == (3, [3])
    after = lists.sync("everyone", "--platform", "linkedin")
    assert after["linkedin/everyone/companies"]["removes"] == 1
    assert after["linkedin/everyone/contacts"]["removes"] == 3  # the person, and the two of the company
    assert after["linkedin/everyone/contacts"]["left_out"]["suppressed"] == 3
    lists.stdin(PERSON)
    assert lists.run("suppress", "--undo")["taken_off"] == 1
    assert lists.sync("everyone", "--platform", "linkedin")["linkedin/everyone/contacts"]["adds"] == 1
    assert lists.run("suppress", "--show")["on_the_list"] == {"asked not to be addressed": 1}


def test_erasing_somebody_nobody_knows_is_done_at_once(lists: Lists) -> None:
    lists.run("segments", "list")
    lists.stdin("stranger@example.com")
    receipt = lists.run("erase")["receipts"][0]
    assert receipt["done"]
    assert receipt["steps"] == []


@pytest.mark.parametrize("verb", ["erase", "suppress"])
def test_a_command_that_is_given_nobody_says_so_and_does_nothing(lists: Lists, verb: str) -> None:
    lists.stdin(" \n\n")
    said = lists.run(verb, code=1)["error"]
    assert said["message"].startswith("stdin: no line was given; nothing was done.")
    assert "a line into the command" in said["remedy"]
    with lists.opened() as app:
        assert app.store.audit_log() == ()
