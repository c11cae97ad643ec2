"""The parts a report page is made of. Frozen data only; nothing here computes, formats or reads.

Shares are fractions in [0, 1], impressions are counts over the page's window,
money is in ``currency``. ``None`` means unknown and is shown as such, never as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from balancer.types import Bounded, Status


@dataclass(frozen=True, slots=True)
class Window:
    """Inclusive dates of one report window, e.g. 28 days ending yesterday."""

    start: date
    end: date
    label: str = ""  # "before", "after", or free text

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the caller knows of one account beside its impressions. Every field may be unknown."""

    name: str = ""
    domain: str | None = None
    tier: int | None = None  # 1 (prioritise) .. 4
    members: float | None = None  # matched members (estimate)
    cap: float | None = None  # impressions allowed over the window
    band: int | None = None  # as in BalancePlan.band; None or UNPLACED = in no band
    state: str = "active"  # code: "active", "paused", "held", "pending", "pinned", "excluded"
    since: date | None = None  # when that state began
    starved: str = ""  # reason code where the account gets too little; "" = not examined


@dataclass(frozen=True, slots=True)
class Week:
    """One point of the weekly series, oldest first."""

    start: date
    share: Bounded  # of the N largest accounts, re-ranked in this week
    delivery: float | None = None  # impressions over those of an average week before balancing (1.0 = same)
    cpm: float | None = None  # money per 1,000 impressions
    coverage: float | None = None  # best guess of coverage; for downloads only, a guess is not drawn
    marks: tuple[str, ...] = ()  # interventions that began this week: "balancing on", "creative added", ...
    covered: Bounded | None = None  # coverage with bounds (ShareTable.coverage_even); drawn by its sure end


@dataclass(frozen=True, slots=True)
class ListLine:
    """One audience on one platform and what became of its last pushes."""

    name: str
    platform: str  # "linkedin" | "google"
    kind: str = ""  # "company" | "contact"
    adds: int = 0
    removes: int = 0
    accepted: int = 0
    rejected: int = 0
    unknown: int = 0
    status: str = ""  # AudienceStatus value
    audience_size: int | None = None  # people reachable, as the platform says

    @property
    def sent(self) -> int:
        """Rows sent to be added; what came back where the number sent is not known."""
        return self.adds or self.accepted + self.rejected + self.unknown


@dataclass(frozen=True, slots=True)
class Companies:
    """What the import made of the source rows."""

    read: int
    resolved: int
    rejected: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One line of the table. ``rank`` is 1-based, by best-guess impressions in the page's window."""

    rank: int
    account_id: str
    name: str
    domain: str | None
    tier: int | None
    members: float | None
    impressions: float
    low: float  # hard bounds of the true count; see ``curves.ceilings`` for pages nobody could match
    high: float
    share: float
    times_even: float  # share over 1/n
    per_member: float | None
    cap: float | None
    cap_use: float | None  # impressions over cap
    band: int | None
    rank_before: int | None
    share_change: float | None  # share now minus share before, as a fraction
    state: str
    since: date | None
    source: str  # "reported" | "imputed"

    @property
    def counted(self) -> Bounded:
        """The impressions with their bounds."""
        return Bounded(self.low, self.impressions, self.high)

    @property
    def rate(self) -> Bounded | None:
        """Impressions per matched member with bounds; None where the members are not known."""
        if not self.members:
            return None
        return Bounded(self.low / self.members, self.impressions / self.members, self.high / self.members)


@dataclass(frozen=True, slots=True)
class TierLine:
    """What the accounts of one tier took together. Both figures have hard bounds."""

    tier: int | None  # None: accounts without a tier
    accounts: int
    share: Bounded  # of the platform's total
    before: Bounded | None = None  # the same in the window compared with
    per_member: Bounded | None = None  # impressions per matched member; None where no members are known


@dataclass(frozen=True, slots=True)
class Curve:
    """A Lorenz curve: ``x`` fraction of accounts, least served first; the others fraction of impressions.

    ``low`` and ``high`` enclose every curve that agrees with the report.
    """

    x: tuple[float, ...]
    point: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """The headline numbers of one window."""

    window: Window
    accounts: int
    top: int
    total: float  # the platform's own total
    outside: float
    top_share: Bounded
    top_decile: Bounded
    gini: Bounded
    hhi: Bounded
    effective_accounts: Bounded
    coverage_even: Bounded
    coverage: Mapping[int, Bounded]
    under_served: Bounded  # accounts, not a fraction
    never_seen: int
    unattributed: float
    lorenz: Curve
    ranked: tuple[
        tuple[int, float, float, float], ...
    ]  # (rank, low, point, high), thinned, for the rank chart
    never_seen_least: int = 0  # never_seen, were every page that nobody could match one of them
    unplaced: tuple[int, float] = (0, 0.0)  # pages nobody could match, the most impressions they can hold


@dataclass(frozen=True, slots=True)
class Transfer:
    """One account's impressions before (scaled to the after window's total) and after."""

    account_id: str
    name: str
    before: float
    after: float
    guessed: tuple[bool, bool] = (False, False)  # whether before and after are estimates, not reported

    @property
    def change(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class Group:
    """Accounts of one stretch of the ranking before, and their share then and now."""

    label: str
    accounts: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Moved:
    """Who gave and who got. ``impressions`` is the smaller of all gains and all losses."""

    impressions: float
    givers: tuple[Transfer, ...]
    getters: tuple[Transfer, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class StarvedLine:
    """An account that saw too little, and why as far as known."""

    account_id: str
    name: str
    tier: int | None
    members: float | None
    impressions: float
    high: float
    reason: str  # code; words.starved_reason makes the sentence


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One move of the plan as the page shows it."""

    account_id: str
    name: str
    before: int
    after: int
    reason: str
    why: str  # one sentence
    release: date | None


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """A balancing plan in the page's terms."""

    day: date
    mode: str
    inputs_hash: str
    budgets: tuple[float, ...]
    band_accounts: tuple[int, ...]
    forecast: Mapping[str, float]
    statuses: tuple[Status, ...]
    moves: tuple[PlanLine, ...]
    by_reason: Mapping[str, int] = field(default_factory=dict)
