"""Shared instances for the balancer tests; nothing that decides anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

Instance = tuple[float, np.ndarray, np.ndarray, np.ndarray]


def random_instance(rng: np.random.Generator, *, largest: int = 40) -> Instance:
    """A feasible (total, weight, floor, cap) with mixed scales, ties, and some bounds missing."""
    n = int(rng.integers(1, largest + 1))
    weight = rng.lognormal(0.0, rng.uniform(0.0, 2.0), n)
    if rng.random() < 0.3:
        weight = np.ones(n)
    floor = rng.exponential(5.0, n) * (rng.random(n) < 0.4)
    cap = floor + rng.exponential(40.0, n) * (rng.random(n) < 0.95)
    cap = np.where(rng.random(n) < 0.2, np.inf, cap)
    room = np.where(np.isinf(cap), floor + 60.0, cap)
    total = float(floor.sum() + rng.uniform(0.0, 1.0) * (room.sum() - floor.sum()))
    return total, weight, floor, cap


@pytest.fixture(scope="session")
def instances() -> Callable[[int], Iterator[Instance]]:
    def make(count: int, seed: int = 0) -> Iterator[Instance]:
        return (random_instance(np.random.default_rng([seed, i])) for i in range(count))

    return make
