"""Signing in against the sandbox's consent pages: the token lands in a file of the owner's, and nowhere else."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from flows.adapters import build
from flows.cli import main
from flows.connect import Connected, sign_in
from flows.settings import SettingMissing, Settings
from flows.wiring import App, WorkspaceError, open_app
from platforms.errors import NoPermission, SignInAgain
from platforms.oauth import OAuth, RefreshGrant, TokenFile
from tests.flows.kept_workspace import CONFIG, write


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    write(tmp_path)
    with open_app(tmp_path) as opened:
        yield opened


def browse(address: str) -> None:
    """What a browser does with the address: follow it to the end, beside the program that waits."""

    def visit() -> None:
        with httpx.Client(follow_redirects=True, trust_env=False, timeout=120) as browser:
            browser.get(address)

    threading.Thread(target=visit, daemon=True).start()


def signed_in(app: App, platform: str) -> Connected:
    return sign_in(app, platform, show=browse, port=0, timeout=120)


@pytest.mark.parametrize("platform", ["linkedin", "google"])
def test_a_consent_ends_in_a_token_file_only_its_owner_can_read(app: App, platform: str) -> None:
    done = signed_in(app, platform)
    assert done.sandbox
    assert done.file.parent.stat().st_mode & 0o777 == 0o700
    assert done.file.stat().st_mode & 0o777 == 0o600
    token = TokenFile(done.file).load()
    assert token is not None
    assert token.refresh is not None
    secret = token.access.get_secret_value()
    assert secret not in repr(done)
    assert secret not in repr(app.store.audit_tail())
    assert [line.subject for line in app.store.audit_log(what="signed in")] == [platform]


def test_the_token_of_a_sign_in_is_taken_by_the_platform(app: App) -> None:
    done = signed_in(app, "linkedin")
    assert app.sandbox is not None
    auth = OAuth(
        TokenFile(done.file),
        RefreshGrant("sandbox-client", SecretStr("")),
        f"{app.sandbox.url}/oauth/v2/accessToken",
        clock=app.now,
        sleep=app.sleep,
    )
    headers = {"LinkedIn-Version": "202608", "X-Restli-Protocol-Version": "2.0.0"}
    with httpx.Client(auth=auth, headers=headers, trust_env=False, timeout=60) as client:
        assert client.get(f"{app.sandbox.url}/rest/adAccounts/500000001").status_code == 200
        app.sleep(61 * 86_400.0)  # the access token has ended; the refresh token has not
        assert client.get(f"{app.sandbox.url}/rest/adAccounts/500000001").status_code == 200


def test_who_signed_in_is_remembered_because_linkedin_counts_by_member(app: App) -> None:
    assert app.sandbox is not None
    unknown = signed_in(app, "linkedin")  # nobody has a role on any ad account yet
    assert "request quotas are kept per token" in unknown.notes[-1]
    app.sandbox.post("/sandbox/seed", {"account": "500000001"})

    done = signed_in(app, "linkedin")

    token = TokenFile(done.file).load()
    assert token is not None
    assert token.member == "urn:li:person:member-1"
    assert done.notes == ()


def test_nobody_coming_back_is_an_error_with_a_remedy(app: App) -> None:
    with pytest.raises(SignInAgain, match="nobody came back"):
        sign_in(app, "linkedin", show=lambda _: None, port=0, timeout=0.3)
    assert not (app.workspace / "tokens" / "linkedin.sandbox.json").exists()


def test_a_scope_the_app_lacks_is_a_missing_permission(app: App) -> None:
    def visit(address: str) -> None:
        browse(address.replace("rw_dmp_segments", "rw_unknown"))

    with pytest.raises(NoPermission):
        sign_in(app, "linkedin", show=visit, port=0, timeout=120)


@pytest.mark.parametrize("platform", ["linkedin", "google"])
def test_without_a_client_id_a_real_sign_in_names_the_setting(tmp_path: Path, platform: str) -> None:
    write(tmp_path)
    (tmp_path / "evenreach.yaml").write_text(CONFIG.replace("mode: sandbox", "mode: live"))
    missing, settings = f"EVENREACH_{platform.upper()}_CLIENT_ID", Settings(_env_file=None)  # type: ignore[call-arg]
    with open_app(tmp_path, settings=settings) as app, pytest.raises(SettingMissing, match=missing):
        signed_in(app, platform)


def test_a_platform_that_is_not_set_up_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "evenreach.yaml").write_text(
        CONFIG.replace('  google: {mode: sandbox, customer: "1234567890"}\n', "").replace(
            ", google: [contacts]", ""
        )
    )
    with open_app(tmp_path) as app, pytest.raises(WorkspaceError, match="google"):
        signed_in(app, "google")


def test_a_service_accounts_key_file_signs_google_in_and_a_bad_one_says_so(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "evenreach.yaml").write_text(CONFIG.replace("mode: sandbox", "mode: live"))
    key = tmp_path / "key.json"
    key.write_text('{"client_email": "robot@example.org", "private_key": "none"}')
    settings = Settings(_env_file=None, google_credentials_file=key)  # type: ignore[call-arg]
    with open_app(tmp_path, settings=settings) as app, pytest.raises(SignInAgain, match="service account"):
        build(app, "google")


def test_the_command_opens_the_browser_and_prints_no_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    monkeypatch.setattr("webbrowser.open", browse)
    assert main(["connect", "linkedin", "--port", "0", "--json", "--workspace", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["platform"] == "linkedin"
    token = TokenFile(tmp_path / "tokens" / "linkedin.sandbox.json").load()
    assert token is not None
    assert token.access.get_secret_value() not in printed.out + printed.err
