"""The page's own words: statuses, stages, actions, role and reject codes. Tables and sentences only."""

from __future__ import annotations

from datetime import datetime

from flows.report import formats
from flows.report import words as report_words
from flows.report.charts_price import price
from flows.report.charts_weekly import sizes
from flows.report.svg import Markup
from flows.web.views import AuditLine, PlanView, PushForecast, RunLine, SegmentLine, SizePoint

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
    "proposed": "Waiting for your decision",
    "approved": "Approved",
    "applied": "Applied",
    "refused": "Refused",
    "shadow": "In shadow: watched, not applied",
    "lapsed": "Replaced by a newer plan",
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
    "raise_cap": "limit raised",
    "clear": "no exception",
}
_PARTS = {
    "email": "E-mail address",
    "phone": "Phone number",
    "given_name": "First name",
    "family_name": "Last name",
}
_FAULTS = {
    "blank": "is empty",
    "not_user_at_domain": "is not of the form name@company",
    "empty_user": "has nothing before the @",
    "empty_domain": "has nothing after the @",
    "domain_without_dot": "has an incomplete domain",
    "inner_space": "has a blank inside",
    "no_digits": "has no digits",
    "implausible_number": "cannot be a phone number in its country",
    "empty_name": "holds no letter",
    "other_hash": "is hashed in a way the platforms do not read",
    "malformed": "is not written correctly",
    "missing": "is missing",
    "unexplained": "could not be read",
}
REJECTS = {
    "domain_malformed": "Web address is not written correctly",
    "free_mail": "Free-mail domain, says nothing about a company",
    "shared_host": "Web address is shared by many companies",
    "ambiguous_merge": "May be one company or several",
    "nothing_identifies_it": "Neither name, web address nor page identifies the company",
    "nothing_to_match_by": "No usable e-mail, phone or full address",
    "no_identifier": "Nothing in the row identifies a company or person",
    "duplicate": "The same as an earlier row",
    "country_unknown": "Country is not known by that name",
    "amount_unreadable": "Amount cannot be read",
    "headcount_unreadable": "Number of employees cannot be read",
    "year_unreadable": "Year cannot be read",
    "date_unreadable": "Date cannot be read",
    "no_day": "No day in the row",
    "no_kind": "The kind of signal is not named",
    "consent_denied": "No consent",
    "suppressed": "On the suppression list",
    "too_few_columns": "Fewer columns than the header",
    "too_many_columns": "More columns than the header",
    "damaged_text": "A character cannot be read",
    "damaged_quotes": "Stray quotation marks run several lines together",
    "cut_off": "The file ends in the middle of the row",
}
ROLES = {"viewer": "Viewer", "operator": "Operator", "approver": "Approver"}
LIST_KINDS = {"company": "companies", "contact": "people"}
RUN_FILTERS = {"": "All", "sync": "Syncs", "push": "Pushes", "balance": "Balancing", "collect": "Reports"}
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
    "sign_in_failed": "failed to sign in",
    "sign_in_locked": "failed to sign in and must wait",
    "sign_out": "signed out",
    "signed in": "connected an ad account",
    "plan proposed": "made a plan",
    "plan approved": "approved a plan",
    "plan refused": "refused a plan",
    "plan applied": "carried out a plan",
    "plan undone": "took a plan back",
    "batch add": "sent additions",
    "batch remove": "sent removals",
    "campaigns adopted as bands": "made own campaigns the bands",
    "bands live": "switched balancing on",
    "bands paused": "paused balancing",
    "creatives added": "saw new creatives",
    "campaign targets set": "pointed the campaign at its list",
    "people counted": "counted whom campaigns would reach",
    "experiment set up": "set up an experiment",
    "experiment started": "started an experiment",
    "experiment ended": "ended an experiment",
    "list created": "created a list",
    "list restored": "brought a list back",
    "list made anew": "made a list anew",
    "list replacement begun": "began to replace what a list holds",
    "others taken off": "took everybody else off a list",
    "list replaced": "replaced what a list holds",
    "list sent again": "sent a list again",
    "one-off list pushed": "pushed a list",
    "people vouched for": "vouched for the people of a list",
    "large change accepted": "let a large change through",
    "one-off list ended": "ended a one-off list",
    "reports collected": "read the reports",
    "person erased": "erased a person",
    "suppressed": "put people on the suppression list",
    "taken off the suppression list": "took people off the suppression list",
    "backup made": "made a backup",
    "audit trimmed": "removed old lines of this log",
}
_DETAILS = {
    "rows": ("row", "{}"),
    "members": ("member", "{}"),
    "moves": ("account", "{} change place"),
    "removed": ("member", "{} removed"),
    "lines": ("line", "{}"),
    "lists": ("list", "{}"),
    "days": ("day", "{}"),
    "failures": ("failure", "{} within a quarter of an hour"),
}  # name of a count -> what is counted, the words around it
_NAMED = {
    "account": "{}",
    "kind": "{}",
    "owner": "owner {}",
    "said": "who {}",
    "address": "from {}",
    "plan": "plan {}",
    "batch": "batch {}",
}


