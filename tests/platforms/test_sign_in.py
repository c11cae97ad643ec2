"""Tokens: kept where only the owner reads, refreshed once, never shown; consent through a loopback page."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr

from platforms.connect import Callback, SignIn, connect, google_sign_in, linkedin_sign_in
from platforms.errors import NoPermission, PlatformDown, SignInAgain
from platforms.google.service_account import ServiceAccountGrant
from platforms.http import make_client
from platforms.oauth import OAuth, RefreshGrant, Token, TokenFile, TokenMemory, consent_warning
from tests.platforms.scripted import HandClock, Script
from tests.platforms.wire_examples import example

TOKENS = "/oauth/v2/accessToken"
EXPIRED = example("linkedin_token_expired")
REVOKED = httpx.Response(401, json={"status": 401, "code": "REVOKED_ACCESS_TOKEN"})
OK = httpx.Response(200, json={})


def secret_of(token: Token) -> str:
    return token.access.get_secret_value()


@pytest.fixture
def store(hand_clock: HandClock) -> TokenMemory:
    ends = hand_clock.now + timedelta(days=306)
    return TokenMemory(Token(SecretStr("AQX-fake-1"), refresh=SecretStr("AQW-fake"), refresh_until=ends))


@pytest.fixture
def signed(script: Script, store: TokenMemory, hand_clock: HandClock) -> Iterator[httpx.Client]:
    grant = RefreshGrant("app", SecretStr("fake"))
    auth = OAuth(
        store,
        grant,
        f"http://platform.test{TOKENS}",
        clock=hand_clock,
        sleep=hand_clock.sleep,
        platform="linkedin",
    )
    with make_client("http://platform.test", auth, httpx.MockTransport(script)) as client:
        yield client


def carried(script: Script, path: str = "/x") -> list[str]:
    return [request.headers["Authorization"] for request in script.sent("GET", path)]


def test_an_expired_token_is_refreshed_once_and_the_request_sent_again(
    signed: httpx.Client, script: Script, store: TokenMemory
) -> None:
    refresh = example("linkedin_token_refresh")
    script.play(refresh).on("GET", "/x", EXPIRED, OK)

    assert signed.get("/x").status_code == 200

    assert dict(parse_qsl(script.sent("POST", TOKENS)[0].content.decode())) == refresh.data["request"]["form"]
    assert carried(script) == ["Bearer AQX-fake-1", "Bearer AQX-fake-2"]
    kept = store.load()
    assert kept is not None
    assert kept.refresh == SecretStr("AQW-fake-2")
    assert kept.scopes == ("r_ads_reporting", "rw_ads", "rw_dmp_segments")


def test_a_token_that_stays_refused_is_not_refreshed_for_ever(signed: httpx.Client, script: Script) -> None:
    script.play(example("linkedin_token_refresh")).on("GET", "/x", EXPIRED)

    assert signed.get("/x").status_code == 401
    assert len(script.sent("POST", TOKENS)) == 1


def test_a_token_about_to_end_is_refreshed_before_it_is_used(
    signed: httpx.Client, script: Script, store: TokenMemory, hand_clock: HandClock
) -> None:
    store.save(Token(SecretStr("old"), expires_at=hand_clock.now, refresh=SecretStr("AQW-fake")))
    script.play(example("linkedin_token_refresh")).on("GET", "/x", OK)

    signed.get("/x")
    assert carried(script) == ["Bearer AQX-fake-2"]


def test_the_end_of_consent_never_moves_later(
    signed: httpx.Client, script: Script, store: TokenMemory
) -> None:
    before = store.load()
    answer = {**example("linkedin_token_refresh").answer, "refresh_token_expires_in": 31_536_000}
    script.on("POST", TOKENS, httpx.Response(200, json=answer)).on("GET", "/x", EXPIRED, OK)
    signed.get("/x")

    after = store.load()
    assert before is not None
    assert after is not None
    assert after.refresh_until == before.refresh_until


def test_a_refused_refresh_asks_for_a_person(signed: httpx.Client, script: Script) -> None:
    refused = httpx.Response(400, json={"error": "invalid_grant", "error_description": "fake AQW-fake"})
    script.on("POST", TOKENS, refused).on("GET", "/x", EXPIRED)

    with pytest.raises(SignInAgain) as caught:
        signed.get("/x")
    assert caught.value.code == "invalid_grant"
    assert "AQW-fake" not in str(caught.value)


def test_a_sign_in_service_that_is_down_is_not_a_lost_consent(signed: httpx.Client, script: Script) -> None:
    script.on("POST", TOKENS, httpx.Response(503)).on("GET", "/x", EXPIRED)

    with pytest.raises(PlatformDown):
        signed.get("/x")


def test_a_token_minted_seconds_ago_and_called_revoked_is_tried_again(
    signed: httpx.Client, script: Script, store: TokenMemory, hand_clock: HandClock
) -> None:
    store.save(Token(SecretStr("new"), minted_at=hand_clock.now))
    script.on("GET", "/x", REVOKED, OK)

    assert signed.get("/x").status_code == 200
    assert hand_clock.slept == [5.0]


def test_an_old_token_that_was_revoked_is_not_refreshed(signed: httpx.Client, script: Script) -> None:
    script.on("GET", "/x", REVOKED)

    assert signed.get("/x").status_code == 401
    assert len(script.requests) == 1


def test_many_threads_refresh_once(signed: httpx.Client, script: Script) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        fresh = request.headers["Authorization"] == "Bearer AQX-fake-2"
        return httpx.Response(200 if fresh else 401, json={} if fresh else EXPIRED.answer)

    script.play(example("linkedin_token_refresh")).on("GET", "/x", answer)
    codes: list[int] = []
    threads = [threading.Thread(target=lambda: codes.append(signed.get("/x").status_code)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert codes == [200] * 8
    assert len(script.sent("POST", TOKENS)) == 1


def test_a_token_file_is_readable_by_its_owner_only_and_comes_back_whole(
    tmp_path: Path, hand_clock: HandClock
) -> None:
    store = TokenFile(tmp_path / "tokens" / "linkedin.json")
    assert store.load() is None
    token = Token(
        SecretStr("a"),
        expires_at=hand_clock.now,
        refresh=SecretStr("r"),
        refresh_until=hand_clock.now + timedelta(days=365),
        minted_at=hand_clock.now,
        scopes=("rw_ads",),
    )
    store.save(token)
    store.save(token)

    path = tmp_path / "tokens" / "linkedin.json"
    assert store.load() == token
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["linkedin.json"]


@pytest.mark.parametrize("content", ["{", "[]", '{"access": null}', '{"expires_at": "secret-token"}'])
def test_a_damaged_token_file_is_not_quoted(tmp_path: Path, content: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(SignInAgain) as caught:
        TokenFile(path).load()
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_token_file_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text('{"access": "a"}')
    path.chmod(0o644)
    with pytest.raises(SignInAgain, match="chmod"):
        TokenFile(path).load()


@pytest.mark.parametrize(("left", "said"), [(31, False), (30, True), (1, True), (-1, True)])
def test_the_end_of_consent_is_announced_thirty_days_before(
    hand_clock: HandClock, left: int, said: bool
) -> None:
    token = Token(SecretStr("a"), refresh_until=hand_clock.now + timedelta(days=left))
    warning = consent_warning(token, hand_clock.now)
    assert (warning is not None) is said
    assert consent_warning(Token(SecretStr("a")), hand_clock.now) is None
    if left < 0:
        assert warning is not None
        assert "ended" in warning


# --- the consent itself ----------------------------------------------------------------


def visit(address: str, **query: str) -> None:
    target = urlsplit(address)
    asked = parse_qs(target.query)
    back = asked["redirect_uri"][0]
    with httpx.Client(trust_env=False) as browser:
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
    assert secret_of(token) == "AQX-fake-2"
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
