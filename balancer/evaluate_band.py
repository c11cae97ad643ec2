"""The A/A band: how much a figure moves between equal windows when nobody touches anything.

Describes the past; it never says whether something worked (``evaluate`` does).
Without any intervention 9.5 to 9.8 % of impressions "move" between accounts from
one month to the next, so a change without this band is not news.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from balancer.errors import BadNumbers
from balancer.student import t_quantile
from balancer.types import Vector

FEWEST = 4  # independent changes; fewer make the band wider than any effect


@dataclass(frozen=True, slots=True)
class Band:
    """A change inside [low, high] is unremarkable; ``changes`` = independent ones it was learned from."""

    low: float
    typical: float
    high: float
    changes: int

    def holds(self, change: float) -> bool:
        """Whether ``change`` is of the size that comes by itself."""
        return self.low <= change <= self.high


def aa_band(history: Vector, *, apart: int = 1, confidence: float = 0.95) -> Band:
    """Prediction band for the change of a figure between two windows ``apart`` steps apart.

    history  (w,) the figure in consecutive windows before the start, each re-ranked in itself
    apart    steps between the windows compared, e.g. 4 weekly figures for "this month against last"

    Changes that overlap are not independent; the band counts one per ``apart`` steps. The lower and
    upper end hold the next change with the given confidence if nothing happens and changes are roughly
    normal. Raises BadNumbers for fewer than four independent changes, or figures that are no numbers.
    """
    series = np.asarray(history, dtype=np.float64)
    if apart < 1 or series.ndim != 1 or not np.isfinite(series).all():
        raise BadNumbers("An A/A band needs a plain series of figures and windows at least one step apart.")
    independent = (series.size - 1) // apart
    if independent < FEWEST:
        raise BadNumbers(f"An A/A band needs {FEWEST} independent changes; there are {independent}.")
    changes = series[apart:] - series[:-apart]
    typical = float(changes.mean())
    spread = float(changes.std(ddof=1)) * float(np.sqrt(1.0 + 1.0 / independent))
    wide = t_quantile(0.5 + confidence / 2.0, independent - 1) * spread
    return Band(typical - wide, typical, typical + wide, independent)
