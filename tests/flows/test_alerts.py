"""Alerts over real local servers: once per change of state, to every channel, with no secret in sight."""

import json
import logging
import shutil
import smtplib
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aiosmtpd.controller import Controller

from flows.alerts import Condition, tell
from flows.alerts_digest import digest, send_digest
from flows.alerts_entries import alert_entries
from flows.assess import assess
from flows.cli import main
from flows.load import load
from flows.settings import SettingMissing, Settings
from flows.wiring import App, open_app
from tests.flows.free_ports import free_port
from tests.flows.kept_workspace import write

SLACK, WEB = "https://hooks.example.org/T000/B000/XXXX", "EVENREACH_TEST_WEB"
BAD = Condition("list/linkedin/a", "expired", "linkedin/a <has> expired & more.")
GOOD = Condition("list/linkedin/a", "ok", "linkedin/a is well again.")


@dataclass
class Inbox:
    """What arrived over HTTP and by mail; ``status`` is what the HTTP server answers."""

    url: str = ""
    status: int = 200
    posts: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    mails: list[Any] = field(default_factory=list)
    port: int = 0

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        self.mails.append(envelope)
        return "250 taken"

    def of(self, path: str) -> list[dict[str, Any]]:
        return [body for where, body in self.posts if where == path]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    found = Inbox()

    class Web(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.posts.append((self.path, json.loads(body)))
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    web = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    found.port = free_port()
    mail = Controller(found, hostname="127.0.0.1", port=found.port, ready_timeout=120)
    mail.start()
    found.url = f"http://127.0.0.1:{web.server_address[1]}"
    yield found
    mail.stop()
    web.shutdown()
    web.server_close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("told") / "workspace"
    write(folder)
    with (folder / "evenreach.yaml").open("a") as settings:
        settings.write("alerts: {slack: env:TEST_SLACK, webhook: env:TEST_WEB, email: [ops@example.org]}\n")
        settings.write(SCORING)
    with open_app(folder) as app:
        load(app)
    return folder


SCORING = """
scoring:
  fit: {maximum: 100, groups: {size: {best: [{field: employees, at_least: 10, points: 90}]}}}
  tiers: {1: 70, 2: 45, 3: 25, 4: 0}
  intent: {half_life_days: 14, window_days: 30, weights: {pricing_page: 10}, hot: 10, warm: 5}
"""


@pytest.fixture
def app(made: Path, tmp_path: Path, inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setenv("TEST_SLACK", f"{inbox.url}/slack/SECRET")
    monkeypatch.setenv("TEST_WEB", f"{inbox.url}/hook")
    folder = tmp_path / "workspace"
    shutil.copytree(made, folder, ignore=shutil.ignore_patterns("address"))
    settings = Settings(_env_file=None, smtp_host="127.0.0.1", smtp_port=inbox.port)  # type: ignore[call-arg]
    with open_app(folder, settings=settings) as opened:
        yield opened


def test_a_change_of_state_is_told_once_to_every_channel_and_its_end_as_well(app: App, inbox: Inbox) -> None:
    assert tell(app, [GOOD]) == ()  # well from the start: no news
    assert tell(app, [BAD]) == (BAD.words,)
    assert tell(app, [BAD]) == ()
    assert tell(app, [GOOD]) == (GOOD.words,)
    slack, hook = inbox.of("/slack/SECRET"), inbox.of("/hook")
    assert len(slack) == len(hook) == len(inbox.mails) == 2
    assert "linkedin/a &lt;has&gt; expired &amp; more." in slack[0]["text"]
    assert hook[0]["changes"] == [{"subject": BAD.subject, "state": "expired", "words": BAD.words}]
    assert hook[0]["workspace"] == "Kept"
    assert inbox.mails[0].rcpt_tos == ["ops@example.org"]
    assert BAD.words.encode() in inbox.mails[0].content
    assert b"Subject: Evenreach, Kept: 1 to look at" in inbox.mails[0].content


def test_many_changes_of_one_run_are_one_message(app: App, inbox: Inbox) -> None:
    many = [Condition(f"list/{i}", "expired", f"list {i} has expired.") for i in range(5)]
    assert len(tell(app, many)) == 5
    assert len(inbox.of("/hook")) == 1


def test_a_message_nobody_took_is_sent_by_the_next_run(
    app: App, inbox: Inbox, caplog: pytest.LogCaptureFixture
) -> None:
    app.settings.smtp_port, inbox.status = 9, 500
    with caplog.at_level(logging.WARNING):
        assert tell(app, [BAD]) == ()
    assert "500" in caplog.text
    assert "SECRET" not in caplog.text
    assert app.store.alert_states()[BAD.subject][0] == "ok"
    inbox.status = 200
    assert tell(app, [BAD]) == (BAD.words,)


def test_one_channel_that_fails_does_not_silence_the_others(app: App, inbox: Inbox) -> None:
    app.settings.smtp_port = 9
    assert tell(app, [BAD]) == (BAD.words,)
    assert len(inbox.of("/hook")) == 1


@pytest.mark.parametrize(
    "reference", ["https://hooks.slack.com/services/T0/B0/abc", "env:", "env:NOT_SET_ANYWHERE"]
)
def test_a_secret_in_clear_or_missing_is_refused_without_repeating_it(reference: str) -> None:
    with pytest.raises(SettingMissing) as refused:
        Settings(_env_file=None).named(reference)  # type: ignore[call-arg]
    assert "hooks.slack.com" not in str(refused.value)
    assert "env" in refused.value.remedy or "env" in str(refused.value)


class Greeted(smtplib.SMTP):
    """A mail server's connection that notes what is asked of it, and sends nothing."""

    asked: ClassVar[list[Any]] = []

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()

    def starttls(self, *, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:  # type: ignore[override]
        self.asked.append(context)
        return 220, b""

    def login(self, user: str, password: str, **_: Any) -> tuple[int, bytes]:
        self.asked.append(user)
        return 235, b""

    def send_message(self, *_: Any, **__: Any) -> dict[str, tuple[int, bytes]]:
        return {}


def test_the_password_goes_to_a_mail_server_only_once_its_certificate_is_checked(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtplib, "SMTP", Greeted)
    monkeypatch.setattr(Greeted, "asked", [])
    app.settings.smtp_starttls, app.settings.smtp_user = True, "ops"
    tell(app, [BAD])
    context, user = Greeted.asked
    assert (context.verify_mode, context.check_hostname, user) == (ssl.CERT_REQUIRED, True, "ops")


def test_a_line_break_cannot_forge_a_header_of_a_mail(app: App, inbox: Inbox) -> None:
    app.settings.smtp_from = "evenreach@example.org"
    app.config.__dict__["workspace"] = "Kept\nBcc: everybody@example.org"
    tell(app, [BAD])
    assert b"\nBcc:" not in inbox.mails[0].content.split(b"\r\n\r\n")[0]
    assert inbox.mails[0].rcpt_tos == ["ops@example.org"]


def test_the_digest_says_how_lists_plans_and_states_stand(app: App, inbox: Inbox) -> None:
    tell(app, [BAD])
    words = [one.words for one in digest(app)]
    assert any("lists live" in one for one in words)
    assert any("has> expired" in one for one in words)
    assert send_digest(app)
    assert "digest" in inbox.of("/slack/SECRET")[-1]["text"].splitlines()[0]


def hot_now(app: App, companies: range) -> tuple[str, ...]:
    from audiences.model import Signal

    day = app.today
    signals = [Signal(f"company{i:04}-works.com", "pricing_page", day, None, 3.0) for i in companies]
    app.store.replace_signals(signals, f"signals-{companies}", app.now())
    app.remembered.clear()
    return alert_entries(app, assess(app), ["everyone"])


def test_sales_hear_of_a_hot_tier_1_account_that_enters_once_and_again_when_it_comes_back(
    app: App, inbox: Inbox
) -> None:
    assert hot_now(app, range(3)) == ()  # the first look tells nothing
    assert hot_now(app, range(5)) == ("company0003-works.com", "company0004-works.com")
    assert "company0003-works.com entered Everyone: fit 90, hot." in inbox.of("/slack/SECRET")[-1]["text"]
    assert hot_now(app, range(5)) == ()
    assert hot_now(app, range(4)) == ()
    assert hot_now(app, range(5)) == ("company0004-works.com",)
    inbox.status, app.settings.smtp_port = 503, 9
    assert hot_now(app, range(6)) == ()
    inbox.status = 200
    assert hot_now(app, range(6)) == ("company0005-works.com",)


def test_the_command_shows_and_tries_the_channels(
    app: App, inbox: Inbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENREACH_SMTP_HOST", "127.0.0.1")
    monkeypatch.setenv("EVENREACH_SMTP_PORT", str(inbox.port))
    assert main(["alerts", "trial", "--json", "--workspace", str(app.workspace)]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["channels"] == ["slack", "webhook", "email"]
    assert len(inbox.posts) == 2
    assert len(inbox.mails) == 1
    inbox.status = 500
    monkeypatch.setenv("EVENREACH_SMTP_PORT", "9")
    assert main(["alerts", "trial", "--json", "--workspace", str(app.workspace)]) == 1


def test_a_list_that_waits_for_a_person_is_told_once_and_so_is_its_going_ahead(
    app: App, inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ("--workspace", str(app.workspace))
    settings = (app.workspace / "evenreach.yaml").read_text()
    assert main(["sync", *where]) == 0
    write(app.workspace, companies=60)
    (app.workspace / "evenreach.yaml").write_text(settings)
    for _ in range(2):
        assert main(["sync", *where]) == 3
    assert main(["sync", "--accept-shrink", "180", *where]) == 0
    told = [
        change for body in inbox.of("/hook") for change in body["changes"] if "brake" in change["subject"]
    ]
    states = [(one["subject"], one["state"]) for one in told]
    assert states == [
        ("brake/linkedin/everyone/companies", "stopped"),
        ("brake/google/everyone/contacts", "stopped"),
        ("brake/linkedin/everyone/companies", "ok"),
        ("brake/google/everyone/contacts", "ok"),
    ]
    assert "60 of 120 members (50 %) would leave" in told[0]["words"]
    assert "--accept-shrink 60" in told[0]["words"]
