"""What goes into the balancer and what comes out. Frozen data, numpy arrays, no I/O.

Accounts are rows 0..n-1, always in the byte order of ``State.accounts``, so a
result never depends on the order of the caller's rows. Days are integers
(proleptic ordinals, ``datetime.date.toordinal()``). Impressions are counts,
money is in the campaign's currency, shares are fractions in [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Indices = NDArray[np.int64]

ADDED = {"added": True}  # a later field: where it is None, ``canon`` gives the bytes from before it existed

UNPLACED = -1  # band of an account that is in no band (paused, held, not landed)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the marketer wants, and how fast. Every default has its reason in the docs."""

    mode: str = "bands"  # "bands" | "duty" | "threshold" | "auto"
    window_days: int = 28
    bands: int = 4
    # fairness weights: w = tier_weight * members ** beta
    beta: float = 0.0
    tier_weights: Mapping[int, float] = field(default_factory=dict)
    # caps per account over the window; None = no such cap
    member_cap: float | None = 14.0  # impressions per matched member
    share_cap: float | None = None  # fraction of the total; at least 1.5 / n
    absolute_cap: float | None = None  # impressions
    tier_caps: Mapping[int, float] = field(default_factory=dict)  # impressions per account of the tier
    click_cap: float | None = None
    spend_cap: float | None = None
    cap_policy: str = "relax"  # "relax" | "strict"
    floor: float = 0.0  # impressions per account over the window
    pins: Mapping[str, float] = field(default_factory=dict)  # account -> fixed impressions; inf = never cap
    held: frozenset[str] = frozenset()  # accounts never to be served
    # guards
    impression_floor: float = 0.98  # of baseline impressions
    spend_floor: float = 0.98  # of budget
    minimum_members: int = 450  # per funded band
    operations_per_day: int | None = None
    dwell_days: int = 7
    stale_days: int = 4
    # speed
    ramp: str = "cautious"  # "cautious" (1.1, x1.12 / 3 d) | "fast" (2.0, x1.3 / 3 d)
    max_throttle: float = 8.0
    reband_days: int = 7
    hysteresis: float = 0.25
    gain: float = 0.09  # part of an account's credit repaid per day
    # threshold mode
    threshold: float | None = None  # impressions per interval; None = even_cap, or 4 x even
    interval_days: int = 28
    # latencies the controller must assume, days
    report_delay: int = 1
    actuation_delay: int = 1
    raised: Mapping[str, float] = field(default_factory=dict)  # account -> its cap, impressions, where higher
    even_cap: float | None = field(default=None, metadata=ADDED)  # cap per account, in even shares; >= 1.5


@dataclass(frozen=True, eq=False)
class DayReport:
    """One reported day. ``account`` indexes State.accounts; a missing account is unknown."""

    day: int
    band_total: Vector  # (K,) impressions delivered by each campaign, exact
    band_spend: Vector  # (K,) money
    band_budget: Vector  # (K,) money that was available
    account: Indices  # (m,) rows
    impressions: Vector  # (m,) counts, +- noise
    list_floor: Vector  # (K,) largest count an unlisted account of the band can hold that day; inf if unknown
    band: NDArray[np.int8]  # (n,) band in force on that day, UNPLACED where none
    hidden: Vector | None = None  # (m,) most impressions a row may lack (its unlisted creatives); None = 0


@dataclass(frozen=True, eq=False)
class State:
    """Everything a controller may know on the morning of ``day``."""

    day: int
    accounts: tuple[str, ...]  # (n,) ids, sorted
    members: Vector  # (n,) matched members (estimate), >= 0; 0 = unknown
    tier: NDArray[np.int8]  # (n,)
    budget: float  # money per day for the whole segment
    baseline: float  # impressions per day before balancing
    band: NDArray[np.int8]  # (n,) as last commanded
    landed: NDArray[np.int8]  # (n,) as expected in force tomorrow
    reports: tuple[DayReport, ...]  # not yet absorbed, oldest first
    prior_rate: Vector | None = None  # (n,) impressions per day to start from, where nothing was learned
    memory: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)  # the last plan's ``memory``
    click_rate: Vector | None = field(default=None, metadata=ADDED)  # (n,) clicks per impression
    cost: Vector | None = field(default=None, metadata=ADDED)  # (n,) money per impression


