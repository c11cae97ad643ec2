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


def segment(bench: Bench, restli: Any, source: str) -> str:
    """A segment that takes members."""
    created = restli.create(
        resource_path="/dmpSegments",
        entity={
            "name": "Official",
            "type": "COMPANY",
            "sourcePlatform": "DIRECT_API",
            "account": ACCOUNT_URN,
            "sourceSegmentId": source,
            "destinations": [{"destination": "LINKEDIN"}],
        },
        **TOLD,
    )
    assert created.status_code == 201
    bench.sleep(10)
    return str(created.entity_id)


def test_linkedins_client_fills_a_segment(bench: Bench, restli: Any) -> None:
    made = segment(bench, restli, "official-1")
    pushed = restli.batch_create(
        resource_path=f"/dmpSegments/{made}/companies",
        entities=[{"action": "ADD", "companyWebsiteDomain": f"c{i}.example"} for i in range(3)],
        **TOLD,
    )
    assert [element.status for element in pushed.elements] == [201] * 3
    assert len(bench.control.members(made)["members"]) == 3


def test_linkedins_client_finds_reads_and_deletes_a_segment(bench: Bench, restli: Any) -> None:
    made = segment(bench, restli, "official-2")
    found = restli.finder(
        resource_path="/dmpSegments",
        finder_name="account",
        query_params={"account": ACCOUNT_URN, "sourceSegmentId": "official-2", "start": 0, "count": 10},
        **TOLD,
    )
    assert [element["id"] for element in found.elements] == [int(made)]
    state = restli.get(resource_path=f"/dmpSegments/{made}", **TOLD).entity
    assert state["destinations"][0]["status"] == "BUILDING"

    assert restli.delete(resource_path=f"/dmpSegments/{made}", **TOLD).status_code == 204
    assert restli.get(resource_path=f"/dmpSegments/{made}", **TOLD).status_code == 404


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


PARENT = f"accountTypes/GOOGLE_ADS/accounts/{CUSTOMER}"


class Clients:
    """Google's own: its messages, the list and ingestion services on the sandbox, and its formatter."""

    def __init__(self, bench: Bench) -> None:
        from google.ads import datamanager_v1
        from google.ads.datamanager_util import Encoding, Formatter
        from google.oauth2.credentials import Credentials

        self.dm, self.bench = datamanager_v1, bench
        options: dict[str, Any] = {
            "transport": "rest",
            "credentials": Credentials(token=TOKEN),
            "client_options": {"api_endpoint": bench.url},
        }
        self.lists = datamanager_v1.UserListServiceClient(**options)
        self.ingestion = datamanager_v1.IngestionServiceClient(**options)
        self._formatter, self._hex = Formatter(), Encoding.HEX

    def made(self, name: str) -> Any:
        """A list of contacts."""
        contacts = self.dm.IngestedUserListInfo(
            upload_key_types=[self.dm.IngestedUserListInfo.UploadKeyType.CONTACT_ID],
            contact_id_info=self.dm.ContactIdInfo(),
        )
        wanted = self.dm.UserList(display_name=name, description="d", ingested_user_list_info=contacts)
        return self.lists.create_user_list(parent=PARENT, user_list=wanted)

    def destination(self, made: Any) -> Any:
        owner = self.dm.ProductAccount(account_type="GOOGLE_ADS", account_id=CUSTOMER)
        return self.dm.Destination(operating_account=owner, product_destination_id=str(made.id))

    def hashed(self, email: str) -> str:
        return str(self._formatter.process_email_address(email, self._hex))

    def people(self, *numbers: int) -> list[Any]:
        hashes = [self.hashed(f"Person{i}@Example.com") for i in numbers]
        found = [self.dm.UserData(user_identifiers=[self.dm.UserIdentifier(email_address=h)]) for h in hashes]
        return [self.dm.AudienceMember(user_data=one) for one in found]

    def ingest(self, made: Any, *numbers: int) -> str:
        """The id of the request."""
        request = self.dm.IngestAudienceMembersRequest(
            destinations=[self.destination(made)],
            audience_members=self.people(*numbers),
            encoding="HEX",
            consent=self.dm.Consent(ad_user_data="CONSENT_GRANTED", ad_personalization="CONSENT_GRANTED"),
            terms_of_service=self.dm.TermsOfService(customer_match_terms_of_service_status="ACCEPTED"),
        )
        return str(self.ingestion.ingest_audience_members(request=request).request_id)

    def state(self, request_id: str) -> str:
        status = self.ingestion.retrieve_request_status(request={"request_id": request_id})
        return str(status.request_status_per_destination[0].request_status.name)

    def held(self, made: Any) -> int:
        """How many are on it an hour later."""
        self.bench.sleep(timedelta(hours=1).total_seconds())
        return len(self.bench.control.members(str(made.id))["members"])


@pytest.fixture(scope="module")
def clients(bench: Bench) -> Iterator[Clients]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the clients' own imports
        made = Clients(bench)
    yield made
    made.lists.transport.close()
    made.ingestion.transport.close()


def test_googles_client_creates_lists_and_deletes_a_list(clients: Clients) -> None:
    made = clients.made("Official list")
    assert made.id
    named = [
        one.id for one in clients.lists.list_user_lists(parent=PARENT) if one.display_name == "Official list"
    ]
    assert named == [made.id]
    clients.lists.delete_user_list(name=made.name)
    assert made.id not in {one.id for one in clients.lists.list_user_lists(parent=PARENT)}


def test_googles_client_ingests_and_polls(clients: Clients) -> None:
    made = clients.made("Official people")
    request = clients.ingest(made, *range(4))
    assert clients.state(request) == "PROCESSING"
    assert clients.held(made) == 4
    assert clients.state(request) == "SUCCESS"


def test_googles_client_removes_whom_it_ingested(clients: Clients) -> None:
    made = clients.made("Official leavers")
    clients.ingest(made, *range(4))
    assert clients.held(made) == 4
    leaving = clients.dm.RemoveAudienceMembersRequest(
        destinations=[clients.destination(made)], audience_members=clients.people(0), encoding="HEX"
    )
    clients.ingestion.remove_audience_members(request=leaving)
    assert clients.held(made) == 3


def test_googles_formatter_hashes_an_address_as_we_do(clients: Clients) -> None:
    assert clients.hashed("Person0@Example.com") == hashlib.sha256(b"person0@example.com").hexdigest()
