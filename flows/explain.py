"""Why one account stands where it does in a balanced segment, from stored plans and rules. Decides nothing.

One sentence per segment, with the numbers, the rule, and the earliest release.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from audiences.companies_domains import registrable
from audiences.segments_why import why
from audiences.segments_words import percent
from audiences.store.records import PlanMove, PlanRecord, PlanStatus
from balancer.starved import Starved, starved
from balancer.types import UNPLACED, BalancePlan, Move
from flows.activate_undo import taken_back
from flows.assess import assess_as_stored
from flows.balance import ONE_CAMPAIGN, usable
from flows.plan_codec import decode_inputs, decode_plan
from flows.report import words
from flows.report.formats import day
from flows.wiring import App

WINDOW = 28
STANDING = (PlanStatus.APPLIED, PlanStatus.SHADOW)


@dataclass(frozen=True, slots=True)
class Explained:
    """One sentence, and the numbers in it."""

    segment: str
    words: str
    numbers: dict[str, Any] = field(default_factory=dict)


def explain(app: App, segment: str, account: str, *, on: date | None = None) -> Explained:
    """Say in one sentence why ``account`` (id, domain, address or name) is where it is, on a date or now."""
    name = account_id(app, account)
    record = _plan(app, segment, on)
    plan = decode_plan(record.body, record.memory) if record else None
    if record is None or plan is None or name not in plan.accounts:
        return _outside(app, segment, name, record, on)
    i = plan.accounts.index(name)
    move = _last_move(app, segment, name, record)
    little = _starved(record, plan, name)
    even = float(plan.target.sum()) / len(plan.accounts) * WINDOW
    target = float(plan.target[i]) * WINDOW
    numbers: dict[str, Any] = {"account_id": name, "plan": record.plan_id[:12], "day": str(record.day)}
    numbers |= {"mode": plan.mode, "band": int(plan.band[i]) + 1 if plan.band[i] >= 0 else None}
    numbers |= {"target_28_days": round(target, 1), "even_28_days": round(even, 1)}
    numbers |= {"reason": move.reason if move else None, "starved": little.reason if little else None}
    release = move.release if move else None
    numbers["release"] = str(release) if release else None
    parts = [
        _place(name, plan, i, record, move),
        _aim(plan, i, target, even),
        _because(move),
        _little(little),
    ]
    return Explained(segment, "".join(parts) + ".", numbers)


def account_id(app: App, asked: str) -> str:
    """The account behind an id, a domain, a web address or a name; what was asked where there is none."""
    wanted = asked.strip().lower()
    known = app.store.account_names()
    ids = {account.lower(): account for account, _, _ in known}
    site = registrable(urlsplit(wanted if "//" in wanted else f"//{wanted}").hostname or "") or ""
    by_domain = {domain: account for account, _, domain in known if domain}
    named = [account for account, name, _ in known if name and name.strip().lower() == wanted]
    found = ids.get(wanted) or by_domain.get(site) or ids.get(site)
    return found or (named[0] if len(named) == 1 else wanted)


def alike(app: App, asked: str, *, most: int = 5) -> tuple[str, ...]:
    """Domains (else ids) of the accounts whose name holds every word of ``asked``; () for an account there is."""
    if account_id(app, asked) in {account for account, _, _ in app.store.account_names()}:
        return ()
    wanted = asked.casefold().split()
    found = (
        domain or account
        for account, name, domain in app.store.account_names()
        if all(word in (name or account).casefold() for word in wanted)
    )
    return tuple(islice(found, most))


def _place(name: str, plan: BalancePlan, i: int, record: PlanRecord, move: PlanMove | None) -> str:
    applied = record.status is PlanStatus.APPLIED
    since = f" since {day(_moved_on(move, record))}" if move and applied else ""
    shadow = "is" if applied else "would be"
    if int(plan.band[i]) == UNPLACED:
        where = "campaign" if plan.mode in ONE_CAMPAIGN else "campaigns"
        return f"{name} {shadow} held out of the {where}{since}"
    if plan.mode in ONE_CAMPAIGN:
        return f"{name} {shadow} served by the campaign{since}"
    return f"{name} {shadow} in {words.band(int(plan.band[i])).lower()} of {plan.budgets.size}{since}"


def _moved_on(move: PlanMove, record: PlanRecord) -> date:
    return date.fromordinal(int(move.evidence.get("_day", record.day.toordinal())))


def _aim(plan: BalancePlan, i: int, target: float, even: float) -> str:
    if plan.mode == "threshold":
        return ""
    return f", planned {target:,.0f} impressions in {WINDOW} days ({target / max(even, 1e-9):.2f} of the even share)"


def _because(move: PlanMove | None) -> str:
    if move is None:
        return ", where it has been from the start"
    shown = {k: v for k, v in move.evidence.items() if not k.startswith("_")}
    proof = words.evidence(Move(move.account_id, move.before, move.after, move.reason, shown))
    reason = words.because(move.reason) or move.reason.replace("_", " ")
    until = ""
    if move.release is not None:
        what = "release" if move.after == UNPLACED else "change back"
        until = f"; earliest {what}: {day(move.release)}"
    return f", because {reason}{f' ({proof})' if proof else ''}{until}"


def _little(found: Starved | None) -> str:
    if found is None or found.reason in ("over_threshold", "waiting_turn", "held"):
        return ""
    text = words.starved_reason(found.reason).rstrip(".")
    return f"; it gets less than a quarter of the even share: {text[0].lower()}{text[1:]}"


def _outside(app: App, segment: str, name: str, record: PlanRecord | None, on: date | None) -> Explained:
    """Why an account is in no plan: not in the segment, held out, new, or nothing was planned yet."""
    numbers = {"account_id": name, "plan": record.plan_id[:12] if record else None}
    if app.store.segment_version(segment) is None:
        return Explained(segment, f"{segment} has never been computed, so nobody is in it yet.", numbers)
    answer = why(assess_as_stored(app, segment).segments[segment], name)
    numbers["verdict"] = answer.verdict
    if answer.verdict == "holdout":
        rule = app.config.segments[segment].holdout
        share = f"{percent(rule.share)} of the companies, " if rule else ""
        text = (
            f"{name} qualifies for {segment} but is in its holdout ({share}chosen once by "
            "lot): it is never targeted, so that the others can be compared with it."
        )
        return Explained(segment, text, numbers)
    if answer.verdict != "member" or app.config.segments[segment].balance is None:
        return Explained(segment, answer.words(), numbers)
    when = f" on or before {on}" if on else ""
    after = f"it joined after the plan of {record.day}" if record else f"no plan was made{when}"
    return Explained(segment, f"{name} qualifies for {segment} and is in no band: {after}.", numbers)


def _plan(app: App, segment: str, on: date | None) -> PlanRecord | None:
    """The plan in force on a day, else one that may be; what was refused, lapsed or taken back moves nobody."""
    undone = taken_back(app, segment)
    if on is None and undone is None:
        return app.store.latest_plan(segment, statuses=STANDING[:1]) or app.store.latest_plan(
            segment, statuses=(PlanStatus.PROPOSED, PlanStatus.APPROVED, PlanStatus.SHADOW)
        )
    plans = app.store.plans(segment=segment, limit=10_000)
    standing = [
        p for p in plans if (on is None or p.day <= on) and p.status in STANDING and p.plan_id != undone
    ]
    return max(standing, key=lambda plan: (plan.status is PlanStatus.APPLIED, plan.day), default=None)


def _last_move(app: App, segment: str, account: str, newest: PlanRecord) -> PlanMove | None:
    """The last move of the account up to a plan; its day is kept in the evidence as ``_day``."""
    own = next((move for move in newest.moves if move.account_id == account), None)
    found = (newest.day, own) if own is not None else app.store.last_move(segment, account, until=newest.day)
    if found is None:
        return None
    on, move = found
    evidence = {**move.evidence, "_day": float(on.toordinal())}
    return PlanMove(account, move.before, move.after, move.reason, evidence, move.release)


def _starved(record: PlanRecord, plan: BalancePlan, account: str) -> Starved | None:
    """Why it gets little, where it does."""
    if record.inputs is None:
        return None
    state, policy = decode_inputs(record.inputs)
    return next((one for one in starved(state, plan, usable(state, policy)) if one.account == account), None)
