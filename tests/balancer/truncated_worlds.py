"""Random worlds whose reports are cut, suppressed and blurred, and every promise a share table makes about them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from balancer.shares import (
    ReportRules,
    build_exposure,
    concentration,
    per_member,
    per_member_by_tier,
    share_by_tier,
)
from tests.balancer.slow_twins import gini, top_k
from tests.balancer.truncation import cut_report, random_cells

SLACK = 1e-9


def inside(figure, value):
    return figure.low - SLACK <= value <= figure.high + SLACK


def random_case(seed: int, *, noise: int):
    """A random small world and what its report allows: cells, rows or both; outsiders, campaigns, movers."""
    rng = np.random.default_rng([seed, noise])
    n = int(rng.integers(5, 60))
    outsiders = int(rng.integers(0, 4)) * int(rng.integers(0, 2))
    rules = ReportRules([None, 3, 10, 30][rng.integers(4)], int(rng.integers(0, 4)), noise)
    cells = random_cells(
        rng,
        accounts=n + outsiders,
        lists=int(rng.integers(1, 9)),
        total=int(rng.integers(200, 3000)),
        sigma=rng.uniform(0.3, 2.5),
    )
    eligibility = {}
    if not outsiders and rng.random() < 0.6:
        cells, eligibility = in_campaigns(cells, rng)
    report = cut_report(cells, rng, depth=rules.depth, floor=rules.floor, noise=noise, outsiders=outsiders)
    shown = rng.integers(3)
    unnamed = not (report.window.account < 0).any() or shown == 1
    outside = np.inf if outsiders and unnamed else None
    exposure = shown_exposure(report, n, shown, rules, eligibility, outside_at_most=outside)
    return report, exposure, int(rng.integers(1, n + 1))


def shown_exposure(report, n: int, shown: int, rules: ReportRules, eligibility: dict, **allowed):
    """What a report tells of ``n`` accounts; ``shown`` 1 leaves its rows out, 2 its lists per creative and day."""
    return build_exposure(
        [f"a{i:03d}" for i in range(n)],
        total=report.total,
        window=None if shown == 1 else report.window,
        lists=None if shown == 2 else replace(report.lists, **eligibility),
        rules=rules,
        **allowed,
    )


def in_campaigns(cells: np.ndarray, rng: np.random.Generator):
    """Give every account a campaign (one in ten moves between two); others cannot show it anything."""
    count, (lists, n) = int(rng.integers(2, 4)), cells.shape
    audience = rng.integers(0, count, lists)
    eligible = np.zeros((count, n), dtype=bool)
    eligible[rng.integers(0, count, n), np.arange(n)] = True
    movers = rng.random(n) < 0.1
    eligible[rng.integers(0, count, n)[movers], np.flatnonzero(movers)] = True
    cells = cells * eligible[audience]
    eligible[audience[0], 0] = True
    cells[0, 0] += 1  # never an empty world
    return cells, {"audience": audience, "eligible": eligible}


def broken_promises(report, exposure, top) -> list[str]:
    """Names of figures whose true value is outside their bounds."""
    x, table = report.truth, concentration(exposure, top=top)
    checks = {
        "account": bool(((exposure.low - SLACK <= x) & (x <= exposure.high + SLACK)).all()),
        "top": inside(table.top_share, top_k(x, top) / report.total),
        "decile": inside(table.top_decile, top_k(x, -(-x.size // 10)) / report.total),
        "gini": inside(table.gini, gini(x)),
        "hhi": inside(table.hhi, float(x @ x) / x.sum() ** 2),
        "effective": inside(table.effective_accounts, x.sum() ** 2 / float(x @ x)),
        "under": inside(table.under_served, float((x < 7).sum())),
        "even": inside(table.coverage_even, float((x >= 0.25 * report.total / x.size).mean())),
        **{f"cover{k}": inside(b, float((x >= k).mean())) for k, b in table.coverage.items()},
        "point": bool(
            ((exposure.low - 1e-6 <= exposure.point) & (exposure.point <= exposure.high + 1e-6)).all()
        ),
    }
    checks |= promises_by_tier_and_member(report, exposure)
    return [name for name, holds in checks.items() if not holds]


def promises_by_tier_and_member(report, exposure) -> dict[str, bool]:
    """Tiers and members of the accounts are drawn from the report's own numbers, so a world stays one world."""
    x = report.truth
    rng = np.random.default_rng([x.size, int(report.total)])
    tier, members = rng.integers(1, 4, x.size), np.floor(rng.uniform(0.0, 4.0, x.size)) * 10.0
    known = members > 0.0
    low, _, high = per_member(exposure, members)
    shares, rates = share_by_tier(exposure, tier), per_member_by_tier(exposure, tier, members)
    true = {t: x[(tier == t) & known].sum() / members[(tier == t) & known].sum() for t in rates}
    return {
        "member": bool(((low - SLACK)[known] <= (x[known] / members[known])).all())
        and bool(((x[known] / members[known]) <= (high + SLACK)[known]).all()),
        "unknown members": bool(np.isnan(low[~known]).all() and np.isnan(high[~known]).all()),
        "tier": all(inside(b, x[tier == t].sum() / report.total) for t, b in shares.items()),
        "tier member": all(inside(b, true[t]) for t, b in rates.items()),
    }
