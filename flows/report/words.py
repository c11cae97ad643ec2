"""Chooses the sentences of the report and hands them their numbers. It words nothing and computes no share.

The sentences themselves are in ``words.toml``; whole per cent in them, one decimal in tables.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date

from balancer.types import UNPLACED, Bounded, Move
from flows.report.catalogue import coded, say, sentences, table
from flows.report.formats import (
    DASH,
    between,
    count,
    counts_between,
    day,
    decimal,
    ends,
    gain,
    guessed,
    money,
    percent,
    times,
)
from flows.report.pieces import Companies, Figures, Moved, PlanSummary

# -- the report ------------------------------------------------------------


def title(segment: str) -> str:
    return say("report.title", segment=segment)


def headline(before: Figures, after: Figures | None, *, floor: int) -> str:
    """The one sentence on top: who took how much, and how many saw almost nothing."""
    if before.accounts == 0 or before.total <= 0:
        return say("report.headline.none")
    if after is None:
        return say(
            "report.headline.now",
            top=min(before.top, before.accounts),
            accounts=before.accounts,
            share=percent(before.top_share.point, 0),
            under=_under_now(before, floor),
        )
    return say(
        "report.headline.compared",
        top=min(after.top, after.accounts),
        accounts=after.accounts,
        before=percent(before.top_share.point, 0),
        after=percent(after.top_share.point, 0),
        under=_under(before, after, floor),
    )


def _under_now(figures: Figures, floor: int) -> str:
    if guessed(figures.under_served, figures.accounts):
        return say("report.headline.unnamed_now", unnamed=figures.never_seen)
    return say("report.headline.under_now", under=count(figures.under_served.point), floor=floor)


def _under(before: Figures, after: Figures, floor: int) -> str:
    if guessed(before.under_served, before.accounts) or guessed(after.under_served, after.accounts):
        return say("report.headline.unnamed_compared", before=before.never_seen, after=after.never_seen)
    then, now = round(before.under_served.point), round(after.under_served.point)
    if now == then:
        return say("report.headline.under_same", under=now, floor=floor)
    return say("report.headline.under_compared", before=then, after=now, floor=floor)


def spread(figures: Figures) -> str:
    """Concentration as a picture in words."""
    value = figures.effective_accounts
    number = counts_between(value) if guessed(value, value.point) else count(value.point)
    return say("report.spread", accounts=number, total=figures.accounts)


def range_of(value: Bounded) -> str:
    """Both ends of a share in words, "" where they look alike."""
    low, high = ends(value)
    return say("report.tile.between", low=low, high=high) if low else ""


def moved(value: Moved, total: float) -> str:
    """How much changed hands; two digits are as much as an estimate can bear."""
    share = value.impressions / total if total > 0 else 0.0
    digits = 2 - len(str(int(max(value.impressions, 1))))
    about = say("count.impression", n=round(value.impressions, min(digits, 0)))
    return say("report.moved.about", impressions=about, share=percent(share, 0))


def starved(page_floor: int, total: int, unnamed: int) -> str:
    """How many saw too little, and how many merely may have."""
    known, told = total - unnamed, []
    if known:
        told.append(say("report.starved.known", accounts=say("count.account", n=known), floor=page_floor))
    if unnamed:
        who = say("count.account", n=unnamed)
        if known:
            told.append(say("report.starved.unnamed_more", accounts=who, floor=page_floor))
        else:
            told.append(say("report.starved.unnamed", accounts=who, floor=page_floor))
    return " ".join((*told, say("report.starved.order")))


def standing_notes(before: Figures, after: Figures | None) -> tuple[str, ...]:
    """What a careful reader should know about these very numbers."""
    now, lines = after or before, []
    if after is not None and after.accounts:
        if after.window.days != before.window.days:
            days = {"before": before.window.days, "after": after.window.days}
            lines.append(say("report.standing.lengths", **days))
        fell = after.top_share.point < before.top_share.point - 0.005
        if fell and gain(before.coverage_even, after.coverage_even) <= 0.005:
            lines.append(say("note.top_share_fell_but_coverage_did_not_rise"))
        if fell and after.top_share.high >= before.top_share.low:
            lines.append(say("report.standing.overlap"))
    if now.accounts:
        lines += [say("report.standing.ranked_anew", top=now.top), power(now.accounts)]
    return tuple(lines)


def power(accounts: int, *, base_rate: float = 0.02) -> str:
    """What a list of this size can and cannot confirm (80 % power, 5 % two-sided, halves compared).

    Uses n = 2 (1.96 + 0.84)^2 p (1 - p) / (p lift)^2 solved for the lift.
    """
    arm = max(accounts / 2, 1.0)
    lift = math.sqrt(2 * (1.959964 + 0.841621) ** 2 * (1 - base_rate) / (base_rate * arm))
    return say("report.standing.power", accounts=accounts, rate=percent(base_rate, 0), lift=percent(lift, 0))


def note(text: str) -> str:
    """A known note code becomes its sentence; anything else is already one."""
    code, _, number = text.partition(":")
    return coded("note", code, text, n=number.strip())


def companies(value: Companies) -> str:
    """What became of the rows that were read."""
    return say(
        "report.companies",
        rows=say("count.row", n=value.read),
        companies=say("count.company", n=value.resolved),
        rejected=value.rejected,
        aside=value.quarantined,
    )


_SCRIPT = ("account.", "account_table.", "count.account.", "range.to")


def script() -> str:
    """What the script of the account table says, by key, as JSON."""
    return json.dumps({key: text for key, text in sentences().items() if key.startswith(_SCRIPT)})


# -- accounts and plans ----------------------------------------------------


def band(index: int | None) -> str:
    unplaced = index is None or index == UNPLACED
    return say("account.no_band") if unplaced else say("account.band", n=(index or 0) + 1)


def state(code: str) -> str:
    return coded("account.state", code, code.replace("_", " "))


def tier(value: int | None) -> str:
    return DASH if value is None else say("account.tier", n=value)


def starved_reason(code: str) -> str:
    return coded("account.starved", code, _readable(code) + ".")


def source(code: str) -> str:
    return coded("account.source", code, code)


def platform(code: str) -> str:
    return coded("platform", code, code)


def list_status(code: str) -> str:
    return coded("list.state", code, _readable(code)) if code else DASH


def _readable(code: str) -> str:
    return code.replace("_", " ").capitalize()


def status(code: str, number: float = 0.0, detail: str = "") -> str:
    """One sentence for a plan's status."""
    numbers = {"n": count(number), "x": decimal(number, 2), "p": percent(number)}
    text = coded("plan.status", code, _readable(code) + ".", **numbers)
    return f"{text} {coded('plan.detail', detail, detail, **numbers)}".strip()


