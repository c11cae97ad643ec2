"""Sums of account figures per band. Nothing else."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from balancer.types import Vector


def by_band(band: NDArray[np.integer], values: Vector, k: int) -> Vector:
    """(k,) sums of (n,) ``values`` per band; accounts in no band (negative) are left out."""
    placed = band >= 0
    if not placed.all():
        band, values = band[placed], values[placed]
    return np.asarray(np.bincount(band, weights=values, minlength=k)[:k], dtype=np.float64)
