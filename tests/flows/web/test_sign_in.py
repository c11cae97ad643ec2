"""Signing in from elsewhere: cookies, limits, ways back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from flows.web.access import Access, Role, User
from flows.web.app import create_app
from tests.flows.web.memory_service import Clock, MemoryService
from tests.flows.web.visits import PASSWORD, SECRET, TestClient, Visit


def test_a_stranger_is_sent_to_the_sign_in_and_back(stranger: Callable[[], Visit]) -> None:
    visit = stranger()
    answer = visit.get("/segments/strike-dach/report?window=latest")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=%2Fsegments%2Fstrike-dach%2Freport%3Fwindow")
    onward = "/segments/strike-dach/report?window=latest"
    answer = visit.post("/sign-in", {"name": "viewer", "password": PASSWORD, "next": onward})
    assert (answer.status_code, answer.headers["location"]) == (303, onward)


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/\tx", ""]
)
def test_signing_in_never_leads_to_another_site(elsewhere: str, stranger: Callable[[], Visit]) -> None:
    answer = stranger().post("/sign-in", {"name": "viewer", "password": PASSWORD, "next": elsewhere})
    assert answer.headers["location"] == "/"


def test_the_cookie_is_for_this_site_over_https_and_not_for_scripts(
    stranger: Callable[[], Visit],
) -> None:
    answer = stranger().post("/sign-in", {"name": "viewer", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-evenreach_session=")
    for mark in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert mark in cookie
    assert "Domain" not in cookie


def test_signing_in_changes_the_session_so_a_planted_one_is_worthless(stranger: Callable[[], Visit]) -> None:
    visit = stranger()
    planted = visit.token()
    visit.post("/sign-in", {"name": "operator", "password": PASSWORD})
    assert visit.post("/runs/run-2/undo", token=planted).status_code == 403


def test_unknown_names_and_wrong_passwords_get_the_same_answer(stranger: Callable[[], Visit]) -> None:
    wrong = stranger().post("/sign-in", {"name": "viewer", "password": "no"})
    unknown = stranger().post("/sign-in", {"name": "nobody", "password": "no"})
    assert wrong.status_code == unknown.status_code == 401
    assert "Name and password do not fit." in wrong.text
    assert "nobody" not in unknown.text


def test_guessing_is_slowed_down_even_with_the_right_password(
    stranger: Callable[[], Visit], clock: Clock
) -> None:
    visit = stranger()
    for _ in range(5):
        assert visit.post("/sign-in", {"name": "viewer", "password": "no"}).status_code == 401
    answer = visit.post("/sign-in", {"name": "viewer", "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    clock.turn(minutes=16)
    assert visit.post("/sign-in", {"name": "viewer", "password": PASSWORD}).status_code == 303


def test_several_processes_count_the_same_failures_and_nothing_typed_is_kept(
    service: MemoryService, clock: Clock, users: dict[str, User]
) -> None:
    access = Access(SECRET, public=True, users=users, now=clock)
    apps = [create_app(service, access=access) for _ in range(2)]
    visits = [
        Visit(TestClient(app, base_url="http://page.example", client=("203.0.113.9", 1))) for app in apps
    ]
    for turn in range(5):
        assert visits[turn % 2].post("/sign-in", {"name": "hunter2", "password": "no"}).status_code == 401
    assert [v.post("/sign-in", {"name": "hunter2", "password": "no"}).status_code for v in visits] == [
        429,
        429,
    ]
    assert not any("hunter2" in key for key in service.failed)
    assert not any("hunter2" in str(line) for line in service.log)


def test_sign_ins_failures_and_the_lock_stand_in_the_audit_log(
    stranger: Callable[[], Visit], service: MemoryService, clock: Clock
) -> None:
    visit = stranger()
    for _ in range(5):
        visit.post("/sign-in", {"name": "viewer", "password": "no"})
    clock.turn(minutes=16)
    visit.post("/sign-in", {"name": "viewer", "password": PASSWORD})
    visit.post("/sign-out")
    said = [(line.action, line.who) for line in service.log]
    assert said == [
        *[("sign_in_failed", "viewer")] * 4,
        ("sign_in_locked", "viewer"),
        ("sign_in", "viewer"),
        ("sign_out", "viewer"),
    ]
    assert "203.0.113.7" in service.log[0].detail


def test_signing_out_ends_it(stranger: Callable[[], Visit]) -> None:
    visit = stranger()
    visit.post("/sign-in", {"name": "viewer", "password": PASSWORD})
    assert visit.get("/").status_code == 200
    assert visit.post("/sign-out").status_code == 303
    assert visit.get("/").status_code == 303


def test_a_session_ends_with_the_day(signed_in: Callable[[str], Visit], clock: Clock) -> None:
    visit = signed_in("viewer")
    clock.turn(hours=12, seconds=1)
    assert visit.get("/").status_code == 303


def test_a_new_password_ends_the_sessions_of_the_old_one(
    service: MemoryService, clock: Clock, users: dict[str, User]
) -> None:
    held = dict(users)
    app = create_app(service, access=Access(SECRET, public=True, users=held, now=clock))
    visit = Visit(TestClient(app, base_url="http://page.example", client=("203.0.113.9", 1)))
    visit.post("/sign-in", {"name": "viewer", "password": PASSWORD})
    held["viewer"] = User("viewer", Role.VIEWER, users["viewer"].password_hash + "x")
    assert visit.get("/").status_code == 303


def test_who_is_taken_off_the_list_is_out_at_once(
    service: MemoryService, clock: Clock, users: dict[str, User]
) -> None:
    held = dict(users)
    app = create_app(service, access=Access(SECRET, public=True, users=held, now=clock))
    visit = Visit(TestClient(app, base_url="http://page.example", client=("203.0.113.9", 1)))
    visit.post("/sign-in", {"name": "viewer", "password": PASSWORD})
    assert visit.get("/").status_code == 200
    del held["viewer"]
    assert visit.get("/").status_code == 303


def test_behind_a_trusted_proxy_the_header_signs_in(service: MemoryService, clock: Clock) -> None:
    access = Access(
        SECRET, public=True, users={"maya": User("maya", Role.APPROVER)}, proxy_header="X-User",
        trusted_proxies=("203.0.113.0/24",), now=clock,
    )  # fmt: skip
    app = create_app(service, access=access)
    named = {"X-User": "maya"}
    inside = TestClient(app, base_url="http://page.example", client=("203.0.113.9", 1), headers=named)
    plan = service.newest
    answer = Visit(inside).post(f"/plans/{plan.plan_id}/approve", {"shown_hash": plan.shown_hash})
    assert answer.status_code == 303
    assert service.log[-1].who == "maya"
    outside = TestClient(app, base_url="http://page.example", client=("198.51.100.1", 1), headers=named)
    assert Visit(outside).get("/").status_code == 303


def test_a_page_on_loopback_does_not_answer_to_a_foreign_name(service: MemoryService, clock: Clock) -> None:
    app = create_app(service, access=Access(SECRET, now=clock))
    client: Any = TestClient(app, base_url="http://rebound.example", client=("127.0.0.1", 1))
    assert client.get("/").status_code == 421
