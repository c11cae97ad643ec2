"""What a plan should bring if the rates are right: shares and delivery, before it is applied."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from balancer.types import Vector


def expected_shares(
    target: Vector, rate: Vector, band: NDArray[np.int8], share: Vector, baseline: float
) -> dict[str, float]:
    """Top-100 share and delivery expected from the believed rates; the target's own share beside it."""
    k = share.size
    placed = band >= 0
    mass = np.bincount(band[placed], weights=rate[placed], minlength=k)[:k]
    level = np.divide(share * baseline, mass, out=np.zeros(k), where=mass > 0.0)
    expected = np.where(placed, level[np.where(placed, band, 0)] * rate, 0.0)
    return {
        "top100_share": _top(expected, 100),
        "target_top100_share": _top(target, 100),
        "delivery": float(target.sum()) / max(baseline, 1e-300),
    }


def _top(values: Vector, count: int) -> float:
    total = float(values.sum())
    if total <= 0.0:
        return 0.0
    k = min(count, values.size)
    return float(np.partition(values, values.size - k)[values.size - k :].sum()) / total
