"""Nonsense in any form, address or query gets an answer in words, never a failure of ours."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flows.web.access import Access
from flows.web.app import create_app
from tests.flows.small_workspace import SEGMENT
from tests.flows.web.memory_service import Clock, MemoryService
from tests.flows.web.real_page import RealPage
from tests.flows.web.test_roles import LIST, ROUTES, filled
from tests.flows.web.visits import SECRET, TestClient, Visit, served

FIELDS = sorted(
    {name for route in ROUTES for name in route[3]} | {"value", "next", "note", "column-0", "token"}
)
text = st.text(max_size=40) | st.sampled_from(
    ["", "0", "-1", "1e309", "nan", "../..", "\x00", "💥", "a" * 5000]
)
forms = st.dictionaries(st.sampled_from(FIELDS) | text.filter(bool), text, max_size=6)
posts = st.sampled_from([r for r in ROUTES if r[0] == "POST" and r[1] != "/push/file"])
gets = st.sampled_from([r for r in ROUTES if r[0] == "GET"])
calm = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module", params=["in memory", "real"])
def world(request: pytest.FixtureRequest) -> tuple[Visit, dict[str, str], Any]:
    """One visitor and the ids of things that exist; an exception in the page reaches the test."""
    if request.param == "real":
        real: RealPage = request.getfixturevalue("real")
        app, names = real.local_app(), real.names
    else:
        service = MemoryService(Clock())
        app = create_app(service, access=Access(SECRET, now=service.clock))
        preview = service.push_preview(LIST, "list.csv", mapping=None, who="setup").preview_id
        proposal = service.propose_edit("strike-dach", "name: y\n", who="setup").proposal_id
        names = {"{plan}": service.newest.plan_id, "{hash}": service.newest.shown_hash, "{preview}": preview,
                 "{proposal}": proposal, "{push}": "none", "{run}": "run-2", "{done}": "done"}  # fmt: skip
    visit = Visit(TestClient(app, base_url="http://localhost", client=("127.0.0.1", 1)))
    return visit, names, visit.token("/push")


@given(route=posts, form=forms)
@calm
def test_no_form_makes_the_page_fail(world: Any, route: Any, form: dict[str, str]) -> None:
    visit, names, token = world
    answer = visit.post(filled(route[1], names), {**form, "token": token}, token=token)
    assert answer.status_code < 500


@given(route=gets, query=forms)
@calm
def test_no_query_makes_the_page_fail(world: Any, route: Any, query: dict[str, str]) -> None:
    visit, names, _ = world
    answer = visit.get(filled(route[1], names), params={"window": "x", **query})
    assert answer.status_code < 500


@given(route=st.sampled_from(ROUTES), part=text)
@calm
def test_no_id_makes_the_page_fail(world: Any, route: Any, part: str) -> None:
    from urllib.parse import quote

    visit, names, token = world
    address = filled(route[1], {key: quote(part, safe="") for key in names})
    address = address.replace("strike-dach", quote(part, safe=""))
    answer = visit.get(address) if route[0] == "GET" else visit.post(address, {"token": token}, token=token)
    assert answer.status_code < 500


@given(content=st.binary(max_size=300), name=st.text(max_size=30), kind=text)
@calm
def test_no_file_makes_the_page_fail(world: Any, content: bytes, name: str, kind: str) -> None:
    visit, _, token = world
    kind = kind if kind.isascii() and kind.isprintable() and kind else "text/csv"
    answer = visit.post("/push/file", token=token, files={"file": (name, content, kind)})
    assert answer.status_code < 500


@given(
    body=st.binary(max_size=300),
    kind=st.sampled_from(
        [
            "multipart/form-data",
            "multipart/form-data; boundary=x",
            "application/json",
            "application/x-www-form-urlencoded",
        ]
    ),
)
@calm
def test_no_raw_body_makes_the_page_fail(world: Any, body: bytes, kind: str) -> None:
    visit, names, _ = world
    answer = visit.client.post(
        f"/plans/{names['{plan}']}/approve", content=body, headers={"content-type": kind}
    )
    assert answer.status_code in (400, 403)


@pytest.mark.slow  # some hundred generated requests over real HTTP
def test_the_json_routes_keep_to_their_own_description(real: RealPage) -> None:
    with warnings.catch_warnings(), served(real.local_app()) as address:
        warnings.simplefilter("ignore")
        import schemathesis

        schema = schemathesis.openapi.from_url(f"{address}/api.json")
        asked = [_ask(operation.ok()) for operation in schema.get_all_operations()]
    assert len(asked) >= 6


def _ask(operation: Any) -> None:
    """Call one operation with generated parameters, existing segments among them; all must be as described."""

    @given(case=operation.as_strategy(), known=st.booleans())
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    def check(case: Any, known: bool) -> None:
        if known and "segment" in case.path_parameters:
            case.path_parameters["segment"] = SEGMENT
            case.query.pop("window", None)
        case.call_and_validate()

    check()
