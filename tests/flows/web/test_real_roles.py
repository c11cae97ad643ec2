"""Every route of the page on a real workspace, asked by everybody: taken from the route table, none forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.routing import APIRoute

from flows.web.access import Access
from flows.web.app import create_app
from tests.flows.web.memory_service import Clock, MemoryService
from tests.flows.web.real_page import RealPage
from tests.flows.web.test_roles import OPEN, RANKS, ROUTES, ask
from tests.flows.web.visits import ELSEWHERE, SECRET, TestClient, Visit, routes_of

TABLE = [
    (method, route)
    for route in routes_of(create_app(MemoryService(Clock()), access=Access(SECRET)))
    for method in sorted(route.methods)
    if (method, route.path) not in OPEN
]
NAMES = {"{plan}": "p", "{proposal}": "p", "{preview}": "p", "{push}": "p", "{run}": "p", "{done}": "p"}
EVERY = pytest.mark.parametrize(
    ("method", "route"), TABLE, ids=[f"{method} {route.path}" for method, route in TABLE]
)
WRITES = [one for one in TABLE if one[0] != "GET"]
FORGED = pytest.mark.parametrize(
    ("method", "route"), WRITES, ids=[f"{method} {route.path}" for method, route in WRITES]
)


def example(method: str, route: APIRoute) -> tuple[str, str, str, dict[str, str]]:
    """A request of this route and the least role that may make it; fails for a route nobody described."""
    for known in ROUTES:
        address = known[1]
        for key, text in NAMES.items():
            address = address.replace(key, text)
        if known[0] == method and route.path_regex.match(address) and _closest(method, address) is route:
            return known
    raise AssertionError(f"{method} {route.path} has no example in test_roles.ROUTES")


def _closest(method: str, address: str) -> APIRoute:
    """The route that answers an address: the first in the table."""
    return next(route for m, route in TABLE if m == method and route.path_regex.match(address))


def stranger(app: Any) -> Visit:
    return Visit(TestClient(app, base_url="https://reach.example", client=ELSEWHERE))


@EVERY
def test_nobody_gets_nothing(real: RealPage, real_app: Any, method: str, route: APIRoute) -> None:
    before = real.standing()
    answer = ask(stranger(real_app), example(method, route), real.names)
    assert answer.status_code in ((303, 401) if method == "GET" else (401, 403))
    if answer.status_code == 303:
        assert answer.headers["location"].startswith("/sign-in?")
    assert real.standing() == before


@pytest.mark.parametrize("rank", RANKS[1:])
@EVERY
def test_a_role_gets_what_it_may_and_is_refused_the_rest(
    real: RealPage, real_app: Any, method: str, route: APIRoute, rank: str
) -> None:
    wanted = example(method, route)
    allowed = RANKS.index(rank) >= RANKS.index(wanted[2])
    if method != "GET" and allowed and rank != wanted[2]:
        return  # once is enough: doing it again would meet what the lower role has done
    before = real.standing()
    status = ask(real.signed_in(real_app, rank), wanted, real.names).status_code
    if allowed:
        assert status in ((200,) if method == "GET" else (303, 409, 422)), status
    else:
        assert status == 403
        assert real.standing() == before


@FORGED
@pytest.mark.parametrize("how", ["no token", "another's token", "another site", "another origin"])
def test_a_forged_request_does_nothing(
    real: RealPage, real_app: Any, method: str, route: APIRoute, how: str
) -> None:
    visit, other = real.signed_in(real_app, "approver"), real.signed_in(real_app, "operator")
    headers = {
        "another site": {"sec-fetch-site": "cross-site"},
        "another origin": {"origin": "https://evil.example"},
    }
    token = {"no token": "", "another's token": other.token()}.get(how)
    before = real.standing()
    answer = ask(visit, example(method, route), real.names, token=token, headers=headers.get(how, {}))
    assert answer.status_code == 403
    assert real.standing() == before
