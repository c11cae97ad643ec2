"""Chooses the page's own sentences: what codes are called, what a plan does, what became of a run. It words nothing.

The sentences themselves are in ``flows/report/words.toml``.
"""

from __future__ import annotations

from datetime import datetime

from flows.report import formats
from flows.report.catalogue import coded, say, table
from flows.report.charts_price import price
from flows.report.charts_weekly import sizes
from flows.report.svg import Markup
from flows.web.views import AuditLine, PlanView, PushForecast, RunLine, SegmentLine, SizePoint

_LONGEST = 80  # characters of one fact in a line of the audit log


def said(name: str, code: str) -> str:
    """What a code is called in the table ``name``; an unknown code is shown readably."""
    return coded(name, code, code.replace("_", " ").capitalize()) or formats.DASH


def audit_detail(line: AuditLine) -> str:
    """The facts of one audit line, counts first in words."""
    return ", ".join(_fact(name, value) for name, value in line.facts.items()) or line.detail


def _fact(name: str, value: str) -> str:
    if value.isdigit():
        none = name == "moves" and int(value) == 0
        counted = say("audit.count.no_moves") if none else coded("audit.count", name, "", n=int(value))
        if counted:
            return counted
    if name == "platform":
        return said("platform", value)
    if name == "kind" and value in table("plan.exception"):
        return said("plan.exception", value)
    shown = value if len(value) <= _LONGEST else f"{value[: _LONGEST - 3]}..."
    other = say("audit.fact.other", name=name.replace("_", " "), value=shown)
    return coded("audit.fact", name, other, value=shown)


def rejected(code: str) -> str:
    """Why a row or cell was not taken over. Identifier codes are "<identifier>_<fault>"."""
    for part, name in table("push.part").items():
        fault = coded("push.fault", code.removeprefix(f"{part}_"), "")
        if code.startswith(f"{part}_") and fault:
            return say("push.rejects.part", part=name, fault=fault)
    return said("push.reject", code)


def ago(value: datetime | None, now: datetime) -> str:
    """``3 h ago``; an unknown time is "never"."""
    if value is None:
        return say("ago.never")
    seconds = max(0, int((now - value).total_seconds()))
    if seconds >= 86_400:
        return say("ago.days", n=seconds // 86_400)
    if seconds >= 3_600:
        return say("ago.hours", n=seconds // 3_600)
    return say("ago.minutes", n=seconds // 60) if seconds >= 60 else say("ago.now")


def size(line: SegmentLine) -> str:
    return say("count.account", n=line.accounts) if line.accounts is not None else say("segment.no_size")


def plan_effect(plan: PlanView) -> str:
    """What approving is expected to do, or what was done, first thing on the plan page."""
    done = plan.status == "applied"
    moves = _moves(len(plan.summary.moves), done=done)
    share = plan.summary.forecast.get("top100_share")
    if share is None:
        return say("plan.effect.whole", moves=moves)
    now = formats.percent(share, 0)
    if done:
        return say("plan.effect.go_done", moves=moves, now=now)
    if plan.share_now is None:
        return say("plan.effect.go", moves=moves, now=now)
    then = formats.percent(plan.share_now.point, 0)
    if then == now:
        return say("plan.effect.stay", moves=moves, now=now)
    return say("plan.effect.go_from", moves=moves, then=then, now=now)


def _moves(count: int, *, done: bool) -> str:
    if not count:
        return say("plan.effect.nobody_done") if done else say("plan.effect.nobody")
    return say("plan.effect.accounts_done", n=count) if done else say("plan.effect.accounts", n=count)


def decided(plan: PlanView) -> str:
    """``approved by maya``; who is not known is not made up."""
    verb = coded("plan.decided", plan.status, say("plan.decided.approved"))
    known = plan.decided_by not in ("", "unknown")
    return say("plan.decided.by", verb=verb, who=plan.decided_by) if known else verb


def left_out(code: str) -> str:
    """Why companies that pass the rules are not in the segment, e.g. "without:customers"."""
    kind, _, name = code.partition(":")
    return coded("segment.left_out", kind, kind.replace("_", " "), name=name)


def match(line: PushForecast) -> str:
    if line.match_low is None or line.match_high is None:
        return say("push.match.unknown")
    low, high = formats.percent(line.match_low, 0), formats.percent(line.match_high, 0)
    return say("push.match.range", low=low, high=high)


def minimum(line: PushForecast) -> str:
    """Whether the list is large enough to be served."""
    if line.minimum is None:
        return ""
    if line.enough is None:
        return say("push.minimum.least", n=line.minimum)
    return (
        say("push.minimum.enough", n=line.minimum)
        if line.enough
        else say("push.minimum.too_few", n=line.minimum)
    )


def outcome(run: RunLine) -> str:
    """What became of a run's rows; a plan's run has a message instead."""
    parts = (
        say("runs.rows.accepted", n=run.accepted) if run.accepted else "",
        say("runs.rows.rejected", n=run.rejected) if run.rejected else "",
        say("runs.rows.unknown", n=run.unknown) if run.unknown else "",
    )
    return ", ".join(filter(None, parts)) or ("" if run.message else say("runs.nothing"))


def price_chart(plan: PlanView) -> Markup:
    """What evenness costs, with today's place on the curve."""
    steps = [(step.top_share, step.impressions) for step in plan.price]
    now = plan.share_now.point if plan.share_now is not None else None
    aim = plan.summary.forecast.get("top100_share")
    return price(steps, now=now, aim=aim)


def size_chart(history: tuple[SizePoint, ...]) -> Markup:
    """A segment's size over time as a small chart."""
    return sizes([(point.on, point.accounts) for point in history])
