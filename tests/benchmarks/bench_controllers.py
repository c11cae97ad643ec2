"""The controllers' tables, regenerated: ``python tests/benchmarks/bench_controllers.py [TABLE ...]``.

Tables: worlds headroom delays reports price auction shock churn small scale. Each line names its
seeds. Shares are of the hundred most served accounts, re-ranked in each 28-day window; the oracle is
a bid per account that knows the drift and not the noise of the day. Nothing here was measured on an
ad platform.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from balancer.bands import Bands, membership
from balancer.course import PRICE, run
from balancer.frontier_static import cost_curves, static_frontier
from balancer.hiding import COMPLETE, LINKEDIN, SUPPRESSED, TRUNCATED, ReportRule
from balancer.memory import recall
from balancer.outlook import outlook
from balancer.plants import Auction, Plant, PowerPrice, Proportional
from balancer.rehearse import Rehearsal, rehearse
from balancer.study import study
from balancer.types import DayReport, Policy, State
from balancer.worlds import open_world, world_rates

FAST = Policy(ramp="fast", member_cap=None)
HEAD = (
    f"{'world':5} {'controller':22} {'seeds':>5} {'before':>6} {'after':>6} {'oracle':>6} {'of possible':>11} "
    f"{'delivery':>8} {'gini':>5} {'cover':>5} {'ops/d':>6} {'settle':>6} {'osc':>5}"
)


def line(world: str, label: str, got: Rehearsal) -> None:
    print(
        f"{world:5} {label:22} {len(got.seeds):5} {100 * got.top100_before:6.1f} {100 * got.top100_after:6.2f} "
        f"{100 * got.oracle:6.2f} {100 * got.realised:10.1f}% {100 * got.delivery:7.2f}% {got.gini_after:5.3f} "
        f"{100 * got.coverage_after:4.0f}% {got.changes_per_day:6.0f} {got.settle_days:6.0f} "
        f"{100 * got.weekly_sd:5.2f}",
        flush=True,
    )


def tried(
    world: str,
    label: str,
    *,
    seeds: int,
    policy: Policy = FAST,
    mode: str = "bands",
    plant: Plant | None = None,
    headroom: float = 5.0,
    rule: ReportRule = COMPLETE,
) -> Rehearsal:
    got = rehearse(
        world,
        mode=mode,
        plant=plant or Proportional(),
        seeds=seeds,
        policy=policy,
        headroom=headroom,
        rule=rule,
    )
    line(world, label, got)
    return got


def worlds() -> None:
    print("\n# Four worlds, flat price, H = 5, complete report, delays 1+1\n" + HEAD)
    for world, seeds in (("A", 10), ("B", 3), ("C", 10), ("D", 10)):
        tried(world, "bands K=4", seeds=seeds)
        tried(world, "bands K=6", seeds=seeds, policy=replace(FAST, bands=6))
        tried(world, "bands K=4, cap 14", seeds=min(seeds, 3), policy=replace(FAST, member_cap=14.0))
        tried(world, "duty", seeds=min(seeds, 3), mode="duty")
        tried(world, "threshold 28 d, 4 x", seeds=min(seeds, 3), mode="threshold")


def headroom() -> None:
    print("\n# Headroom\n" + HEAD)
    for world in ("A", "C"):
        for h in (1.1, 1.5, 2.0, 3.0, 10.0):
            for mode in ("bands", "duty", "auto"):
                tried(world, f"H={h:g} {mode}", seeds=5 if mode == "bands" else 3, mode=mode, headroom=h)


def delays() -> None:
    print("\n# Delays, report + actuation\n" + HEAD)
    for world in ("A", "C"):
        for report, act in ((0, 0), (1, 1), (2, 2), (3, 2)):
            tried(
                world,
                f"{report}+{act}",
                seeds=5,
                policy=replace(FAST, report_delay=report, actuation_delay=act),
            )


def reports() -> None:
    print("\n# Report quality\n" + HEAD)
    rules = {
        "complete": COMPLETE,
        "below 3 hidden": SUPPRESSED,
        "top 100": TRUNCATED,
        "top 100, +-3": ReportRule(top=100, floor=3, noise=3),
        "5 creatives, +-3": LINKEDIN,
        "top 20": ReportRule(top=20, floor=3),
    }
    for world in ("A", "C"):
        for name, rule in rules.items():
            tried(world, name, seeds=5, rule=rule)
        tried(world, "K=6 5 creatives, +-3", seeds=5, rule=LINKEDIN, policy=replace(FAST, bands=6))


def price() -> None:
    print("\n# Power-law price\n" + HEAD)
    for world in ("A", "C"):
        for eps in (0.1, 0.2):
            for floor in (0.98, 0.95):
                policy = replace(FAST, impression_floor=floor)
                tried(world, f"eps {eps:g} floor {floor:.0%}", seeds=3, plant=PowerPrice(eps), policy=policy)


def auction() -> None:
    print("\n# Auction plant: closed loop against the exact static frontier at the same money\n" + HEAD)
    for world in ("A", "C"):
        for floor in (0.98, 0.95, 0.90):
            policy = replace(FAST, impression_floor=floor)
            got = tried(world, f"floor {floor:.0%}", seeds=4, plant=Auction(), policy=policy)
            best = np.mean([static_share(world, seed, floor) for seed in range(4)])
            print(
                f"      static frontier at {floor:.0%}: {100 * best:.2f}; "
                f"gap {100 * (got.top100_after - best):+.2f} pp"
            )


def static_share(world: str, seed: int, floor: float) -> float:
    """The smallest top-100 share of any fixed bids at the natural money and this floor.

    On rates that have the observed concentration without any drift or noise: what a window shows before
    control, and what nobody who must live with drift and noise can reach exactly.
    """
    now = open_world(world, seed=seed)
    rates = world_rates(world, now.rates.size, np.random.default_rng(seed))
    plant, u = Auction(), rates * now.headroom
    place = plant.place(rates, u)
    curves = cost_curves(
        lambda bid: plant.outcome(place, u, bid, price=PRICE),
        n=rates.size,
        bids=np.geomspace(0.02, 20.0, 160),
    )
    wins, each = plant.outcome(place, u, np.float64(1.0), price=PRICE)
    points = static_frontier(
        curves, money=float((wins * each).sum()), baseline=float(wins.sum()), top=100, floors=[floor]
    )
    return points[-1].share


def shock() -> None:
    print(
        "\n# Shock: 20 starved accounts become 40 x more active on controlled day 28; impressions over target"
    )
    for world in ("A", "C"):
        for seed in range(4):
            now = open_world(world, seed=seed)
            quiet = np.argsort(now.rates * now.headroom)[40:60]
            course = run(
                now, Bands(), FAST, plant=Proportional(), seed=seed, weeks=8, jolt=(56, quiet, 40.0)
            )  # fmt: skip
            even = course.baseline / now.rates.size * quiet.size
            loud = course.impressions[56:, quiet].sum(axis=1) * PRICE / course.budget[56:] * course.baseline
            level = np.partition(course.impressions[-28:].sum(axis=0), -500)[-500] / 28.0 * quiet.size
            over = " ".join(f"{v:.1f}" for v in (loud / min(level, 2.5 * even))[:10])
            print(f"{world} seed {seed}: day 0.. {over}")


def churn() -> None:
    print("\n# Churn against accuracy\n" + HEAD)
    for world in ("A", "C", "D"):
        for bands in (4, 6):
            for gain in (0.0, 0.05, 0.09, 0.15):
                tried(
                    world, f"K={bands} gain {gain:g}", seeds=3, policy=replace(FAST, bands=bands, gain=gain)
                )


def ramp() -> None:
    print("\n# Ramp: delivery over all 56 controlled days, 2 seeds")
    for world in ("A", "C"):
        for h in (1.0, 1.1, 1.25, 5.0):
            for how in ("cautious", "fast"):
                got = rehearse(world, seeds=2, policy=replace(FAST, ramp=how), headroom=h)
                whole = 100 * float(got.weekly_delivery.mean())
                print(
                    f"{world} H={h:<4g} {how:8} delivery {whole:.2f}% top {100 * got.top100_after:.1f} "
                    f"settle {got.settle_days:.0f}"
                )


def scale() -> None:
    print("\n# n = 1e7, state in, plan out: estimate, target, membership, budgets, moves, fingerprint")
    n, rng = 10_000_000, np.random.default_rng(0)
    names = tuple(f"{row:08d}" for row in range(n))
    rates = np.exp(1.5 * rng.standard_normal(n, dtype=np.float32)).astype(np.float64)
    rates *= 14.0 * n / rates.sum()
    named = resident()
    band = np.full(n, -1, dtype=np.int8)
    report = _counted(rates, np.zeros(n, dtype=np.int8), np.ones(1), rng, 738_898)
    band, kept = _split(_large(names, band, report, 738_900, {}))
    for day in (738_901, 738_907):
        report = _counted(rates, band, np.array([0.3, 0.6, 1.2, 2.0]), rng, day - 2)
        state = _large(names, band, report, day, kept)
        began, spent = time.perf_counter(), time.process_time()
        plan = Bands().propose(state, Policy(ramp="fast"))
        took, spent = time.perf_counter() - began, time.process_time() - spent
        band, kept, moves = plan.band, plan.memory, len(plan.moves)
        del plan, state, report
        print(
            f"day {day}: {took:.2f} s ({spent:.2f} s of one core), {moves:,} moves; peak {peak():.2f} GB, "
            f"of which {named:.2f} for the names and the rates of the world",
            flush=True,
        )


def resident() -> float:
    """GB this process holds now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e9


