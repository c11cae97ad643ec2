"""The page's own words: statuses, stages, actions, role and reject codes. Tables and sentences only."""

from __future__ import annotations

from datetime import datetime

from flows.report import formats
from flows.report.charts_weekly import sizes
from flows.report.svg import Markup
from flows.web.views import PlanView, PushForecast, RunLine, SegmentLine, SizePoint

RUN_KINDS = {
    "sync": "Sync",
    "push": "One-off push",
    "collect": "Reports collected",
    "balance": "Balancing",
    "upkeep": "Upkeep",
}
RUN_STATES = {
    "running": "Running",
    "completed": "Done",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "refused": "Stopped by a brake",
    "undone": "Undone",
}
PLAN_STATES = {
    "waiting": "Waiting for your decision",
    "approved": "Approved, goes out with the next run",
    "applied": "Applied",
    "refused": "Refused",
    "shadow": "In shadow: watched, not applied",
    "replaced": "Replaced by a newer plan",
}
PUSH_STAGES = {
    "waiting": "Starts in a moment",
    "sending": "Being sent",
    "settling": "Sent; the platform is matching",
    "ready": "Ready",
    "cancelled": "Cancelled",
    "failed": "Failed",
    "undone": "Undone",
}
OVERRIDES = {
    "pin": "never limited",
    "exclude": "never served",
    "raise_cap": "higher limit",
    "clear": "no exception",
}
REJECTS = {
    "email_malformed": "E-mail address is not written correctly",
    "email_free_mail": "Free-mail address, says nothing about a company",
    "email_missing": "No e-mail address",
    "phone_malformed": "Phone number is not written correctly",
    "domain_malformed": "Web address is not written correctly",
    "domain_missing": "No web address",
    "free_mail": "Free-mail domain, says nothing about a company",
    "shared_host": "Web address is shared by many companies",
    "no_identifier": "Nothing in the row identifies a company or person",
    "duplicate": "The same as an earlier row",
    "name_missing": "No company name",
    "consent_denied": "No consent",
    "suppressed": "On the suppression list",
    "row_too_short": "Fewer columns than the header",
    "row_too_long": "More columns than the header",
}
ROLES = {"viewer": "Viewer", "operator": "Operator", "approver": "Approver"}
ACTIONS = {
    "approve": "approved a plan",
    "refuse": "refused a plan",
    "shadow": "put a plan in shadow",
    "override": "made an exception for an account",
    "propose": "proposed a change of a segment",
    "write": "changed a segment",
    "push": "pushed a list",
    "cancel": "cancelled a push",
    "undo": "undid a change",
    "sync": "synced",
    "sign_in": "signed in",
}


def said(table: dict[str, str], code: str) -> str:
    """The words for a code; an unknown code is shown readably."""
    return table.get(code) or code.replace("_", " ").capitalize() or formats.DASH


def ago(value: datetime | None, now: datetime) -> str:
    """``3 h ago``; an unknown time is "never"."""
    if value is None:
        return "never"
    seconds = max(0.0, (now - value).total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)}{formats.NBSP}{unit} ago"
    return "just now"


def size(line: SegmentLine) -> str:
    return formats.plural(line.accounts, "account") if line.accounts is not None else "not computed yet"


def plan_effect(plan: PlanView) -> str:
    """What approving is expected to do, first thing on the plan page."""
    moves = formats.plural(len(plan.summary.moves), "account")
    share = plan.summary.forecast.get("top100_share")
    if share is None:
        return f"{moves} would change place."
    now = f" from {formats.percent(plan.share_now.point, 0)}" if plan.share_now is not None else ""
    return f"{moves} would change place; the top share is expected to go{now} to {formats.percent(share, 0)}."


def match(line: PushForecast) -> str:
    if line.match_low is None or line.match_high is None:
        return "not known before the platform answers"
    return f"{formats.percent(line.match_low, 0)} to {formats.percent(line.match_high, 0)} expected to match"


def minimum(line: PushForecast) -> str:
    """Whether the list is large enough to be served."""
    if line.minimum is None:
        return ""
    least = f"the platform serves lists from {formats.count(line.minimum)} matched members"
    if line.enough is None:
        return least.capitalize() + "."
    return f"Enough: {least}." if line.enough else f"Probably too small: {least}."


def outcome(run: RunLine) -> str:
    """What became of a run's rows."""
    parts = [
        f"{formats.count(number)} {word}"
        for number, word in (
            (run.accepted, "accepted"),
            (run.rejected, "rejected"),
            (run.unknown, "without answer"),
        )
        if number
    ]
    return ", ".join(parts) or "nothing to do"


def size_chart(history: tuple[SizePoint, ...]) -> Markup:
    """A segment's size over time as a small chart."""
    return sizes([(point.on, point.accounts) for point in history])
