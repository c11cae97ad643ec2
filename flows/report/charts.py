"""The report's charts as inline SVG, labelled directly, readable in grey. They compute no figure."""

from __future__ import annotations

from balancer.types import Bounded
from flows.report import formats
from flows.report.axes import BOTTOM, LEFT, RIGHT, SIZE, TOP, axes, percent_ticks
from flows.report.catalogue import say
from flows.report.charts_weekly import delivery_and_price, weekly
from flows.report.model import ReportPage
from flows.report.pieces import Curve, Figures
from flows.report.svg import (
    Markup,
    Point,
    Scale,
    box,
    decades,
    dot,
    frame,
    label,
    line,
    path,
    ribbon,
    spread_labels,
    ticks,
)

# -- concentration ---------------------------------------------------------


def lorenz(page: ReportPage) -> Markup:
    """Share of impressions against share of accounts, least served first; the unknown part is shaded."""
    x, y = Scale(0, 1, LEFT, RIGHT), Scale(0, 1, BOTTOM, TOP)
    quarters = percent_ticks(0, 1, 4)
    parts = axes(x, y, x_ticks=quarters, y_ticks=quarters, x_title=say("chart.lorenz.accounts"))
    parts.append(line((x(0), y(0)), (x(1), y(1)), "even"))
    parts.append(label((x(0.30), y(0.335)), say("chart.lorenz.even"), "quiet", anchor="end"))
    for kind, figures in (("before", page.before), ("after", page.after)):
        if figures is not None:
            parts += _curve(figures.lorenz, kind, x, y)
    parts += _curve_names(page, x, y)
    return frame(
        "lorenz",
        SIZE,
        parts,
        title=say("chart.lorenz.title"),
        description=_lorenz_text(page),
    )


def _curve(curve: Curve, kind: str, x: Scale, y: Scale) -> list[Markup]:
    xs = [x(v) for v in curve.x]
    known = ribbon(xs, [y(v) for v in curve.low], [y(v) for v in curve.high], f"unknown {kind}")
    return [known, path(zip(xs, (y(v) for v in curve.point), strict=True), f"line {kind}")]


def _curve_names(page: ReportPage, x: Scale, y: Scale) -> list[Markup]:
    """Name the curves with what the top N take, in the corner no Lorenz curve can reach."""
    parts: list[Markup] = []
    shown = [("before", page.before)] + ([("after", page.after)] if page.after else [])
    for row, (kind, figures) in enumerate(shown):
        at = y(0.93) + 24 * row
        share = formats.percent(figures.top_share.point, 0)
        text = say("chart.lorenz.curve", which=_name(page, kind), top=figures.top, share=share)
        parts.append(line((x(0.04), at - 5), (x(0.04) + 30, at - 5), f"line {kind}"))
        parts.append(label((x(0.04) + 40, at), text, f"name {kind}"))
    return parts


def _at(curve: Curve, place: float) -> Bounded:
    nearest = min(range(len(curve.x)), key=lambda i: abs(curve.x[i] - place))
    return Bounded(curve.low[nearest], curve.point[nearest], curve.high[nearest])


def _name(page: ReportPage, kind: str) -> str:
    if page.after is None:
        return say("compared.now")
    return say("compared.before") if kind == "before" else say("compared.after")


def _lorenz_text(page: ReportPage) -> str:
    parts = [
        say(
            "chart.lorenz.told",
            which=_name(page, kind).capitalize(),
            share=formats.ranged(_at(f.lorenz, 0.5), 1, formats.percent),
            gini=formats.ranged(f.gini, 1, lambda value: formats.decimal(value, 2)),
        )
        for kind, f in (("before", page.before), ("after", page.after))
        if f is not None
    ]
    return " ".join((*parts, say("chart.lorenz.shaded")))


def ranking(page: ReportPage) -> Markup:
    """Impressions per account down the ranking, both axes logarithmic, with floor, even part and limit."""
    shown = [(k, f) for k, f in (("before", page.before), ("after", page.after)) if f is not None]
    largest = max((high for _, f in shown for _, _, _, high in f.ranked), default=10.0)
    count = max((f.accounts for _, f in shown), default=10)
    x = Scale(1, max(count, 2), LEFT + 6, RIGHT, log=True)
    caps = page.caps if page.caps is not None and page.caps[0] <= 10 * largest else None  # else out of reach
    y = Scale(1, max([largest * 1.2, 10.0, *([caps[0] * 1.2] if caps else [])]), BOTTOM, TOP, log=True)
    parts = axes(
        x,
        y,
        x_ticks=[(v, formats.count(v)) for v in decades(1, x.high)],
        y_ticks=[(v, formats.count(v)) for v in decades(1, y.high)],
        x_title=say("chart.ranking.accounts"),
    )
    parts += _levels(page, caps, x, y)
    ends: list[tuple[str, Figures, Point]] = []
    for kind, figures in shown:
        xs = [x(r) for r, _, _, _ in figures.ranked]
        low, high = ([y(row[i]) for row in figures.ranked] for i in (1, 3))
        parts.append(ribbon(xs, low, high, f"unknown {kind}"))
        points = [(x(r), y(p)) for r, _, p, _ in figures.ranked]
        parts.append(path(points, f"line {kind}"))
        ends.append((kind, figures, points[0]))
    return frame(
        "ranking",
        SIZE,
        parts + _ends(page, ends),
        title=say("chart.ranking.title"),
        description=say("chart.ranking.told"),
    )


