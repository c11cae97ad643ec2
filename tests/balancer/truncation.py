"""A slow, obvious LinkedIn report: one Python loop per creative-day. Deliveries in, cut reports out.

Must not import anything of the balancer but its row types: it is the other reading of the rules.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from balancer.shares import CreativeDayLists, Rows


@dataclass(frozen=True, eq=False)
class CutReport:
    truth: np.ndarray  # (n,) true window impressions
    total: float
    window: Rows
    lists: CreativeDayLists


def cut_report(
    cells: np.ndarray,
    rng: np.random.Generator,
    *,
    depth: int | None,
    floor: int,
    noise: int,
    outsiders: int = 0,
    named: bool = False,
) -> CutReport:
    """cells (lists, n + outsiders) true impressions; the last ``outsiders`` columns are outsiders.

    named  outsiders keep row numbers of their own (n, n + 1, ...), as pages nobody could match do
    """
    n = cells.shape[1] - outsiders
    known = cells.shape[1] if named else n
    kept_sum: dict[int, int] = defaultdict(int)
    printed: list[tuple[int, int, int]] = []

    def blur() -> int:
        return int(rng.integers(-noise, noise + 1)) if noise else 0

    for number, row in enumerate(cells):
        ranked = sorted((c for c in range(row.size) if row[c] > 0), key=lambda c: (-row[c], rng.random()))
        for c in ranked[:depth]:
            kept_sum[c] += int(row[c])
            if row[c] >= floor:
                printed.append((number, c if c < known else -1, max(0, int(row[c]) + blur())))
    rows = [(c if c < known else -1, max(0, v + blur())) for c, v in kept_sum.items() if v >= floor]
    table = np.array(printed, dtype=np.int64).reshape(-1, 3)
    pairs = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return CutReport(
        truth=cells[:, :n].sum(axis=0).astype(float),
        total=float(cells.sum()),
        window=Rows(pairs[:, 0], pairs[:, 1].astype(float)),
        lists=CreativeDayLists(
            table[:, 0], table[:, 1], table[:, 2].astype(float), cells.sum(axis=1).astype(float)
        ),
    )


def random_cells(
    rng: np.random.Generator, *, accounts: int, lists: int, total: int, sigma: float
) -> np.ndarray:
    """Log-normal accounts, each list a multinomial draw with its own daily mood."""
    rate = rng.lognormal(0.0, sigma, accounts)
    cells = np.zeros((lists, accounts), dtype=np.int64)
    for number in range(lists):
        mood = rate * rng.gamma(4.0, 0.25, accounts)
        cells[number] = rng.multinomial(total // lists, mood / mood.sum())
    return cells
