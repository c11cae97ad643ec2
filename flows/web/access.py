"""Who may use the page and as what. It decides from one request's facts; it reads no settings.

On loopback, reached directly and by a loopback name, no sign-in is needed. Anywhere else a visitor
signs in with an account of ours, or a trusted reverse proxy names them in a header.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from enum import StrEnum
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class Role(StrEnum):
    """Each role may do what the ones before it may."""

    VIEWER = "viewer"  # look and download
    OPERATOR = "operator"  # push lists, propose edits, override accounts, undo
    APPROVER = "approver"  # approve, refuse, shadow plans; write edits

    def covers(self, needed: Role) -> bool:
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(needed)


@dataclass(frozen=True, slots=True)
class User:
    """One account of the page. ``password_hash`` is argon2id; "" = may not sign in by password."""

    name: str
    role: Role
    password_hash: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is asking, and how we know."""

    name: str
    role: Role
    by: str  # "loopback" | "password" | "proxy"
    session: str  # opaque id the form tokens are bound to


def hash_password(password: str) -> str:
    """An argon2id hash with a fresh salt, for the accounts in the configuration."""
    return PasswordHasher().hash(password)


def _now() -> datetime:
    return datetime.now(UTC)


def _token() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class Access:
    """How the page is reached and by whom.

    public           bound to an address other than loopback, or served behind a proxy
    secret           key of session cookies and form tokens, at least 32 bytes; a new one signs everybody out
    users            name -> User
    proxy_header     header in which a trusted proxy names the visitor, "" = none
    trusted_proxies  addresses or networks the header is believed from
    loopback_name    who acts in the audit log when nobody signs in
    hosts            host names the page answers to when public; empty = any
    secure           cookies only over https (must be False for plain http on loopback)
    session_hours    until a session ends
    now, token       clock (aware, UTC) and randomness, passed in by tests
    zone             the workspace's time zone: which day it is for whoever fills in a date

    Raises ValueError for a short secret, or a public page without users and without a proxy.
    """

    secret: bytes = field(repr=False)
    public: bool = False
    users: Mapping[str, User] = field(default_factory=dict)
    proxy_header: str = ""
    trusted_proxies: tuple[str, ...] = ()
    loopback_name: str = "local"
    hosts: frozenset[str] = frozenset()
    secure: bool = False
    session_hours: int = 12
    now: Callable[[], datetime] = _now
    token: Callable[[], str] = _token
    zone: tzinfo = UTC

    def __post_init__(self) -> None:
        if len(self.secret) < 32:
            raise ValueError("the page's secret needs at least 32 bytes")
        if self.proxy_header and not self.trusted_proxies:
            raise ValueError("a proxy header needs the addresses of the proxies that may set it")
        if self.public and not self.users and not self.proxy_header:
            raise ValueError("a page outside loopback needs accounts or a reverse-proxy header")

    @property
    def today(self) -> date:
        """The date in the workspace's time zone."""
        return self.now().astimezone(self.zone).date()

    @cached_property
    def hasher(self) -> PasswordHasher:
        return PasswordHasher()

    @cached_property
    def decoy(self) -> str:
        """A hash nobody knows the password of, so that an unknown name takes as long as a wrong password."""
        return self.hasher.hash(self.token())

    @cached_property
    def _networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        return tuple(ipaddress.ip_network(text, strict=False) for text in self.trusted_proxies)

    def open_here(self, client: str, host: str, headers: Mapping[str, str]) -> bool:
        """Whether this request needs no sign-in: a page on loopback, reached directly, under a loopback name.

        The host name is checked because a web site may point its own name at 127.0.0.1 (DNS rebinding).
        """
        if self.public or any(name in headers for name in _FORWARDING):
            return False
        return _is_loopback(client) and _bare_host(host) in LOOPBACK_NAMES

    def answers_to(self, host: str, client: str) -> bool:
        """Whether the Host header is one the page is meant to be called by."""
        name = _bare_host(host)
        if not self.public:
            return name in LOOPBACK_NAMES
        return not self.hosts or name in self.hosts or (name in LOOPBACK_NAMES and _is_loopback(client))

    def named_by_proxy(self, client: str, headers: Mapping[str, str]) -> User | None:
        """The user a trusted proxy vouches for; an unknown name is a viewer."""
        name = headers.get(self.proxy_header.lower(), "").strip() if self.proxy_header else ""
        if not name or not self._trusts(client):
            return None
        return self.users.get(name) or User(name[:200], Role.VIEWER)

    def _trusts(self, client: str) -> bool:
        try:
            address = ipaddress.ip_address(client)
        except ValueError:
            return False
        return any(address in network for network in self._networks)

    def check_password(self, name: str, password: str) -> User | None:
        """The user, if name and password are right. Takes the same time for unknown names."""
        user = self.users.get(name)
        known = user is not None and bool(user.password_hash)
        try:
            self.hasher.verify(user.password_hash if user is not None and known else self.decoy, password)
        except (Argon2Error, InvalidHashError):
            return None
        return user if known else None


def _is_loopback(client: str) -> bool:
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False


def _bare_host(host: str) -> str:
    """The name of a Host header without its port, lower case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0] if host.count(":") == 1 else host
