"""How sure a report is, in sentences: what carries no name, and what that leaves open. Computes no bound."""

from __future__ import annotations

from flows.report.catalogue import say
from flows.report.formats import count, percent
from flows.report.pieces import Figures


def certainty(figures: Figures) -> tuple[str, ...]:
    """How sure the report is: bounds and the unattributed share, in plain words."""
    if figures.accounts == 0 or figures.total <= 0:
        return ()
    share, total = figures.top_share, count(figures.total)
    lines = []
    if figures.unattributed > 0.0005:
        unnamed = percent(figures.unattributed, 0)
        lines.append(say("report.certainty.unnamed", share=unnamed, total=total))
    if share.high - share.low >= 0.0005:
        top = say("report.certainty.the_top", n=min(figures.top, figures.accounts))
        ends = {"low": percent(share.low), "high": percent(share.high)}
        lines.append(say("report.certainty.bounds", top=top, **ends))
    elif not lines:
        lines.append(say("report.certainty.exact", total=total))
    return (*lines, *_left_open(figures))


def _left_open(figures: Figures) -> tuple[str, ...]:
    """Who was never named, pages that may be one of the accounts, and what went elsewhere.

    A named account's row counts only its own pages.
    """
    lines = []
    if figures.never_seen:
        unseen = say("count.account", n=figures.never_seen)
        lines.append(say("report.certainty.never_seen", accounts=unseen))
    pages, most = figures.unplaced
    if pages:
        unmatched, room = say("count.company_page", n=pages), say("count.impression", n=most)
        lines.append(say("report.certainty.unplaced", pages=unmatched, most=room))
    if figures.outside > 0:
        elsewhere = say("count.impression", n=figures.outside)
        lines.append(say("report.certainty.outside", impressions=elsewhere))
    return tuple(lines)