def because(code: str) -> str:
    """Why an account changes place, to stand after "because"; "" for a code without words."""
    return coded("plan.because", code, "")


def why(move: Move, *, name: str) -> str:
    """One sentence: what happens to this account, because of what, and until when."""
    numbers, release = evidence(move), move.release
    return say(
        "plan.move.why",
        name=name,
        step=_step(move),
        reason=because(move.reason) or say("plan.move.other_reason", reason=move.reason.replace("_", " ")),
        proof=say("plan.move.proof", numbers=numbers) if numbers else "",
        until="" if release is None else say("plan.move.until", day=day(date.fromordinal(release))),
    )


def _step(move: Move) -> str:
    if move.after == UNPLACED:
        return say("plan.move.leaves")
    after = band(move.after).lower()
    if move.before == UNPLACED:
        return say("plan.move.joins", band=after)
    return say("plan.move.moves", before=band(move.before).lower(), after=after)


_SHAPES: dict[str, Callable[[float], str]] = {
    "natural_per_day": decimal,
    "wanted_per_day": decimal,
    "times_even": times,
    "share": percent,
    "per_member": decimal,
    "rate": decimal,
    "target": decimal,
}  # of the numbers behind a move; the others are counts


def evidence(move: Move) -> str:
    """The numbers behind a move, those with a known meaning only."""
    return ", ".join(
        text.format(value=_SHAPES.get(name, count)(float(move.evidence[name])))
        for name, text in table("plan.proof").items()
        if name in move.evidence and math.isfinite(float(move.evidence[name]))
    )


def plan_sentence(plan: PlanSummary, currency: str) -> str:
    """What the plan does and what it is expected to do."""
    budget = money(sum(plan.budgets), currency)
    if plan.moves:
        what = say("plan.sentence.change", n=len(plan.moves), budget=budget)
    else:
        what = say("plan.sentence.nobody", budget=budget)
    if len(plan.budgets) > 1:
        what = say("plan.sentence.bands", what=what, bands=len(plan.budgets))
    share = plan.forecast.get("top100_share")
    if share is None:
        return say("plan.sentence.whole", what=what)
    low, high = plan.forecast.get("top100_share_low", share), plan.forecast.get("top100_share_high", share)
    around = between(Bounded(low, share, high), 0)
    told = {
        "what": what,
        "share": percent(share, 0),
        "range": say("plan.sentence.range", range=around) if high - low > 0.005 else "",
    }
    delivery = plan.forecast.get("delivery")
    if delivery is None:
        return say("plan.sentence.aim", **told)
    return say("plan.sentence.aim_and_delivery", **told, delivery=percent(delivery, 0))
