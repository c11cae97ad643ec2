"""The report as a few lines for a terminal or a message. No colour, no layout beyond columns."""

from __future__ import annotations

from collections.abc import Callable

from flows.report import formats, words
from flows.report.model import ReportPage
from flows.report.pieces import Figures


def summary(page: ReportPage, *, accounts: int = 10) -> str:
    """Sentence, bounds, before and after side by side, the first ``accounts`` rows, and the notes."""
    blocks = [page.title, page.sentence, *page.certainty, "", *_table(_figure_lines(page))]
    if page.tiers:
        blocks += ["", *_table(_tier_lines(page))]
    if page.rows and accounts:
        blocks += ["", *_table(_account_lines(page, accounts))]
    if page.notes:
        blocks += ["", *(f"- {line}" for line in page.notes)]
    return "\n".join(blocks).replace(formats.NBSP, " ") + "\n"


def _figure_lines(page: ReportPage) -> list[tuple[str, ...]]:
    windows = [figures for figures in (page.before, page.after) if figures is not None]
    head = ("", *(formats.span(f.window.start, f.window.end) for f in windows))
    return [head, *((label, *(shape(f) for f in windows)) for label, shape in _FIGURES)]


_FIGURES: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("impressions", lambda f: formats.count(f.total)),
    ("share of the top", lambda f: _share(f)),
    ("even spread (Gini)", lambda f: _gini(f)),
    ("as if shared by", lambda f: f"{_effective(f)} accounts"),
    ("coverage", lambda f: formats.at_least(f.coverage_even, 1, formats.percent)),
    ("under the floor", lambda f: f"{formats.at_most(f.under_served, f.accounts, formats.count)} accounts"),
    ("carry no name", lambda f: formats.percent(f.unattributed)),
)


def _share(figures: Figures) -> str:
    return f"{formats.percent(figures.top_share.point)} ({formats.between(figures.top_share)})"


def _gini(figures: Figures) -> str:
    return formats.ranged(figures.gini, 1, lambda value: formats.decimal(value, 2))


def _effective(figures: Figures) -> str:
    value = figures.effective_accounts
    return formats.at_least(value, value.point, formats.count)


def _tier_lines(page: ReportPage) -> list[tuple[str, ...]]:
    head = ("tier", "accounts", "share", "per member")
    rows = [
        (
            words.tier(line.tier),
            formats.count(line.accounts),
            formats.between(line.share),
            formats.decimals_between(line.per_member),
        )
        for line in page.tiers
    ]
    return [head, *rows]


def _account_lines(page: ReportPage, limit: int) -> list[tuple[str, ...]]:
    head = ("rank", "account", "impressions", "between", "share", "x even")
    rows = [
        (
            str(row.rank),
            row.name[:32],
            formats.count(row.impressions),
            formats.left_open(row.counted, formats.count),
            formats.percent(row.share),
            formats.times(row.times_even),
        )
        for row in page.rows[:limit]
    ]
    return [head, *rows]


def _table(lines: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return ["  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines]
