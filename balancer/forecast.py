"""What a plan should bring if rates and prices are as believed: before it is applied."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
    placed = band >= 0
    mass = by_band(band, rate, k)
    total = float(budgets.sum())
    flat = np.divide(budgets * (baseline / max(total, 1e-300)), mass, out=np.zeros(k), where=mass > 0.0)
    level = flat ** (1.0 / (1.0 + law.eps))
    expected = np.where(placed, level[np.where(placed, band, 0)] * rate, 0.0)
    return {
        "top100_share": _top(expected, 100),
        "target_top100_share": _top(target, 100),
        "delivery": float(target.sum()) / max(baseline, 1e-300),
        "elasticity": law.eps,
    }


def _top(values: Vector, count: int) -> float:
    total = float(values.sum())
    if total <= 0.0:
        return 0.0
    k = min(count, values.size)
    return float(np.partition(values, values.size - k)[values.size - k :].sum()) / total
