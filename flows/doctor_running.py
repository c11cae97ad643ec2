"""Checks of a set-up that runs: modes, alerts, stale reports, waiting plans, parked members. Reads the record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from audiences.store.records import PlanStatus
from flows.doctor import Finding
from flows.settings import SettingMissing
from flows.tokens import token_conditions
from flows.wiring import App

STALE = timedelta(days=3)
WAITING = timedelta(days=1)


def setting_up(app: App) -> Iterator[Finding]:
    """Sandbox in an earnest set-up, alerts that reach nobody, sign-ins that end."""
    modes = {name: getattr(getattr(app.config.platforms, name), "mode", "live") for name in _platforms(app)}
    boxed = [name for name, mode in modes.items() if mode == "sandbox"]
    reasons = _earnest(app, modes)
    if boxed and reasons:
        words = f"{' and '.join(boxed)} is the sandbox, but {reasons[0]}. Nothing reaches the real platform."
        yield Finding(
            "sandbox_mode", "set-up", False, words, "Write mode: live, or take the real sign-in away."
        )
    wanted = app.config.alerts
    for reference in (wanted.slack, wanted.webhook):
        if reference:
            yield from _secret(app, reference)
    channels = wanted.slack or wanted.webhook or wanted.email
    if "live" in modes.values() and not channels and not app.settings.slack_webhook.get_secret_value():
        words = "nobody is told when something fails."
        yield Finding(
            "no_alerts", "alerts", False, words, "Add alerts: to evenreach.yaml (slack, email or webhook)."
        )
    for one in token_conditions(app):
        if one.state != "ok":
            remedy = f"Run evenreach connect {one.subject.partition('/')[2]}"
            yield Finding("sign_in_ends", one.subject, False, one.words, remedy)


def _earnest(app: App, modes: dict[str, str]) -> list[str]:
    """Why this looks like more than a trial."""
    settings = app.settings
    reasons = []
    if any(settings_value.get_secret_value() for settings_value in (settings.linkedin_access_token,)):
        reasons.append("a LinkedIn token is set")
    if settings.google_refresh_token.get_secret_value() or settings.google_credentials_file:
        reasons.append("a Google sign-in is set")
    for name in ("linkedin", "google"):
        if (app.workspace / "tokens" / f"{name}.json").exists():
            reasons.append(f"somebody signed in to {name}")
    if "live" in [mode for name, mode in modes.items() if name in ("linkedin", "google")]:
        reasons.append("another platform is live")
    return reasons


def _secret(app: App, reference: str) -> Iterator[Finding]:
    try:
        app.settings.named(reference)
    except SettingMissing as error:
        yield Finding("alert_secret", "alerts", False, f"{error}.", error.remedy)


def _platforms(app: App) -> tuple[str, ...]:
    return tuple(name for name in app.config.platforms.names() if name != "files")


def running(app: App) -> Iterator[Finding]:
    """What has stood still."""
    for name, segment in app.config.segments.items():
        if segment.balance is None:
            continue
        yield from _reports(app, name)
        waiting = app.store.plans(segment=name, status=PlanStatus.PROPOSED, limit=1)
        if waiting and app.now() - waiting[0].created_at > WAITING:
            days = app.config.approvals.expire_days
            words = f"a plan of {waiting[0].day} waits for approval; it lapses {days} days after it was made."
            remedy = f"Run evenreach balance {name} --approve {waiting[0].plan_id} (or --refuse)."
            yield Finding("plan_waiting", name, False, words, remedy)
    for one in app.store.overview():
        list_id = one.audience.spec.audience_id
        if one.parked:
            reasons = app.store.dead_letter_counts(list_id)
            words = f"{one.parked:,} members are not tried again: {', '.join(reasons)}."
            yield Finding(
                "parked", list_id, False, words, "Correct the reason in the source; the next sync sends them."
            )


def _reports(app: App, segment: str) -> Iterator[Finding]:
    from flows.bands import band_campaigns
    from flows.collect import newest_complete

    platform = band_campaigns(app, segment).platform
    last = app.store.latest_plan(segment)
    if last is None:
        return  # nothing balances yet
    newest = newest_complete(app, platform)
    windows = app.store.report_windows(platform, newest - timedelta(days=60), newest, grain="daily")
    seen = max((window.last for window in windows), default=None)
    if seen is None or newest - seen >= STALE:
        words = (
            f"its newest report is of {seen}, and {newest} is complete." if seen else "no report in 60 days."
        )
        yield Finding(
            "stale_reports", segment, False, words, f"Run evenreach collect {segment}, and see its schedule."
        )