def _levels(page: ReportPage, caps: tuple[float, float] | None, x: Scale, y: Scale) -> list[Markup]:
    """What to hold the ranking against: barely noticed, everybody the same, nobody above."""
    even = page.now.total / max(page.now.accounts, 1)
    levels = [(float(page.floor), say("chart.ranking.floor", n=page.floor), "aim")]
    if even > 1.0:
        levels.append((even, say("chart.ranking.even", n=even), "even"))
    parts = []
    if caps is not None:
        lowest, highest = caps
        limit = formats.counts_between(Bounded(lowest, lowest, highest))
        top = min(highest, y.high)
        parts.append(box((x.start, y(top)), (x.end - x.start, y(lowest) - y(top)), "aa"))
        levels.append((lowest, say("chart.ranking.limit", limit=limit), "cap"))
    heights = spread_labels([y(v) - 6 for v, _, _ in levels], gap=16, low=TOP, high=BOTTOM - 4)
    for (value, words, kind), height in zip(levels, heights, strict=True):
        parts.append(line((x.start, y(value)), (x.end, y(value)), kind))
        # clear of the curves' names at the left and of their fall at the right
        parts.append(label((x.start + 76, height), words, "quiet"))
    return parts


def _ends(page: ReportPage, ends: list[tuple[str, Figures, Point]]) -> list[Markup]:
    """The names of the lines, where they begin."""
    heights = spread_labels([at[1] for _, _, at in ends], gap=17, low=TOP + 10, high=BOTTOM)
    return [
        label((at[0] + 10, height + (-10 if kind == "before" else 14)), _name(page, kind), f"name {kind}")
        for (kind, _, at), height in zip(ends, heights, strict=True)
    ]


# -- coverage --------------------------------------------------------------


def coverage(page: ReportPage) -> Markup:
    """For each k, the fraction of accounts that saw at least k impressions, before and after, with ranges."""
    ks = list(page.now.coverage)
    row = max(44.0, (SIZE[1] - 46) / max(len(ks), 1))
    size = (SIZE[0], 46 + row * max(len(ks), 1))
    x = Scale(0, 1, 62, RIGHT - 156)
    bottom = size[1] - 34
    parts = [line((x(v), 8), (x(v), bottom), "grid") for v in ticks(0, 1, about=4)]
    parts += [
        label((x(v), bottom + 20), formats.percent(v, 0), "tick", anchor="middle")
        for v in ticks(0, 1, about=4)
    ]
    for i, k in enumerate(ks):
        middle = 8 + row * (i + 0.5)
        parts.append(label((x.start - 12, middle + 4), formats.count(k), "tick", anchor="end"))
        for kind, figures, shift in (("before", page.before, -8.0), ("after", page.after, 8.0)):
            if figures is not None and k in figures.coverage:
                name = _name(page, kind)
                parts += _interval(figures, k, (kind, name), x, middle + (shift if page.after else 0.0))
    return frame(
        "coverage",
        size,
        parts,
        title=say("chart.coverage.title"),
        description=_coverage_text(page),
    )


def _interval(figures: Figures, k: int, named: tuple[str, str], x: Scale, at: float) -> list[Markup]:
    """The range as a bar, the best guess as a dot where the range is narrow, the numbers beside the chart."""
    (kind, name), value = named, figures.coverage[k]
    parts = [line((x(value.low), at), (x(value.high), at), f"range {kind}")]
    if not formats.guessed(value):
        parts.append(dot((x(value.point), at), f"dot {kind}", radius=5))
    text = say("chart.coverage.beside", which=name, value=_coverage_words(value))
    return [*parts, label((x.end + 16, at + 4), text, f"name {kind}")]


def _coverage_words(value: Bounded) -> str:
    if not formats.guessed(value):
        return formats.percent(value.point, 0)
    return formats.dashed(value)


def _coverage_text(page: ReportPage) -> str:
    shown = [("before", page.before), *([("after", page.after)] if page.after else [])]
    lines = []
    for k in page.now.coverage:
        values = [
            say("chart.coverage.value", value=_coverage_words(f.coverage[k]), which=_name(page, kind))
            for kind, f in shown
            if k in f.coverage
        ]
        lines.append(say("chart.coverage.told", k=k, values=", ".join(values)))
    return " ".join(lines)


def has_strips(page: ReportPage) -> bool:
    """Whether any week knows its delivery, price or coverage."""
    return any(not (w.delivery is None and w.cpm is None and w.covered is None) for w in page.weeks)


strips = delivery_and_price
__all__ = ["coverage", "has_strips", "lorenz", "ranking", "strips", "weekly"]
