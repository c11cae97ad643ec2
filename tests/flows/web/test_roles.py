"""Every route, asked by nobody, a viewer, an operator, an approver and a forger."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from flows.web.views import PushOrder
from tests.flows.web.memory_service import START, MemoryService
from tests.flows.web.visits import Visit, routes_of

LIST = b"Company,Email\n" + b"".join(b"C%d,p%d@c%d.example\n" % (i, i, i) for i in range(40))
ENDS = (START.date() + timedelta(days=30)).isoformat()
ORDER = {"list_name": "Event", "owner": "Maya", "ends_on": ENDS, "platform": "linkedin"}

S = "/segments/strike-dach"
# (method, address, least role, form); {plan} {preview} {push} {proposal} are filled in
ROUTES: list[tuple[str, str, str, dict[str, str]]] = [
    ("GET", "/", "viewer", {}),
    ("GET", "/segments", "viewer", {}),
    ("GET", S, "viewer", {}),
    ("GET", f"{S}/report", "viewer", {}),
    ("GET", f"{S}/report/file", "viewer", {}),
    ("GET", f"{S}/report/rows.json", "viewer", {}),
    ("GET", f"{S}/report/figures.json", "viewer", {}),
    ("GET", f"{S}/report/accounts.json", "viewer", {}),
    ("GET", f"{S}/report/weeks.csv", "viewer", {}),
    ("GET", f"{S}/plan", "viewer", {}),
    ("GET", f"{S}/accounts", "viewer", {}),
    ("GET", f"{S}/rules.csv", "viewer", {}),
    ("GET", f"{S}/rules.json", "viewer", {}),
    ("GET", "/pushes.csv", "viewer", {}),
    ("GET", "/pushes.json", "viewer", {}),
    ("GET", f"{S}/accounts.csv", "viewer", {}),
    ("GET", f"{S}/accounts.json", "viewer", {}),
    ("GET", "/segments.csv", "viewer", {}),
    ("GET", "/segments.json", "viewer", {}),
    ("GET", "/plans/{plan}/moves.json", "viewer", {}),
    ("GET", "/plans/{plan}", "viewer", {}),
    ("GET", "/plans/{plan}/moves.csv", "viewer", {}),
    ("GET", "/proposals/{proposal}", "viewer", {}),
    ("GET", "/proposals/{proposal}/yaml", "viewer", {}),
    ("GET", "/push", "viewer", {}),
    ("GET", "/push/{preview}", "operator", {}),
    ("GET", "/push/{preview}/rejects.csv", "operator", {}),
    ("GET", "/pushes/{push}", "viewer", {}),
    ("GET", "/pushes/{push}/progress.json", "viewer", {}),
    ("GET", "/runs", "viewer", {}),
    ("GET", "/runs.json", "viewer", {}),
    ("GET", "/runs.csv", "viewer", {}),
    ("GET", "/audit", "viewer", {}),
    ("GET", "/audit.json", "viewer", {}),
    ("GET", "/audit.csv", "viewer", {}),
    ("POST", "/plans/{plan}/override", "operator", {"kind": "pin", "account_id": "company-00004.example"}),
    ("POST", "/plans/{plan}/approve", "approver", {"shown_hash": "{hash}"}),
    ("POST", "/plans/{plan}/refuse", "approver", {"shown_hash": "{hash}", "reason": "no"}),
    ("POST", "/plans/{plan}/shadow", "approver", {"shown_hash": "{hash}"}),
    ("POST", "/plans/{done}/undo", "approver", {}),
    ("POST", f"{S}/propose", "operator", {"yaml": "name: x"}),
    ("POST", "/proposals/{proposal}/write", "approver", {}),
    ("POST", "/push/file", "operator", {}),
    ("POST", "/push/{preview}/mapping", "operator", {"column-0": "company_name", "column-1": "email"}),
    ("POST", "/push/{preview}/confirm", "operator", ORDER),
    ("POST", "/pushes/{push}/cancel", "operator", {}),
    ("POST", "/pushes/{push}/undo", "operator", {}),
    ("POST", "/runs/{run}/undo", "operator", {}),
]
OPEN = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("GET", "/health"),
    ("GET", "/static/{mark}/{name}"),
}
RANKS = ["nobody", "viewer", "operator", "approver"]
POSTS = [route for route in ROUTES if route[0] == "POST"]


def named(routes: list[tuple[str, str, str, dict[str, str]]]) -> Any:
    return pytest.mark.parametrize("route", routes, ids=[f"{r[0]} {r[1]}" for r in routes])


@pytest.fixture
def names(service: MemoryService, clock: Any) -> dict[str, str]:
    """Ids of a plan, a proposal, a preview, a push and a run to try things on."""
    preview = service.push_preview(LIST, "list.csv", mapping=None, who="setup").preview_id
    order = service.push_shown(preview)
    assert order.usable == 40
    push = service.push_confirm(preview, PushOrder("Setup", "Maya", "", None, ("linkedin",)), who="setup")
    return {
        "{plan}": service.newest.plan_id,
        "{hash}": service.newest.shown_hash,
        "{proposal}": service.propose_edit("strike-dach", "name: y\n", who="setup").proposal_id,
        "{preview}": preview,
        "{push}": push,
        "{run}": "run-2",
        "{done}": "done",
    }


def filled(text: str, names: dict[str, str]) -> str:
    for key, value in names.items():
        text = text.replace(key, value)
    return text


def ask(visit: Visit, route: tuple[str, str, str, dict[str, str]], names: dict[str, str], **more: Any) -> Any:
    method, address, _, form = route
    if method == "GET":
        return visit.get(filled(address, names))
    if address == "/push/file":
        more["files"] = {"file": ("list.csv", LIST, "text/csv")}
    return visit.post(filled(address, names), {k: filled(v, names) for k, v in form.items()}, **more)


def test_the_table_names_every_route_of_the_page(public_app: Any, names: dict[str, str]) -> None:
    listed = [(r[0], filled(r[1], {**names, "%20": " "})) for r in ROUTES]
    routes = routes_of(public_app)
    assert len(routes) > len(ROUTES)
    for route in routes:
        for method in route.methods:
            if (method, route.path) in OPEN:
                continue
            hits = [path for m, path in listed if m == method and route.path_regex.match(path)]
            assert hits, f"{method} {route.path} has no role test"


@pytest.mark.parametrize("rank", RANKS)
@named(ROUTES)
def test_each_role_may_do_what_it_should_and_no_more(
    route: Any, rank: str, stranger: Callable[[], Visit], signed_in: Callable[[str], Visit],
    names: dict[str, str], service: MemoryService, clock: Any,
) -> None:  # fmt: skip
    visit = stranger() if rank == "nobody" else signed_in(rank)
    if route[1].endswith("/undo"):
        clock.turn(seconds=130)
    before = len(service.log)
    status = ask(visit, route, names).status_code
    if rank == "nobody":
        redirected = route[0] == "GET" and not route[1].endswith((".json", ".csv"))
        assert status == (303 if redirected else 401)
    elif RANKS.index(rank) < RANKS.index(route[2]):
        assert status == 403
    else:
        assert status == (200 if route[0] == "GET" else 303)
        return
    assert len(service.log) == before


@named(POSTS)
def test_a_form_without_its_token_does_nothing(
    route: Any, signed_in: Callable[[str], Visit], names: dict[str, str], service: MemoryService
) -> None:
    visit, before = signed_in("approver"), len(service.log)
    assert ask(visit, route, names, token="").status_code == 403
    assert len(service.log) == before


@named(POSTS)
def test_the_token_of_another_visitor_does_nothing(
    route: Any, signed_in: Callable[[str], Visit], names: dict[str, str], service: MemoryService
) -> None:
    visit, other, before = signed_in("approver"), signed_in("operator"), len(service.log)
    assert ask(visit, route, names, token=other.token("/push")).status_code == 403
    assert len(service.log) == before


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"}]
)
@named(POSTS)
def test_what_another_site_makes_a_browser_send_does_nothing(
    route: Any, headers: dict[str, str], local: Visit, names: dict[str, str], service: MemoryService
) -> None:
    before = len(service.log)
    assert ask(local, route, names, headers=headers).status_code == 403
    assert len(service.log) == before


@named(POSTS)
def test_on_loopback_a_form_still_needs_its_token(
    route: Any, local: Visit, names: dict[str, str], service: MemoryService
) -> None:
    before = len(service.log)
    assert ask(local, route, names, token="made up").status_code == 403
    assert len(service.log) == before
