"""Is water-filling exact and fast? Run by hand: python tests/benchmarks/bench_allocate.py [--full]

Prints (1) the largest relative gap to HiGHS (top-k sums, max-min) and Clarabel (QP) on
1,000 random instances, seeds 0..999; (2) time and ratio against HiGHS and Clarabel at
n = 1e5 (the linear program takes half a minute: only with --full); (3) one segment of 1e7
accounts, with peak memory; (4) 10,000 segments of 1,000 accounts. Numbers depend on the machine.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from balancer.allocate import water_fill
from balancer.allocate_integer import whole_impressions
from balancer.allocate_level import level_by_fixing, level_by_sorting
from balancer.allocate_many import water_fill_segments
from tests.balancer.conftest import random_instance
from tests.balancer.slow_twins import bisect_fill, linear_max_min, linear_top_k, quadratic, top_k


def best_of(times: int, work: Callable[[], object]) -> float:
    """Seconds of the fastest run."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def gap(ours: float, theirs: float) -> float:
    return abs(ours - theirs) / max(abs(theirs), 1e-12)


def optimality(count: int = 1000) -> None:
    worst = {"top-k LP": 0.0, "max-min LP": 0.0, "QP": 0.0, "KKT residual": 0.0}
    for seed in range(count):
        total, w, low, high = random_instance(np.random.default_rng([3, seed]))
        even = water_fill(total, weight=1.0, floor=low, cap=high).target
        k = max(1, w.size // 3)
        solved = water_fill(total, weight=w, floor=low, cap=high)
        filled = water_fill(min(total, float(high.sum())), weight=w, floor=0.0, cap=high)
        free = high / w >= filled.total / w.sum()
        found = {
            "top-k LP": gap(top_k(even, k), linear_top_k(total, low, high, k)),
            "max-min LP": gap(
                float((filled.target[free] / w[free]).min()), linear_max_min(filled.total, w, high)
            ),
            "QP": gap(float((solved.target**2 / w).sum()), quadratic(total, w, low, high)[1]),
            "KKT residual": solved.certificate,
        }
        worst = {name: max(value, found[name]) for name, value in worst.items()}
    print(f"largest relative gap on {count} instances (seeds 0..{count - 1}):")
    for name, value in worst.items():
        print(f"  {name:13s} {value:.1e}")


def instance(n: int) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    cap = rng.lognormal(3.0, 1.5, n)
    return 0.5 * float(cap.sum()), rng.lognormal(0.0, 1.0, n), np.zeros(n), cap


def ratios(*, full: bool) -> None:
    for n in (1_000, 10_000, 100_000):
        total, w, low, high = instance(n)
        ours = best_of(5, lambda: water_fill(total, weight=1.0, floor=low, cap=high))  # noqa: B023
        fixing = best_of(5, lambda: level_by_fixing(total, w, low, high))  # noqa: B023
        sorting = best_of(5, lambda: level_by_sorting(total, w, low, high))  # noqa: B023
        halving = best_of(1, lambda: bisect_fill(total, w, low, high))  # noqa: B023
        whole = best_of(1, lambda: whole_impressions(int(total), weight=w, floor=low, cap=high))  # noqa: B023
        cone = best_of(1, lambda: quadratic(total, w, low, high))  # noqa: B023
        print(
            f"n = {n:9,d}: water_fill {ours * 1e3:8.2f} ms, fixing {fixing * 1e3:7.2f}, sorting"
            f" {sorting * 1e3:7.2f}, bisection {halving * 1e3:7.1f}, whole {whole * 1e3:8.1f}"
        )
        print(f"{'':14s}Clarabel      {cone:7.2f} s = {cone / ours:,.0f} x")
        if n <= 10_000 or full:
            program = best_of(1, lambda: linear_top_k(total, low, high, 100))  # noqa: B023
            print(f"{'':14s}HiGHS top-100 {program:7.2f} s = {program / ours:,.0f} x")


def large(n: int = 10_000_000) -> None:
    total, w, low, high = instance(n)
    seconds = best_of(3, lambda: water_fill(total, weight=w, floor=low, cap=high))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"n = {n:,d}: one segment {seconds:.2f} s, peak {peak:.2f} GB with the three input arrays")


def many(segments: int = 10_000, size: int = 1_000) -> None:
    n = segments * size
    _, w, low, high = instance(n)
    starts = np.arange(segments) * size
    totals = 0.5 * np.add.reduceat(high, starts)
    seconds = best_of(3, lambda: water_fill_segments(totals, starts=starts, weight=w, floor=low, cap=high))
    print(f"{segments:,d} segments of {size:,d} accounts: {seconds:.2f} s")


if __name__ == "__main__":
    optimality()
    ratios(full="--full" in sys.argv)
    large()
    many()
