"""How sure a report is, in sentences: what carries no name, and what that leaves open. Computes no bound."""

from __future__ import annotations

from flows.report.formats import count, percent, plural
from flows.report.pieces import Figures


def certainty(figures: Figures) -> tuple[str, ...]:
    """Bounds and the unattributed share, in plain words."""
    if figures.accounts == 0 or figures.total <= 0:
        return ()
    top = f"the top {count(min(figures.top, figures.accounts))}"
    exact = figures.top_share.high - figures.top_share.low < 0.0005
    lines = []
    if figures.unattributed > 0.0005:
        lines.append(
            f"The platform names only the most-served accounts. {percent(figures.unattributed, 0)} of the "
            f"{count(figures.total)} impressions carry no name."
        )
    if not exact:
        lines.append(
            f"Whoever saw those, {top} took at least {percent(figures.top_share.low)} and at most "
            f"{percent(figures.top_share.high)}."
        )
    elif not lines:
        lines.append(f"Every one of the {count(figures.total)} impressions is attributed to an account.")
    if figures.never_seen:
        accounts = plural(figures.never_seen, "account")
        lines.append(f"{accounts} never appeared in a report; what they saw is unknown, not zero.")
    if figures.unplaced[0]:
        lines.append(_unplaced(figures))
    if figures.outside > 0:
        lines.append(
            f"{plural(figures.outside, 'impression')} went to companies that are not in this segment, or not known "
            "to be; the range allows for those."
        )
    return tuple(lines)


def _unplaced(figures: Figures) -> str:
    """Pages that may or may not be one of the accounts; a named account's row counts only its own pages."""
    pages, most = figures.unplaced
    return (
        f"{plural(pages, 'company page')} in the reports, with at most {plural(most, 'impression')}, could not be "
        "matched to an account; every figure allows for that."
    )
