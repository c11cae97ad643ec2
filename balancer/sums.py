"""Sums of account figures per band or per account. Nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from balancer.blocks import blocks
from balancer.types import Vector


def by_band(band: NDArray[np.int8], values: Vector, k: int) -> Vector:
    """(k,) sums of (n,) ``values`` per band; accounts in no band (negative) are left out."""
    return pieces_by_band(band, lambda at: values[at], k)


def pieces_by_band(band: NDArray[np.int8], values: Callable[[slice], Vector], k: int) -> Vector:
    """The same of values that are only worked out piece by piece, and never all held at once."""
    total = np.zeros(k + 1)  # the first for those in no band
    for at in blocks(band.size):
        total += np.bincount(band[at] + np.int8(1), weights=values(at), minlength=k + 1)[: k + 1]
    return total[1:]


def by_account(row: NDArray[np.int64], values: Vector, n: int) -> Vector:
    """(n,) sums of (m,) ``values`` per account; ``row`` (m,) in [0, n)."""
    return np.asarray(np.bincount(row, weights=values, minlength=n), dtype=np.float64)
