"""A one-off file to a list: the messy file twice is one list, and rejects are named without their values."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from flows.cli import main
from tests.flows.list_workspace import Lists

MESSY = """\
Exported by somebody;;;
;;;
E-Mail;First Name;Last Name;Consent
 Ann.Bell@One.com ;Ann;Bell;yes
ann.bell@one.com;Ann;Bell;yes
cy@two.com;Cy;Dee;no
not an address;Eve;Fox;yes
gus@three.com;Gus;Hill;yes
"""


def test_the_same_messy_file_twice_changes_nothing_and_names_no_value(lists: Lists) -> None:
    file = lists.folder / "fair.csv"
    file.write_text(MESSY, encoding="utf-8-sig")
    words = ("push", str(file), "--platform", "linkedin", "--first-party", "--note", "the fair")
    dry = lists.run(*words, "--dry-run")
    first = lists.run(*words)
    assert (dry["adds"], first["adds"], first["members"]) == (2, 2, 2)
    assert first["left_out"] == {"consent_denied": 1}
    second = lists.run(*words)
    assert (second["adds"], second["removes"]) == (0, 0)
    rejects = Path(first["rejects_file"]).read_text()
    assert "7,email" in rejects
    assert not any(text in rejects + str(first) for text in ("Eve", "not an address", "gus@", "ann.bell"))


def test_a_file_that_lost_most_of_its_people_is_stopped_until_the_number_is_named(lists: Lists) -> None:
    file = lists.folder / "people.csv"
    rows = [f"p{i}@one.com" for i in range(40)]
    file.write_text("\n".join(["email", *rows]))
    words = ("push", str(file), "--first-party")
    lists.run(*words)
    file.write_text("\n".join(["email", *rows[:10]]))
    error = lists.run(*words, code=3)["error"]
    assert "30 of 40" in error["message"]
    assert lists.run(*words, "--accept-shrink", "30")["removes"] == 30
    file.write_text("email\n")
    assert lists.run(*words, code=1)["error"]["error"] == "EmptySource"


def test_a_list_whose_last_day_is_over_is_not_begun(lists: Lists) -> None:
    file = lists.folder / "late.csv"
    file.write_text("email\nlate@one.com\n")
    with lists.opened() as app:
        today = app.today
    for words in (("--dry-run",), ()):
        error = lists.run("push", str(file), "--until", str(today - timedelta(days=1)), *words, code=1)[
            "error"
        ]
        assert "is over" in error["message"]
    with lists.opened() as app:
        assert not app.store.audiences()
    assert lists.run("push", str(file), "--first-party", "--until", str(today))["adds"] == 1


def test_a_person_suppressed_by_one_platforms_digest_is_on_no_pushed_list(lists: Lists) -> None:
    file = lists.folder / "gmail.csv"
    file.write_text("email\na.b+x@gmail.com\nc@one.com\n")
    lists.stdin("ab@gmail.com")  # one mailbox by Google's rule, another by LinkedIn's
    lists.run("suppress")
    pushed = lists.run("push", str(file), "--first-party")
    assert (pushed["members"], pushed["left_out"]) == (1, {"suppressed": 1})


def test_a_company_whose_web_address_is_everybodys_is_sent_by_name_and_that_is_said(lists: Lists) -> None:
    file = lists.folder / "companies-of-a-fair.csv"
    file.write_text("Company,Website\nTiny Tools,https://github.com/tiny\nAcme,acme.com\n")
    pushed = lists.run("push", str(file))
    assert pushed["members"] == 2
    assert pushed["warnings"][-1].startswith("1 row has a web address that belongs to no single company")
    assert "2,domain,shared_host" in Path(pushed["rejects_file"]).read_text()


@pytest.mark.parametrize(
    ("name", "text", "more", "said", "remedy"),
    [
        ("fair.csv", "Company,Website\nAcme,acme.com\n", ["--platform", "google"],
         "this is a list of companies, and Google takes none of those", "--platform linkedin"),
        ("ask.csv", "email\na@one.com\n", ["--platform", "google"],
         "nobody of it can be on the list: 1 who have not said that ads may use their data", "--consented"),
        ("surge.csv", "domain,page_kind,date\nacme.com,pricing,2026-08-01\n", [],
         "this is a file of signals", "sources: signals:"),
        ("fair.csv", "Company,Website\nAcme,acme.com\n", ["--platform", "myspace"], "not set up", "linkedin, google"),
    ],
)  # fmt: skip
def test_a_list_that_can_reach_nobody_is_refused_with_the_way_on_and_no_list_is_made(
    lists: Lists, name: str, text: str, more: list[str], said: str, remedy: str
) -> None:
    (lists.folder / name).write_text(text)
    error = lists.run("push", str(lists.folder / name), *more, code=1)["error"]
    assert said in error["message"]
    assert remedy in error["remedy"]
    with lists.opened() as app:
        assert app.store.audiences() == ()


def test_a_dry_run_with_nobody_says_that_the_push_would_be_refused(lists: Lists) -> None:
    file = lists.folder / "fair.csv"
    file.write_text("email\na@one.com\n")
    (warning,) = lists.run("push", str(file), "--platform", "google", "--dry-run")["warnings"]
    assert warning.startswith("A push would be refused, nobody of it can be on the list: 1 who have not said")
    assert "--consented" in warning


def test_the_answer_of_a_push_is_a_few_sentences(lists: Lists) -> None:
    file = lists.folder / "fair.csv"
    file.write_text(MESSY, encoding="utf-8-sig")
    lists.capture.readouterr()
    assert main(["push", str(file), "--dry-run", "--workspace", str(lists.folder)]) == 0
    said = lists.capture.readouterr().out.splitlines()
    assert said[0] == "linkedin/one-off/fair/contact: 2 members from 5 rows; 2 to add, 0 to take off."
    assert said[1] == "Left out: 1 who refused."
    assert said[-2].startswith("Rows and cells that were not taken, and why: ")
    assert said[-1] == "Nothing was sent."
