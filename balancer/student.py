"""Student's t quantile, which numpy lacks. Nothing else."""

from __future__ import annotations

import numpy as np

from balancer.errors import BadNumbers

_STEPS = 20_001


def t_quantile(p: float, freedom: float) -> float:
    """The t with P(T <= t) = p, within 1e-5 relative for p in [0.5, 0.999] and freedom >= 1.

    With ``t = sqrt(freedom) tan(angle)`` the density becomes ``cos(angle) ** (freedom - 1)`` on
    (-pi/2, pi/2), which is integrated by the trapezoid rule.
    """
    if not 0.0 < p < 1.0 or freedom < 1.0:
        raise BadNumbers(f"There is no t quantile for p = {p} and {freedom} degrees of freedom.")
    if p < 0.5:
        return -t_quantile(1.0 - p, freedom)
    angle = np.linspace(0.0, np.pi / 2.0, _STEPS)
    density = np.cos(angle) ** (freedom - 1.0)
    mass = np.concatenate([[0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))])
    found = float(np.interp((2.0 * p - 1.0) * mass[-1], mass, angle))
    return float(np.sqrt(freedom) * np.tan(found))
