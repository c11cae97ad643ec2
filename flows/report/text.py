"""The report as a few lines for a terminal or a message. No colour, no layout beyond columns."""

from __future__ import annotations

from collections.abc import Callable

from flows.report import formats, words
from flows.report.catalogue import say
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
    lines: tuple[tuple[str, Callable[[Figures], str]], ...] = (
        (say("summary.impressions"), lambda f: formats.count(f.total)),
        (say("summary.top_share"), _share),
        (say("summary.gini"), _gini),
        (say("summary.effective"), lambda f: say("summary.accounts", accounts=_effective(f))),
        (say("summary.coverage"), lambda f: formats.at_least(f.coverage_even, 1, formats.percent)),
        (say("summary.under_floor"), lambda f: say("summary.accounts", accounts=_under(f))),
        (say("summary.unnamed"), lambda f: formats.percent(f.unattributed)),
    )
    return [head, *((label, *(shape(f) for f in windows)) for label, shape in lines)]


def _share(figures: Figures) -> str:
    share = figures.top_share
    return say("summary.top_share_value", share=formats.percent(share.point), range=formats.between(share))


def _gini(figures: Figures) -> str:
    return formats.ranged(figures.gini, 1, lambda value: formats.decimal(value, 2))


def _effective(figures: Figures) -> str:
    value = figures.effective_accounts
    return formats.at_least(value, value.point, formats.count)


def _under(figures: Figures) -> str:
    return formats.at_most(figures.under_served, figures.accounts, formats.count)


def _tier_lines(page: ReportPage) -> list[tuple[str, ...]]:
    head = (
        say("summary.tier"),
        say("summary.tier_accounts"),
        say("summary.share"),
        say("summary.per_member"),
    )
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
    head = (
        say("summary.rank"),
        say("summary.account"),
        say("summary.impressions"),
        say("summary.between"),
        say("summary.share"),
        say("summary.times_even"),
    )
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
