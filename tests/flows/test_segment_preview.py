"""The preview as the command shows it, and since when a segment has stood still."""

from __future__ import annotations

from datetime import date

from flows.assess import assess
from flows.cli import main
from flows.load import load
from flows.segment_preview import changed_on, previewed
from tests.flows.list_workspace import Lists


def text(lists: Lists, segment: str) -> str:
    lists.capture.readouterr()
    assert main(["segments", "preview", segment, "--workspace", str(lists.folder)]) == 0
    return lists.capture.readouterr().out


def test_the_preview_shows_rules_lists_identifiers_reach_fields_overlap_and_warnings(lists: Lists) -> None:
    lists.config("title: Everyone", "title: Everyone\n    holdout: 10 %")
    shown = text(lists, "everyone")
    assert "180 of 200 companies qualify, " in shown
    assert "20 that meet the rules are in customers, which is left out" in shown
    for header in ("alone would keep", "predicted match", "people reached", "will serve", "needed"):
        assert header in shown
    companies = next(line for line in shown.splitlines() if line.startswith("linkedin companies"))
    assert "domain " in companies
    assert "300 people" in companies
    google = next(line for line in shown.splitlines() if line.startswith("google people"))
    assert "phone " in google
    assert "Not on linkedin companies: " in shown
    assert "held out, for comparison" in shown
    assert "\n- Nobody owns this segment." in shown
    answer = lists.run("segments", "preview", "everyone")
    (reach,) = [r for r in answer["reach"] if (r["platform"], r["kind"]) == ("linkedin", "company")]
    assert sum(reach["by_identifier"].values()) == reach["members"]
    assert {one["code"] for one in answer["advice"]} >= {"no_owner", "nothing_acts", "no_review_date"}


def test_a_segment_without_lists_says_so_and_reads_no_people(lists: Lists) -> None:
    lists.config("    where: {field: lifecycle_stage, in: [Customer]}\n    sync: {linkedin: [companies]}\n",
                 "    where: {field: lifecycle_stage, in: [Customer]}\n")  # fmt: skip
    assert "No list is made of it: sync: names no platform." in text(lists, "customers")
    with lists.opened() as app:
        load(app)
        found = assess(app)
        previewed(app, found, "customers")
        assert "contacts" not in found.__dict__


def test_a_segment_nobody_joined_or_left_for_over_a_quarter_is_called_static(lists: Lists) -> None:
    with lists.opened() as app:
        load(app)
        assess(app, on=date(2026, 3, 1))
        assess(app, on=date(2026, 5, 1))
        found = assess(app)  # the sandbox's day: 2026-08-24
        assert changed_on(app, "everyone") == date(2026, 3, 1)
        _, advice = previewed(app, found, "everyone")
        assert "Nobody joined or left for 176 days." in [one.words for one in advice]
    lists.companies[30]["employees"] = "3"
    lists.write()
    with lists.opened() as app:
        load(app)
        _, advice = previewed(
            app, assess(app, record=False), "everyone"
        )  # one left, and no sync has counted it
        assert "static" not in {one.code for one in advice}
    lists.companies[0]["Lifecycle Stage"] = "Lead"  # one leaves, one comes: as many, but not the same
    lists.write()
    with lists.opened() as app:
        load(app)
        assess(app)
        assert changed_on(app, "everyone") == date(2026, 8, 24)
