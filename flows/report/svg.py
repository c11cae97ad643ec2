"""Small pieces of SVG text: scales, paths, labels, a titled frame. No colour and no style attribute.

Colours come from classes in the page's style sheet, so one drawing serves light, dark and paper, and a strict
content security policy needs no exception.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps [low, high] of the data onto [start, end] of the drawing; ``log`` wants low > 0."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        if self.log:
            low, high, value = math.log(self.low), math.log(self.high), math.log(max(value, self.low))
        else:
            low, high = self.low, self.high
        part = (value - low) / (high - low) if high > low else 0.0
        return self.start + min(max(part, 0.0), 1.0) * (self.end - self.start)


def ticks(low: float, high: float, *, about: int = 5) -> list[float]:
    """Round numbers from ``low`` to ``high``, steps of 1, 2, 2.5 or 5 times a power of ten."""
    if high <= low:
        return [low]
    rough = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def decades(low: float, high: float) -> list[float]:
    """Powers of ten inside [low, high]."""
    return [
        10.0**p for p in range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
    ]


def path(points: Iterable[Point], kind: str, *, closed: bool = False) -> Markup:
    """A polyline (or polygon) with a class."""
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return Markup('<path class="{}" d="M{}{}"/>').format(kind, steps, "Z" if closed else "")


def ribbon(xs: Sequence[float], low: Sequence[float], high: Sequence[float], kind: str) -> Markup:
    """The area between two lines."""
    there = list(zip(xs, high, strict=True))
    back = list(zip(xs, low, strict=True))[::-1]
    return path([*there, *back], kind, closed=True)


def line(a: Point, b: Point, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(kind, *a, *b)


def box(corner: Point, size: Point, kind: str) -> Markup:
    width, height = max(size[0], 0.0), max(size[1], 0.0)
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1.5"/>').format(
        kind, *corner, width, height
    )


def dot(at: Point, kind: str, *, radius: float = 4.0) -> Markup:
    return Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="{:.1f}"/>').format(kind, *at, radius)


def label(at: Point, text: str, kind: str = "", *, anchor: str = "start") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, *at, anchor, text
    )


def frame(name: str, size: Point, parts: Iterable[Markup], *, title: str, description: str) -> Markup:
    """The whole drawing with a title and a description for those who cannot see it."""
    body = Markup("").join(parts)
    return Markup(
        '<svg class="chart" viewBox="0 0 {w:.0f} {h:.0f}" role="img" aria-labelledby="{n}-t {n}-d">'
        '<title id="{n}-t">{t}</title><desc id="{n}-d">{d}</desc>{b}</svg>'
    ).format(w=size[0], h=size[1], n=name, t=title, d=description, b=body)


def spread_labels(wanted: Sequence[float], *, gap: float, low: float, high: float) -> list[float]:
    """Move label positions apart so that none is closer than ``gap``, keeping their order and the range."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [0.0] * len(wanted)
    floor = low
    for i in order:
        placed[i] = max(wanted[i], floor)
        floor = placed[i] + gap
    ceiling = high
    for i in reversed(order):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - gap
    return placed


__all__ = [
    "Markup", "Point", "Scale", "box", "decades", "dot", "frame", "label", "line", "path", "ribbon",
    "spread_labels", "ticks",
]  # fmt: skip
