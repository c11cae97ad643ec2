"""A person consents through a loopback page, or a robot signs its own note; nobody sees a secret."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from platforms.connect import Callback, SignIn, connect, google_sign_in, linkedin_sign_in
from platforms.errors import NoPermission, SignInAgain
from platforms.google.service_account import ServiceAccountGrant
from platforms.http import make_client
from platforms.oauth import OAuth, RefreshGrant, Token, TokenMemory
from tests.platforms.scripted import HandClock, Script
from tests.platforms.wire_examples import example

TOKENS = "/oauth/v2/accessToken"


# --- the consent itself ----------------------------------------------------------------


def visit(address: str, **query: str) -> None:
    target = urlsplit(address)
    asked = parse_qs(target.query)
    back = asked["redirect_uri"][0]
    with httpx.Client(trust_env=False, timeout=60) as browser:
        assert browser.get(back, params={"code": "stolen", "state": "guess"}).status_code == 400
        page = browser.get(back, params={"state": asked["state"][0], **query})
    assert "code" not in page.text


def consent(
    sign_in: SignIn, script: Script, clock: HandClock, **answer: str
) -> tuple[Token, dict[str, list[str]]]:
    shown: list[str] = []

    def show(address: str) -> None:
        shown.append(address)
        threading.Thread(target=visit, args=(address,), kwargs=answer, daemon=True).start()

    numbers = iter(range(10))
    with make_client("http://platform.test", transport=httpx.MockTransport(script)) as client:
        token = connect(
            sign_in, client, show=show, secret=lambda: f"secret-{next(numbers)}", clock=clock, timeout=20
        )
    return token, parse_qs(urlsplit(shown[0]).query)


def test_a_person_consents_and_the_code_becomes_a_token(script: Script, hand_clock: HandClock) -> None:
    sign_in = linkedin_sign_in("app", SecretStr("fake"), oauth_url="http://platform.test/oauth/v2")
    script.play(example("linkedin_token_refresh"))

    token, asked = consent(sign_in, script, hand_clock, code="the-code")

    form = dict(parse_qsl(script.sent("POST", TOKENS)[0].content.decode()))
    assert form["grant_type"] == "authorization_code"
    assert form["code"] == "the-code"
    assert form["redirect_uri"] == asked["redirect_uri"][0]
    assert asked["scope"] == ["rw_ads r_ads_reporting rw_dmp_segments"]
    assert token.access.get_secret_value() == "AQX-fake-2"
    assert token.refresh_until == hand_clock.now + timedelta(seconds=26_438_400)


def test_google_is_asked_with_a_challenge_only_we_can_answer(script: Script, hand_clock: HandClock) -> None:
    sign_in = google_sign_in("app", SecretStr("fake"), token_url="http://platform.test/token")
    script.on("POST", "/token", httpx.Response(200, json={"access_token": "ya29", "expires_in": 3599}))

    _, asked = consent(sign_in, script, hand_clock, code="c")

    form = dict(parse_qsl(script.sent("POST", "/token")[0].content.decode()))
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert asked["code_challenge"][0] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert len(form["code_verifier"]) >= 16


@pytest.mark.parametrize(
    ("error", "kind"), [("user_cancelled_login", SignInAgain), ("unauthorized_scope_error", NoPermission)]
)
def test_a_refused_consent_says_which_way_it_was_refused(
    script: Script, hand_clock: HandClock, error: str, kind: type[Exception]
) -> None:
    sign_in = linkedin_sign_in("app", SecretStr("fake"), oauth_url="http://platform.test/oauth/v2")
    with pytest.raises(kind):
        consent(sign_in, script, hand_clock, error=error)
    assert script.requests == []


def test_a_connection_that_says_nothing_holds_nobody_up() -> None:
    with Callback(patience=0.05) as callback, ExitStack() as browser:
        host, port = urlsplit(callback.address).netloc.split(":")
        silent = browser.enter_context(socket.create_connection((host, int(port))))
        back = browser.enter_context(socket.create_connection((host, int(port))))
        back.sendall(b"GET /callback?state=s&code=c HTTP/1.0\r\n\r\n")
        assert callback.wait("s", timeout=20) == "c"
        assert silent.recv(1) == b"", "it was let go"


def test_nobody_is_waited_for_without_end() -> None:
    ticks = iter([0.0, 0.5, 99.0])
    with Callback() as callback, pytest.raises(SignInAgain, match="nobody"):
        callback.wait("s", timeout=10, monotonic=lambda: next(ticks))


# --- service account --------------------------------------------------------------------


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    content = {
        "client_email": "robot@project.example",
        "private_key": pem,
        "private_key_id": "k1",
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    path = tmp_path_factory.mktemp("keys") / "key.json"
    path.write_text(json.dumps(content))
    return path


def test_a_service_account_signs_its_own_note(key_file: Path, hand_clock: HandClock) -> None:
    from google.auth import jwt

    url = "https://oauth2.googleapis.com/token"
    form = ServiceAccountGrant.from_file(key_file, url).form(None, hand_clock.now)
    claims = jwt.decode(form["assertion"], verify=False)

    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert claims["iss"] == "robot@project.example"
    assert claims["aud"] == url
    assert claims["exp"] - claims["iat"] == 3600
    assert datetime.fromtimestamp(claims["iat"], hand_clock.now.tzinfo) == hand_clock.now


@pytest.mark.parametrize("content", ["", "{}", '{"client_email": "x", "private_key": "secret-pem"}'])
def test_a_bad_key_is_not_quoted(tmp_path: Path, content: str) -> None:
    path = tmp_path / "k.json"
    path.write_text(content)
    with pytest.raises(SignInAgain) as caught:
        ServiceAccountGrant.from_file(path, "https://x.example")
    assert "secret-pem" not in str(caught.value)
    assert caught.value.__context__ is None


def test_no_object_that_holds_a_secret_shows_it(key_file: Path, hand_clock: HandClock) -> None:
    token = Token(SecretStr("planted-secret"), refresh=SecretStr("planted-secret"))
    grant = RefreshGrant("app", SecretStr("planted-secret"))
    auth = OAuth(TokenMemory(token), grant, "http://x", clock=hand_clock, sleep=hand_clock.sleep)
    sign_in = linkedin_sign_in("app", SecretStr("planted-secret"), oauth_url="http://x")
    robot = ServiceAccountGrant.from_file(key_file, "https://x.example")

    assert not any("planted-secret" in repr(thing) for thing in (token, grant, auth, sign_in))
    assert "robot@" not in repr(robot)
