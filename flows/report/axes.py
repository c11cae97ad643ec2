"""The common frame of the larger charts: size, grid lines, tick labels."""

from __future__ import annotations

from collections.abc import Sequence

from flows.report import formats
from flows.report.svg import Markup, Scale, label, line, ticks

SIZE = (620.0, 340.0)
LEFT, RIGHT, TOP, BOTTOM = 72.0, 588.0, 18.0, 296.0


def axes(
    x: Scale,
    y: Scale,
    *,
    x_ticks: Sequence[tuple[float, str]],
    y_ticks: Sequence[tuple[float, str]],
    x_title: str,
) -> list[Markup]:
    """Grid and labels; a tick is (value, text)."""
    parts = [line((x.start, y(v)), (x.end, y(v)), "grid") for v, _ in y_ticks]
    parts += [label((x.start - 8, y(v) + 4), text, "tick", anchor="end") for v, text in y_ticks]
    parts += [label((x(v), y.start + 20), text, "tick", anchor="middle") for v, text in x_ticks]
    parts.append(line((x.start, y.start), (x.end, y.start), "axis"))
    parts.append(label(((x.start + x.end) / 2, y.start + 40), x_title, "axis-title", anchor="middle"))
    return parts


def percent_ticks(low: float, high: float, about: int = 5) -> list[tuple[float, str]]:
    """Round fractions between low and high, as per cent."""
    return [(v, formats.percent(v, 0)) for v in ticks(low, high, about=about)]
