"""The price of evenness as one small chart: top share against impressions kept. It computes no price."""

from __future__ import annotations

from collections.abc import Sequence

from flows.report import formats
from flows.report.axes import LEFT, RIGHT, axes, percent_ticks
from flows.report.catalogue import say
from flows.report.svg import Markup, Scale, dot, frame, label, line, path

_NAME = 70.0  # room for a name: where the next line is nearer, the name stands on the other side of its own


def price(steps: Sequence[tuple[float, float]], *, now: float | None, aim: float | None) -> Markup:
    """Impressions kept (fraction of today's) for each reachable top share, with today and the plan marked.

    steps  (top share, impressions kept), any order; an empty sequence draws the axes only
    """
    size = (620.0, 250.0)
    steps = sorted(steps)
    shares = [share for share, _ in steps] + [v for v in (now, aim) if v is not None]
    least = min((kept for _, kept in steps), default=0.9)
    x = Scale(0, max([*shares, 0.1]) * 1.2, LEFT, RIGHT)
    y = Scale(min(0.98, least - 0.005), 1.002, 200, 16)
    parts = axes(
        x,
        y,
        x_ticks=percent_ticks(0, x.high),
        y_ticks=[(v, formats.percent(v, 1)) for v, _ in percent_ticks(y.low, 1.0, 4)],
        x_title=say("chart.price.share"),
    )
    points = [(x(share), y(kept)) for share, kept in steps]
    if points:
        parts.append(path(points, "line after"))
        parts += [dot(at, "dot after", radius=3) for at in points]
    named = ((now, say("chart.price.today"), "before"), (aim, say("chart.price.plan"), "after"))
    marks = [(x(v), name, kind) for v, name, kind in named if v is not None]
    for i, (place, name, kind) in enumerate(marks):
        parts.append(line((place, y.end), (place, y.start), "mark"))
        left = place > RIGHT - _NAME or any(0 < other - place < _NAME < place - LEFT for other, _, _ in marks)
        at = (place + (-6 if left else 6), y.start - 8 - 16 * i)
        parts.append(label(at, name, f"name {kind}", anchor="end" if left else "start"))
    told = ", ".join(
        say("chart.price.kept", kept=formats.percent(kept), share=formats.percent(share, 0))
        for share, kept in steps
    )
    title = say("chart.price.title")
    return frame("price", size, parts, title=title, description=told or say("chart.price.none"))
