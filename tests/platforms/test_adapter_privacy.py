"""Planted secrets and people never show up in a log, an error or a repr, whatever the platform answers."""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from audiences.model import AudienceSpec, MemberKind, Op
from platforms.errors import PlatformError
from platforms.google import Google, GoogleSettings
from platforms.http import Call, make_client
from platforms.linkedin import LinkedIn, LinkedInSettings
from platforms.oauth import OAuth, RefreshGrant, Token, TokenMemory
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


def broken(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    return answer


WEATHER: dict[str, Callable[[httpx.Request], httpx.Response]] = {
    **{str(status): echoing(status) for status in (400, 401, 403, 404, 409, 412, 422, 426, 429, 500, 503)},
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


def test_a_request_is_shown_without_its_body_and_headers() -> None:
    call = Call("POST", f"http://p.test/?x={TOKEN}", {"Authorization": TOKEN}, json.dumps(ECHO).encode())

    assert not any(planted in repr(call) for planted in PLANTED)
