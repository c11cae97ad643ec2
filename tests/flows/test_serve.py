"""Who may open the page from where, and the accounts it is opened with."""

from __future__ import annotations

import argparse
import io
import stat
import sys
from pathlib import Path

import pytest

from flows.cli import parser
from flows.page_users import SECRET, USERS, add_user, page_secret, read_users
from flows.serve import PageOptions, access_for
from flows.verbs.page import run
from flows.web.access import Role
from flows.wiring import WorkspaceError
from tests.flows.small_workspace import Copies

PASSWORD = "a long enough one"


@pytest.mark.parametrize(
    ("options", "public"),
    [
        (PageOptions(), False),
        (PageOptions(host="::1"), False),
        (PageOptions(host="localhost"), False),
        (PageOptions(host="0.0.0.0"), True),
        (PageOptions(host="reach.example"), True),
        (PageOptions(behind_proxy=True), True),
    ],
)
def test_only_loopback_without_a_proxy_is_private(options: PageOptions, public: bool) -> None:
    assert options.public is public


def test_a_page_beyond_loopback_needs_accounts_and_https(copies: Copies) -> None:
    with copies.opened("serve-public") as app:
        with pytest.raises(WorkspaceError, match="accounts"):
            access_for(app, PageOptions(host="0.0.0.0"), app.now)
        add_user(app.workspace, "maya", "approver", PASSWORD)
        with pytest.raises(WorkspaceError, match="https"):
            access_for(app, PageOptions(host="0.0.0.0"), app.now)
        access = access_for(app, PageOptions(behind_proxy=True, names=("Reach.example",)), app.now)
        assert (access.public, access.secure, access.hosts) == (True, True, {"reach.example"})
        found = access.check_password("maya", PASSWORD)
        assert found is not None
        assert found.role is Role.APPROVER
        assert access.check_password("maya", PASSWORD + "!") is None
        alone = access_for(app, PageOptions(), app.now)
        assert (alone.public, alone.secure) == (False, False)


def test_an_account_may_sign_in_as_soon_as_it_is_added_and_a_proxy_s_word_needs_the_proxy_s_address(
    copies: Copies,
) -> None:
    with copies.opened("serve-proxy") as app:
        with pytest.raises(WorkspaceError, match="trusted-proxy"):
            access_for(app, PageOptions(behind_proxy=True, proxy_header="X-User"), app.now)
        options = PageOptions(behind_proxy=True, proxy_header="X-User", trusted_proxies=("10.0.0.0/8",))
        access = access_for(app, options, app.now)
        named = access.named_by_proxy("10.1.2.3", {"x-user": "maya"})
        assert named is not None
        assert named.role is Role.VIEWER
        add_user(app.workspace, "maya", "approver", PASSWORD)
        named = access.named_by_proxy("10.1.2.3", {"x-user": "maya"})
        assert named is not None
        assert named.role is Role.APPROVER
        assert access.named_by_proxy("192.0.2.1", {"x-user": "maya"}) is None
        (app.workspace / USERS).unlink()
        assert access.check_password("maya", PASSWORD) is None


def test_accounts_and_the_secret_are_kept_for_their_owner_alone_and_never_in_clear(tmp_path: Path) -> None:
    add_user(tmp_path, "maya", "approver", PASSWORD)
    add_user(tmp_path, "sam", "viewer", PASSWORD)
    assert {name: user.role.value for name, user in read_users(tmp_path).items()} == {
        "maya": "approver",
        "sam": "viewer",
    }
    assert page_secret(tmp_path) == page_secret(tmp_path)
    for name in (USERS, SECRET):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert PASSWORD not in (tmp_path / USERS).read_text()
    assert "$argon2id$" in (tmp_path / USERS).read_text()


@pytest.mark.parametrize("text", ["{", "[]", '{"maya": 3}', '{"maya": {"role": "king", "password": ""}}'])
def test_a_damaged_file_of_accounts_lets_nobody_in(tmp_path: Path, text: str) -> None:
    (tmp_path / USERS).write_text(text)
    with pytest.raises(WorkspaceError, match="add the accounts again"):
        read_users(tmp_path)


def test_a_short_password_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="at least 12"):
        add_user(tmp_path, "maya", "viewer", "short")
    assert not (tmp_path / USERS).exists()


def test_an_account_is_added_from_the_command_line_with_the_password_on_stdin(
    copies: Copies, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copies.path("serve-user")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n"))
    words = ["page", "--workspace", str(folder), "--add-user", "maya", "--role", "operator"]
    arguments: argparse.Namespace = parser().parse_args(words)
    assert run(arguments) == 0
    assert "maya may sign in as operator" in capsys.readouterr().out
    assert read_users(folder)["maya"].role is Role.OPERATOR
