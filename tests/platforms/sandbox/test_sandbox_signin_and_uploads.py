"""Sign-in for both platforms, and CSV list uploads."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from platforms.sandbox.journal import NAME
from tests.platforms.sandbox.calls import ACCOUNT_URN, Sandbox, code_of, digest, targeting

CALLBACK = "http://127.0.0.1:9/cb"


def consent(sandbox, scope="rw_ads rw_dmp_segments", **more):
    query = {
        "response_type": "code",
        "client_id": "c",
        "redirect_uri": CALLBACK,
        "state": "s1",
    }
    reply = sandbox.bare.get("/oauth/v2/authorization", params={**query, "scope": scope, **more})
    return {k: v[0] for k, v in parse_qs(urlsplit(reply.headers["location"]).query).items()}


def exchange(sandbox, **form):
    sent = {"client_id": "c", "client_secret": "x", "redirect_uri": CALLBACK, **form}
    return sandbox.bare.post("/oauth/v2/accessToken", data=sent)


def test_a_code_becomes_an_access_token_that_works(sandbox):
    back = consent(sandbox)
    granted = exchange(sandbox, grant_type="authorization_code", code=back["code"]).json()
    url = f"/rest/dmpSegments?q=account&account={ACCOUNT_URN}"
    headers = {"Authorization": f"Bearer {granted['access_token']}"}

    assert back["state"] == "s1"
    assert (granted["expires_in"], granted["refresh_token_expires_in"]) == (5_184_000, 31_536_000)
    assert granted["scope"] == "rw_ads,rw_dmp_segments"
    assert sandbox.li.get(url, headers=headers).status_code == 200
    assert exchange(sandbox, grant_type="authorization_code", code=back["code"]).status_code == 400


def test_a_code_is_only_good_for_the_address_it_was_sent_to(sandbox):
    elsewhere = "http://127.0.0.1:9/other"
    for path in ("/oauth/v2/accessToken", "/token"):
        code = consent(sandbox)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": elsewhere}
        assert sandbox.bare.post(path, data=form).status_code == 400


def test_one_scope_the_app_lacks_fails_the_whole_consent(sandbox):
    back = consent(sandbox, scope="rw_ads rw_everything")

    assert back["error"] == "unauthorized_scope_error"
    assert "code" not in back


def test_access_ends_after_sixty_days_and_refresh_gives_a_new_token(sandbox):
    granted = exchange(sandbox, grant_type="authorization_code", code=consent(sandbox)["code"]).json()
    headers = {"Authorization": f"Bearer {granted['access_token']}"}
    url = f"/rest/dmpSegments?q=account&account={ACCOUNT_URN}"
    sandbox.pass_time(days=60)
    assert sandbox.li.get(url, headers=headers).json()["code"] == "EXPIRED_ACCESS_TOKEN"
    form = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    fresh = exchange(sandbox, **form).json()

    assert fresh["access_token"] != granted["access_token"]
    assert fresh["refresh_token_expires_in"] == 305 * 86_400
    assert (
        sandbox.li.get(url, headers={"Authorization": f"Bearer {fresh['access_token']}"}).status_code == 200
    )


def test_a_refresh_token_never_lives_beyond_a_year_from_consent(sandbox):
    granted = exchange(sandbox, grant_type="authorization_code", code=consent(sandbox)["code"]).json()
    form = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    sandbox.pass_time(days=360)
    late = exchange(sandbox, **form).json()
    assert late["expires_in"] == late["refresh_token_expires_in"] == 5 * 86_400
    sandbox.pass_time(days=5)
    over = exchange(sandbox, **form)

    assert (over.status_code, over.json()["error"]) == (400, "invalid_grant")


def test_introspection_says_whether_a_token_is_alive(sandbox):
    granted = exchange(sandbox, grant_type="authorization_code", code=consent(sandbox)["code"]).json()

    def ask(token):
        return sandbox.bare.post("/oauth/v2/introspectToken", data={"token": token}).json()

    assert ask(granted["access_token"])["active"] is True
    assert ask("nonsense") == {"active": False}
    sandbox.pass_time(days=60)
    assert ask(granted["access_token"])["status"] == "expired"


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "a.b.c"},
    ],
)
def test_googles_token_endpoint_grants_an_hour(sandbox, form):
    granted = sandbox.bare.post("/token", data=form).json()
    url = "/v1/accountTypes/GOOGLE_ADS/accounts/1/userLists"
    headers = {"Authorization": f"Bearer {granted['access_token']}"}

    assert (granted["token_type"], granted["expires_in"]) == ("Bearer", 3599)
    assert sandbox.google.get(url, headers=headers).status_code == 200
    sandbox.pass_time(hours=1)
    assert sandbox.google.get(url, headers=headers).status_code == 401


def test_a_dead_refresh_token_is_invalid_grant_at_google_too(sandbox):
    reply = sandbox.bare.post("/token", data={"grant_type": "refresh_token", "refresh_token": "no"})

    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")


def upload(sandbox, text: str) -> str:
    address = sandbox.li.post(
        "/rest/dmpSegments?action=generateUploadUrl", json={"owner": ACCOUNT_URN}
    ).json()["value"]
    parts = urlsplit(address)
    assert parts.path == "/ambry/"
    reply = sandbox.bare.post(
        f"{parts.path}?{parts.query}",
        content=text.encode(),
        headers={"Authorization": "Bearer sandbox-token", "Content-Type": "text/csv"},
    )
    assert reply.status_code == 201
    return "urn:li:media:" + reply.headers["location"]


def attach(sandbox, segment: str, media: str):
    return sandbox.li.post(f"/rest/dmpSegments/{segment}/listUploads", json={"inputFile": media})


def company_csv(count: int, first: int = 0) -> str:
    rows = "".join(f"Firm {i},https://www.firm{i}.example/\n" for i in range(first, first + count))
    return "companyname,companywebsite\n" + rows


def test_a_company_file_fills_its_segment_and_another_one_replaces_it(sandbox):
    segment = sandbox.ready_segment("COMPANY_LIST_UPLOAD")
    assert attach(sandbox, segment, upload(sandbox, company_csv(400))).status_code == 201
    sandbox.pass_time(days=1)
    assert sandbox.status(segment) == "READY"
    assert sandbox.destination(segment)["audienceSize"] > 0
    assert len(sandbox.members(segment)) == 400
    attach(sandbox, segment, upload(sandbox, company_csv(300, first=200)))
    sandbox.pass_time(days=1)

    assert len(sandbox.members(segment)) == 300


def test_a_contact_file_may_be_plain_or_hashed_and_is_never_kept_plain(tmp_path):
    sandbox = Sandbox(state_dir=tmp_path)
    segment = sandbox.ready_segment("USER_LIST_UPLOAD")
    rows = "".join(f"Person{i} @Mail.example,A,B\n" for i in range(200))
    rows += "".join(f"{digest(i).upper()},A,B\n" for i in range(100, 300))
    attach(sandbox, segment, upload(sandbox, "email,firstname,lastname\n" + rows))
    sandbox.pass_time(days=1)

    assert {m["key"] for m in sandbox.members(segment)} == {digest(i) for i in range(300)}
    assert b"ail.example" not in (tmp_path / NAME).read_bytes()
    sandbox.engine.close()
    again = Sandbox(state_dir=tmp_path)
    assert len(again.members(segment)) == 300
    again.engine.close()


def test_a_file_of_fewer_than_three_hundred_rows_fails_the_segment(sandbox):
    segment = sandbox.ready_segment("COMPANY_LIST_UPLOAD")
    attach(sandbox, segment, upload(sandbox, company_csv(299)))

    assert sandbox.status(segment) == "FAILED"
    campaign = sandbox.seed()["campaign"]
    tree = targeting([sandbox.destination(segment)["destinationSegmentId"]])
    refused = sandbox.patch_campaign(campaign, {"targetingCriteria": tree})
    assert (refused.status_code, code_of(refused)) == (400, "FIELD_VALUE_NOT_ALLOWED_FOR_SEGMENT_STATUS")


def test_a_list_belongs_to_upload_segments_and_streams_to_streaming_ones(sandbox):
    streaming, listed = sandbox.ready_segment(), sandbox.ready_segment("COMPANY_LIST_UPLOAD")
    media = upload(sandbox, company_csv(300))

    assert attach(sandbox, streaming, media).status_code == 400
    assert sandbox.push(listed, [{"action": "ADD", "companyName": "x"}]).status_code == 400
    assert attach(sandbox, listed, "urn:li:media:/nothing").status_code == 400


def test_the_segment_type_and_the_source_platform_fit_each_other(sandbox):
    from tests.platforms.sandbox.calls import segment_body

    wrong = segment_body("COMPANY_LIST_UPLOAD", sourcePlatform="DIRECT_API")
    assert sandbox.li.post("/rest/dmpSegments", json=wrong).status_code == 400
