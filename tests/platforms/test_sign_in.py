"""Tokens: kept where only the owner reads, refreshed once, never shown; consent through a loopback page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest
from pydantic import SecretStr

from platforms.errors import PlatformDown, SignInAgain
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
    store.save(Token(SecretStr("old"), hand_clock.now, SecretStr("AQW-fake"), member="urn:li:person:maya"))
    script.play(example("linkedin_token_refresh")).on("GET", "/x", OK)

    signed.get("/x")
    assert carried(script) == ["Bearer AQX-fake-2"]
    renewed = store.load()
    assert renewed is not None
    assert renewed.member == "urn:li:person:maya", "a refreshed token is the same person's"


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
        member="urn:li:person:maya",
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
