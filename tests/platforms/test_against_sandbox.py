"""The adapters on the sandbox over real HTTP: campaigns, reports, uploads, Google's numbers, sign-in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import httpx
import pytest
from pydantic import SecretStr

from audiences.model import (
    AudienceSpec,
    AudienceState,
    AudienceStatus,
    Campaign,
    MemberKind,
    Op,
    PushBatch,
    Receipt,
    RowStatus,
)
from platforms.connect import connect, google_sign_in, linkedin_sign_in
from platforms.errors import ListLimitReached, NoPermission, NotReady, Refused, SignInAgain, VersionSunset
from platforms.google import Google, GoogleSettings
from platforms.http import make_client
from platforms.linkedin import LinkedIn, LinkedInSettings
from platforms.oauth import OAuth, Token, TokenMemory
from tests.platforms.against_sandbox import ACCOUNT, CUSTOMER, SCOPES, TOKEN, Bench, open_bench
from tests.platforms.members import company, mail, person


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    opened = open_bench()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def tier_one(bench: Bench) -> AudienceState:
    """A list of 400 companies that has been matched."""
    spec = AudienceSpec("linkedin/tier-1/company", "linkedin", "Tier 1", MemberKind.COMPANY)
    state = bench.linkedin.find_or_create(spec)
    firms = tuple(company(("domain", f"c{i}.example"), ("name", f"C {i}")) for i in range(400))
    bench.linkedin.push(
        PushBatch("b", spec.audience_id, state.external_id, Op.ADD, MemberKind.COMPANY, firms)
    )
    bench.sleep(timedelta(hours=49).total_seconds())
    return bench.linkedin.state(spec.audience_id, state.external_id)


@pytest.fixture
def template(bench: Bench) -> Campaign:
    return min(bench.linkedin.list_campaigns(), key=lambda campaign: campaign.campaign_id)


def target(state: AudienceState) -> str:
    assert state.target_id is not None
    return state.target_id


def test_a_list_is_matched_after_two_days_and_reaches_people(tier_one: AudienceState) -> None:
    assert tier_one.status is AudienceStatus.READY
    assert tier_one.usable
    assert tier_one.audience_size is not None
    assert tier_one.audience_size >= 300


def test_bands_are_cut_from_one_campaign_and_steered(
    bench: Bench, tier_one: AudienceState, template: Campaign
) -> None:
    ours = target(tier_one)
    bands = [bench.linkedin.clone(template.campaign_id, f"Band {k}", reference=f"plan/{k}") for k in range(2)]
    again = bench.linkedin.clone(template.campaign_id, "Band 0", reference="plan/0")

    assert again.campaign_id == bands[0].campaign_id
    assert {band.status for band in bands} == {"draft"}
    assert all(len(band.creatives) == len(template.creatives) for band in bands)
    band = bands[0].campaign_id
    count = bench.linkedin.audience_count(band, include=[ours], exclude=[])
    assert count is not None
    assert count >= 300
    steered = bench.linkedin.set_targets(band, include=[ours], ours=[ours])
    assert steered.include == (ours,)
    assert bench.linkedin.set_daily_budget(band, Decimal("33.335")).daily_budget == Decimal("33.34")
    assert bench.linkedin.set_status(band, "active").status == "active"
    assert bench.linkedin.set_status(band, "paused").status == "paused"
    with pytest.raises(Refused):
        bench.linkedin.set_targets(band, include=[], ours=[ours])


def test_a_conflict_while_targeting_is_survived(
    bench: Bench, tier_one: AudienceState, template: Campaign
) -> None:
    copy = bench.linkedin.clone(template.campaign_id, "Conflict", reference="conflict/1")
    bench.control.fault("409", match=f"^POST .*/adCampaigns/{copy.campaign_id}", times=1)

    steered = bench.linkedin.set_targets(copy.campaign_id, include=[target(tier_one)])

    bench.control.clear_faults()
    assert steered.include == (target(tier_one),)


def test_reports_agree_with_what_really_happened_as_far_as_linkedin_lets_them(
    bench: Bench, tier_one: AudienceState, template: Campaign
) -> None:
    bench.linkedin.set_targets(template.campaign_id, include=[target(tier_one)])
    first = bench.now().date() + timedelta(days=1)
    bench.sleep(timedelta(days=9).total_seconds())
    last = first + timedelta(days=5)
    campaigns = [template.campaign_id]

    whole = bench.linkedin.account_report(first, last, grain="all", campaigns=campaigns)
    daily = bench.linkedin.account_report(first, last, grain="daily", campaigns=campaigns)
    by_creative = bench.linkedin.account_report(first, last, grain="all", creatives=template.creatives)
    truth = bench.control.impressions(first, last, campaign=template.campaign_id)

    assert sum(total.impressions for total in whole.totals) == truth["total"]
    assert sum(total.impressions for total in daily.totals) == truth["total"]
    assert sum(total.impressions for total in by_creative.totals) == truth["total"]
    assert {total.creative_id for total in by_creative.totals} == set(template.creatives)
    really = {f"urn:li:organization:{row['organization']}": row["impressions"] for row in truth["rows"]}
    assert whole.rows
    for row in whole.rows:
        assert row.impressions is not None
        assert row.impressions <= really[row.entity] + whole.noise
    assert {row.day for row in daily.rows} <= {first + timedelta(days=i) for i in range(6)}
    assert whole.warnings == ()


def test_an_answer_cut_to_ten_rows_is_asked_for_again_in_full(bench: Bench, template: Campaign) -> None:
    end = bench.now().date() - timedelta(days=3)
    window = (end - timedelta(days=3), end)
    full = bench.linkedin.account_report(*window, grain="daily", campaigns=[template.campaign_id])
    bench.control.call("POST", "/knobs", {"honour_count_default_10": True})
    cut = bench.linkedin.account_report(*window, grain="daily", campaigns=[template.campaign_id])
    bench.control.call("POST", "/knobs", {"honour_count_default_10": False})

    assert len(full.rows) > 10
    assert cut.rows == full.rows


def test_organizations_are_named_with_and_without_the_right_to_batch(
    bench: Bench, tier_one: AudienceState
) -> None:
    truth = bench.control.members(tier_one.external_id)["members"]
    urns = [f"urn:li:organization:{row['organization']}" for row in truth if row["organization"]][:60]
    batched = bench.linkedin.organizations(urns)
    bench.control.call("POST", "/knobs", {"organizations_batch_refused": True})
    single = bench.linkedin.organizations(urns[:5])
    bench.control.call("POST", "/knobs", {"organizations_batch_refused": False})

    assert sum(one.name is not None for one in batched.values()) > len(urns) * 0.8
    assert single == {urn: batched[urn] for urn in urns[:5]}


def test_what_was_dropped_in_silence_is_healed_by_sending_it_again(bench: Bench) -> None:
    spec = AudienceSpec("linkedin/drops/company", "linkedin", "Drops", MemberKind.COMPANY)
    listed = bench.linkedin.find_or_create(spec).external_id
    firms = tuple(company(("domain", f"d{i}.example")) for i in range(60))
    batch = PushBatch("b", spec.audience_id, listed, Op.ADD, MemberKind.COMPANY, firms)

    def held() -> int:
        return sum(row["acknowledged"] for row in bench.control.members(listed)["members"])

    bench.control.fault("silent_drop", match="companies$", share=0.5)
    receipt = bench.linkedin.push(batch)
    bench.control.clear_faults()

    assert {row.status for row in receipt.results} == {RowStatus.ACCEPTED}  # nobody can see it
    assert held() < 60
    bench.linkedin.push(batch)
    assert held() == 60


def test_a_list_that_went_wrong_while_matching_is_left_alone_and_a_new_one_made(bench: Bench) -> None:
    spec = AudienceSpec("linkedin/wrong/company", "linkedin", "Wrong", MemberKind.COMPANY)
    listed = bench.linkedin.find_or_create(spec).external_id
    firms = tuple(company(("domain", f"w{i}.example")) for i in range(3))
    bench.control.fault("matching_error", match="companies$")
    bench.linkedin.push(PushBatch("b", spec.audience_id, listed, Op.ADD, MemberKind.COMPANY, firms))
    bench.control.clear_faults()

    wrong = bench.linkedin.state(spec.audience_id, listed)
    made = bench.linkedin.find_or_create(spec)

    assert (wrong.status, wrong.usable) == (AudienceStatus.FAILED, False)
    assert made.external_id != listed
    assert bench.linkedin.find_or_create(spec).external_id == made.external_id
    assert (made.status, made.usable) == (AudienceStatus.BUILDING, True)


def test_company_intelligence_stays_off_until_it_is_granted(bench: Bench) -> None:
    with pytest.raises(NoPermission):
        bench.linkedin.intelligence_report("LAST_30_DAYS")
    settings = LinkedInSettings(ACCOUNT, base_url=f"{bench.url}/rest", company_intelligence=True)
    auth = OAuth(bench.tokens, None, "", clock=bench.now, sleep=bench.sleep)
    with make_client(bench.url, auth) as client:
        granted = LinkedIn(settings, client, bench.now, bench.sleep)
        with pytest.raises(NoPermission):
            granted.intelligence_report("LAST_30_DAYS")
        bench.control.call("POST", "/knobs", {"accounts_intelligence": True})
        report = granted.intelligence_report("LAST_30_DAYS")
    assert report.list_depth is None
    assert report.end == bench.now().date() - timedelta(days=1)


def test_the_segment_limit_stops_and_is_not_waited_out(bench: Bench) -> None:
    bench.control.call("POST", "/knobs", {"segment_limit": 1})
    with pytest.raises(ListLimitReached):
        bench.linkedin.find_or_create(AudienceSpec("linkedin/x/company", "linkedin", "X", MemberKind.COMPANY))
    bench.control.call("POST", "/knobs", {"segment_limit": 1000})


def test_googles_numbers_are_read_per_list(bench: Bench) -> None:
    spec = AudienceSpec("google/t1/contact", "google", "T1", MemberKind.CONTACT)
    state = bench.google.find_or_create(spec)
    people = tuple(person(("email_sha256", mail(i))) for i in range(600))
    batch = PushBatch("b", spec.audience_id, state.external_id, Op.ADD, MemberKind.CONTACT, people)
    bench.google.push(batch)
    bench.control.seed_google(customer=CUSTOMER, campaigns=[{"lists": [state.external_id]}])
    bench.sleep(timedelta(days=4).total_seconds())
    end = bench.now().date() - timedelta(days=1)

    sizes = {one.list_id: one for one in bench.google.list_sizes()}
    shown = bench.google.audience_performance(end - timedelta(days=2), end)

    now = bench.google.state(spec.audience_id, state.external_id)
    assert now.status is AudienceStatus.READY
    assert sizes[state.external_id].for_display is not None
    assert {one.list_id for one in shown} == {state.external_id}
    assert all(one.impressions > 0 and one.cost >= 0 for one in shown)


# --- sign-in and versions -----------------------------------------------------------------


def browse(address: str) -> None:
    with httpx.Client(trust_env=False, timeout=60, follow_redirects=True) as browser:
        browser.get(address)


@pytest.mark.parametrize("platform", ["linkedin", "google"])
def test_a_person_connects_and_the_token_works(bench: Bench, platform: str) -> None:
    app, secret = "app", SecretStr("fake")
    sign_in = (
        linkedin_sign_in(app, secret, oauth_url=f"{bench.url}/oauth/v2")
        if platform == "linkedin"
        else google_sign_in(
            app, secret, token_url=f"{bench.url}/token", authorize_url=f"{bench.url}/oauth/v2/authorization"
        )
    )

    def show(address: str) -> None:
        threading.Thread(target=browse, args=(address,), daemon=True).start()

    with make_client(bench.url) as client:
        token = connect(sign_in, client, show=show, secret=lambda: "s" * 43, clock=bench.now, timeout=30)

    assert token.refresh is not None
    assert token.expires_at is not None
    if platform == "linkedin":
        assert token.refresh_until is not None
        assert round((token.refresh_until - bench.now()) / timedelta(days=1)) == 365
        auth = OAuth(TokenMemory(token), None, "", clock=bench.now, sleep=bench.sleep)
        with make_client(bench.url, auth) as client:
            wanted = LinkedInSettings(ACCOUNT, base_url=f"{bench.url}/rest")
            assert LinkedIn(wanted, client, bench.now, bench.sleep).check() == ()


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ({"scopes": ["r_ads_reporting"]}, NoPermission),
        ({"scopes": SCOPES, "revoked": True}, SignInAgain),
        ({"scopes": SCOPES, "expires_in": -5}, SignInAgain),
    ],
)
def test_a_token_that_may_not_or_no_longer_asks_for_a_person(
    bench: Bench, token: dict[str, object], error: type[Exception]
) -> None:
    bench.control.token("other", **token)
    auth = OAuth(TokenMemory(Token(SecretStr("other"))), None, "", clock=bench.now, sleep=bench.sleep)
    spec = AudienceSpec("linkedin/y/company", "linkedin", "Y", MemberKind.COMPANY)
    with make_client(bench.url, auth) as client:
        platform = LinkedIn(
            LinkedInSettings(ACCOUNT, base_url=f"{bench.url}/rest"), client, bench.now, bench.sleep
        )
        with pytest.raises(error):
            platform.find_or_create(spec)


def test_a_check_tells_a_viewer_and_a_token_that_opens_too_little(bench: Bench) -> None:
    bench.control.account(ACCOUNT, roles={"member-1": "VIEWER"})
    viewer = bench.linkedin.check()
    bench.control.account(ACCOUNT, roles={"member-1": "CAMPAIGN_MANAGER"})
    bench.control.token("narrow", scopes=["rw_ads"])
    auth = OAuth(TokenMemory(Token(SecretStr("narrow"))), None, "", clock=bench.now, sleep=bench.sleep)
    with make_client(bench.url, auth) as client:
        settings = LinkedInSettings(ACCOUNT, base_url=f"{bench.url}/rest")
        narrow = LinkedIn(settings, client, bench.now, bench.sleep).check()

    assert len(viewer) == 1
    assert "is a viewer of this ad account" in viewer[0]
    assert [words.split(":")[0] for words in narrow] == ["Lists may not be read", "Reports may not be read"]
    assert bench.linkedin.check() == ()


def test_a_version_that_was_switched_off_is_not_taken_for_a_lost_token(bench: Bench) -> None:
    auth = OAuth(TokenMemory(Token(SecretStr(TOKEN))), None, "", clock=bench.now, sleep=bench.sleep)
    with make_client(bench.url, auth) as client:
        old = LinkedInSettings(ACCOUNT, base_url=f"{bench.url}/rest", api_version="202504")
        with pytest.raises(VersionSunset) as caught:
            LinkedIn(old, client, bench.now, bench.sleep).check()
    assert caught.value.code == "NONEXISTENT_VERSION"


def test_a_customer_behind_a_manager_is_worked_through_it(bench: Bench) -> None:
    customer, manager = "5550001111", "9999999999"
    bench.control.call("POST", "/google/accounts", {"id": customer, "manager": manager})
    spec = AudienceSpec("google/managed/contact", "google", "Managed", MemberKind.CONTACT)

    def worked(login: str) -> int:
        addresses = {"base_url": f"{bench.url}/v1", "ads_base_url": bench.url}
        wanted = GoogleSettings(customer, login_customer_id=login, terms_accepted=True, **addresses)
        platform = Google(wanted, bench._client("/token"), bench.now, bench.sleep)
        state = platform.find_or_create(spec)
        people = tuple(person(("email_sha256", mail(i))) for i in range(5))
        batch = PushBatch("m", spec.audience_id, state.external_id, Op.ADD, MemberKind.CONTACT, people)
        request = platform.push(batch).request_id or ""
        bench.sleep(3600)
        assert platform.settle(batch, request).settled
        platform.list_sizes()
        platform.delete(state.external_id)
        return len(people)

    assert worked(manager) == 5
    for wrong in ("", "1111111111"):
        with pytest.raises(NoPermission):
            worked(wrong)


def test_a_google_list_is_replaced_without_ever_being_empty(bench: Bench) -> None:
    spec = AudienceSpec("google/replaced/contact", "google", "Replaced", MemberKind.CONTACT)
    listed = bench.google.find_or_create(spec).external_id

    def batch(name: str, numbers: range) -> PushBatch:
        people = tuple(person(("email_sha256", mail(i))) for i in numbers)
        return PushBatch(name, spec.audience_id, listed, Op.ADD, MemberKind.CONTACT, people)

    def held() -> set[str]:
        return {row[0] for row in bench.control.members(listed)["members"]}

    def settled(wanted: PushBatch) -> Receipt:
        request = bench.google.push(wanted).request_id or ""
        bench.sleep(3600)
        return bench.google.settle(wanted, request)

    settled(batch("old", range(10)))
    started = bench.google.begin_replace()
    unsettled = bench.google.push(batch("new", range(6, 16)))
    with pytest.raises(NotReady):
        bench.google.finish_replace(listed, started, [unsettled])
    bench.sleep(3600)
    new = bench.google.settle(batch("new", range(6, 16)), unsettled.request_id or "")
    assert held() == {mail(i) for i in range(16)}, "nobody is off the list before the new ones are on it"

    bench.control.call("POST", "/knobs", {"google_names_rows": False})
    bench.control.call("POST", "/faults", {"kind": "rows_refused", "match": "ingest", "share": 0.5})
    doubtful = settled(batch("more", range(16, 40)))
    bench.control.call("POST", "/knobs", {"google_names_rows": True})
    assert {row.status for row in doubtful.results} == {RowStatus.UNKNOWN}
    with pytest.raises(Refused):
        bench.google.finish_replace(listed, started, [new, doubtful])

    bench.google.finish_replace(listed, started, [new, settled(batch("more", range(16, 40)))])
    bench.sleep(3600)
    assert held() == {mail(i) for i in range(6, 40)}
