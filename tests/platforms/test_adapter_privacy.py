"""Planted secrets and people never show up in a log, an error or a repr, whatever the platform answers."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from audiences.model import AudienceSpec, MemberKind, Op, PushBatch
from platforms.connect import _code, exchange, linkedin_sign_in
from platforms.errors import PlatformError, SignInAgain
from platforms.google import Google, GoogleSettings
from platforms.http import Call, make_client
from platforms.linkedin import LinkedIn, LinkedInSettings
from platforms.linkedin.uploads import Uploads
from platforms.member_journal import Journal
from platforms.oauth import OAuth, RefreshGrant, Token, TokenMemory
from tests.platforms.against_sandbox import SCOPES, open_bench
from tests.platforms.members import batch, company, person
from tests.platforms.scripted import HandClock

TOKEN, REFRESH, SECRET = "planted-access-token", "planted-refresh-token", "planted-client-secret"
MAIL = "planted.person@firm.example"
DIGEST = hashlib.sha256(MAIL.encode()).hexdigest()
FIRM = "Planted Firm Ltd"
PLANTED = (TOKEN, REFRESH, SECRET, MAIL, DIGEST, FIRM)
ECHO = " ".join(PLANTED)

PEOPLE = batch(Op.ADD, person(("email_sha256", DIGEST)), kind=MemberKind.CONTACT, external_id="7")
FIRMS = batch(Op.ADD, company(("name", FIRM)))
SPEC = AudienceSpec("linkedin/t/company", "linkedin", "T", MemberKind.COMPANY)
JULY = (date(2026, 7, 1), date(2026, 7, 31))

LINKEDIN: dict[str, Callable[[LinkedIn], object]] = {
    "push people": lambda p: p.push(PEOPLE),
    "push firms": lambda p: p.push(FIRMS),
    "create": lambda p: p.find_or_create(SPEC),
    "campaign": lambda p: p.set_targets("1", include=["urn:li:adSegment:1"]),
    "report": lambda p: p.account_report(*JULY, grain="all"),
}
GOOGLE: dict[str, Callable[[Google], object]] = {
    "push": lambda p: p.push(PEOPLE),
    "settle": lambda p: p.settle(PEOPLE, "r"),
    "create": lambda p: p.find_or_create(SPEC),
    "numbers": lambda p: p.list_sizes(),
}


def echoing(status: int) -> Callable[[httpx.Request], httpx.Response]:
    """A platform that repeats whatever it was sent, and what it was not, in every place it can."""

    def answer(request: httpx.Request) -> httpx.Response:
        said = f"{ECHO} {request.content.decode(errors='replace')} {request.headers.get('Authorization')}"
        detail = {"code": ECHO, "description": said, "input": {"inputPath": {"fieldPath": said}}}
        violation = {"field": said, "description": said, "reason": said}
        body = {
            "status": status,
            "code": said,
            "serviceErrorCode": said,
            "message": f"ERROR :: /elements/0 :: {said}",
            "errorDetails": {"inputErrors": [detail]},
            "error": {
                "code": status,
                "message": said,
                "status": said,
                "details": [{"reason": said, "fieldViolations": [violation], "metadata": {"x": said}}],
            },
            "error_description": said,
        }
        return httpx.Response(status, json=body)

    return answer


def bare(status: int) -> Callable[[httpx.Request], httpx.Response]:
    """A platform that puts one planted value, and nothing else, where a code or the name of a field belongs."""
    turn = itertools.cycle(PLANTED)

    def answer(request: httpx.Request) -> httpx.Response:
        said = next(turn)
        detail = {"code": "FIELD_INVALID", "description": said, "input": {"inputPath": {"fieldPath": said}}}
        violation = {"field": f"audience_members[0].{said}", "reason": said}
        body = {
            "code": said,
            "serviceErrorCode": said,
            "message": f"ERROR :: /{said} :: x",
            "errorDetails": {"inputErrors": [detail, {**detail, "code": said}]},
            "error": said if "token" in request.url.path else {"status": said, "details": [violation]},
        }
        if isinstance(body["error"], dict):
            body["error"]["details"] = [{"reason": said, "fieldViolations": [violation]}]
        return httpx.Response(status, json=body)

    return answer


def broken(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    return answer


WEATHER: dict[str, Callable[[httpx.Request], httpx.Response]] = {
    **{str(status): echoing(status) for status in (400, 401, 403, 404, 409, 412, 422, 426, 429, 500, 503)},
    **{f"bare {status}": bare(status) for status in (400, 401, 403, 404, 409, 422, 429, 500)},
    "garbled": lambda _: httpx.Response(200, content=f"<html>{ECHO}".encode()),
    "no elements": lambda _: httpx.Response(200, json={"said": ECHO}),
    "timeout": broken(httpx.ReadTimeout(ECHO)),
    "refused": broken(httpx.ConnectError(ECHO)),
    "protocol": broken(httpx.RemoteProtocolError(ECHO)),
}


def caught(
    answer: Callable[[httpx.Request], httpx.Response], act: Callable[[Any], object], platform: str
) -> str:
    """Everything an operator could see of the error this call ends in."""
    clock = HandClock()
    token = Token(SecretStr(TOKEN), refresh=SecretStr(REFRESH))
    grant = RefreshGrant("app", SecretStr(SECRET))
    auth = OAuth(TokenMemory(token), grant, "http://p.test/token", clock=clock, sleep=clock.sleep)
    with make_client("http://p.test", auth, httpx.MockTransport(answer)) as client:
        adapter: Any
        if platform == "linkedin":
            adapter = LinkedIn(
                LinkedInSettings("1", base_url="http://p.test/rest"), client, clock, clock.sleep
            )
        else:
            settings = GoogleSettings("1", base_url="http://p.test/v1", ads_base_url="http://p.test")
            adapter = Google(settings, client, clock, clock.sleep)
        try:
            act(adapter)
        except PlatformError as error:
            shown = "".join(traceback.format_exception(error))
            return "".join((shown, str(error), repr(error), repr(vars(error)), repr(pickle.dumps(error))))
        return repr(adapter)


@pytest.mark.parametrize("weather", WEATHER)
@pytest.mark.parametrize("platform", ["linkedin", "google"])
def test_nothing_planted_is_ever_shown(platform: str, weather: str, caplog: pytest.LogCaptureFixture) -> None:
    calls: dict[str, Callable[[Any], object]] = dict(LINKEDIN if platform == "linkedin" else GOOGLE)
    with caplog.at_level(logging.DEBUG):
        shown = {name: caught(WEATHER[weather], act, platform) for name, act in calls.items()}

    logged = " ".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    for planted in PLANTED:
        assert planted not in logged
        for name, text in shown.items():
            assert planted not in text, name


UPLOADED = batch(Op.ADD, *(company(("name", f"{FIRM} {i}")) for i in range(300)), external_id="7")


def by_file(folder: Path) -> Callable[[LinkedIn], object]:
    def act(platform: LinkedIn) -> object:
        platform._lists = Uploads(platform._settings, platform._rest, platform._lists, folder)  # type: ignore[arg-type]
        with suppress(PlatformError):
            platform.push(UPLOADED)
        Journal(folder / "segment-7").note("b", UPLOADED.members, add=True)
        return platform.settle(UPLOADED, "b")

    return act


@pytest.mark.parametrize("weather", WEATHER)
def test_nothing_of_a_list_file_is_ever_shown(
    weather: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        shown = caught(WEATHER[weather], by_file(tmp_path), "linkedin")
    assert not any(planted in shown + caplog.text for planted in PLANTED)


@pytest.mark.parametrize("weather", WEATHER)
def test_nothing_of_a_sign_in_is_ever_shown(weather: str, caplog: pytest.LogCaptureFixture) -> None:
    wanted = linkedin_sign_in("app", SecretStr(SECRET), oauth_url="http://p.test/token")
    now = datetime(2026, 8, 20, tzinfo=UTC)
    with (
        caplog.at_level(logging.DEBUG),
        make_client("http://p.test", None, httpx.MockTransport(WEATHER[weather])) as client,
    ):
        try:
            exchange(wanted, client, TOKEN, verifier=REFRESH, redirect_uri="http://127.0.0.1/", now=now)
        except PlatformError as error:
            shown = "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(wanted)
        else:
            raise AssertionError("no weather signs anybody in")
    assert not any(planted in shown + caplog.text for planted in PLANTED)


def test_a_consent_page_that_says_secrets_back_is_not_quoted() -> None:
    for planted in (*PLANTED, DIGEST[:40]):
        with pytest.raises(SignInAgain) as refused:
            _code({"error": [planted]}, "linkedin")
        assert planted not in str(refused.value) + repr(vars(refused.value))


def test_every_logger_of_the_wire_is_silent_about_what_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    """Over real sockets: httpx and httpcore down to DEBUG, a token that is refreshed, refused rows, a 500."""
    bench = open_bench()
    try:
        with caplog.at_level(logging.DEBUG):
            bench.control.token(TOKEN, scopes=SCOPES, expires_in=0.0)
            bench.tokens.save(Token(SecretStr(TOKEN), refresh=SecretStr("sandbox-refresh-token")))
            for kind in ("500", "rows_refused", "409", "throttle_minute"):
                bench.control.call("POST", "/faults", {"kind": kind, "match": "/rest/|/v1/", "times": 1})
            state = None
            for platform in (bench.linkedin, bench.google):
                spec = AudienceSpec(f"{platform}/x", "x", FIRM, MemberKind.CONTACT)
                for _ in range(4):
                    with suppress(PlatformError):
                        state = platform.find_or_create(spec)
                assert state is not None
                people = PushBatch(
                    "b", spec.audience_id, state.external_id, Op.ADD, MemberKind.CONTACT, PEOPLE.members
                )
                with suppress(PlatformError):
                    platform.push(people)
        minted = bench.tokens.load()
        assert minted is not None
        assert minted.access.get_secret_value() != TOKEN, "the token was refreshed on the way"
        names = {record.name.split(".")[0] for record in caplog.records}
        assert {"httpx", "httpcore"} <= names
        logged = " ".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
        for planted in (*PLANTED, minted.access.get_secret_value(), "sandbox-refresh-token"):
            assert planted not in logged
    finally:
        bench.close()


def test_a_request_is_shown_without_its_body_and_headers() -> None:
    call = Call("POST", f"http://p.test/?x={TOKEN}", {"Authorization": TOKEN}, json.dumps(ECHO).encode())

    assert not any(planted in repr(call) for planted in PLANTED)
