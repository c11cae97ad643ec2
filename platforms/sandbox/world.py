"""Everything the sandbox knows, in one place, and how time runs through it.

A world is a fold: the same start, the same calls at the same times, the same world. It must never
read a clock, a file or a random source of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from platforms.sandbox.audience import Audience
from platforms.sandbox.clock import DAY, Agenda
from platforms.sandbox.directory import Directory
from platforms.sandbox.knobs import Knobs
from platforms.sandbox.market import Market

Key = int | str | bytes  # matched company (id), unmatched identifier, digest of a person


@dataclass(slots=True)
class Segment:
    """A DMP segment. ``latest`` is what was acknowledged, ``effective`` what delivery goes by."""

    segment_id: int
    ad_segment: int
    account: str
    name: str
    kind: str  # USER | COMPANY | USER_LIST_UPLOAD | COMPANY_LIST_UPLOAD
    source_platform: str
    source_id: str | None
    description: str | None
    created: int
    modified: int
    idle_since: int
    build_end: int | None = None  # None until something was pushed
    rebuild_until: int = 0
    pending: int = 0  # landings still to come
    expired: bool = False
    dead: bool = False  # ARCHIVED with nobody in it: never comes back
    broken: str = ""  # FAILED (a bad list file) | ERROR (a push that could not be matched)
    destination_added: int = 0
    latest: dict[Key, int] = field(default_factory=dict)  # request number; negative for REMOVE
    effective: set[Key] = field(default_factory=set)
    sent: dict[Key, dict[str, Any]] = field(default_factory=dict)  # companies: identifiers as pushed
    size: int = 0  # members reachable in ``effective``
    version: int = 0  # rises with every landing
    window: deque[tuple[int, int, int]] = field(default_factory=deque)  # (when, pushed, matched)

    @property
    def companies(self) -> bool:
        return self.kind.startswith("COMPANY")


@dataclass(slots=True)
class Campaign:
    """``fields`` are the writable wire fields as last written."""

    campaign_id: int
    account: str
    fields: dict[str, Any]
    created: int
    modified: int
    version: int = 1

    @property
    def status(self) -> str:
        return str(self.fields["status"])


@dataclass(slots=True)
class Creative:
    creative_id: int
    account: str
    campaign_id: int
    content: dict[str, Any]
    intended: str
    created: int
    modified: int
    name: str | None = None
    lead_form: dict[str, Any] | None = None  # leadgenCallToAction


@dataclass(slots=True)
class AdAccount:
    account_id: str
    name: str
    currency: str = "USD"
    test: bool = False
    roles: dict[str, str] = field(default_factory=dict)  # member -> role; absent = CAMPAIGN_MANAGER
    closed_to: set[str] = field(default_factory=set)  # members without any role


@dataclass(slots=True)
class Token:
    who: str
    scopes: frozenset[str]
    expires: int | None = None  # epoch ms
    revoked: bool = False
    not_before: int = 0  # 401 "revoked" until it has propagated


@dataclass(slots=True)
class Refresh:
    who: str
    scopes: frozenset[str]
    expires: int  # fixed at 365 days from the first consent, never extended


class World:
    """The state of both platforms and of the market, and the agenda of what is due."""

    def __init__(self, *, seed: int, knobs: Knobs, now: int) -> None:
        self.seed = seed
        self.knobs = knobs
        self.now = now
        self.agenda = Agenda()
        self.runners: dict[str, Callable[[World, int, Any], None]] = {}
        self.directory = Directory(seed, exists=knobs.organization_exists, name_match=knobs.name_match)
        self.market = Market(seed=seed)
        self._ids: dict[str, int] = {}
        # LinkedIn
        self.accounts: dict[str, AdAccount] = {}
        self.segments: dict[int, Segment] = {}
        self.ad_segments: dict[int, Segment] = {}
        self.groups: dict[int, dict[str, Any]] = {}
        self.campaigns: dict[int, Campaign] = {}
        self.creatives: dict[int, Creative] = {}
        self.uploads: dict[str, bytes | None] = {}
        self.audiences: dict[Any, Audience] = {}  # remembered by ``audience``; never state
        self.in_use: set[int] = set()  # adSegments of ACTIVE campaigns
        # Google
        self.google: Any = None  # set by ``google_lists.install``
        # sign-in
        self.tokens: dict[str, Token] = {}
        self.refreshes: dict[str, Refresh] = {}
        self.codes: dict[str, tuple[str, frozenset[str], str]] = {}  # who, scopes, redirect_uri

    def next_id(self, kind: str, first: int) -> int:
        """The next id of a kind, counting from ``first``."""
        value = self._ids.get(kind, first - 1) + 1
        self._ids[kind] = value
        return value

    def account(self, account_id: str) -> AdAccount | None:
        """The ad account; created on first mention where the knob says so."""
        found = self.accounts.get(account_id)
        if found is None and self.knobs.missing_account_is_created and account_id.isdigit():
            found = self.accounts[account_id] = AdAccount(account_id, f"Sandbox account {account_id}")
        return found

    def run_until(self, now: int) -> None:
        """Let everything due up to ``now`` happen, each thing at its own time.

        At a midnight, what was due before or at it comes first, then the market day that ends there.
        """
        if now < self.now:
            return
        while True:
            midnight = (self.now // DAY + 1) * DAY
            due = self.agenda.next_time()
            if due is not None and due <= min(now, midnight):
                self.now = max(self.now, due) if due < midnight else self.now
                when, kind, data = self.agenda.pop()
                self.runners[kind](self, when, data)
            elif midnight <= now:
                self.market.run_day(self, day_end=midnight)
                self.google.delivery.run_day(self, day_end=midnight)
                self.now = midnight
            else:
                break
        self.now = now
