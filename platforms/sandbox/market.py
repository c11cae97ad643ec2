"""Delivery: what each company is shown, day by day. It must not know what a report hides.

A company has one natural rate, whatever list or campaign it is in. The rates are drawn when the
first campaign audience lands, in one of the shapes of ``balancer.worlds``, and scaled to what the
template campaign's budget buys; companies that come later draw from the same values.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from balancer.plants import Auction, Plant, PowerPrice, Proportional
from balancer.worlds import day_noise, next_drift, weekday_factor, world_headroom, world_rates
from platforms.sandbox.audience import Audience, campaign_audience, delivers
from platforms.sandbox.clock import DAY, day_of
from platforms.sandbox.directory import fraction
from platforms.sandbox.segments import org_reach

if TYPE_CHECKING:
    from platforms.sandbox.world import Campaign, Creative, World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAK_COMPANIES = 200


@dataclass(frozen=True, slots=True)
class MarketSettings:
    """``daily_impressions`` is what the template's daily budget buys today, at throttle 1."""

    shape: str = "A"  # "A" | "B" | "C" | "D" of balancer.worlds, or "even"
    headroom: float = 5.0
    plant: str = "proportional"  # | "power_price" | "auction"
    price: float = 0.05  # money per impression at throttle 1
    daily_impressions: float = 1_000_000 / 28

    def build_plant(self) -> Plant:
        """Raises ValueError on a plant that does not exist."""
        name, _, number = self.plant.partition(":")
        if name == "proportional":
            return Proportional()
        if name == "power_price":
            return PowerPrice(float(number)) if number else PowerPrice()
        if name == "auction":
            return Auction()
        raise ValueError("plant is proportional, power_price[:exponent] or auction")


@dataclass(frozen=True, eq=False)
class CreativeDay:
    """One creative on one day, largest companies first."""

    day: int  # proleptic ordinal
    org: Ints  # (m,) organisation ids
    impressions: Ints  # (m,)
    clicks: Ints  # (m,)
    spend: float


