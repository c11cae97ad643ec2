"""Cuts accounts into exposure bands: the throttles K campaigns should stand for.

Numbers on a line only; it knows neither budgets nor audiences.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from balancer.types import Vector

SAMPLE = 200_000  # accounts; more do not tell more about where the levels should be
ROUNDS = 60
LOUD = float(np.log(0.45))  # of the lowest level: who wants less sits out at times and does not drag it down
RAISED = 2


def centres(points: Vector, weight: Vector, k: int) -> Vector:
    """(k,) increasing centres that minimise the weighted squared distance: 1-D Lloyd from quantiles.

    points (n,) finite, weight (n,) >= 0. With fewer than k distinct points some centres coincide.
    """
    order = np.argsort(points, kind="stable")
    x, w = points[order], weight[order]
    mass = np.concatenate([[0.0], np.cumsum(w)])
    moment = np.concatenate([[0.0], np.cumsum(w * x)])
    if mass[-1] <= 0.0:
        return np.asarray(np.full(k, float(x.mean()) if x.size else 0.0))
    at = np.searchsorted(mass[1:], (np.arange(k) + 0.5) / k * mass[-1])
    level = x[np.minimum(at, x.size - 1)].astype(np.float64)
    for _ in range(ROUNDS):
        edge = np.searchsorted(x, (level[1:] + level[:-1]) / 2.0)
        edge = np.concatenate([[0], edge, [x.size]])
        part = mass[edge[1:]] - mass[edge[:-1]]
        mean = (moment[edge[1:]] - moment[edge[:-1]]) / np.where(part > 0.0, part, 1.0)
        update = np.where(part > 0.0, mean, level)
        if np.abs(update - level).max() < 1e-9:
            break
        level = np.maximum.accumulate(update)
    return np.asarray(level)


def nearest(points: Vector, level: Vector) -> NDArray[np.int8]:
    """(n,) index of the closest centre; the lower one at a tie. ``level`` (k,) increasing."""
    edges = (level[1:] + level[:-1]) / 2.0
    return np.searchsorted(edges, points, side="left").astype(np.int8)


def cut(want: Vector, weight: Vector, starved: NDArray[np.bool_], *, k: int, ceiling: float) -> Vector:
    """(k,) log throttles for k bands, increasing; the last one is for the starved.

    want     (n,) log throttle each account should have
    weight   (n,) how much a wrong throttle matters
    starved  (n,) bool, takes all it can get: any throttle above its inventory serves it exactly, so
             these accounts need no level of their own and do not pull the others
    ceiling  log of the largest throttle in use
    """
    governed = ~starved
    if k == 1:
        return np.array([ceiling])
    if int(governed.sum()) < k:
        return np.asarray(ceiling - 0.2 * np.arange(k - 1, -1, -1))
    points, mass = want[governed], weight[governed]
    inner = centres(points, mass, k - 1)
    for _ in range(RAISED):
        inner = centres(np.maximum(points, inner[0] + LOUD), mass, k - 1)
    return np.append(inner, max(ceiling, float(inner[-1]) + 0.05))
