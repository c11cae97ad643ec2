"""How the workspace stands, in a few lines for one message. Reads the record alone; calls no platform."""

from __future__ import annotations

from audiences.store.records import PlanStatus
from flows.alerts import OK, Condition, deliver
from flows.wiring import App

FINE = ("ready", "updating", "building")


def digest(app: App) -> tuple[Condition, ...]:
    """Lists, what is stuck, what is open, plans that wait, and every state that is not well."""
    overview = app.store.overview()
    members = sum(one.counts.accepted for one in overview)
    alive = sum(one.audience.state is not None and str(one.audience.state.status) in FINE for one in overview)
    pending = sum(one.counts.pending_adds + one.counts.pending_removes for one in overview)
    lines = [Condition("digest/lists", OK, f"{alive} of {len(overview)} lists live, {members:,} members.")]
    if pending:
        lines.append(Condition("digest/open", "open", f"{pending:,} rows wait for a platform's answer."))
    parked = sum(one.parked for one in overview)
    if parked:
        lines.append(Condition("digest/parked", "parked", f"{parked:,} members were refused for good."))
    for plan in app.store.plans(status=PlanStatus.PROPOSED, limit=20):
        words = f"A plan for {plan.segment} of {plan.day} with {len(plan.moves):,} moves waits for approval."
        lines.append(Condition(f"digest/plan/{plan.segment}", "waiting", words))
    ending = [one for one in overview if one.ends_on is not None and 0 <= (one.ends_on - app.today).days <= 7]
    for one in ending:
        words = f"{one.audience.spec.audience_id} ends on {one.ends_on}."
        lines.append(Condition(f"digest/ends/{one.audience.spec.audience_id}", "ending", words))
    for subject, (state, since, words) in app.store.alert_states().items():
        if state != OK and words:
            lines.append(Condition(subject, state, f"since {since:%Y-%m-%d}: {words}"))
    return tuple(lines)


def send_digest(app: App) -> bool:
    """Send the digest over every channel. True when one took it (or there is none)."""
    return deliver(app, digest(app), title="digest")
