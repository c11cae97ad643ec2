"""Lists in line with the segments: what is sent, what is sent again, and what stops before anything is sent."""

from __future__ import annotations

import hashlib
import json

from audiences.membership_keys import from_digests
from tests.flows.list_workspace import Lists

COMPANIES, PEOPLE, GOOGLE = (
    "linkedin/everyone/companies",
    "linkedin/everyone/contacts",
    "google/everyone/contacts",
)


def test_a_list_follows_its_segment_through_syncs_changes_and_leavers(lists: Lists) -> None:
    first = lists.sync()
    assert {name: row["adds"] for name, row in first.items()} == {
        COMPANIES: 180,
        PEOPLE: 360,
        GOOGLE: 360,
        "linkedin/customers/companies": 20,
    }
    assert first[COMPANIES]["accepted"] == 180
    assert all(row["adds"] == row["removes"] == 0 for row in lists.sync().values())

    # a new page of a company is sent again; nothing else is
    lists.companies[50]["country"] = "DE"
    lists.write()
    changed = lists.sync()[COMPANIES]
    assert (changed["adds"], changed["removes"], changed["changed"]) == (1, 0, 1)
    assert lists.sync()[COMPANIES]["adds"] == 0

    # a person's new phone: the old one must not stay on the list
    lists.people[100]["phone"] = "+1 415 555 9999"
    lists.write()
    moved = lists.sync(code=0)[GOOGLE]
    assert (moved["adds"], moved["removes"], moved["changed"]) == (1, 1, 1)

    # one company leaves, with its people
    lists.companies[60]["employees"] = "3"
    lists.write()
    left = lists.sync()
    assert (left[COMPANIES]["removes"], left[PEOPLE]["removes"]) == (1, 2)
    assert lists.members(COMPANIES) == 179


def test_a_person_who_loses_an_e_mail_stays_one_member_and_is_found_by_what_is_left(lists: Lists) -> None:
    lists.sync("everyone", "--platform", "google")
    lists.days_pass(3)
    lists.sync("everyone", "--platform", "google")
    before = lists.members(GOOGLE)
    lists.people[100]["email"] = ""
    lists.write()

    row = lists.sync("everyone", "--platform", "google")[GOOGLE]
    for _ in range(2):
        lists.days_pass(3)
        again = lists.sync("everyone", "--platform", "google")[GOOGLE]

    assert (row["adds"], row["removes"]) == (1, 1)  # off by what is gone, on again by what is left
    assert (again["adds"], again["removes"]) == (0, 0)
    assert lists.members(GOOGLE) == before
    key = hashlib.sha256(b"person100@company100-works.com").digest()
    with lists.opened() as app:
        (payload,) = app.store.ledger_members(GOOGLE, from_digests(key)).payloads
    assert "phone_sha256" in json.loads(payload)
    assert "email_sha256" not in json.loads(payload)


def test_brakes_stop_a_list_with_exit_code_three_until_the_number_is_named(lists: Lists) -> None:
    lists.sync()
    lists.config("at_least: 10", "at_least: 150")
    stopped = lists.sync("everyone", "--platform", "linkedin", code=3)[COMPANIES]
    assert "--accept-shrink 110" in stopped["stopped"]
    assert "The new rules keep" in stopped["stopped"]
    assert lists.members(COMPANIES) == 180
    went_on = lists.sync("everyone", "--platform", "linkedin", "--accept-shrink", "220")
    assert went_on[COMPANIES]["removes"] == 110
    assert lists.members(COMPANIES) == 70


def test_a_change_of_rules_brakes_although_few_have_left_the_list_so_far(lists: Lists) -> None:
    lists.config("segments:\n", "brakes: {max_leavers: 0.9}\nsegments:\n")
    lists.sync("everyone", "--platform", "linkedin")
    lists.config("at_least: 10", "at_least: 150")
    stopped = lists.sync("everyone", "--platform", "linkedin", "--dry-run", code=3)[COMPANIES]
    assert "The new rules keep 70 companies" in stopped["stopped"]


def test_an_empty_or_half_written_source_changes_nothing(lists: Lists) -> None:
    lists.sync("everyone", "--platform", "linkedin")
    everyone = lists.companies
    lists.companies = []
    lists.write()
    assert lists.run("sync", code=1)["error"]["error"] in ("EmptySource", "UnknownColumns")
    lists.companies = everyone[:80]
    lists.write()
    error = lists.run("sync", code=3)["error"]
    assert "120 (60 %) fewer" in error["message"]
    assert "--accept-shrink 120" in error["remedy"]
    lists.companies = everyone
    lists.write()
    assert lists.sync("everyone", "--platform", "linkedin")[COMPANIES]["removes"] == 0
    assert lists.members(COMPANIES) == 180


def test_an_earlier_version_of_a_list_comes_back_without_who_was_suppressed_since(lists: Lists) -> None:
    lists.sync("everyone", "--platform", "linkedin")
    for i in (60, 61):
        lists.companies[i]["employees"] = "3"
    lists.write()
    assert lists.sync("everyone", "--platform", "linkedin")[COMPANIES]["removes"] == 2
    lists.stdin("company061-works.com\n")
    assert lists.run("suppress")["lines"] == 1
    versions = lists.run("restore", COMPANIES)["versions"]
    assert [(v["version"], v["adds"], v["removes"]) for v in versions] == [(1, 180, 0), (2, 0, 2)]
    assert lists.run("restore", COMPANIES, "--version", "9", code=1)["error"]["error"] == "NotFound"
    dry = lists.run("restore", COMPANIES, "--version", "1", "--dry-run")
    back = lists.run("restore", COMPANIES, "--version", "1")
    assert (dry["adds"], back["adds"], back["left_out"]) == (1, 1, {"suppressed": 1})
    assert lists.members(COMPANIES) == 179
