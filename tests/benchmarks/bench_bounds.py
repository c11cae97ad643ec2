"""How tight are the hard bounds? Run by hand: python tests/benchmarks/bench_bounds.py

Prints (1) the top-100 bracket of worlds A, C and D under LinkedIn's rules for 1,
5 and 15 creatives beside the obvious bracket (listed cells only; every missing
cell at its list's 100th count, widened by the noise of every cell), (2) what the
bounds say about Gini, the largest tenth and coverage, (3) the log-normal interval for the
same reports, where it is believed, and how often it held, (4) four campaigns of their own
accounts with and without their totals, (5) the time a large report takes.
That the bounds always hold is tested in tests/balancer/test_shares_exposure.py.
"""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from balancer.allocate import water_fill
from balancer.shares import CreativeDayLists, ReportRules, Rows, build_exposure, concentration
from balancer.tails import modelled_shares
from balancer.types import Exposure
from balancer.worlds import day_noise, next_drift, open_world, start_drift, weekday_factor

DAYS, TOTAL = 28, 1_000_000
RULES = {0: ReportRules(noise=0), 3: ReportRules()}


def deliver(name: str, creatives: int, seed: int, n: int | None = None) -> np.ndarray:
    """(days * creatives, n) true impressions of one uncontrolled window."""
    rng = np.random.default_rng([seed, creatives])
    world = open_world(name, seed=seed, n=n)
    drift = start_drift(world.rates.size, rng)
    factors = np.array([weekday_factor(day) for day in range(DAYS)])
    per_day = TOTAL * factors / factors.sum()
    cells = []
    for day in range(DAYS):
        drift = next_drift(drift, rng)
        rate = world.rates * np.exp(drift) * day_noise(world.rates.size, rng)
        split = rng.multinomial(round(per_day[day]), np.full(creatives, 1.0 / creatives))
        cells += [rng.multinomial(count, rate / rate.sum()) for count in split]
    return np.array(cells)


def cut(cells: np.ndarray, rng: np.random.Generator, rules: ReportRules) -> tuple[Rows, CreativeDayLists]:
    """The platform's side, vectorised: 100 per list, sums below the floor dropped, whole numbers of noise."""
    kept = np.zeros_like(cells)
    for row, out in zip(cells, kept, strict=True):
        best = np.argsort(-row, kind="stable")[: rules.depth]
        out[best] = row[best]
    sums = kept.sum(axis=0)
    seen = np.flatnonzero(sums >= max(rules.floor, 1))
    blur = rng.integers(-rules.noise, rules.noise + 1, seen.size)
    of, who = np.nonzero(kept >= max(rules.floor, 1))
    shown = np.maximum(kept[of, who] + rng.integers(-rules.noise, rules.noise + 1, of.size), 0)
    window = Rows(seen, np.maximum(sums[seen] + blur, 0).astype(float))
    totals = cells.sum(axis=1).astype(float)
    return window, CreativeDayLists(of, who, shown.astype(float), totals)


def obvious_bracket(lists: CreativeDayLists, n: int, noise: int) -> tuple[float, float]:
    """Listed cells only, and every missing cell at its list's smallest listed count."""
    count = lists.totals.size
    low = np.bincount(lists.account, np.maximum(lists.impressions - noise, 3), minlength=n)
    smallest = np.full(count, np.inf)
    np.minimum.at(smallest, lists.list_of, lists.impressions + noise)
    full = np.bincount(lists.list_of, minlength=count) >= 100
    limit = np.where(full, smallest, 2.0)
    high = (
        np.bincount(lists.account, lists.impressions + noise - limit[lists.list_of], minlength=n)
        + limit.sum()
    )
    return float(np.sort(low)[-100:].sum() / TOTAL), float(np.sort(high)[-100:].sum() / TOTAL)


def tightness(seeds: int = 3) -> None:
    print(
        "world creatives noise  true  obvious bracket  hard bounds     width ratio  gini  top tenth  covered"
    )
    for name in "ACD":
        for creatives in (1, 5, 15):
            for noise in (0, 3):
                rows = np.mean([one(name, creatives, noise, seed) for seed in range(seeds)], axis=0)
                truth, a, b, c, d, *rest = rows
                others = "  ".join(
                    f"{value:.3f} [{low:.3f}, {high:.3f}]" for value, low, high in np.reshape(rest, (-1, 3))
                )
                print(
                    f"{name} {creatives:9d} {noise:6d}   {truth:.3f}  [{a:.3f}, {b:.3f}]  [{c:.3f}, {d:.3f}]"
                    f" {(b - a) / (d - c):8.2f}      {others}"
                )


