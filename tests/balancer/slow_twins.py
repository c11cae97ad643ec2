"""Slow, obvious versions of the allocator, and reference solvers. For comparison only."""

from __future__ import annotations

import heapq
import itertools

import numpy as np


def bisect_fill(total: float, w: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Halve the interval of levels until it cannot be halved."""
    below, above = 0.0, 1.0
    while np.clip(above * w, low, high).sum() < total and above < 1e300:
        above *= 2.0
    while True:
        middle = 0.5 * (below + above)
        if middle in (below, above):
            return np.clip(above * w, low, high)
        if np.clip(middle * w, low, high).sum() < total:
            below = middle
        else:
            above = middle


def unit_by_unit(total: int, w: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Hand out one impression at a time, always to the account where it costs least."""
    x = low.astype(np.int64).copy()
    heap = [((2 * int(x[i]) + 1) / w[i], i) for i in range(w.size) if x[i] < high[i]]
    heapq.heapify(heap)
    for _ in range(total - int(x.sum())):
        _, i = heapq.heappop(heap)
        x[i] += 1
        if x[i] < high[i]:
            heapq.heappush(heap, ((2 * int(x[i]) + 1) / w[i], i))
    return x


def linear_top_k(total: float, low: np.ndarray, high: np.ndarray, k: int) -> float:
    """HiGHS: the smallest possible sum of the k largest. min k s + sum z, z >= x - s, z >= 0."""
    from scipy import sparse
    from scipy.optimize import linprog

    n = low.size
    cost = np.concatenate([np.zeros(n), [float(k)], np.ones(n)])
    eye = sparse.identity(n, format="csr")
    over = sparse.hstack([eye, sparse.csr_matrix(-np.ones((n, 1))), -eye], format="csr")
    mass = sparse.csr_matrix(np.concatenate([np.ones(n), np.zeros(n + 1)]))
    bounds = [*zip(low, np.where(np.isinf(high), None, high), strict=True), (None, None), *[(0, None)] * n]
    solved = linprog(
        cost, A_ub=over, b_ub=np.zeros(n), A_eq=mass, b_eq=[total], bounds=bounds, method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    assert solved.status == 0, solved.message
    return float(solved.fun)


def linear_max_min(total: float, w: np.ndarray, high: np.ndarray) -> float:
    """HiGHS: the largest t such that everybody can have t per unit of weight, or its cap if that is less."""
    from scipy.optimize import linprog

    n = w.size
    free = np.flatnonzero(high / w >= total / w.sum())  # capped accounts below the even level cannot set t
    capped = np.setdiff1d(np.arange(n), free)
    cost = np.zeros(n + 1)
    cost[-1] = -1.0
    rows = np.zeros((free.size, n + 1))
    rows[np.arange(free.size), free] = -1.0
    rows[:, -1] = w[free]
    solved = linprog(
        cost, A_ub=rows, b_ub=np.zeros(free.size), A_eq=[[1.0] * n + [0.0]], b_eq=[total],
        bounds=[*((high[i] if i in set(capped.tolist()) else 0.0, high[i]) for i in range(n)), (0, None)],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )  # fmt: skip
    assert solved.status == 0, solved.message
    return float(-solved.fun)


def quadratic(total: float, w: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, float]:
    """Clarabel: min sum x^2 / w, and its objective.

    In y = x / sqrt(w), scaled so that the unbounded optimum has length 1: the
    Hessian is then the identity, and the solver reaches its tightest tolerances.
    """
    import clarabel
    from scipy import sparse

    n, root = w.size, np.sqrt(w)
    unit = total / np.sqrt(w.sum())
    finite = np.isfinite(high)
    eye = sparse.identity(n, format="csr")
    mass = sparse.csr_matrix(root[None, :] / np.sqrt(w.sum()))
    matrix = sparse.vstack([mass, eye[finite], -eye], format="csc")
    bound = np.concatenate([[1.0], (high / root / unit)[finite], -low / root / unit])
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-12
    settings.max_iter = 200
    cones = [clarabel.ZeroConeT(1), clarabel.NonnegativeConeT(int(finite.sum()) + n)]
    hessian = sparse.identity(n, format="csc") * 2.0
    x = np.asarray(clarabel.DefaultSolver(hessian, np.zeros(n), matrix, bound, cones, settings).solve().x)
    x = x * root * unit
    return x, float((x * x / w).sum())


def every_integer_point(total: int, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(p, n) all integer points of the box that add up to ``total``; tiny instances only."""
    ranges = [range(int(a), int(b) + 1) for a, b in zip(low, high, strict=True)]
    points = [p for p in itertools.product(*ranges) if sum(p) == total]
    return np.array(points, dtype=np.float64).reshape(-1, low.size)


def gini(x: np.ndarray) -> float:
    """Mean absolute difference over twice the mean, from all pairs."""
    return float(np.abs(x[:, None] - x[None, :]).sum() / (2.0 * x.size * x.sum()))


def top_k(x: np.ndarray, k: int) -> float:
    return float(np.sort(x)[::-1][:k].sum())


def every_placement(points: np.ndarray, low: np.ndarray, high: np.ndarray, together: float) -> np.ndarray:
    """(q, n) all counts of accounts, every page given to every account or to nobody; tiny instances only.

    points  (p, n) what accounts took under their own pages    low, high  (m,) whole counts of the pages
    together  the most that a point and all pages may add up to
    """
    n, found = points.shape[1], []
    sizes = [range(int(a), int(b) + 1) for a, b in zip(low, high, strict=True)]
    for size in itertools.product(*sizes):
        fitting = points[points.sum(axis=1) + sum(size) <= together]
        for owners in itertools.product(range(n + 1), repeat=len(size)):
            extra = np.zeros(n + 1)
            for owner, impressions in zip(owners, size, strict=True):
                extra[owner] += impressions
            found.append(fitting + extra[:n])
    return np.concatenate(found)