def _large(names: tuple[str, ...], band, report: DayReport, day: int, memory) -> State:
    n = len(names)
    return State(
        day, names, np.broadcast_to(200.0, n), np.zeros(n, dtype=np.int8), 0.7 * n, 14.0 * n, band, band, (report,),
        memory=memory,
    )  # fmt: skip


def _counted(rates, band, level, rng, day: int) -> DayReport:
    home = np.maximum(band, 0)
    counts = rng.poisson(level[home] * rates).astype(np.float64)
    total = np.bincount(home, weights=counts, minlength=level.size)
    rows = np.flatnonzero(counts)
    return DayReport(
        day, total, 0.05 * total, 0.05 * total, rows, counts[rows], np.zeros(level.size), home.astype(np.int8)
    )


def _split(state: State):
    """The first membership, without the ten million moves that tell it."""
    policy = Policy(ramp="fast")
    memory, shocked = study(state, policy, recall(state, policy, 4))
    view = outlook(state, policy, memory)
    band, memory = membership(state, policy, memory, view, shocked)
    return band, replace(memory, target=view.goal.target).as_mapping()


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


TABLES: dict[str, Callable[[], None]] = {
    "worlds": worlds, "headroom": headroom, "delays": delays, "reports": reports, "price": price,
    "auction": auction, "shock": shock, "churn": churn, "ramp": ramp, "scale": scale,
}  # fmt: skip

if __name__ == "__main__":
    for name in sys.argv[1:] or TABLES:
        start = time.perf_counter()
        TABLES[name]()
        print(f"({name}: {time.perf_counter() - start:.0f} s)", flush=True)
