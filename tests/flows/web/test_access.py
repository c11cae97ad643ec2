"""Who is let in: loopback, accounts, proxies."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.web.access import Access, Role, User, hash_password
from flows.web.limits import SignInLimit
from flows.web.sessions import Session, form_token, new_session, seal, token_fits, unseal
from tests.flows.web.memory_service import Clock, MemoryService

SECRET = b"0123456789abcdef0123456789abcdef"
OTHER = b"fedcba9876543210fedcba9876543210"


@pytest.mark.parametrize(
    ("client", "host", "headers", "opened"),
    [
        ("127.0.0.1", "localhost:8000", {}, True),
        ("127.0.0.1", "127.0.0.1", {}, True),
        ("::1", "[::1]:8000", {}, True),
        ("127.0.0.1", "evil.example", {}, False),  # DNS rebinding
        ("203.0.113.7", "localhost", {}, False),
        ("127.0.0.1", "localhost", {"x-forwarded-for": "203.0.113.7"}, False),
        ("127.0.0.1", "localhost", {"forwarded": "for=203.0.113.7"}, False),
        ("", "localhost", {}, False),
        ("not an address", "localhost", {}, False),
    ],
)
def test_only_a_direct_visit_to_loopback_by_a_loopback_name_needs_no_sign_in(
    client: str, host: str, headers: dict[str, str], opened: bool
) -> None:
    assert Access(SECRET).open_here(client, host, headers) is opened


def test_a_public_page_is_open_to_nobody() -> None:
    access = Access(SECRET, public=True, users={"a": User("a", Role.VIEWER)})
    assert not access.open_here("127.0.0.1", "localhost", {})


def test_a_public_page_without_accounts_or_proxy_does_not_start() -> None:
    with pytest.raises(ValueError, match="needs accounts"):
        Access(SECRET, public=True)


@pytest.mark.parametrize(("hour", "there"), [(11, 24), (13, 25)])
def test_a_day_that_is_asked_for_is_the_workspaces_not_the_machines(hour: int, there: int) -> None:
    now = datetime(2026, 8, 24, hour, tzinfo=UTC)
    access = Access(SECRET, now=lambda: now, zone=ZoneInfo("Pacific/Auckland"))
    assert access.today == date(2026, 8, there)


def test_a_short_secret_does_not_start() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Access(b"short")


def test_a_proxy_header_without_named_proxies_does_not_start() -> None:
    with pytest.raises(ValueError, match="addresses of the proxies"):
        Access(SECRET, proxy_header="X-User")


def test_a_proxy_is_believed_only_from_its_own_address() -> None:
    access = Access(
        SECRET,
        public=True,
        users={"maya": User("maya", Role.APPROVER)},
        proxy_header="X-User",
        trusted_proxies=("10.0.0.0/8",),
    )
    maya = access.named_by_proxy("10.1.2.3", {"x-user": "maya"})
    assert maya is not None
    assert maya.role is Role.APPROVER
    unknown = access.named_by_proxy("10.1.2.3", {"x-user": "someone"})
    assert unknown is not None
    assert unknown.role is Role.VIEWER
    assert access.named_by_proxy("203.0.113.7", {"x-user": "maya"}) is None
    assert access.named_by_proxy("10.1.2.3", {}) is None


def test_passwords_are_argon2_and_never_shown() -> None:
    user = User("maya", Role.VIEWER, hash_password("open sesame"))
    access = Access(SECRET, public=True, users={"maya": user})
    assert user.password_hash.startswith("$argon2id$")
    assert user.password_hash not in repr(user)
    assert "0123456789abcdef" not in repr(access)
    assert access.check_password("maya", "open sesame") is user
    assert access.check_password("maya", "open sesam") is None
    assert access.check_password("nobody", "open sesame") is None


def test_an_account_without_a_password_cannot_sign_in_by_password() -> None:
    access = Access(SECRET, public=True, users={"maya": User("maya", Role.VIEWER)})
    assert access.check_password("maya", "") is None


def test_roles_cover_what_lies_below_them() -> None:
    order = [Role.VIEWER, Role.OPERATOR, Role.APPROVER]
    for i, role in enumerate(order):
        assert [role.covers(needed) for needed in order] == [j <= i for j in range(3)]


@given(st.text(max_size=30), st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_a_session_survives_sealing_and_no_other_secret_opens_it(session_id: str, name: str) -> None:
    access = Access(SECRET, now=Clock())
    session = Session(session_id, name, 4_000_000_000)
    assert unseal(access, seal(access, session)) == session
    assert unseal(Access(OTHER, now=Clock()), seal(access, session)) is None


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_changed_cookie_is_worthless(data: st.DataObject) -> None:
    access = Access(SECRET, now=Clock(), token=lambda: "t")
    cookie = seal(access, new_session(access, "maya"))
    place = data.draw(st.integers(0, len(cookie) - 1))
    other = data.draw(st.characters(codec="ascii", exclude_characters=cookie[place]))
    found = unseal(access, cookie[:place] + other + cookie[place + 1 :])
    # the last character of base64 holds spare bits, so two spellings may mean the same bytes in the body only
    assert found is None or found == unseal(access, cookie)


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text_as_cookie_or_token_is_refused_without_failing(text: str) -> None:
    access = Access(SECRET, now=Clock())
    assert unseal(access, text) is None
    assert not token_fits(access, "id", text)
    assert not token_fits(access, "", form_token(access, ""))


def test_a_session_ends_after_its_hours() -> None:
    clock = Clock()
    access = Access(SECRET, now=clock, session_hours=12)
    cookie = seal(access, new_session(access, "maya"))
    clock.turn(hours=11, minutes=59)
    assert unseal(access, cookie) is not None
    clock.turn(minutes=1)
    assert unseal(access, cookie) is None


def test_too_many_failures_make_a_name_wait_and_time_heals() -> None:
    clock = Clock()
    limit = SignInLimit(clock, MemoryService(clock), failures=3, window=60)
    for _ in range(3):
        assert limit.wait("name:a") == 0
        limit.failed("name:a")
    assert 0 < limit.wait("name:a") <= 61
    assert limit.wait("name:b") == 0
    clock.turn(seconds=62)
    assert limit.wait("name:a") == 0


def test_an_address_that_many_share_is_not_shut_by_one_forgetful_person() -> None:
    clock = Clock()
    limit = SignInLimit(clock, MemoryService(clock), failures=3, failures_from=10)
    for _ in range(9):
        limit.failed("name:a", "from:office")
    assert limit.wait("name:b", "from:office") == 0
    limit.failed("name:c", "from:office")
    assert limit.wait("name:b", "from:office") > 0


def test_remembered_failures_do_not_grow_without_end_and_the_oldest_go_first() -> None:
    clock = Clock()
    kept = MemoryService(clock)
    now = clock().timestamp()
    kept.failed = {f"from:{i}": [now - 50 + i / 1_000] for i in range(2_000)}
    SignInLimit(clock, kept, failures=3, window=60).failed("from:new")
    assert len(kept.failed) == 2_000
    assert "from:new" in kept.failed
    assert "from:0" not in kept.failed
