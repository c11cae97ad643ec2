"""Fixtures: a service in memory, a clock to turn, and clients on loopback or signed in from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from argon2 import PasswordHasher

from flows.web.access import Access, Role, User
from flows.web.app import create_app
from flows.web.sessions import cookie_name, form_token, new_session, seal
from tests.flows.report import share_worlds
from tests.flows.small_workspace import Copies
from tests.flows.web.memory_service import Clock, MemoryService
from tests.flows.web.real_page import RealPage, furnished
from tests.flows.web.visits import ELSEWHERE, PASSWORD, SECRET, TestClient, Visit, served


@pytest.fixture(scope="session")
def users() -> dict[str, User]:
    hashed = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)  # weak, to be quick
    return {role.value: User(role.value, role, hashed) for role in Role}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> MemoryService:
    return MemoryService(clock)


@pytest.fixture
def tokens() -> Callable[[], str]:
    count = iter(range(1_000_000))
    return lambda: f"token-{next(count)}"


@pytest.fixture
def local(service: MemoryService, clock: Clock, tokens: Callable[[], str]) -> Visit:
    """A visitor on the same computer."""
    app = create_app(service, access=Access(SECRET, now=clock, token=tokens))
    return Visit(TestClient(app, base_url="http://localhost", client=("127.0.0.1", 50000)))


@pytest.fixture
def public_app(
    service: MemoryService, clock: Clock, tokens: Callable[[], str], users: dict[str, User]
) -> Any:
    access = Access(
        SECRET,
        public=True,
        users=users,
        secure=True,
        hosts=frozenset({"reach.example"}),
        now=clock,
        token=tokens,
    )
    return create_app(service, access=access)


@pytest.fixture
def stranger(public_app: Any) -> Callable[[], Visit]:
    """Makes visitors from another address."""
    return lambda: Visit(TestClient(public_app, base_url="https://reach.example", client=ELSEWHERE))


@pytest.fixture
def signed_in(public_app: Any) -> Callable[[str], Visit]:
    """Makes visitors who hold the cookie a sign-in gives; the sign-in itself has tests of its own."""
    access = public_app.state.desk.access

    def make(name: str) -> Visit:
        session = new_session(access, name)
        client = TestClient(public_app, base_url="https://reach.example", client=ELSEWHERE)
        client.cookies.set(cookie_name(access), seal(access, session), domain="reach.example")
        return Visit(client, token=form_token(access, session.id))

    return make


@pytest.fixture
def server(service: MemoryService, clock: Clock) -> Iterator[str]:
    """The page on a free port of this machine, over real HTTP; its address."""
    app = create_app(service, access=Access(SECRET, now=clock))
    with served(app) as address:
        yield address


@pytest.fixture(scope="module")
def real(copies: Copies) -> Iterator[RealPage]:
    """A real workspace with something in every room."""
    with furnished(copies) as made:
        yield made


@pytest.fixture(scope="module")
def real_app(real: RealPage) -> Any:
    """The page on it, for visitors from elsewhere."""
    return real.public_app()


@pytest.fixture(scope="session")
def worlds() -> ModuleType:
    return share_worlds