@dataclass(frozen=True, slots=True)
class Move:
    """One account changes band (or is held), and why."""

    account: str
    before: int  # band, UNPLACED = none
    after: int
    reason: str  # stable code; words live in flows.report.words
    evidence: Mapping[str, float] = field(default_factory=dict)
    release: int | None = None  # earliest day this move may be undone


@dataclass(frozen=True, slots=True)
class Status:
    """How the target stands against what is possible."""

    code: str  # "ok" | "inventory_short" | "cap_relaxed" | "cap_short" | "floor_short" | "frozen" | ...
    number: float = 0.0  # the size of it: shortfall, lambda, days
    detail: str = ""


@dataclass(frozen=True, eq=False)
class BalancePlan:
    """What to do today. Replaying the same State and Policy gives the same bytes (``plan_bytes``)."""

    day: int
    mode: str
    accounts: tuple[str, ...]
    target: Vector  # (n,) impressions per day aimed at
    band: NDArray[np.int8]  # (n,) membership to command
    budgets: Vector  # (K,) money per day, sums to State.budget
    moves: Sequence[Move]
    statuses: tuple[Status, ...]
    forecast: Mapping[str, float]  # e.g. "top100_share", "delivery", with "_low" / "_high"
    memory: Mapping[str, NDArray[np.generic]]
    inputs_hash: str  # sha256 over the canonical bytes of State and Policy


class Controller(Protocol):
    """One protocol, three modes. Raises BadNumbers for inputs that cannot be true (``checks``)."""

    def propose(self, state: State, policy: Policy) -> BalancePlan: ...


@dataclass(frozen=True, slots=True)
class Bounded:
    """A figure with hard bounds: the truth is inside [low, high]; ``point`` is one guess inside them.

    Where the bounds are far apart, ``point`` says little; show the end that is sure, or a modelled
    range where the model may be believed (``tails``).
    """

    low: float
    point: float
    high: float


@dataclass(frozen=True, eq=False)
class Part:
    """Accounts (``rows``) whose impressions together lie in [low, high]; parts of one list are disjoint."""

    rows: Indices
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Unplaced:
    """Company pages of a report that nobody could match: each is one account's, or an outsider's.

    low, high  (p,) bounds of what the report's rows count of each page, impressions
    """

    low: Vector
    high: Vector


@dataclass(frozen=True, eq=False)
class Exposure:
    """Impressions per account over one window, as far as a platform lets one see.

    low, high  (n,) hard bounds of each account's true count, under pages known to be its own
    point      (n,) best guess, sums to ``total`` where accounts outside the list took nothing
    total      the platform's own total for the window
    listed     (n,) bool, the account appeared in a report row
    """

    accounts: tuple[str, ...]
    low: Vector
    point: Vector
    high: Vector
    total: float
    listed: NDArray[np.bool_]
    outside: float = 0.0  # impressions reported for entities that are not known to be in the segment
    mass: tuple[float, float] | None = None  # bounds of what the accounts took so; None = total - outside
    rows: float | None = None  # sum of the report rows as printed; None = point[listed].sum() + outside
    parts: tuple[Part, ...] = ()  # what campaigns with accounts of their own are known to have delivered
    unplaced: Unplaced | None = None  # pages, counted in ``outside``, that may be some of the accounts'


@dataclass(frozen=True, eq=False)
class ShareTable:
    """The top-N impression-share report as numbers. Shares are over the platform's total.

    Every ``point`` is the figure of ``exposure.point``, in which impressions nobody is named for are
    shared evenly by those with room for them. So the points of ``gini``, ``hhi``, ``effective_accounts``,
    ``coverage`` and ``under_served`` lean to the even side and are no estimates where much is unseen.
    """

    exposure: Exposure
    top: int
    top_share: Bounded  # of the N largest, re-ranked in this window
    top_decile: Bounded  # of the largest tenth of accounts
    gini: Bounded
    hhi: Bounded
    effective_accounts: Bounded  # 1 / HHI
    coverage: Mapping[int, Bounded]  # k -> fraction of accounts with at least k impressions
    coverage_even: Bounded  # fraction of accounts with >= 25 % of the even share
    unattributed: float  # 1 - rows / total
    never_seen: int  # accounts in no report row
    under_served: Bounded  # accounts below the floor (7 impressions)
    order: Indices  # rows, largest point estimate first
    notes: tuple[str, ...] = ()
    never_seen_least: int = (
        0  # accounts in no report row, were every page that nobody could match one of them
    )