def said(table: dict[str, str], code: str) -> str:
    """The words for a code; an unknown code is shown readably."""
    return table.get(code) or code.replace("_", " ").capitalize() or formats.DASH


def audit_detail(line: AuditLine) -> str:
    """The facts of one audit line, counts first in words."""
    told = []
    for name, value in line.facts.items():
        if name in _DETAILS and value.isdigit():
            one, words = _DETAILS[name]
            if value == "0" and name == "moves":
                words = "budgets only"
            told.append(words.format(formats.plural(int(value), one)))
        elif name == "platform":
            told.append(report_words.platform(value))
        elif name == "kind" and value in OVERRIDES:
            told.append(OVERRIDES[value])
        else:
            shown = value if len(value) <= 80 else f"{value[:77]}..."
            told.append(_NAMED.get(name, f"{name.replace('_', ' ')} {{}}").format(shown))
    return ", ".join(told) or line.detail


def rejected(code: str) -> str:
    """Why a row or cell was not taken over. Identifier codes are "<identifier>_<fault>"."""
    for part, name in _PARTS.items():
        fault = code.removeprefix(part + "_")
        if fault != code and fault in _FAULTS:
            return f"{name} {_FAULTS[fault]}"
    return said(REJECTS, code)


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
    """What approving is expected to do, or what was done, first thing on the plan page."""
    count, done = len(plan.summary.moves), plan.status == "applied"
    verb = "changed place" if done else "would change place"
    moves = f"{formats.plural(count, 'account') if count else 'Nobody'} {verb}"
    share = plan.summary.forecast.get("top100_share")
    if share is None:
        return f"{moves}."
    expected = "was expected" if done else "is expected"
    then = formats.percent(plan.share_now.point, 0) if plan.share_now is not None and not done else ""
    now = formats.percent(share, 0)
    if then == now:
        return f"{moves}; the top share {expected} to stay at {now}."
    return f"{moves}; the top share {expected} to go{f' from {then}' if then else ''} to {now}."


def decided(plan: PlanView) -> str:
    """``approved by maya``; who is not known is not made up."""
    verb = {"refused": "refused", "shadow": "put in shadow", "lapsed": "replaced"}.get(
        plan.status, "approved"
    )
    return f"{verb} by {plan.decided_by}" if plan.decided_by not in ("", "unknown") else verb


def left_out(code: str) -> str:
    """Why companies that pass the rules are not in the segment, e.g. "without:customers"."""
    kind, _, name = code.partition(":")
    words = {
        "outside": "not in {}",
        "without": "in {}, which is left out",
        "priority": "in {}, which goes first",
    }
    return words.get(kind, kind.replace("_", " ")).format(name)


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
    """What became of a run's rows; a plan's run has a message instead."""
    parts = [
        f"{formats.count(number)} {word}"
        for number, word in (
            (run.accepted, "accepted"),
            (run.rejected, "rejected"),
            (run.unknown, "without answer"),
        )
        if number
    ]
    return ", ".join(parts) or ("" if run.message else "nothing to do")


def price_chart(plan: PlanView) -> Markup:
    """What evenness costs, with today's place on the curve."""
    steps = [(step.top_share, step.impressions) for step in plan.price]
    now = plan.share_now.point if plan.share_now is not None else None
    aim = plan.summary.forecast.get("top100_share")
    return price(steps, now=now, aim=aim)


def size_chart(history: tuple[SizePoint, ...]) -> Markup:
    """A segment's size over time as a small chart."""
    return sizes([(point.on, point.accounts) for point in history])
