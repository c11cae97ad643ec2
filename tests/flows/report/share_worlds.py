"""Seeded share tables shaped like the field: a few accounts take most, reports name only the top."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from balancer.types import UNPLACED, BalancePlan, Bounded, Exposure, Move, ShareTable, Status
from flows.report.model import Beside, Measured, ReportPage, build_page
from flows.report.pieces import AccountFacts, Companies, ListLine, Week, Window

FIRST = (
    "Alder",
    "Birch",
    "Cobalt",
    "Delta",
    "Ember",
    "Fjord",
    "Granite",
    "Harbour",
    "Iris",
    "Juniper",
    "Kestrel",
)
SECOND = (
    "Analytics",
    "Biotech",
    "Cargo",
    "Devices",
    "Energy",
    "Foods",
    "Group",
    "Health",
    "Insurance",
    "Labs",
)
LAST = ("AG", "GmbH", "Inc.", "Ltd", "S.A.", "Holdings", "& Sons", "Pty", "B.V.", "Oy", "AS", "Corp.", "LLC")


def account_ids(n: int) -> tuple[str, ...]:
    return tuple(f"company-{i:05d}.example" for i in range(n))


def exposure(n: int, *, heavy: float, tail: float, total: float, seed: int, listed: int) -> Exposure:
    """A tenth of accounts takes the part ``heavy``, the rest a long tail.

    The ``listed`` largest are reported within 5 %, the others only bounded.
    """
    rng = np.random.default_rng(seed)
    tenth = max(n // 10, 1)
    crowd, others = np.exp(rng.normal(0, 0.25, tenth)), np.exp(rng.normal(0, 1, n - tenth) * tail)
    rate = np.concatenate((heavy * crowd / crowd.sum(), (1 - heavy) * others / max(others.sum(), 1e-9)))
    rate = rate[rng.permutation(n)]
    true = np.floor(rate / rate.sum() * total)
    total = float(true.sum())
    shown = np.zeros(n, dtype=bool)
    shown[np.argsort(-true, kind="stable")[:listed]] = True
    threshold = float(true[shown].min()) if shown.any() else total
    low = np.where(shown, np.floor(true * 0.93), 0.0)
    high = np.where(shown, np.ceil(true * 1.04) + 3, threshold)
    rest = max(total - true[shown].sum(), 0.0)
    guess = np.where(shown, true, rest / max(int((~shown).sum()), 1))
    spread = np.where(shown, true, np.exp(rng.normal(0, 1, n)))
    hidden = ~shown
    if hidden.any():
        guess[hidden] = np.minimum(spread[hidden] / spread[hidden].sum() * rest, threshold)
    return Exposure(account_ids(n), low, np.clip(guess, low, high), high, total, shown)


def bounded(value: float, slack: float, *, top: float = 1.0) -> Bounded:
    return Bounded(max(0.0, value - slack), value, min(top, value + slack))


def share_table(found: Exposure, *, top: int = 100) -> ShareTable:
    """Point figures from the best guess with plausible bounds around them."""
    point, n, total = found.point, len(found.accounts), max(found.total, 1.0)
    falling = np.sort(point)[::-1]
    shares = falling / max(point.sum(), 1.0)
    gini = float(1 - 2 * np.mean(np.cumsum(shares[::-1])) + 1 / max(n, 1)) if n else 0.0
    hhi = float((shares**2).sum()) or 1.0
    even = total / max(n, 1)
    return ShareTable(
        exposure=found,
        top=top,
        top_share=bounded(float(falling[:top].sum() / total), 0.021),
        top_decile=bounded(float(falling[: max(n // 10, 1)].sum() / total), 0.03),
        gini=bounded(gini, 0.07),
        hhi=bounded(hhi, hhi / 5),
        effective_accounts=Bounded(0.8 / hhi, 1 / hhi, min(float(n), 1.3 / hhi)),
        coverage={k: bounded(float((point >= k).mean()) if n else 0.0, 0.04) for k in (1, 7, 20, 50, 100)},
        coverage_even=bounded(float((point >= even / 4).mean()) if n else 0.0, 0.05),
        unattributed=float(1 - point[found.listed].sum() / total),
        never_seen=int((~found.listed).sum()),
        under_served=bounded(float((point < 7).sum()), 120, top=n),
        order=np.argsort(-point, kind="stable").astype(np.int64),
    )


def company_facts(n: int, *, seed: int) -> dict[str, AccountFacts]:
    rng = np.random.default_rng(seed + 1)
    facts = {}
    for i, account in enumerate(account_ids(n)):
        name = f"{FIRST[i % 11]} {SECOND[(i // 11) % 10]} {LAST[(i // 110) % 13]}"
        state = ("active", "active", "active", "active", "paused", "pending", "pinned")[int(rng.integers(7))]
        facts[account] = AccountFacts(
            name=name,
            domain=account,
            tier=int(rng.integers(1, 5)),
            members=float(rng.integers(0, 900)),
            cap=float(rng.integers(300, 3000)),
            band=int(rng.integers(0, 4)) if i % 9 else UNPLACED,
            state=state,
            since=None if state == "active" else date(2026, 4, 2) + timedelta(days=int(rng.integers(20))),
        )
    return facts


def weekly_series(weeks: int = 12) -> list[Week]:
    rng = np.random.default_rng(3)
    series = []
    for i in range(weeks):
        share = 0.385 if i < 4 else 0.21 + 0.17 * float(np.exp(-(i - 3) / 1.6))
        share += float(rng.normal(0, 0.004))
        marks = {4: ("balancing on",), 9: ("creative added",)}.get(i, ())
        series.append(
            Week(
                start=date(2026, 3, 2) + timedelta(weeks=i),
                share=bounded(share, 0.022),
                delivery=1.0 + float(rng.normal(0, 0.008)),
                cpm=41.0 + float(rng.normal(0, 0.6)),
                coverage=0.3 + 0.03 * i,
                covered=Bounded(0.25 + 0.03 * i, 0.3 + 0.03 * i, 0.4 + 0.03 * i),
                marks=marks,
            )
        )
    return series


def balance_plan(n: int) -> BalancePlan:
    accounts = account_ids(n)
    moved = accounts[: min(n, 30)]
    proof = {"natural_per_day": 41.0, "wanted_per_day": 14.0}
    moves = tuple(
        Move(a, i % 4, (i + 1) % 4, ("too_much", "shock")[i % 2], proof, 739_763 + i)
        for i, a in enumerate(moved)
    )
    return BalancePlan(
        day=739_762,
        mode="bands",
        accounts=accounts,
        target=np.full(n, 14.0),
        band=(np.arange(n) % 4).astype(np.int8),
        budgets=np.array([120.0, 260.5, 410.25, 700.25]),
        moves=moves,
        statuses=(Status("cap_relaxed", 1.31),),
        forecast={"top100_share": 0.2, "top100_share_low": 0.17, "top100_share_high": 0.23, "delivery": 0.99},
        memory={},
        inputs_hash="9f" * 32,
    )


def lists() -> list[ListLine]:
    return [
        ListLine("Tier 1 strike list", "linkedin", "company", 2431, 12, 2389, 20, 22, "ready", 184_300),
        ListLine("Intent, last 30 days", "linkedin", "contact", 9120, 0, 8700, 140, 280, "updating", 5_210),
        ListLine("Intent, last 30 days", "google", "contact", 6100, 0, 6100, 0, 0, "building", None),
    ]


def report_page(n: int = 2431, *, compared: bool = True, seed: int = 1) -> ReportPage:
    """A whole page, everything on it."""
    first = share_table(exposure(n, heavy=0.8, tail=2.2, total=1_000_000, seed=seed, listed=min(n, 420)))
    second = share_table(exposure(n, heavy=0.36, tail=1.1, total=996_000, seed=seed, listed=min(n, 1500)))
    then = Measured(first, Window(date(2026, 3, 2), date(2026, 3, 29)))
    now = Measured(second, Window(date(2026, 4, 27), date(2026, 5, 24)))
    return build_page(
        "Strike list DACH",
        now if compared else then,
        earlier=then if compared else None,
        facts=company_facts(n, seed=seed),
        generated_at=datetime(2026, 5, 25, 7, 30, tzinfo=UTC),
        beside=Beside(
            weeks=weekly_series() if compared else weekly_series(4),
            aa_band=(0.372, 0.398),
            target_share=0.2,
            plan=balance_plan(n),
            lists=lists(),
            companies=Companies(5210, 4987, 141, 82),
            notes=("audience_expansion",),
        ),
    )
