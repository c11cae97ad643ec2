"""``evenreach numbers``: what the platforms say beside their reports, on the sandbox."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.flows.list_workspace import Lists


def seeded(lists: Lists) -> str:
    """A campaign of LinkedIn on the segment's list, and four days of delivery."""
    lists.sync("everyone")
    with lists.opened() as app:
        assert app.sandbox is not None
        made = app.sandbox.post("/sandbox/seed", {"account": "500000001", "creatives": 1})
        record = app.store.audience("linkedin/everyone/companies")
        assert record is not None
        assert record.state is not None
        assert record.state.target_id is not None
        app.platform("linkedin").set_targets(str(made["campaign"]), include=[record.state.target_id])
    lists.days_pass(6)
    return str(made["campaign"])


def test_company_windows_are_refused_until_switched_on_and_then_listed_whole(
    lists: Lists, tmp_path: Path
) -> None:
    campaign = seeded(lists)
    off = lists.run("numbers", "companies", code=1)
    assert "Company Intelligence is switched off in the settings" in str(off)

    lists.config('ad_account: "500000001"}', 'ad_account: "500000001", company_intelligence: true}')
    assert "LinkedIn does not allow this" in str(lists.run("numbers", "companies", code=1))
    with lists.opened() as app:
        assert app.sandbox is not None
        app.sandbox.post("/sandbox/knobs", {"accounts_intelligence": True})
    file = tmp_path / "companies.csv"
    answer = lists.run(
        "numbers", "companies", "everyone", "--window", "7", "--campaign", campaign, "--out", str(file)
    )
    found = answer["companies"]
    assert len(found) > 100, "every company of the list, not the hundred largest"
    counts = [row["impressions"] for row in found]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 0
    with file.open(encoding="utf-8", newline="") as stream:
        written = list(csv.DictReader(stream))
    assert [int(row["impressions"]) for row in written] == counts
    assert lists.run("rehearse", "--impressions", str(file), "--weeks", "4")["accounts"] == len(found)


def test_the_sizes_of_googles_lists_and_what_they_were_shown_are_printed(lists: Lists) -> None:
    lists.config("google: {mode: sandbox", "google: {terms_accepted: true, mode: sandbox")
    lists.sync("everyone", "--platform", "google")
    lists.days_pass(2)
    lists.sync("everyone", "--platform", "google")
    with lists.opened() as app:
        record = app.store.audience("google/everyone/contacts")
        assert record is not None
        assert record.state is not None
        assert app.sandbox is not None
        listed = record.state.external_id
        app.sandbox.post(
            "/sandbox/google/seed", {"customer": "1234567890", "campaigns": [{"lists": [listed]}]}
        )
    lists.days_pass(3)
    (row,) = lists.run("numbers", "lists", "--days", "7")["lists"]
    assert row["list_id"] == listed
    assert row["for_display"] > 100
    with lists.opened() as app:
        assert app.sandbox is not None
        query = {"query": "SELECT campaign.id, metrics.impressions FROM campaign"}
        headers = {"Authorization": "Bearer sandbox-token"}
        path = "/v26/customers/1234567890/googleAds:search"
        rows = app.sandbox.client.post(path, json=query, headers=headers).json()["results"]
    assert row["impressions"] == int(rows[0]["metrics"]["impressions"]) > 0
    assert float(row["cost"]) > 0
