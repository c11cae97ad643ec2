"""The best single guess of what each account was shown, inside its hard bounds.

A guess and nothing more: no bound may rest on it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from balancer.allocate import water_fill
from balancer.bounds import Box
from balancer.normal import cumulative, quantile
from balancer.shares_cells import Cells
from balancer.types import Indices, Vector

CELL_SPREAD = 0.45  # of the log of one account's cells from day to day


def completed(known: Vector, box: Box, cells: Cells, *, mass: float) -> Vector:
    """(n,) counts that add up to ``mass``, in all and in each part of ``box``.

    known  (n,) printed counts, within the box
    mass   impressions of all accounts together; clipped to the box
    """
    guess = _filled(known, box, cells, mass)
    if not box.parts:
        return guess
    rest = np.ones(known.size, dtype=np.bool_)
    for part in box.parts:
        rest[part.rows] = False
    groups = [*(part.rows for part in box.parts), np.flatnonzero(rest)]
    limits = [*((part.low, part.high) for part in box.parts)]
    limits.append((float(box.low[rest].sum()), float(box.high[rest].sum())))
    sums = water_fill(
        float(guess.sum()),
        weight=[max(float(guess[rows].sum()), 1e-9) for rows in groups],
        floor=[low for low, _ in limits],
        cap=[high for _, high in limits],
    ).target
    for rows, (low, high), total in zip(groups, limits, sums, strict=True):
        inner = Box(box.low[rows], box.high[rows], low, high)
        guess[rows] = _filled(known[rows], inner, _of(cells, rows), float(total))
    return guess


def _of(cells: Cells, rows: Indices) -> Cells:
    return replace(
        cells,
        low=cells.low[rows],
        high=cells.high[rows],
        printed=cells.printed[rows],
        missing=cells.missing[rows],
        cut=cells.cut[rows],
        dropped=cells.dropped[rows],
    )


def _filled(known: Vector, box: Box, cells: Cells, mass: float) -> Vector:
    """Put the hidden mass where it most likely is: (n,) that adds up to ``mass``, inside the box.

    How often an account makes the list says where its missing cells lie below
    the cut; what then remains is shared evenly by the accounts that never made it.
    """
    mass = min(max(mass, box.mass_low), box.mass_high)
    hidden = mass - float(known.sum())
    if hidden <= 0.0:
        return water_fill(mass, weight=np.maximum(known, 1e-9), floor=box.low, cap=known).target
    room = np.maximum(box.high - known, 0.0)
    expected = np.minimum(cells.cut * _below_the_cut(cells), room)
    weight = np.where(cells.printed > 0.0, 1e-6, 1.0) * np.maximum(cells.missing, 1e-3)
    filled = known + water_fill(hidden, weight=weight, floor=expected, cap=room).target
    return np.clip(filled, box.low, box.high)


def _below_the_cut(cells: Cells) -> Vector:
    """(n,) expected size of a missing cell, as a fraction of its list's cut; 0 for accounts never printed.

    A cell is log-normal around the account's own level. Being above the cut in
    a fraction f of the lists places that level, and the mean of the part below follows.
    """
    often = cells.printed / np.maximum(cells.printed + cells.missing, 1.0)
    z = quantile(np.clip(often, 1e-6, 1.0 - 1e-6))
    level = np.exp(CELL_SPREAD * z + 0.5 * CELL_SPREAD**2)
    mean = level * cumulative(-z - CELL_SPREAD) / cumulative(-z)
    return np.asarray(np.where(cells.printed > 0.0, mean, 0.0), dtype=np.float64)
