"""A rehearsal and the table of prices as text. Only words: nothing is computed here."""

from __future__ import annotations

from typing import Any

from flows.price_table import Frontier, PriceTable, Row
from flows.verbs.outcome import table

PROMISES_NOTHING = (
    "Simulated: a rehearsal shows what would follow if the market behaves as assumed. It promises nothing."
)


def rehearsal_words(data: dict[str, Any]) -> str:
    """One course (or the mean of several, with the 5th to 95th percentile) of one mode."""

    def said(name: str, shape: str) -> str:
        low, high = (format(data[end][name], shape) for end in ("low", "high"))
        middle = format(data[name], shape)
        return middle if low == high == middle else f"{middle} ({low} to {high})"

    days = 7 * data["weeks"]
    in_time = data["settle_days"] <= days
    settled = (
        f"settled after {said('settle_days', '.0f')} days" if in_time else f"not settled within {days} days"
    )
    seeds = len(data["seeds"])
    spread = f"{seeds} seeds, 5th to 95th percentile" if seeds > 1 else "one seed; --seeds 5 shows the spread"
    lines = [
        f"{data['mode']} on {data['accounts']:,} accounts, {data['plant']}, {data['weeks']} weeks ({spread}):",
        f"  share of the top 100   {data['top100_before']:.1%} -> {said('top100_after', '.1%')}"
        f"  (best possible {data['oracle']:.1%})",
        f"  impressions            {said('delivery', '.1%')} of before, "
        f"at {said('cpm_ratio', '.2f')} x the price each",
        f"  Gini                   {data['gini_before']:.2f} -> {said('gini_after', '.2f')}",
        f"  coverage               {data['coverage_before']:.1%} -> {said('coverage_after', '.1%')}",
        f"  list changes           {said('changes_per_day', '.1f')} a day, {settled}",
        *([f"  {data['below_floor']}"] if data.get("below_floor") else []),
        PROMISES_NOTHING,
        *[f"  assumed: {one}" for one in data.get("assumed", ())],
    ]
    return "\n".join(lines)


def price_words(found: PriceTable) -> str:
    """A PriceTable as text: a row per mode and cap, what the floor allows, what was assumed."""
    header = [
        "mode",
        "cap",
        "top 100",
        "coverage",
        "impressions",
        "price",
        "changes a day",
        "days to settle",
        "",
    ]
    return "\n".join(
        [
            f"{found.accounts:,} accounts; the top 100 take {found.before:.1%} now, "
            f"{found.oracle:.1%} at the very best.",
            table(header, [_row(row) for row in found.rows]),
            _choice(found),
            "",
            "If pressure raises the price (exponent), the floor stops evening out here:",
            table(
                ["exponent", "top 100", "impressions", "pressure", "one more point costs"],
                [_frontier(point) for point in found.frontier],
            ),
            PROMISES_NOTHING,
            *[f"  assumed: {one}" for one in found.assumed],
        ]
    )


def _row(row: Row) -> list[str]:
    def spread(name: str, shape: str) -> str:
        low, high = format(row.low[name], shape), format(row.high[name], shape)
        middle = format(row.figures[name], shape)
        return middle if low == high else f"{middle} ({low} to {high})"

    return [
        row.mode,
        "-" if row.cap is None else f"{row.cap:g} x even",
        spread("top100_after", ".1%"),
        spread("coverage_after", ".0%"),
        spread("delivery", ".1%"),
        spread("cpm_ratio", ".2f"),
        spread("changes_per_day", ".0f"),
        spread("settle_days", ".0f"),
        "" if row.kept else "below your floor; tighter caps left out",
    ]


def _choice(found: PriceTable) -> str:
    best = found.best
    if best is None:
        return (
            f"Nothing here keeps {found.floor:.0%} of the impressions; leave the campaign as it is or "
            "lower the floor."
        )
    cap = "" if best.cap is None else f", cap {best.cap:g} x even"
    return f"Lowest share within your floor of {found.floor:.0%}: {best.mode}{cap}."


def _frontier(point: Frontier) -> list[str]:
    cost = "-" if point.a_point is None else f"{point.a_point:.2%} of impressions"
    share, delivered = f"{point.share:.1%}", f"{point.delivery:.1%}"
    return [f"{point.elasticity:g}", share, delivered, f"{point.throttle:.2f} x", cost]
