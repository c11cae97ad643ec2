"""Every sentence of the report. It decides nothing and computes no share.

Whole per cent in sentences, one decimal in tables; ``formats`` has the numbers, ``code_words`` the codes,
``certainty_words`` how sure a report is.
To translate or reword: every file whose name ends in ``words.py``, and the ``templates`` folders.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date

from balancer.types import UNPLACED, Bounded, Move
from flows.report.code_words import (
    DETAILS,
    LIST_STATES,
    MOVES,
    NOTES,
    PLATFORMS,
    SOURCES,
    STARVED,
    STATES,
    STATUSES,
)
from flows.report.formats import (
    DASH,
    between,
    count,
    counts_between,
    day,
    decimal,
    gain,
    guessed,
    money,
    percent,
    plural,
    times,
)
from flows.report.pieces import Companies, Figures, Moved, PlanSummary

# -- the report ------------------------------------------------------------


def title(segment: str, top: int) -> str:
    return f"{segment}: who saw the ads"


def headline(before: Figures, after: Figures | None, *, floor: int) -> str:
    """The one sentence on top: who took how much, and how many saw almost nothing."""
    if before.accounts == 0 or before.total <= 0:
        return "No impressions have been reported for this segment yet."
    if after is None:
        return (
            f"{count(min(before.top, before.accounts))} of {count(before.accounts)} accounts took "
            f"{percent(before.top_share.point, 0)} of impressions; "
            f"{_under_now(before, floor)}."
        )
    return (
        f"The top {count(min(after.top, after.accounts))} of {count(after.accounts)} accounts took "
        f"{percent(before.top_share.point, 0)} of impressions before, "
        f"{percent(after.top_share.point, 0)} after; {_under(before, after, floor)}."
    )


def _under_now(figures: Figures, floor: int) -> str:
    if guessed(figures.under_served, figures.accounts):
        return f"{count(figures.never_seen)} were never named in a report"
    return f"{count(figures.under_served.point)} saw fewer than {floor}"


def _under(before: Figures, after: Figures, floor: int) -> str:
    if guessed(before.under_served, before.accounts) or guessed(after.under_served, after.accounts):
        then, now = before.never_seen, after.never_seen
        return f"{count(then)} were never named in a report before, {count(now)} after"
    then, now = round(before.under_served.point), round(after.under_served.point)
    if now == then:
        return f"{count(now)} still see fewer than {floor}"
    return f"{count(then)} saw fewer than {floor}, {count(now)} do now"


def spread(figures: Figures) -> str:
    """Concentration as a picture in words."""
    value = figures.effective_accounts
    number = counts_between(value) if guessed(value, value.point) else count(value.point)
    total = count(figures.accounts)
    return f"Impressions are spread as if {number} accounts shared them equally, out of {total}."


def moved(value: Moved, total: float) -> str:
    """How much changed hands; two digits are as much as an estimate can bear."""
    share = value.impressions / total if total > 0 else 0.0
    digits = 2 - len(str(int(max(value.impressions, 1))))
    return (
        f"By best estimate, about {plural(round(value.impressions, min(digits, 0)), 'impression')} "
        f"({percent(share, 0)}) went to other accounts than before; numbers with ~ are estimates. "
        "Some of that happens by itself: the same accounts are never equally busy twice."
    )


def starved(page_floor: int, total: int, unnamed: int) -> str:
    """How many saw too little, and how many merely may have."""
    known = total - unnamed
    told = (
        [f"{plural(known, 'account')} saw fewer than {page_floor} impressions by best estimate."]
        if known
        else []
    )
    if unnamed:
        more = "more were" if known else "were"
        told.append(
            f"{plural(unnamed, 'account')} {more} never named in a report, so nobody knows whether they saw "
            f"{page_floor}."
        )
    return " ".join((*told, "Best tiers first."))


def standing_notes(before: Figures, after: Figures | None) -> tuple[str, ...]:
    """What a careful reader should know about these very numbers."""
    now, lines = after or before, []
    if after is not None and after.accounts:
        if after.window.days != before.window.days:
            lines.append(
                f"The two windows differ in length ({before.window.days} and {after.window.days} days); "
                "shorter windows look more concentrated."
            )
        fell = after.top_share.point < before.top_share.point - 0.005
        if fell and gain(before.coverage_even, after.coverage_even) <= 0.005:
            lines.append(NOTES["top_share_fell_but_coverage_did_not_rise"])
        if fell and after.top_share.high >= before.top_share.low:
            lines.append(
                "The ranges before and after overlap: the reports alone cannot prove that the share fell."
            )
    if now.accounts:
        lines.append(
            f"The top {now.top} is ranked anew in every window. A fixed list of former leaders loses share "
            "even when nothing changes."
        )
        lines.append(power(now.accounts))
    return tuple(lines)


def power(accounts: int, *, base_rate: float = 0.02) -> str:
    """What a list of this size can and cannot confirm (80 % power, 5 % two-sided, halves compared).

    Uses n = 2 (1.96 + 0.84)^2 p (1 - p) / (p lift)^2 solved for the lift.
    """
    arm = max(accounts / 2, 1.0)
    lift = math.sqrt(2 * (1.959964 + 0.841621) ** 2 * (1 - base_rate) / (base_rate * arm))
    return (
        f"With {count(accounts)} accounts, a change in opportunities (about {percent(base_rate, 0)} "
        f"of accounts) can only be confirmed from about +{percent(lift, 0)} on. This list can confirm reach "
        "and coverage, not a modest lift in pipeline."
    )


def note(text: str) -> str:
    """A known note code becomes its sentence; anything else is already one."""
    code, _, number = text.partition(":")
    return NOTES[code].format(n=number.strip()) if code in NOTES else text


def companies(value: Companies) -> str:
    """What became of the rows that were read."""
    return (
        f"{plural(value.read, 'row')} read, {plural(value.resolved, 'company', 'companies')} recognised, "
        f"{count(value.rejected)} rejected with a reason, "
        f"{count(value.quarantined)} set aside for a person to decide."
    )


# -- accounts and plans ----------------------------------------------------


def band(index: int | None) -> str:
    return "none" if index is None or index == UNPLACED else f"Band {index + 1}"


def state(code: str) -> str:
    return STATES.get(code, code.replace("_", " "))


def tier(value: int | None) -> str:
    return DASH if value is None else f"Tier {value}"


def starved_reason(code: str) -> str:
    return STARVED.get(code, code.replace("_", " ").capitalize() + ".")


def status(code: str, number: float = 0.0, detail: str = "") -> str:
    """One sentence for a plan's status."""
    text = STATUSES.get(code, "")
    if not text:
        text = code.replace("_", " ").capitalize() + "."
    numbers = {"n": count(number), "x": decimal(number, 2), "p": percent(number)}
    more = DETAILS[detail].format(**numbers) if detail in DETAILS else detail
    return f"{text.format(**numbers)} {more}".strip()


