"""Slack webhook, mail and generic webhook: one message out, or NotSent. Knows no state and keeps none."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import httpx

from audiences.config import Alerts
from flows.alerts import Condition
from flows.settings import SettingMissing, Settings

TIMEOUT = 10.0
Send = Callable[["Message"], None]


class NotSent(Exception):
    """A channel did not take a message. Holds a code, never the address."""

    retryable = True
    remedy = "Check the address of the channel and the service behind it; the next run tries again."


@dataclass(frozen=True, slots=True)
class Message:
    """Lines for one workspace; ``at`` in UTC."""

    workspace: str
    title: str
    lines: tuple[Condition, ...]
    at: datetime

    @property
    def text(self) -> str:
        head = f"Evenreach, {self.workspace}: {self.title}"
        return "\n".join([head, *(f"- {one.words}" for one in self.lines)])


def channels(settings: Settings, wanted: Alerts) -> list[tuple[str, Send]]:
    """(name, send) of every channel that is set up; one whose secret is missing fails when it is used."""
    found: list[tuple[str, Send]] = []
    if wanted.slack or settings.slack_webhook.get_secret_value():
        found.append(("slack", lambda message: _slack(_address(settings, wanted.slack, "slack"), message)))
    if wanted.webhook or settings.webhook.get_secret_value():
        found.append(
            ("webhook", lambda message: _webhook(_address(settings, wanted.webhook, "web"), message))
        )
    if wanted.email:
        found.append(("email", lambda message: _mail(settings, wanted.email, message)))
    return found


def _address(settings: Settings, reference: str | None, kind: str) -> str:
    given = settings.slack_webhook if kind == "slack" else settings.webhook
    try:
        address = settings.named(reference).get_secret_value() if reference else given.get_secret_value()
    except SettingMissing as error:
        raise NotSent(str(error)) from None
    if not address.startswith(("https://", "http://")):
        raise NotSent("its address is not a web address")
    return address


def _slack(address: str, message: Message) -> None:
    text = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    _post(address, {"text": text})


def _webhook(address: str, message: Message) -> None:
    lines = [{"subject": one.subject, "state": one.state, "words": one.words} for one in message.lines]
    body = {"workspace": message.workspace, "title": message.title, "at": message.at.isoformat()}
    _post(address, body | {"changes": lines})


def _post(address: str, body: dict[str, Any]) -> None:
    status = 0
    try:
        with httpx.Client(timeout=TIMEOUT, follow_redirects=False) as client:
            status = client.post(address, json=body).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        status = 0  # raised below: httpx's error would hold the address, which is a secret
    if not 200 <= status < 300:
        raise NotSent(f"it answered {status}" if status else "it did not answer")


def _mail(settings: Settings, to: tuple[str, ...], message: Message) -> None:
    mail = EmailMessage()
    mail["From"] = settings.smtp_from or to[0]
    mail["To"] = ", ".join(to)
    mail["Subject"] = " ".join(f"Evenreach, {message.workspace}: {message.title}".split())
    mail.set_content(message.text)
    code = ""
    try:
        with smtplib.SMTP(settings.smtp_host, settings.smtp_port, timeout=TIMEOUT) as server:
            if settings.smtp_starttls:
                server.starttls(context=ssl.create_default_context())  # smtplib's own checks no certificate
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        code = f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()
    if code:
        raise NotSent(f"the mail server did not take it ({code})")
