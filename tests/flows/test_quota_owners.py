"""Quotas belong to who signed in and through which app, not to the ad account that is asked about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.adapters import build
from flows.quota_owners import google_project
from flows.settings import Settings
from flows.tokens import token_path
from flows.wiring import App, open_app
from platforms.errors import QuotaSpent
from platforms.oauth import Token, TokenFile
from platforms.pacing import Pacer
from tests.flows.kept_workspace import CONFIG, write

MAYA, SAM = "urn:li:person:maya", "urn:li:person:sam"


class Office:
    """Live workspaces of several ad accounts over one record; nothing here reaches a network."""

    def __init__(self, room: Path, stack: ExitStack) -> None:
        self._room, self._stack = room, stack

    def workspace(self, account: str, member: str, *, token: str = "secret", **settings: object) -> App:
        """Open one; ``member`` "" = signed in before members were remembered."""
        folder = self._room / f"{account}-{member[-4:]}-{len(list(self._room.iterdir()))}"
        write(folder, companies=1)
        live = CONFIG.replace("mode: sandbox", "mode: live").replace('"500000001"', f'"{account}"')
        shared = live.replace("sqlite:///evenreach.db", f"sqlite:///{self._room / 'record.db'}")
        (folder / "evenreach.yaml").write_text(shared)
        known = {"linkedin_client_id": "one-app"} | settings
        app = self._stack.enter_context(open_app(folder, settings=Settings(_env_file=None, **known)))  # type: ignore[arg-type]
        TokenFile(token_path(app, "linkedin")).save(Token(SecretStr(token), member=member))
        return app


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        yield Office(tmp_path, stack)


def pacer(app: App, platform: str) -> Pacer:
    adapter = build(app, platform)
    wire = adapter._rest._wire if platform == "linkedin" else adapter._wire
    found: Pacer = wire._pacer
    return found


def spend(app: App, platform: str, endpoint: str) -> None:
    """The platform says to this workspace that the day is used up."""
    pacer(app, platform).close(endpoint, app.now() + timedelta(hours=3))


def stopped(app: App, platform: str, endpoint: str) -> bool:
    """Whether a call would be stopped before it is sent."""
    try:
        pacer(app, platform).turn(endpoint, None)
    except QuotaSpent:
        return True
    return False


def test_two_ad_accounts_of_one_member_and_app_share_a_quota_and_two_members_do_not(office: Office) -> None:
    first, second = office.workspace("500000001", MAYA), office.workspace("500000002", MAYA)
    sams = office.workspace("500000001", SAM)
    other_app = office.workspace("500000001", MAYA, linkedin_client_id="another-app")
    spend(first, "linkedin", "adCampaigns")
    assert stopped(second, "linkedin", "adCampaigns")
    assert not stopped(second, "linkedin", "adSegments")
    assert not stopped(sams, "linkedin", "adCampaigns")
    assert not stopped(other_app, "linkedin", "adCampaigns")


def test_a_token_stands_for_a_member_nobody_can_name_whatever_the_ad_account(office: Office) -> None:
    mine, sams = SecretStr("Maya's, from the environment"), SecretStr("Sam's, from the environment")
    first, second, other = (
        office.workspace(account, MAYA, linkedin_access_token=token)
        for account, token in (("500000001", mine), ("500000002", mine), ("500000001", sams))
    )
    spend(first, "linkedin", "adCampaigns")
    assert stopped(second, "linkedin", "adCampaigns")
    assert not stopped(other, "linkedin", "adCampaigns")

    kept, also_kept = (office.workspace(account, "", token="a") for account in ("500000003", "500000004"))
    another = office.workspace("500000003", "", token="b")
    assert not stopped(kept, "linkedin", "adCampaigns")
    spend(kept, "linkedin", "adCampaigns")
    assert stopped(also_kept, "linkedin", "adCampaigns")
    assert not stopped(another, "linkedin", "adCampaigns")


def test_where_there_is_no_token_each_ad_account_keeps_its_own(office: Office) -> None:
    first, second, again = (
        office.workspace(account, MAYA) for account in ("500000001", "500000002", "500000001")
    )
    for damaged in (first, second, again):
        token_path(damaged, "linkedin").write_text("{")
    spend(first, "linkedin", "adCampaigns")
    assert stopped(again, "linkedin", "adCampaigns")
    assert not stopped(second, "linkedin", "adCampaigns")


def test_googles_quota_belongs_to_the_cloud_project_behind_the_credentials(office: Office) -> None:
    mine = "123456-abc.apps.googleusercontent.com"
    first = office.workspace("500000001", MAYA, google_client_id=mine)
    second = office.workspace("500000002", SAM, google_client_id="123456-xyz.apps.googleusercontent.com")
    other = office.workspace("500000003", MAYA, google_client_id="777-abc.apps.googleusercontent.com")
    spend(first, "google", "ingest")
    assert stopped(second, "google", "ingest")
    assert not stopped(other, "google", "ingest")


@pytest.mark.parametrize(
    ("content", "project"),
    [(json.dumps({"project_id": "ours-1"}), "ours-1"), ("[]", ""), ("{", ""), (None, "")],
)
def test_a_service_accounts_project_is_read_from_its_key_file(
    office: Office, tmp_path: Path, content: str | None, project: str
) -> None:
    key = tmp_path / "key.json"
    if content is not None:
        key.write_text(content)
    assert google_project(office.workspace("500000001", MAYA, google_credentials_file=key)) == project
