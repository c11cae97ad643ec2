"""The platforms' own client libraries do their normal work on the sandbox: an outside check of its wire."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.platforms.against_sandbox import ACCOUNT, CUSTOMER, TOKEN, Bench, open_bench

ACCOUNT_URN = f"urn:li:sponsoredAccount:{ACCOUNT}"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    opened = open_bench()
    yield opened
    opened.close()


# --- linkedin-api-client -----------------------------------------------------------------


@pytest.fixture
def restli(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Any:
    from linkedin_api.clients.restli.client import RestliClient
    from linkedin_api.common import constants

    monkeypatch.setattr(constants, "VERSIONED_BASE_URL", f"{bench.url}/rest")
    client = RestliClient()
    yield client
    client.session.close()


TOLD = {"access_token": TOKEN, "version_string": "202608"}


def test_linkedins_client_creates_fills_finds_and_deletes_a_segment(bench: Bench, restli: Any) -> None:
    created = restli.create(
        resource_path="/dmpSegments",
        entity={
            "name": "Official",
            "type": "COMPANY",
            "sourcePlatform": "DIRECT_API",
            "account": ACCOUNT_URN,
            "sourceSegmentId": "official-1",
            "destinations": [{"destination": "LINKEDIN"}],
        },
        **TOLD,
    )
    assert created.status_code == 201
    segment = created.entity_id
    bench.sleep(10)

    pushed = restli.batch_create(
        resource_path=f"/dmpSegments/{segment}/companies",
        entities=[{"action": "ADD", "companyWebsiteDomain": f"c{i}.example"} for i in range(3)],
        **TOLD,
    )
    assert [element.status for element in pushed.elements] == [201] * 3

    found = restli.finder(
        resource_path="/dmpSegments",
        finder_name="account",
        query_params={"account": ACCOUNT_URN, "sourceSegmentId": "official-1", "start": 0, "count": 10},
        **TOLD,
    )
    assert [element["id"] for element in found.elements] == [int(segment)]
    state = restli.get(resource_path=f"/dmpSegments/{segment}", **TOLD).entity
    assert state["destinations"][0]["status"] == "BUILDING"
    assert len(bench.control.members(segment)["members"]) == 3

    assert restli.delete(resource_path=f"/dmpSegments/{segment}", **TOLD).status_code == 204
    assert restli.get(resource_path=f"/dmpSegments/{segment}", **TOLD).status_code == 404


def test_linkedins_client_reads_and_pauses_a_campaign(bench: Bench, restli: Any) -> None:
    path = f"/adAccounts/{ACCOUNT}/adCampaigns"
    found = restli.finder(resource_path=path, finder_name="search", query_params={"pageSize": 10}, **TOLD)
    campaign = found.elements[0]["id"]
    for status in ("PAUSED", "ACTIVE"):
        answer = restli.partial_update(
            resource_path=f"{path}/{{id}}",
            path_keys={"id": campaign},
            patch_set_object={"status": status},
            **TOLD,
        )
        assert answer.status_code == 204
        assert restli.get(resource_path=f"{path}/{campaign}", **TOLD).entity["status"] == status


def test_linkedins_client_renames_a_campaign_group_in_a_batch(bench: Bench, restli: Any) -> None:
    path = f"/adAccounts/{ACCOUNT}/adCampaignGroups"
    found = restli.finder(resource_path=path, finder_name="search", query_params={"pageSize": 10}, **TOLD)
    group = found.elements[0]["id"]
    answer = restli.batch_partial_update(
        resource_path=path, ids=[group], patch_set_objects=[{"name": "Renamed"}], **TOLD
    )
    assert answer.status_code == 200
    assert restli.get(resource_path=f"{path}/{group}", **TOLD).entity["name"] == "Renamed"


def test_linkedins_client_finds_copies_and_pauses_a_creative(bench: Bench, restli: Any) -> None:
    campaign = bench.linkedin.list_campaigns()[0]
    urn = f"urn:li:sponsoredCampaign:{campaign.campaign_id}"
    path = f"/adAccounts/{ACCOUNT}/creatives"
    asked = {"campaigns": [urn], "pageSize": 100}
    found = restli.finder(resource_path=path, finder_name="criteria", query_params=asked, **TOLD)
    shown = found.elements[0]
    body = {"campaign": urn, "content": shown["content"], "intendedStatus": "DRAFT"}
    made = restli.create(resource_path=path, entity=body, **TOLD)
    assert made.status_code == 201
    paused = restli.partial_update(
        resource_path=f"{path}/{{id}}",
        path_keys={"id": made.decoded_entity_id},
        patch_set_object={"intendedStatus": "PAUSED"},
        **TOLD,
    )
    assert paused.status_code == 204
    again = restli.finder(resource_path=path, finder_name="criteria", query_params=asked, **TOLD).elements
    assert {one["id"]: one["intendedStatus"] for one in again}[made.decoded_entity_id] == "PAUSED"


def test_linkedins_client_reads_analytics(bench: Bench, restli: Any) -> None:
    listed = bench.linkedin.list_campaigns()[0].campaign_id
    bench.sleep(timedelta(days=3).total_seconds())
    now = bench.control.now()
    day = {"year": now.year, "month": now.month, "day": now.day}
    answer = restli.finder(
        resource_path="/adAnalytics",
        finder_name="analytics",
        query_params={
            "pivot": "CAMPAIGN",
            "timeGranularity": "ALL",
            "dateRange": {"start": {"year": 2026, "month": 8, "day": 24}, "end": day},
            "campaigns": [f"urn:li:sponsoredCampaign:{listed}"],
            "fields": "impressions,clicks,pivotValues,dateRange",
        },
        **TOLD,
    )
    assert answer.status_code == 200
    assert all(element["pivotValues"] for element in answer.elements)


# --- google-ads-datamanager --------------------------------------------------------------


@pytest.fixture(scope="module")
def google_options(bench: Bench) -> Iterator[dict[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the client's own imports
        from google.oauth2.credentials import Credentials

        yield {
            "transport": "rest",
            "credentials": Credentials(token=TOKEN),
            "client_options": {"api_endpoint": bench.url},
        }


def test_googles_client_creates_a_list_ingests_polls_and_removes(
    bench: Bench, google_options: dict[str, Any]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from google.ads import datamanager_v1 as dm
        from google.ads.datamanager_util import Encoding, Formatter
    lists = dm.UserListServiceClient(**google_options)
    parent = f"accountTypes/GOOGLE_ADS/accounts/{CUSTOMER}"
    wanted = dm.UserList(
        display_name="Official people",
        description="d",
        ingested_user_list_info=dm.IngestedUserListInfo(
            upload_key_types=[dm.IngestedUserListInfo.UploadKeyType.CONTACT_ID],
            contact_id_info=dm.ContactIdInfo(),
        ),
    )
    made = lists.create_user_list(parent=parent, user_list=wanted)
    assert made.id
    assert [one.id for one in lists.list_user_lists(parent=parent) if one.display_name == "Official people"]

    destination = dm.Destination(
        operating_account=dm.ProductAccount(account_type="GOOGLE_ADS", account_id=CUSTOMER),
        product_destination_id=str(made.id),
    )
    mails = [Formatter().process_email_address(f"Person{i}@Example.com", Encoding.HEX) for i in range(4)]
    assert mails[0] == hashlib.sha256(b"person0@example.com").hexdigest()
    members = [
        dm.AudienceMember(user_data=dm.UserData(user_identifiers=[dm.UserIdentifier(email_address=m)]))
        for m in mails
    ]
    ingestion = dm.IngestionServiceClient(**google_options)
    consent = dm.Consent(ad_user_data="CONSENT_GRANTED", ad_personalization="CONSENT_GRANTED")
    terms = dm.TermsOfService(customer_match_terms_of_service_status="ACCEPTED")
    sent = ingestion.ingest_audience_members(
        request=dm.IngestAudienceMembersRequest(
            destinations=[destination],
            audience_members=members,
            encoding="HEX",
            consent=consent,
            terms_of_service=terms,
        )
    )

    def state() -> str:
        status = ingestion.retrieve_request_status(request={"request_id": sent.request_id})
        return str(status.request_status_per_destination[0].request_status.name)

    assert state() == "PROCESSING"
    bench.sleep(timedelta(hours=1).total_seconds())
    assert state() == "SUCCESS"
    assert len(bench.control.members(str(made.id))["members"]) == 4

    ingestion.remove_audience_members(
        request=dm.RemoveAudienceMembersRequest(
            destinations=[destination], audience_members=members[:1], encoding="HEX"
        )
    )
    bench.sleep(timedelta(hours=1).total_seconds())
    assert len(bench.control.members(str(made.id))["members"]) == 3
    lists.delete_user_list(name=made.name)
