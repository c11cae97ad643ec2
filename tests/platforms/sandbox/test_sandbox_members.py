"""Streaming companies and people: an answer per element, and what each element means."""

from __future__ import annotations

import re

import pytest

from tests.platforms.sandbox.calls import BATCH, companies, company, digest, people, person


def test_a_batch_answers_every_element_in_order(sandbox):
    segment = sandbox.ready_segment()
    bad = {"action": "ADD", "organizationUrn": "urn:li:organizationUrn:123"}
    reply = sandbox.push(segment, [company(1), bad, company(2)])

    assert reply.status_code == 200
    assert [e["status"] for e in reply.json()["elements"]] == [201, 400, 201]
    assert reply.json()["elements"][1]["error"]["message"] == "Invalid organization urn"
    assert {m["domain"] for m in sandbox.members(segment)} == {"company1.example", "company2.example"}


def test_without_the_batch_header_the_body_is_read_as_one_element(sandbox):
    segment = sandbox.ready_segment()
    url = f"/rest/dmpSegments/{segment}/companies"
    refused = sandbox.li.post(url, json={"elements": [company(1)]})

    assert refused.status_code == 422
    assert refused.json()["message"] == "ERROR :: /elements :: unrecognized field found but not allowed"
    single = sandbox.li.post(url, json=company(1))
    assert (single.status_code, single.content) == (201, b"")


@pytest.mark.parametrize(("kind", "path"), [("COMPANY", "users"), ("USER", "companies")])
def test_the_wrong_kind_of_child_is_400(sandbox, kind, path):
    segment = sandbox.ready_segment(kind)
    rows = people(1) if path == "users" else companies(1)

    assert sandbox.push(segment, rows, path).status_code == 400


def test_more_than_the_batch_limit_is_400(make):
    sandbox = make(batch_limit=10)
    segment = sandbox.ready_segment()

    assert sandbox.push(segment, companies(11)).status_code == 400
    assert sandbox.push(segment, companies(10)).status_code == 200
    assert sandbox.push(segment, []).json() == {"elements": []}


def test_the_default_batch_limit_is_five_thousand(still):
    assert still.batch_limit == 5000


@pytest.mark.parametrize("name", ["linkedInCompanyPageUrl", "companyDomain", "companyIdentifiers"])
def test_a_field_that_does_not_exist_fails_its_element_or_by_knob_the_batch(make, name):
    rows = [company(1), {"action": "ADD", name: "x"}]
    lenient, strict = make(), make(unknown_field_fails_whole_batch=True)
    answers = []
    for sandbox in (lenient, strict):
        segment = sandbox.ready_segment()
        answers.append((sandbox.push(segment, rows), len(sandbox.members(segment))))

    (partial, kept), (whole, none) = answers
    assert [e["status"] for e in partial.json()["elements"]] == [201, 422]
    assert (whole.status_code, kept, none) == (422, 1, 0)


@pytest.mark.parametrize(
    "row",
    [
        {"action": "ADD"},
        {"action": "ADD", "city": "Berlin"},
        {"action": "KEEP", "companyName": "x"},
        {"companyName": "x"},
        {"action": "ADD", "companyWebsiteDomain": "https://www.acme.example/"},
        {"action": "ADD", "companyName": "x", "country": "usa"},
        {"action": "ADD", "companyPageUrl": "https://www.linkedin.com/company/" + "x" * 90},
        {"action": "ADD", "companyName": "x", "industries": ["a", "b", "c", "d"]},
        {"action": "ADD", "companyName": "x", "stockSymbol": "TOOLONG"},
        "not a record",
    ],
)
def test_a_company_that_breaks_a_rule_is_refused_alone(sandbox, row):
    segment = sandbox.ready_segment()
    statuses = [e["status"] for e in sandbox.push(segment, [row, company(1)]).json()["elements"]]

    assert statuses[0] in {400, 422}
    assert statuses[1] == 201


@pytest.mark.parametrize(
    "row",
    [
        {"action": "ADD", "userIds": [{"idType": "SHA256_EMAIL", "idValue": "jane@example.com"}]},
        {"action": "ADD", "userIds": [{"idType": "SHA256_EMAIL", "idValue": "z" * 64}]},
        {"action": "ADD", "userIds": [{"idType": "EMAIL", "idValue": "x"}]},
        {"action": "ADD", "userIds": []},
        {"action": "ADD", "userIds": [], "firstName": "Jane"},
        {"action": "ADD", "userIds": [], "firstName": "J" * 36, "lastName": "Doe"},
        {"action": "ADD"},
    ],
)
def test_a_person_that_breaks_a_rule_is_refused_alone(sandbox, row):
    segment = sandbox.ready_segment("USER")
    statuses = [e["status"] for e in sandbox.push(segment, [row, person(1)], "users").json()["elements"]]

    assert statuses[0] in {400, 422}
    assert statuses[1] == 201


def test_names_alone_are_enough_for_a_person(sandbox):
    segment = sandbox.ready_segment("USER")
    row = {"action": "ADD", "userIds": [], "firstName": "Jane", "lastName": "Doe", "country": "US"}

    assert sandbox.push(segment, [row], "users").json()["elements"] == [{"status": 201}]


