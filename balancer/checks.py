"""Refuses a morning that cannot be true, before anybody plans on it.

Looks at shapes and ranges only; whether true data may be acted on today is for ``guards`` to say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from balancer.errors import BadNumbers
from balancer.memory import STARTS
from balancer.types import UNPLACED, DayReport, Policy, State

MOST_BANDS = 127  # a band is one signed byte


def check_inputs(state: State, policy: Policy) -> None:
    """Raises BadNumbers for no accounts, no baseline, lengths that differ, NaN, negatives, unknown rows or words."""
    n = len(state.accounts)
    if n == 0:
        raise BadNumbers("There is no account to plan for.")
    if not 0.0 <= state.budget < np.inf:
        raise BadNumbers(f"The budget must be a finite amount, 0 or more, not {state.budget}.")
    if not 0.0 < state.baseline < np.inf:
        raise BadNumbers(f"The impressions per day before balancing must be above 0, not {state.baseline}.")
    for name in ("members", "tier", "band", "landed"):
        _sized(name, getattr(state, name), n)
    for name in ("prior_rate", "click_rate", "cost"):  # not a number is "unknown" in these
        if getattr(state, name) is not None:
            _sized(name, getattr(state, name), n)
    _between("members", state.members, 0.0)
    for name in ("band", "landed"):
        _between(name, getattr(state, name), UNPLACED)
    for report in state.reports:
        _check_report(report, n)
    _check_words(policy)


def _check_words(policy: Policy) -> None:
    if policy.ramp not in STARTS:
        raise BadNumbers(f"There is no ramp {policy.ramp!r}; choose one of {', '.join(STARTS)}.")
    if policy.cap_policy not in ("relax", "strict"):
        raise BadNumbers(f"A cap policy is relax or strict, not {policy.cap_policy!r}.")
    if not 1 <= policy.bands <= MOST_BANDS:
        raise BadNumbers(f"There can be 1 to {MOST_BANDS} bands, not {policy.bands}.")


def _check_report(report: DayReport, n: int) -> None:
    day, k, m = f" reported for day {report.day}", np.size(report.band_total), np.size(report.account)
    for name in ("band_total", "band_spend", "band_budget"):
        _sized(name + day, getattr(report, name), k)
        _between(name + day, getattr(report, name), 0.0)
    _sized("list_floor" + day, report.list_floor, k)
    _sized("band" + day, report.band, n)
    _sized("account" + day, report.account, m)
    _sized("impressions" + day, report.impressions, m)
    _between("band" + day, report.band, UNPLACED)  # there may have been more bands then than campaigns now
    _between("account" + day, report.account, 0, n - 1)
    _between("impressions" + day, report.impressions)  # noise may print less than nothing
    if report.hidden is not None:
        _sized("hidden" + day, report.hidden, m)


def _sized(name: str, values: object, n: int) -> None:
    if not isinstance(values, np.ndarray) or values.shape != (n,):
        found = values.shape if isinstance(values, np.ndarray) else type(values).__name__
        raise BadNumbers(f"The {name} must be an array of shape ({n},), not {found}.")


def _between(name: str, values: NDArray[Any], least: float = -np.inf, most: float = np.inf) -> None:
    """Finite numbers in [least, most]. The smallest and the largest tell, so a long list costs no copy."""
    if values.size == 0:
        return
    low, high = float(values.min()), float(values.max())  # not a number wins both
    if not (np.isfinite(low) and np.isfinite(high)):
        raise BadNumbers(f"The {name} must be finite numbers.")
    if low < least or high > most:
        raise BadNumbers(f"The {name} must lie between {least:g} and {most:g}, not {low:g} to {high:g}.")
