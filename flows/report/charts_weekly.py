"""Charts of what happens week by week, as inline SVG. They compute no figure of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from flows.report import formats
from flows.report.axes import BOTTOM, LEFT, RIGHT, SIZE, TOP, axes, percent_ticks
from flows.report.catalogue import say
from flows.report.model import ReportPage
from flows.report.pieces import Week
from flows.report.svg import Markup, Scale, box, dot, frame, label, line, path, ribbon, spread_labels


def weekly(page: ReportPage) -> Markup:
    """Weekly top share with its range, the A/A band, the target and what was done when."""
    weeks, top = page.weeks, page.now.top
    x = Scale(0, max(len(weeks) - 1, 1), LEFT + 12, RIGHT - 112)
    peak = max([w.share.high for w in weeks] + [page.aa_band[1] if page.aa_band else 0.0, 0.05])
    y = Scale(0, min(1.0, peak * 1.18), BOTTOM, TOP)
    parts = axes(
        x,
        y,
        x_ticks=_week_ticks(weeks),
        y_ticks=percent_ticks(0, y.high),
        x_title=say("chart.weekly.weeks"),
    )
    parts += _week_bands(page, x, y)
    parts += _marks(weeks, x, y)
    xs = [x(i) for i in range(len(weeks))]
    parts.append(
        ribbon(xs, [y(w.share.low) for w in weeks], [y(w.share.high) for w in weeks], "unknown after")
    )
    points = [(x(i), y(w.share.point)) for i, w in enumerate(weeks)]
    parts.append(path(points, "line after"))
    parts += [dot(p, "dot after", radius=3.2) for p in points]
    if points:
        last = formats.percent(weeks[-1].share.point)
        parts.append(label((points[-1][0] + 8, points[-1][1] + 4), last, "name after"))
    return frame(
        "weekly",
        SIZE,
        parts,
        title=say("chart.weekly.title", top=top),
        description=_weekly_text(weeks),
    )


def _week_ticks(weeks: Sequence[Week]) -> list[tuple[float, str]]:
    step = max(1, -(-len(weeks) // 6))
    return [(float(i), f"{w.start.day} {w.start:%b}") for i, w in enumerate(weeks) if i % step == 0]


def _week_bands(page: ReportPage, x: Scale, y: Scale) -> list[Markup]:
    parts: list[Markup] = []
    names: list[tuple[float, str]] = []
    if page.aa_band is not None:
        low, high = page.aa_band
        parts.append(box((x.start, y(high)), (x.end - x.start, y(low) - y(high)), "aa"))
        names.append((y((low + high) / 2) + 4, say("chart.weekly.no_change")))
    if page.target_share is not None:
        at = y(page.target_share)
        parts.append(line((x.start, at), (x.end, at), "aim"))
        names.append((at + 4, say("chart.weekly.aim", share=formats.percent(page.target_share, 0))))
    even = min(1.0, page.now.top / max(page.now.accounts, 1))
    parts.append(line((x.start, y(even)), (x.end, y(even)), "even"))
    names.append((y(even) + 4, say("chart.weekly.even", share=formats.percent(even, 0))))
    taken = y(page.weeks[-1].share.point) + 4 if page.weeks else None
    heights = _beside([at for at, _ in names], taken)
    return parts + [
        label((x.end + 8, at), text, "quiet") for at, (_, text) in zip(heights, names, strict=True)
    ]


def _beside(wanted: list[float], taken: float | None) -> list[float]:
    """Label heights that avoid each other and the value label at the end of the line."""
    if taken is None:
        return spread_labels(wanted, gap=16, low=TOP, high=BOTTOM)
    placed = spread_labels([*wanted, taken], gap=16, low=TOP, high=BOTTOM)
    return placed[:-1]


def _marks(weeks: Sequence[Week], x: Scale, y: Scale) -> list[Markup]:
    parts: list[Markup] = []
    marked = [(i, week) for i, week in enumerate(weeks) if week.marks]
    for row, (i, week) in enumerate(marked):
        at, height = x(i), TOP + 10 + 20 * (row % 3)
        parts.append(line((at, TOP), (at, y.start), "mark"))
        late = i > len(weeks) * 0.6
        parts.append(
            label(
                (at + (-6 if late else 6), height),
                _said(week.marks),
                "note",
                anchor="end" if late else "start",
            )
        )
    return parts


def _said(marks: Sequence[str]) -> str:
    """The marks of one week in a line; the table names those there is no room for."""
    if len(marks) <= 2:
        return "; ".join(marks)
    return say("chart.weekly.more", first=marks[0], more=len(marks) - 1)


def _weekly_text(weeks: Sequence[Week]) -> str:
    if not weeks:
        return say("chart.weekly.none")
    first, last = weeks[0], weeks[-1]
    return say(
        "chart.weekly.told",
        first=formats.percent(first.share.point),
        first_day=formats.day(first.start),
        last=formats.percent(last.share.point),
        last_day=formats.day(last.start),
        weeks=len(weeks),
    )


Value = Callable[[Week], float | None]


def strip(
    name: str,
    title: str,
    weeks: Sequence[Week],
    *,
    value: Value,
    shape: Callable[[float], str],
    steady: float | None = None,
) -> Markup:
    """A low, wide line for one weekly value (delivery, CPM), with its last value named."""
    size = (620.0, 176.0)
    known = [(i, v) for i, w in enumerate(weeks) if (v := value(w)) is not None]
    peak = max([v for _, v in known] + [steady or 0.0, 1e-9])
    x = Scale(0, max(len(weeks) - 1, 1), LEFT + 12, RIGHT - 112)
    y = Scale(0, peak * 1.1, 142, 32)
    parts = [line((x.start, y.start), (x.end, y.start), "axis")]
    parts.append(label((0, 14), title, "strip-title"))
    parts += [label((x(v), y.start + 20), text, "tick", anchor="middle") for v, text in _week_ticks(weeks)]
    parts += [label((x.start - 20, y(v) + 4), shape(v), "tick", anchor="end") for v in (0.0,)]
    if steady is not None:
        parts += [line((x.start, y(steady)), (x.end, y(steady)), "even")]
        parts += [label((x.start - 20, y(steady) + 4), shape(steady), "tick", anchor="end")]
    points = [(x(i), y(v)) for i, v in known]
    parts.append(path(points, "line after"))
    parts += [dot(p, "dot after", radius=3.0) for p in points]
    parts.append(label((points[-1][0] + 8, points[-1][1] + 4), shape(known[-1][1]), "name after"))
    last = shape(known[-1][1])
    told = say("chart.strip.told", first=shape(known[0][1]), last=last)
    return frame(name, size, parts, title=title, description=told)


def delivery_and_price(page: ReportPage) -> Markup:
    """Delivery against the weeks before balancing, the price of 1,000 impressions, and coverage."""
    wanted: tuple[tuple[str, str, Value, Callable[[float], str], float | None], ...] = (
        ("delivery", say("chart.strip.delivery"), lambda w: w.delivery, _whole, 1.0),
        ("cpm", say("chart.strip.price", currency=page.currency), lambda w: w.cpm, _price, None),
        ("covered", say("chart.strip.covered"), _sure_coverage, _whole, None),
    )
    drawn = [
        strip(name, title, page.weeks, value=value, shape=shape, steady=steady)
        for name, title, value, shape, steady in wanted
        if any(value(week) is not None for week in page.weeks)
    ]
    return Markup("").join(drawn)


def _sure_coverage(week: Week) -> float | None:
    return week.covered.low if week.covered is not None else None


def _price(value: float) -> str:
    return formats.decimal(value, 2)


def _whole(value: float) -> str:
    return formats.percent(value, 0)


def sizes(history: Sequence[tuple[date, int]]) -> Markup:
    """A segment's size over time, oldest first, the first and last size named."""
    size = (620.0, 176.0)
    days = [on.toordinal() for on, _ in history]
    peak = max((n for _, n in history), default=1)
    x = Scale(min(days, default=0), max(days, default=1), LEFT, RIGHT - 60)
    y = Scale(0, max(peak * 1.15, 1), 142, 14)
    points = [(x(on.toordinal()), y(n)) for on, n in history]
    parts = [line((x.start, y.start), (x.end, y.start), "axis"), path(points, "line after")]
    parts += [dot(at, "dot after", radius=3.0) for at in points]
    ends = [*zip(points, history, strict=True)]
    for (at, (on, n)), anchor in zip(ends[:1] + ends[1:][-1:], ("end", "start"), strict=False):
        shift = -8 if anchor == "end" else 8
        parts.append(label((at[0] + shift, at[1] + 4), formats.count(n), "name after", anchor=anchor))
        parts.append(label((at[0], y.start + 20), f"{on.day} {on:%b %Y}", "tick", anchor="middle"))
    told = [formats.count(n) for _, n in history]
    described = say("chart.sizes.told", first=told[0], last=told[-1]) if told else ""
    return frame("sizes", size, parts, title=say("chart.sizes.title"), description=described)