@dataclass(slots=True)
class Market:
    """Companies are rows, in the order they landed (ties by id)."""

    seed: int
    settings: MarketSettings | None = None
    row: dict[int, int] = field(default_factory=dict)  # organisation id -> row
    org: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    rate: Floats = field(default_factory=lambda: np.zeros(0))
    headroom: Floats = field(default_factory=lambda: np.zeros(0))
    drift: Floats = field(default_factory=lambda: np.zeros(0))
    pool: Floats = field(default_factory=lambda: np.zeros(0))  # the rates first drawn, ascending
    delivered: dict[int, list[CreativeDay]] = field(default_factory=dict)  # creative -> its days
    first_day: int | None = None
    last_day: int | None = None

    def enter(self, world: World, orgs: Iterable[int]) -> None:
        """Companies that a campaign reaches for the first time enter the market, once each."""
        fresh = sorted({o for o in orgs if o not in self.row})
        if not fresh or self.settings is None:
            return
        rates = self._later_rates(fresh) if self.pool.size else self._first_rates(world, fresh)
        rng = np.random.default_rng([self.seed, 11, len(self.row), len(fresh)])
        room = world_headroom(len(fresh), rng, around=self.settings.headroom)
        start = world.knobs.drift_sd * rng.standard_normal(len(fresh))
        self.row.update({o: len(self.row) + i for i, o in enumerate(fresh)})
        self.org = np.concatenate([self.org, np.array(fresh, np.int64)])
        self.rate = np.concatenate([self.rate, rates])
        self.headroom = np.concatenate([self.headroom, room])
        self.drift = np.concatenate([self.drift, start])

    def _first_rates(self, world: World, orgs: list[int]) -> Floats:
        """Natural rates by rank: larger companies tend to be served more, seeded luck decides the rest."""
        assert self.settings is not None
        n, total = len(orgs), self.settings.daily_impressions
        rng = np.random.default_rng([self.seed, 7])
        if self.settings.shape == "even":
            rates = np.full(n, total / n)
        else:
            rates = world_rates(self.settings.shape, n, rng, total=total, moving=world.knobs.drift_sd > 0)
        self.pool = np.sort(rates)
        known = world.directory.known()
        size = np.log(np.array([known[o].members for o in orgs], float))
        size = (size - size.mean()) / max(float(size.std()), 1e-9)
        luck = np.array([fraction(self.seed, "luck", o) for o in orgs])
        luck = (luck - 0.5) * np.sqrt(12.0)
        tie = world.knobs.size_correlation
        order = np.argsort(tie * size + np.sqrt(1.0 - tie**2) * luck, kind="stable")
        result = np.empty(n)
        result[order] = self.pool
        return result

    def _later_rates(self, orgs: list[int]) -> Floats:
        places = [int(fraction(self.seed, "late", o) * self.pool.size) for o in orgs]
        return np.asarray(self.pool[np.array(places)])

    def run_day(self, world: World, *, day_end: int) -> None:
        """Deliver the day that ends at ``day_end`` with the membership and budgets in force then."""
        if self.settings is None:
            return
        day = day_of(day_end - DAY).toordinal()
        self.first_day = self.first_day or day
        self.last_day = day
        serving = [(c, campaign_audience(world, c)) for c in world.campaigns.values() if delivers(world, c)]
        self.enter(world, (org for _, audience in serving for org in audience.orgs))
        if not self.org.size:
            return
        knobs = world.knobs
        rng = np.random.default_rng([self.seed, 13, day])
        factor = weekday_factor(day, weekend=knobs.weekend)
        level = np.exp(self.drift - knobs.drift_sd**2 / 2.0) * factor
        rates = self.rate * level * day_noise(self.rate.size, rng, cv=knobs.day_noise_cv)
        self.drift = next_drift(self.drift, rng, sd=knobs.drift_sd, keep=knobs.drift_memory)
        for campaign, audience in serving:
            paid = daily_budget(campaign) * (factor if knobs.budget_per_day_paid else 1.0)
            self._run_campaign(world, campaign, audience, day=day, rates=rates, budget=paid)

    def _run_campaign(
        self,
        world: World,
        campaign: Campaign,
        audience: Audience,
        *,
        day: int,
        rates: Floats,
        budget: float,
    ) -> None:
        assert self.settings is not None
        rows = self._rows(audience)
        creatives = sorted(
            (c for c in world.creatives.values() if c.campaign_id == campaign.campaign_id and _serves(c)),
            key=lambda c: c.creative_id,
        )
        if not rows.size or not creatives:
            return
        rng = np.random.default_rng([self.seed, 17, day, campaign.campaign_id])
        mine = rates[rows]
        result = self.settings.build_plant().deliver(
            mine,
            self._inventory(world, campaign, rows, mine),
            included=np.ones(rows.size, bool),
            band=np.zeros(rows.size, np.int64),
            budgets=np.array([budget]),
            price=self.settings.price,
            rng=rng,
        )
        counts = result.impressions.astype(np.int64)
        orgs, counts = self._leaked(world, self.org[rows], counts, rng)
        self._split(world, creatives, day, orgs, counts, float(result.spend[0]), rng)

    def _inventory(self, world: World, campaign: Campaign, rows: Ints, rates: Floats) -> Floats:
        """Most a company can take today: its headroom, and the campaign's cap per member where it has one."""
        inventory = rates * self.headroom[rows]
        preference: dict[str, Any] = campaign.fields.get("optimizationPreference") or {}
        cap = preference.get("frequencyOptimizationPreference")
        if not cap:
            return inventory
        days = float(cap.get("timeSpan", {}).get("duration", 7))
        members = np.array([org_reach(world, int(o)) for o in self.org[rows]], float)
        return np.minimum(inventory, members * float(cap["frequency"]) / days)

    def _rows(self, audience: Audience) -> Ints:
        found = [self.row[o] for o in audience.orgs if o in self.row]
        return np.sort(np.array(found, np.int64))

    def _leaked(self, world: World, orgs: Ints, counts: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
        """A few impressions reach people whose employer is on no list (two jobs, job changers)."""
        if world.knobs.leak <= 0.0:
            return orgs, counts
        lost = rng.binomial(counts, world.knobs.leak)
        strangers = outsiders(world)
        spread = rng.multinomial(int(lost.sum()), np.full(strangers.size, 1.0 / strangers.size))
        return np.concatenate([orgs, strangers]), np.concatenate([counts - lost, spread])

    def _split(
        self,
        world: World,
        creatives: list[Creative],
        day: int,
        orgs: Ints,
        counts: Ints,
        spend: float,
        rng: np.random.Generator,
    ) -> None:
        shares = np.full(len(creatives), 1.0 / len(creatives))
        parts = rng.multinomial(counts, shares)
        clicks = rng.binomial(parts, world.knobs.click_rate)
        total = max(1, int(counts.sum()))
        for i, creative in enumerate(creatives):
            shown = np.flatnonzero(parts[:, i])
            order = shown[np.lexsort((orgs[shown], -parts[shown, i]))]
            self.delivered.setdefault(creative.creative_id, []).append(
                CreativeDay(
                    day=day,
                    org=orgs[order],
                    impressions=parts[order, i],
                    clicks=clicks[order, i],
                    spend=spend * float(parts[:, i].sum()) / total,
                )
            )


def outsiders(world: World) -> Ints:
    """Companies that are on nobody's list, always the same for a seed."""
    first = 200_000_000 + int(fraction(world.seed, "outsiders") * 1_000_000)
    return np.arange(first, first + LEAK_COMPANIES, dtype=np.int64)


def daily_budget(campaign: Campaign) -> float:
    """Money per day; a campaign without a daily budget spends nothing here."""
    budget: dict[str, Any] = campaign.fields.get("dailyBudget") or {}
    return float(budget.get("amount", 0.0))


def _serves(creative: Creative) -> bool:
    return creative.intended == "ACTIVE"
