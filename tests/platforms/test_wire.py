"""The short retry layer: what is sent again, how often, and what an error may carry."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from platforms import PLATFORMS, errors
from platforms.errors import Garbled, PlatformDown, PlatformError, Refused, Throttled
from platforms.google.answers import classify as classify_google
from platforms.http import Call, Retry, Wire, json_object, make_client
from platforms.linkedin.answers import classify as classify_linkedin
from platforms.pacing import Pacer
from tests.platforms.scripted import HandClock, Script
from tests.platforms.wire_examples import every_example, example

NOW = datetime(2026, 8, 20, 12, 0, 30, tzinfo=UTC)
EVERY_ERROR = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, PlatformError)
]


@pytest.fixture
def wire(script: Script, hand_clock: HandClock) -> Wire:
    client = make_client("http://platform.test", transport=httpx.MockTransport(script))
    pacer = Pacer("me", clock=hand_clock, sleep=hand_clock.sleep)
    return Wire("linkedin", client, lambda r: classify_linkedin(r, NOW), pacer=pacer, retry=Retry(attempts=4))


def call(*, repeatable: bool = True, method: str = "POST") -> Call:
    return Call(method, "http://platform.test/x", {}, b"secret-body", repeatable=repeatable)


OK, BUSY = httpx.Response(200, json={}), httpx.Response(503, json={"status": 503})


@pytest.mark.parametrize(
    ("repeatable", "first", "sent"),
    [
        (True, BUSY, 2),
        (True, httpx.ReadTimeout("x"), 2),
        (True, httpx.ConnectError("x"), 2),
        (True, httpx.RemoteProtocolError("x"), 2),
        (False, httpx.ConnectError("x"), 2),  # it never left
        (False, httpx.PoolTimeout("x"), 2),
        (False, BUSY, 1),  # it may have been carried out
        (False, httpx.ReadTimeout("x"), 1),
    ],
)
def test_a_request_is_sent_again_only_when_that_can_do_no_harm(
    wire: Wire, script: Script, repeatable: bool, first: httpx.Response | Exception, sent: int
) -> None:
    script.on("POST", "/x", first, OK)
    with suppress(PlatformDown):
        wire.send(call(repeatable=repeatable))
    assert len(script.requests) == sent


def test_attempts_are_bounded(wire: Wire, script: Script) -> None:
    script.on("POST", "/x", BUSY)

    with pytest.raises(PlatformDown):
        wire.send(call())
    assert len(script.requests) == 4


def test_a_short_retry_after_is_obeyed_and_a_long_one_is_handed_up(wire: Wire, script: Script) -> None:
    script.on("POST", "/x", httpx.Response(429, headers={"Retry-After": "7"}, json={}), OK)
    assert wire.send(call(repeatable=False)).status_code == 200  # refused before any work was done

    script.on("POST", "/x", httpx.Response(429, headers={"Retry-After": "3600"}, json={}), OK)
    with pytest.raises(Throttled) as caught:
        wire.send(call())
    assert caught.value.wait == 3600.0


def test_an_answer_that_is_no_json_is_asked_for_again(wire: Wire, script: Script) -> None:
    script.on("POST", "/x", httpx.Response(200, content=b"<html>"), httpx.Response(200, content=b'{"a": 1}'))
    assert wire.json(call()) == {"a": 1}

    script.on("POST", "/x", httpx.Response(200, content=b"[1]"))
    with pytest.raises(Garbled):
        wire.json(call())


def test_the_refused_request_is_not_sent_again(wire: Wire, script: Script) -> None:
    script.on("POST", "/x", example("linkedin_schema_error"))

    with pytest.raises(Refused) as caught:
        wire.send(call())
    assert len(script.requests) == 1
    assert "/type" in str(caught.value)
    assert "PEOPLE" not in str(caught.value)  # the platform's message repeats what was sent


def test_a_token_is_never_carried_to_another_host(wire: Wire, script: Script) -> None:
    script.on("POST", "/x", httpx.Response(302, headers={"Location": "http://elsewhere.test/"}))

    with pytest.raises(Garbled):
        wire.send(call(repeatable=False))
    assert len(script.requests) == 1


def test_httpx_logs_addresses_without_their_queries(
    wire: Wire, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script.on("GET", "/ambry/", OK)
    with caplog.at_level(logging.INFO, logger="httpx"):
        wire.send(Call("GET", "http://platform.test/ambry/?x-li-ambry-ep=secret-ticket", {}))

    assert "platform.test/ambry" in caplog.text
    assert "secret-ticket" not in caplog.text


def test_a_call_that_is_sent_again_says_why_and_when(
    wire: Wire, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script.on("POST", "/x", httpx.Response(503, json={"code": "UNDER_MAINTENANCE"}), OK)
    wire.send(call())

    assert [record.getMessage() for record in caplog.records if record.name == "stamina"] == [
        "LinkedIn could not answer; asked again in 0.0 s"
    ]


def test_errors_hold_no_request_and_survive_pickling(wire: Wire, script: Script) -> None:
    script.on("POST", "/x", httpx.ReadTimeout("lost"))

    with pytest.raises(PlatformDown) as caught:
        wire.send(call(repeatable=False))

    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.sent, copy.platform, str(copy)) == (True, "linkedin", str(caught.value))


@pytest.mark.parametrize("kind", EVERY_ERROR)
def test_every_error_says_what_to_do_and_unpickles(kind: type[PlatformError]) -> None:
    error = kind("it happened", platform="linkedin", request_id="r-1", code="C", status=400)

    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert vars(copy) == vars(error)
    assert kind.remedy in str(copy)
    assert kind.remedy.endswith((".", "connect."))


def test_every_published_error_answer_becomes_an_error_that_quotes_nothing() -> None:
    for one in every_example():
        response = one.response()
        if response.status_code < 400:
            continue
        classify = classify_google if one.name.startswith("google") else classify_linkedin
        error = classify(response, NOW)
        message = one.answer.get("message") or one.answer["error"]["message"]
        assert type(error) is not PlatformError, one.name
        assert message not in str(error), one.name


def test_wire_examples_say_where_and_when_they_were_seen() -> None:
    for one in every_example():
        assert one.data["source"].startswith("https://"), one.name
        assert datetime.strptime(one.data["date"], "%Y-%m"), one.name
        assert one.data["evidence"], one.name


@given(status=st.integers(300, 599), body=st.binary(max_size=60))
def test_any_error_answer_is_sorted_whatever_its_body(status: int, body: bytes) -> None:
    for classify in (classify_linkedin, classify_google):
        error = classify(httpx.Response(status, content=body), NOW)
        assert isinstance(error, PlatformError)
        if len(body) > 3:
            assert body.decode("latin-1") not in str(error)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["error", "code", "message", "details", "errorDetails", "inputErrors", "status"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_error_body_is_sorted_without_breaking(value: object) -> None:
    for classify in (classify_linkedin, classify_google):
        assert isinstance(classify(httpx.Response(400, json=value), NOW), PlatformError)


@given(st.binary(max_size=40))
def test_only_json_objects_pass_as_answers(body: bytes) -> None:
    try:
        assert isinstance(json_object(httpx.Response(200, content=body)), dict)
    except Garbled as error:
        assert body.decode("latin-1") not in str(error) or len(body) < 3  # noqa: PT017


def test_the_registry_knows_every_platform_without_importing_one() -> None:
    code = "import sys, platforms; print([m for m in sys.modules if m.startswith(('platforms.', 'httpx'))])"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert seen.strip() == "[]"
    for name, entry in PLATFORMS.items():
        assert entry.capabilities().platform == name
        assert entry.adapter_type().__name__ == entry.adapter
        assert entry.settings_type().__name__ == entry.settings
