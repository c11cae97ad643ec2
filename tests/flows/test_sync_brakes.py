"""What brakes do in scheduled runs, from the file to the platform: each list on its own, nothing emptied by mistake."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import date

import pytest

from audiences.brakes import Braked
from flows import activate, deployments
from flows.activate_each import Changes, SomeStopped, each_list
from flows.load import load
from tests.flows.list_workspace import Lists

COMPANIES, PEOPLE = "linkedin/everyone/companies", "linkedin/everyone/contacts"


def scheduled(lists: Lists, segment: str, platform: str = "linkedin", accept_shrink: int = 0) -> Changes:
    """What the deployment of a segment and platform does, without Prefect around it."""
    root, day = str(lists.folder), date(2026, 8, 24)
    with lists.opened() as app:
        load(app, accept_shrink=accept_shrink)
        wanted = [spec.audience_id for spec in activate.wanted_lists(app, segment, platform)]
        return each_list(
            wanted,
            lambda name: deployments.prepare_list.fn(root, name, day, accept_shrink),
            lambda name: deployments.send_list.fn(root, name),
        )


def test_a_list_that_brakes_stops_itself_alone_and_the_run_ends_with_its_name(lists: Lists) -> None:
    scheduled(lists, "everyone")
    lists.people = [person for i, person in enumerate(lists.people) if i % 5 > 1 or i < 40]
    lists.config("segments:\n", "brakes: {max_source_drop: 0.9}\nsegments:\n")
    lists.companies[50]["country"] = "DE"  # one company is sent again
    lists.write()
    with pytest.raises(SomeStopped, match=f"^{PEOPLE} was stopped: .* would leave") as stopped:
        scheduled(lists, "everyone")
    assert COMPANIES not in str(stopped.value)
    assert dict(stopped.value.changes)[COMPANIES]["adds"] == 1
    assert "--accept-shrink" in stopped.value.remedy
    assert lists.members(PEOPLE) == 360
    leavers = max(brake.number for brake in stopped.value.brakes)
    assert scheduled(lists, "everyone", accept_shrink=leavers)[PEOPLE]["removes"] == leavers
    assert lists.members(PEOPLE) == 360 - leavers


def test_what_a_brake_said_of_several_lists_survives_the_way_between_processes() -> None:
    def brake(name: str) -> None:
        raise Braked(f"All of {name} would leave.", remedy="Look.")

    with pytest.raises(SomeStopped) as stopped:
        each_list(["a", "b"], brake, _sent)
    again = pickle.loads(pickle.dumps(stopped.value))
    assert str(again) == "a was stopped: All of a would leave. b was stopped: All of b would leave. Look."
    assert (again.exit_code, again.retryable, again.changes) == (3, False, {})


def test_a_platform_that_fails_one_list_is_told_after_the_others_had_their_turn() -> None:
    turns: list[str] = []

    def send(name: str) -> dict[str, int]:
        turns.append(name)
        if name == "a":
            raise ConnectionError(name)
        return _sent(name)

    with pytest.raises(ConnectionError):
        each_list(["a", "b", "c"], turns.append, send)
    assert turns == ["a", "a", "b", "b", "c", "c"]


def _sent(_: str) -> dict[str, int]:
    return {"adds": 0}


def test_a_changed_rule_that_would_drop_two_fifths_stops_the_scheduled_run_and_asks(lists: Lists) -> None:
    scheduled(lists, "everyone")
    lists.config("at_least: 10", "at_least: 112")  # 108 of 180 stay: 40 % fewer
    with pytest.raises(SomeStopped, match=r"The new rules keep 108 companies, 72 \(40 %\) fewer") as stopped:
        scheduled(lists, "everyone")
    assert lists.members(COMPANIES) == 180
    assert lists.members(PEOPLE) == 360
    number = max(brake.number for brake in stopped.value.brakes)
    scheduled(lists, "everyone", accept_shrink=number)
    assert lists.members(COMPANIES) == 108


def without_rows(lists: Lists) -> None:
    (lists.folder / "companies.csv").write_text("name,domain,country,employees,Lifecycle Stage\n")


def without_a_byte(lists: Lists) -> None:
    (lists.folder / "companies.csv").write_bytes(b"")


def cut_short(lists: Lists) -> None:
    file = lists.folder / "companies.csv"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])


def people_cut_short(lists: Lists) -> None:
    file = lists.folder / "contacts.csv"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 3])


def people_without_rows(lists: Lists) -> None:
    (lists.folder / "contacts.csv").write_text(",".join(lists.people[0]) + "\n")


def gone(lists: Lists) -> None:
    (lists.folder / "companies.csv").unlink()


@pytest.mark.parametrize(
    "harm", [without_rows, without_a_byte, cut_short, people_cut_short, people_without_rows, gone]
)
def test_no_empty_half_written_or_missing_file_takes_anybody_off_a_list(
    lists: Lists, harm: Callable[[Lists], None]
) -> None:
    scheduled(lists, "everyone")
    harm(lists)
    with pytest.raises(Exception, match=r"companies\.csv|contacts\.csv|rows"):
        scheduled(lists, "everyone")
    assert (lists.members(COMPANIES), lists.members(PEOPLE)) == (180, 360)
    lists.write()
    assert all(one["removes"] == 0 for one in scheduled(lists, "everyone").values())


def test_a_source_that_really_shrank_goes_through_with_the_number_that_was_asked_for(lists: Lists) -> None:
    scheduled(lists, "everyone")
    lists.companies = lists.companies[:80]
    lists.write()
    with pytest.raises(Braked, match=r"120 .*fewer than at the last load"):
        scheduled(lists, "everyone")
    assert lists.members(COMPANIES) == 180
    scheduled(lists, "everyone", accept_shrink=240)  # 120 companies, and the 240 people there
    assert lists.members(COMPANIES) == 60


def test_a_list_that_empties_because_its_signals_are_old_names_the_sources_and_since_when(
    lists: Lists,
) -> None:
    visits = ["domain,kind,date"] + [
        f"company{i:03}-works.com,pricing_page,2026-08-20" for i in range(50, 150)
    ]
    (lists.folder / "visits.csv").write_text("\n".join(visits) + "\n")
    lists.config("segments:\n", "  signals: [{file: visits.csv}]\nsegments:\n")
    lists.config("where: {field: employees, at_least: 10}", "where: {signal: pricing_page, within_days: 14}")
    assert scheduled(lists, "everyone")[COMPANIES]["adds"] == 100
    lists.days_pass(30)
    words = lists.sync("everyone", "--platform", "linkedin", code=3)[COMPANIES]["stopped"]
    assert words.startswith("All 100 members would leave the list and nobody would stay.")
    assert (
        "The signals behind everyone are old: the newest pricing_page of 2026-08-20 (34 days ago)." in words
    )
    assert "Bring visits.csv up to date and sync again." in words
    assert words.endswith("If this is meant, run again with --accept-shrink 100.")