def test_unmatched_members_are_answered_201_all_the_same(sandbox):
    segment = sandbox.ready_segment("USER")
    reply = sandbox.push(segment, people(1000), "users")
    matched = sum(m["matched"] for m in sandbox.members(segment))

    assert all(e == {"status": 201} for e in reply.json()["elements"])
    assert 500 < matched < 700


def test_adding_twice_is_harmless_and_removing_takes_the_same_identifier(sandbox):
    segment = sandbox.ready_segment("USER")
    sandbox.push(segment, people(10), "users")
    sandbox.push(segment, people(10), "users")
    sandbox.push(segment, people(4, "REMOVE"), "users")
    sandbox.pass_time(days=2)

    assert {m["key"] for m in sandbox.members(segment)} == {digest(i) for i in range(4, 10)}


def test_the_domain_and_the_urn_of_a_company_are_one_organisation(sandbox):
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(40))
    known = next(m for m in sandbox.members(segment) if m["organization"])
    row = {"action": "REMOVE", "organizationUrn": f"urn:li:organization:{known['organization']}"}
    sandbox.push(segment, [row])
    sandbox.pass_time(days=2)

    assert known["domain"] not in {m["domain"] for m in sandbox.members(segment)}
    assert len(sandbox.members(segment)) == 39


def test_identifiers_sent_together_are_remembered_as_one_company(sandbox):
    segment = sandbox.ready_segment()
    rows = [
        {
            "action": "ADD",
            "organizationUrn": f"urn:li:organization:{4000 + i}",
            "companyWebsiteDomain": f"twin{i}.example",
        }
        for i in range(20)
    ]
    sandbox.push(segment, rows)
    before = {m["key"] for m in sandbox.members(segment)}
    sandbox.push(segment, [{"action": "ADD", "companyWebsiteDomain": f"twin{i}.example"} for i in range(20)])

    assert {m["key"] for m in sandbox.members(segment)} == before


def test_a_page_url_leads_to_the_company_by_number_and_by_name(sandbox):
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(5))
    known = [m for m in sandbox.members(segment) if m["organization"]]
    rows = []
    for m in known:
        org = sandbox.li.get(f"/rest/organizations/{m['organization']}").json()
        rows.append({"action": "ADD", "companyPageUrl": f"https://www.linkedin.com/company/{org['id']}"})
        rows.append(
            {"action": "ADD", "companyPageUrl": f"https://www.linkedin.com/company/{org['vanityName']}"}
        )
    sandbox.push(segment, rows)

    assert len(sandbox.members(segment)) == 5


def test_most_domains_match_and_a_name_alone_matches_less_often(sandbox):
    by_domain, by_name = sandbox.ready_segment(), sandbox.ready_segment()
    sandbox.push(by_domain, companies(1000))
    rows = [{"action": "ADD", "companyName": f"Firm number {i}"} for i in range(1000)]
    sandbox.push(by_name, rows)
    matched = [sum(m["matched"] for m in sandbox.members(s)) for s in (by_domain, by_name)]

    assert 900 < matched[0] < 960
    assert 550 < matched[1] < 650


def test_the_same_seed_matches_the_same_companies_and_another_seed_others(make):
    found = []
    for seed in (1, 1, 2):
        sandbox = make(options={"seed": seed})
        segment = sandbox.ready_segment()
        sandbox.push(segment, companies(300))
        found.append([(m["domain"], m["organization"]) for m in sandbox.members(segment)])

    assert found[0] == found[1]
    assert found[0] != found[2]


def test_member_counts_are_heavy_tailed(sandbox):
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(3000))
    sizes = sorted(o.members for o in sandbox.world.directory.known().values())

    assert 100 < sizes[len(sizes) // 2] < 220
    assert sizes[-1] > 10_000
    assert sizes[-1] <= 50_000


def test_the_look_up_knows_names_vanities_and_mostly_websites(sandbox):
    segment = sandbox.ready_segment()
    sandbox.push(segment, companies(600))
    ids = [str(m["organization"]) for m in sandbox.members(segment) if m["organization"]]
    reply = sandbox.li.get(f"/rest/organizationsLookup?ids=List({','.join(ids[:300])})").json()

    assert set(reply["statuses"]) == set(ids[:300])
    missing = [i for i in ids[:300] if i not in reply["results"]]
    assert {reply["statuses"][i] for i in missing} <= {404}
    assert set(missing) == set(reply["errors"])
    assert 0 < len(missing) < 15
    without = [o for o in reply["results"].values() if "localizedWebsite" not in o]
    assert 0 < len(without) < 50
    assert all(re.fullmatch(r"[a-z0-9-]+", o["vanityName"]) for o in reply["results"].values())


def test_batch_look_ups_are_refused_to_a_development_tier_and_single_ones_not(make):
    sandbox = make(organizations_batch_refused=True)

    assert sandbox.li.get("/rest/organizationsLookup?ids=List(1)").status_code == 403
    found = [sandbox.li.get(f"/rest/organizations/{i}").status_code for i in range(1, 40)]
    assert found.count(200) > 30


def test_a_batch_is_refused_whole_when_it_is_no_json(sandbox):
    segment = sandbox.ready_segment()
    url = f"/rest/dmpSegments/{segment}/companies"

    assert sandbox.li.post(url, content=b"{", headers=BATCH).status_code == 400
    assert sandbox.li.post(url, content=b"[]", headers=BATCH).status_code == 400
    assert sandbox.li.post(url, json={"elements": 3}, headers=BATCH).status_code == 422
