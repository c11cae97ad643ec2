"""What a plan expects, for the terminal and for Prefect. Reads a plan; the page has sentences of its own."""

from __future__ import annotations

from collections.abc import Mapping

EXPECTED = {
    "top100_share": ("share of the top 100 expected next", ".1%"),
    "target_top100_share": ("share of the top 100 it steers towards", ".1%"),
    "delivery": ("impressions, of today's", ".1%"),
    "elasticity": ("dearer at 10 % more pressure, assumed", ".1%"),
}


def expected(forecast: Mapping[str, float]) -> list[tuple[str, str]]:
    """Labels and values with their unit; a number without words here is left to the JSON."""
    shown = {**forecast, "elasticity": 1.1 ** forecast.get("elasticity", 0.0) - 1.0}
    return [
        (label, format(shown[name], form)) for name, (label, form) in EXPECTED.items() if name in forecast
    ]
