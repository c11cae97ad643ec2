"""Deciding on a plan: exactly what was shown, exceptions at once, never by surprise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.flows.web.memory_service import MemoryService
from tests.flows.web.visits import Visit


def test_the_plan_page_says_the_effect_the_price_and_the_reasons(local: Visit) -> None:
    text = local.get("/segments/strike-dach/plan").text
    for words in (
        "30\u00a0accounts would change place",
        "from 38\u00a0% to 20\u00a0%",
        "Rehearsed",
        "What evenness costs",
        "Earliest change back",
        "because it draws more impressions than its band is meant for",
    ):
        assert words in text


def test_an_approval_is_tied_to_the_hash_and_remembered_with_the_name(
    signed_in: Callable[[str], Visit], service: MemoryService
) -> None:
    plan = service.newest
    answer = signed_in("approver").post(f"/plans/{plan.plan_id}/approve", {"shown_hash": plan.shown_hash})
    assert answer.status_code == 303
    assert service.newest.status == "approved"
    assert (service.log[-1].who, service.log[-1].action) == ("approver", "approve")


def test_a_plan_whose_inputs_moved_is_not_approved_and_the_difference_is_shown(
    local: Visit, service: MemoryService
) -> None:
    shown = service.newest
    service.inputs_move()
    answer = local.post(f"/plans/{shown.plan_id}/approve", {"shown_hash": shown.shown_hash})
    assert answer.status_code == 409
    assert "3 accounts are no longer moved" in answer.text
    assert f"/plans/{service.newest.plan_id}" in answer.text
    assert {plan.status for plan in service.plans.values() if plan.plan_id != "done"} == {
        "lapsed",
        "proposed",
    }
    assert (
        "The data moved since this plan was first shown" in local.get(f"/plans/{service.newest.plan_id}").text
    )


def test_a_wrong_hash_approves_nothing(local: Visit, service: MemoryService) -> None:
    answer = local.post(f"/plans/{service.newest.plan_id}/approve", {"shown_hash": "0" * 64})
    assert answer.status_code == 409
    assert service.newest.status == "proposed"


@pytest.mark.parametrize(
    ("act", "status"), [("refuse", "refused"), ("shadow", "shadow"), ("approve", "approved")]
)
def test_a_decided_plan_cannot_be_decided_again(
    act: str, status: str, local: Visit, service: MemoryService
) -> None:
    plan = service.newest
    form = {"shown_hash": plan.shown_hash, "reason": "not this week"}
    assert local.post(f"/plans/{plan.plan_id}/{act}", form).status_code == 303
    assert service.newest.status == status
    again = local.post(f"/plans/{plan.plan_id}/approve", form)
    assert again.status_code == 409
    assert service.newest.status == status
    assert "Approve</button>" not in local.get(f"/plans/{plan.plan_id}").text


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ({"kind": "pin", "account_id": "company-00004.example"}, "never limited"),
        ({"kind": "exclude", "account_id": "company-00004.example"}, "never served"),
        (
            {"kind": "raise_cap", "account_id": "company-00004.example", "value": "1,500"},
            "1,500\u00a0impressions",
        ),
    ],
)
def test_an_exception_makes_a_new_plan_at_once(
    form: dict[str, str], shown: str, local: Visit, service: MemoryService
) -> None:
    before = service.newest
    answer = local.post(f"/plans/{before.plan_id}/override", form)
    assert answer.status_code == 303
    assert service.newest.plan_id != before.plan_id
    assert answer.headers["location"] == f"/plans/{service.newest.plan_id}"
    assert shown in local.get(answer.headers["location"]).text
    taken_back = {"kind": "clear", "account_id": form["account_id"]}
    local.post(f"/plans/{service.newest.plan_id}/override", taken_back)
    assert service.newest.shown_hash == before.shown_hash


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "pin", "account_id": ""},
        {"kind": "pin", "account_id": "unknown.example"},
        {"kind": "delete", "account_id": "company-00004.example"},
        {"kind": "raise_cap", "account_id": "company-00004.example"},
        {"kind": "raise_cap", "account_id": "company-00004.example", "value": "-3"},
        {"kind": "raise_cap", "account_id": "company-00004.example", "value": "inf"},
        {"kind": "raise_cap", "account_id": "company-00004.example", "value": "nan"},
        {"kind": "raise_cap", "account_id": "x" * 4001, "value": "5"},
    ],
)
def test_an_exception_that_makes_no_sense_is_refused_with_a_reason(
    form: dict[str, str], local: Visit, service: MemoryService
) -> None:
    before = service.newest
    assert local.post(f"/plans/{before.plan_id}/override", form).status_code == 422
    assert service.newest == before


def test_a_viewer_sees_no_buttons_and_is_told_who_decides(signed_in: Callable[[str], Visit]) -> None:
    text = signed_in("viewer").get("/segments/strike-dach/plan").text
    assert "Approve</button>" not in text
    assert "An approver decides" in text


def test_a_segment_without_a_plan_says_how_to_get_one(local: Visit) -> None:
    assert "evenreach balance customers" in local.get("/segments/customers/plan").text


def test_an_edit_is_proposed_shown_as_a_difference_and_written_only_on_request(
    signed_in: Callable[[str], Visit], service: MemoryService
) -> None:
    operator, approver = signed_in("operator"), signed_in("approver")
    changed = "name: strike-dach\nwho:\n  all:\n    - tier: [1, 2]\n"
    answer = operator.post("/segments/strike-dach/propose", {"yaml": changed})
    page = operator.get(answer.headers["location"])
    assert "+    - tier: [1, 2]" in page.text
    assert "2,431 accounts would become 2,702" in page.text
    assert not next(iter(service.proposals.values())).written
    text = operator.get(answer.headers["location"] + "/yaml")
    assert text.text == changed
    assert operator.post(answer.headers["location"] + "/write").status_code == 403
    assert approver.post(answer.headers["location"] + "/write").status_code == 303
    assert next(iter(service.proposals.values())).written


def test_a_definition_with_a_mistake_cannot_be_written(local: Visit, service: MemoryService) -> None:
    answer = local.post("/segments/strike-dach/propose", {"yaml": "who: nobody"})
    assert "a segment needs a name" in local.get(answer.headers["location"]).text
    assert local.post(answer.headers["location"] + "/write").status_code == 422
