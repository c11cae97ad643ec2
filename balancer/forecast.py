"""What a plan should bring if rates and prices are as believed: before it is applied."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from balancer.blocks import blocks
from balancer.price import PriceLaw
from balancer.sums import by_band
from balancer.types import Vector


def expected_shares(
    target: Vector, rate: Vector, band: NDArray[np.int8], budgets: Vector, law: PriceLaw, baseline: float
) -> dict[str, float]:
    """Top-100 share and delivery expected from a plan, and the share its target would have.

    target, rate, band (n,); budgets (K,) money per day. Every member of a band is expected to take its
    rate times the band's throttle. ``elasticity`` is the believed price response.
    """
    k = budgets.size
    mass = by_band(band, rate, k)
    total = float(budgets.sum())
    flat = np.divide(budgets * (baseline / max(total, 1e-300)), mass, out=np.zeros(k), where=mass > 0.0)
    level = np.append(flat ** (1.0 / (1.0 + law.eps)), 0.0)  # the last for who is in no band
    return {
        "top100_share": _top(lambda at: level[band[at]] * rate[at], rate.size, 100),
        "target_top100_share": _top(lambda at: target[at], rate.size, 100),
        "delivery": float(target.sum()) / max(baseline, 1e-300),
        "elasticity": law.eps,
    }


def _top(values: Callable[[slice], Vector], n: int, count: int) -> float:
    """Share of the ``count`` largest of n values that are worked out piece by piece."""
    total, largest = 0.0, np.zeros(0)
    for at in blocks(n):
        piece = values(at)
        total += float(piece.sum())
        largest = np.partition(np.append(largest, piece), -min(count, largest.size + piece.size))[-count:]
    return float(largest.sum()) / total if total > 0.0 else 0.0
