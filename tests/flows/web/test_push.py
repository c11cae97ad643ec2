"""A list from a file: read, corrected, confirmed, watched, cancelled, undone, and never doubled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.flows.web.memory_service import START, Clock, MemoryService
from tests.flows.web.visits import Visit

ROWS = [f"C{i},p{i}@c{i}.example" for i in range(600)]
MESSY = "\r\n".join(["Company,Mail", *ROWS, "Bad,not-an-address", "Short", "Again,P1@c1.example"]).encode()
ENDS = (START.date() + timedelta(days=30)).isoformat()
ORDER = {
    "list_name": "Event leads",
    "owner": "Maya",
    "ends_on": ENDS,
    "platform": "linkedin",
    "note": "Berlin",
}


def drop(visit: Visit, content: bytes = MESSY, name: str = "leads.csv") -> Any:
    return visit.post("/push/file", files={"file": (name, content, "text/csv")})


def mapped(visit: Visit) -> str:
    """A dropped file whose second column was corrected by hand; returns its address."""
    address = str(drop(visit).headers["location"])
    form = {"column-0": "company_name", "column-1": "email"}
    assert visit.post(f"{address}/mapping", form).status_code == 303
    return address


def test_a_column_that_was_not_understood_can_be_corrected(local: Visit) -> None:
    address = str(drop(local).headers["location"])
    assert "No column identifies anyone" in local.get(address).text
    local.post(f"{address}/mapping", {"column-0": "company_name", "column-1": "email"})
    assert "600 of 603\u00a0rows can be sent" in local.get(address).text


def test_vouching_is_a_box_that_nobody_ticked_beforehand_and_names_who_did(local: Visit) -> None:
    address = mapped(local)
    box = '<input type="checkbox" name="vouched" value="yes"'
    assert f"{box}>" in local.get(address).text
    assert "audit log when the list is sent" not in local.get(address).text
    local.post(f"{address}/mapping", {"column-0": "company_name", "column-1": "email", "vouched": "yes"})
    text = local.get(address).text
    assert f"{box} checked>" in text
    assert "says that these people gave their details themselves" in text
    local.post(f"{address}/mapping", {"column-0": "company_name", "column-1": "email"})
    assert f"{box}>" in local.get(address).text


def test_rejects_come_with_line_and_reason_and_without_the_value(local: Visit) -> None:
    address = mapped(local)
    text = local.get(f"{address}/rejects.csv").text
    assert "602,email,email_malformed" in text
    assert "603,,too_few_columns" in text
    assert "604,,duplicate" in text
    assert "not-an-address" not in text
    assert "@" not in text


def test_no_page_of_a_push_shows_a_person(local: Visit) -> None:
    address = mapped(local)
    push = str(local.post(f"{address}/confirm", ORDER).headers["location"])
    for page in (address, push, push + "/progress.json", "/push", "/audit"):
        assert "c1.example" not in local.get(page).text


def test_the_preview_tells_match_minimum_and_adds(local: Visit) -> None:
    text = local.get(mapped(local)).text
    assert "55\u00a0% to 70\u00a0% expected to match" in text
    assert "the platform serves lists from 300 matched members" in text
    assert "adds 600" in text


def test_a_push_runs_to_ready_and_can_be_undone(local: Visit, service: MemoryService, clock: Clock) -> None:
    push = str(local.post(f"{mapped(local)}/confirm", ORDER).headers["location"])
    assert "Starts in a moment" in local.get(push).text
    stages = []
    for seconds in (0, 65, 30, 30):
        clock.turn(seconds=seconds)
        stages.append(local.get(push + "/progress.json").json()["stage"])
    assert stages == ["waiting", "sending", "settling", "ready"]
    assert local.post(push + "/undo").status_code == 303
    assert local.get(push + "/progress.json").json()["stage"] == "undone"
    assert [line.action for line in service.log] == ["push", "undo"]


def test_a_push_can_be_cancelled_within_a_minute_and_not_later(local: Visit, clock: Clock) -> None:
    address = mapped(local)
    push = str(local.post(f"{address}/confirm", ORDER).headers["location"])
    clock.turn(seconds=59)
    assert "Cancel" in local.get(push).text
    assert local.post(push + "/cancel").status_code == 303
    assert local.get(push + "/progress.json").json()["stage"] == "cancelled"
    late = str(local.post(f"{address}/confirm", {**ORDER, "list_name": "Other"}).headers["location"])
    clock.turn(seconds=61)
    assert local.post(late + "/cancel").status_code == 409


def test_the_same_file_twice_is_one_push(local: Visit, service: MemoryService) -> None:
    first = local.post(f"{mapped(local)}/confirm", ORDER).headers["location"]
    address = mapped(local)
    assert "Sending it again changes nothing" in local.get(address).text
    assert local.post(f"{address}/confirm", ORDER).headers["location"] == first
    assert len(service.orders) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"list_name": " "}, "Give the list a name"),
        ({"owner": ""}, "Say who answers for this list"),
        ({"ends_on": "soon"}, "Give the last day"),
        ({"ends_on": "2020-01-01"}, "lies in the past"),
        ({"platform": "fax"}, "Choose at least one platform"),
    ],
)
def test_a_confirmation_with_a_gap_sends_nothing_and_keeps_what_was_entered(
    change: dict[str, str], said: str, local: Visit, service: MemoryService
) -> None:
    answer = local.post(f"{mapped(local)}/confirm", {**ORDER, **change})
    assert answer.status_code == 422
    assert said in answer.text
    assert 'value="Berlin"' in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert service.orders == {}


@pytest.mark.parametrize(
    ("content", "name"), [(b"", "empty.csv"), (b"\xff\xfe\x00", "odd.csv"), (b"a,b\n", "")]
)
def test_a_file_that_cannot_be_read_is_refused_in_words(content: bytes, name: str, local: Visit) -> None:
    answer = drop(local, content, name)
    assert answer.status_code == 422
    assert "file" in answer.text


def test_a_path_in_a_file_name_is_dropped(local: Visit, service: MemoryService) -> None:
    address = drop(local, name="C:\\Users\\maya\\leads.csv").headers["location"]
    assert service.push_shown(address.rpartition("/")[2]).file_name == "leads.csv"


def test_a_mapping_to_a_meaning_that_does_not_exist_is_refused(local: Visit) -> None:
    address = str(drop(local).headers["location"])
    assert local.post(f"{address}/mapping", {"column-0": "salary"}).status_code == 422