def one(name: str, creatives: int, noise: int, seed: int) -> list[float]:
    cells = deliver(name, creatives, seed)
    rng = np.random.default_rng([7, seed])
    window, lists = cut(cells, rng, RULES[noise])
    n = cells.shape[1]
    truth = np.sort(cells.sum(axis=0))[::-1]
    exposure = build_exposure(
        [str(i) for i in range(n)], total=TOTAL, window=window, lists=lists, rules=RULES[noise]
    )
    table = concentration(exposure, top=100)
    gini = 2.0 * np.cumsum(truth).sum() / (n * TOTAL) - (n + 1) / n
    tenth = truth[: -(-n // 10)].sum() / TOTAL
    covered = float((truth >= 0.25 * TOTAL / n).mean())
    return [
        float(truth[:100].sum() / TOTAL), *obvious_bracket(lists, n, noise),
        table.top_share.low, table.top_share.high,
        gini, table.gini.low, table.gini.high,
        tenth, table.top_decile.low, table.top_decile.high,
        covered, table.coverage_even.low, table.coverage_even.high,
    ]  # fmt: skip


def modelled(seeds: int = 6) -> None:
    print("world creatives  believed  held (gini, tenth, covered)  gini: hard -> modelled, last seed")
    for name in "ABCD":
        for creatives in (1, 5):
            believed, held, last = 0, np.zeros(3), ""
            for seed in range(seeds):
                cells = deliver(name, creatives, seed)
                rng = np.random.default_rng(seed)
                exposure = reported(cells, rng, 3)
                model, truth = modelled_shares(exposure, rng=rng), concentration(cells.sum(axis=0), top=100)
                if model is None:
                    continue
                believed += 1
                pairs = (
                    (model.gini, truth.gini), (model.top_decile, truth.top_decile),
                    (model.coverage_even, truth.coverage_even),
                )  # fmt: skip
                held += [one.low <= other.point <= one.high for one, other in pairs]
                hard = concentration(exposure, top=100).gini
                last = (
                    f"{truth.gini.point:.3f} in [{hard.low:.3f}, {hard.high:.3f}]"
                    f" -> [{model.gini.low:.3f}, {model.gini.high:.3f}]"
                )
            print(f"{name} {creatives:9d}   {believed}/{seeds}       {held.astype(int).tolist()}   {last}")


def reported(cells: np.ndarray, rng: np.random.Generator, noise: int) -> Exposure:
    window, lists = cut(cells, rng, RULES[noise])
    return build_exposure(
        [str(i) for i in range(cells.shape[1])],
        total=float(cells.sum()),
        window=window,
        lists=lists,
        rules=RULES[noise],
    )


def in_bands(name: str, creatives: int = 5) -> None:
    """A balanced list in four campaigns by rate, as ``bands`` leaves it; noise as LinkedIn adds it."""
    rng = np.random.default_rng(0)
    world = open_world(name, seed=0)
    rates = TOTAL * world.rates / world.rates.sum()
    target = water_fill(TOTAL, weight=1.0, floor=0.0, cap=rates * world.headroom).target
    band = np.searchsorted(np.log([0.5, 1.5, 3.5]), np.log(target / rates))
    cells, audience = [], []
    for _ in range(DAYS):
        for b in range(4):
            mine = np.where(band == b, rates * day_noise(rates.size, rng), 0.0)
            share = int(target[band == b].sum() / DAYS / creatives)
            cells += [rng.multinomial(share, mine / mine.sum()) for _ in range(creatives)]
            audience += [b] * creatives
    table = np.array(cells)
    window, lists = cut(table, rng, RULES[3])
    eligible = np.array([band == b for b in range(4)])
    known = replace(lists, audience=np.array(audience), eligible=eligible)
    own = build_exposure(
        [str(i) for i in range(rates.size)], total=float(table.sum()), window=window, lists=known
    )
    truth = concentration(table.sum(axis=0), top=100)
    for label, exposure in (("one total", replace(own, parts=())), ("four totals", own)):
        found = concentration(exposure, top=100)
        print(
            f"{name} in bands, {label:11s}: top-100 {truth.top_share.point:.3f} in"
            f" [{found.top_share.low:.3f}, {found.top_share.high:.3f}], gini {truth.gini.point:.3f} in"
            f" [{found.gini.low:.3f}, {found.gini.high:.3f}], covered {truth.coverage_even.point:.2f} in"
            f" [{found.coverage_even.low:.2f}, {found.coverage_even.high:.2f}]"
        )


def large() -> None:
    cells = deliver("C", 20, 0, n=10_000)
    window, lists = cut(cells, np.random.default_rng(0), RULES[3])
    accounts = [str(i) for i in range(10_000)]
    start = time.perf_counter()
    exposure = build_exposure(accounts, total=TOTAL, window=window, lists=lists)
    built = time.perf_counter()
    concentration(exposure, top=100)
    done = time.perf_counter()
    print(f"10,000 accounts x {DAYS} days x 20 creatives: {built - start:.3f} s + {done - built:.3f} s")


if __name__ == "__main__":
    tightness()
    modelled()
    in_bands("A")
    in_bands("C")
    large()
