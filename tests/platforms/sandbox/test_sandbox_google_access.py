"""Google accounts behind a manager, consents that end, and what a status does not say."""

from __future__ import annotations

from tests.platforms.sandbox.test_sandbox_google import LISTS, create, destination, ingest, list_body, member

MANAGER, CUSTOMER = "9999999999", "1234567890"
LOGIN = {"login-account": f"accountTypes/GOOGLE_ADS/accounts/{MANAGER}"}


def limit(reply):
    details = reply.json()["error"]["details"]
    return next(d["metadata"]["quota_limit"] for d in details if "quota_limit" in d.get("metadata", {}))


def test_an_account_behind_a_manager_is_reached_through_it_only(sandbox):
    sandbox.control("POST", "/google/accounts", {"id": CUSTOMER, "manager": MANAGER})
    assert sandbox.google.post(LISTS, json=list_body("a")).status_code == 403
    assert sandbox.google.get(LISTS, headers={"login-account": "x/1"}).status_code == 403
    made = sandbox.google.post(LISTS, json=list_body("a"), headers=LOGIN)
    assert made.status_code == 200

    def sent(**more):
        body = {"destinations": [destination(made.json()["id"], **more)], "audienceMembers": [member(1)]}
        terms = {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
        body |= {"encoding": "HEX", "termsOfService": terms}
        return sandbox.google.post("/v1/audienceMembers:ingest", json=body).status_code

    assert sent() == 403
    assert sent(loginAccount={"accountType": "GOOGLE_ADS", "accountId": "1"}) == 403
    assert sent(loginAccount={"accountType": "GOOGLE_ADS", "accountId": MANAGER}) == 200


def test_a_withdrawn_consent_cannot_be_refreshed_at_either_platform(make):
    for path, error in (("/oauth/v2/accessToken", "invalid_grant"), ("/token", "invalid_grant")):
        sandbox = make()
        form = {"grant_type": "refresh_token", "refresh_token": "sandbox-refresh-token"}
        assert sandbox.bare.post(path, data=form).status_code == 200
        sandbox.control("POST", "/tokens", {"withdrawn": "sandbox-refresh-token"})
        reply = sandbox.bare.post(path, data=form)
        assert (reply.status_code, reply.json()["error"]) == (400, error)


def test_the_rows_behind_a_count_are_named_only_by_newer_revisions(make):
    for named in (True, False):
        sandbox = make(google_names_rows=named)
        list_id = create(sandbox)
        denied = {"adUserData": "CONSENT_DENIED", "adPersonalization": "CONSENT_DENIED"}
        request = ingest(sandbox, list_id, [member(1), {**member(2), "consent": denied}])
        sandbox.pass_time(hours=1)
        url = f"/v1/requestStatus:retrieve?requestId={request.json()['requestId']}"
        (told,) = sandbox.google.get(url).json()["requestStatusPerDestination"]
        (count,) = told["errorInfo"]["errorCounts"]
        assert count["recordCount"] == "1"
        assert count.get("recordIndices") == ([1] if named else None)


def test_a_throttle_names_the_quota_of_the_call_it_hit(sandbox):
    for kind, word in (("throttle_day", "Day"), ("throttle_minute", "Minute")):
        sandbox.control("POST", "/faults", {"kind": kind, "times": 2})
        assert limit(sandbox.google.get(LISTS)) == f"ManagementReadRequestsPer{word}PerProject"
        status = sandbox.google.get("/v1/requestStatus:retrieve?requestId=r")
        assert limit(status) == f"IngestionReadRequestsPer{word}PerProject"