def why(move: Move, *, name: str) -> str:
    """One sentence: what happens to this account, because of what, and until when."""
    reason = MOVES.get(move.reason, f"of {move.reason.replace('_', ' ')}")
    proof = evidence(move)
    proof = f" ({proof})" if proof else ""
    until = ""
    if move.release is not None:
        until = f" Earliest change back: {day(date.fromordinal(move.release))}."
    return f"{name} {_step(move)} because {reason}{proof}.{until}"


def _step(move: Move) -> str:
    if move.after == UNPLACED:
        return "is taken off the campaigns"
    if move.before == UNPLACED:
        return f"joins {band(move.after).lower()}"
    return f"moves from {band(move.before).lower()} to {band(move.after).lower()}"


_EVIDENCE: dict[str, tuple[str, Callable[[float], str]]] = {
    "natural_per_day": ("{} a day by itself", decimal),
    "wanted_per_day": ("{} a day wanted", decimal),
    "counted": ("{} impressions counted", count),
    "times_even": ("{} the even share", times),
    "share": ("{} of impressions", percent),
    "impressions": ("{} impressions", count),
    "cap": ("limit {}", count),
    "per_member": ("{} per member", decimal),
    "rate": ("{} impressions a day", decimal),
    "target": ("aim {} a day", decimal),
    "days": ("{} days", count),
}


def evidence(move: Move) -> str:
    """The numbers behind a move, those with a known meaning only."""
    parts = [
        text.format(shape(float(move.evidence[key])))
        for key, (text, shape) in _EVIDENCE.items()
        if key in move.evidence and math.isfinite(float(move.evidence[key]))
    ]
    return ", ".join(parts)


def source(code: str) -> str:
    return SOURCES.get(code, code)


def platform(code: str) -> str:
    return PLATFORMS.get(code, code)


def list_status(code: str) -> str:
    return LIST_STATES.get(code, code.replace("_", " ").capitalize()) if code else DASH


def plan_sentence(plan: PlanSummary, currency: str) -> str:
    """What the plan does and what it is expected to do."""
    budget = money(sum(plan.budgets), currency)
    who = f"{plural(len(plan.moves), 'account')} change" if len(plan.moves) > 1 else "1\u00a0account changes"
    what = f"{who if plan.moves else 'Nobody changes'} place; {budget} a day stays as it is"
    if len(plan.budgets) > 1:
        what += f", over {len(plan.budgets)} bands"
    share = plan.forecast.get("top100_share")
    if share is None:
        return what + "."
    low, high = plan.forecast.get("top100_share_low", share), plan.forecast.get("top100_share_high", share)
    bounds = f" ({between(Bounded(low, share, high), 0)})" if high - low > 0.005 else ""
    aim = f"{what}. Expected top share: {percent(share, 0)}{bounds}"
    delivery = plan.forecast.get("delivery")
    return f"{aim}." if delivery is None else f"{aim}, with {percent(delivery, 0)} of today's impressions."
