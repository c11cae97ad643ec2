"""From the files people really have to accounts, hashed people and signals: the main path."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from audiences.clean import clean_companies, clean_contacts, clean_signals
from audiences.companies import resolve
from audiences.companies_attach import attach
from audiences.identity_contacts import identify_contacts
from audiences.sources import read_source

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize(
    ("file", "layout", "lines"),
    [
        ("hubspot_companies_export.csv", "hubspot_companies", [2, 3, 4]),
        ("hubspot_companies_export_es.csv", "hubspot_companies", [2, 3, 5]),
        ("hubspot_contacts_export.csv", "hubspot_contacts", [2, 3, 4]),
        ("hubspot_contacts_export_es.csv", "hubspot_contacts", [2, 3, 4]),
        ("salesforce_contact_report.csv", "salesforce_contacts", [2, 4, 5]),
        ("unconfirmed_salesforce_account_report.csv", "salesforce_accounts", [2, 3]),
        ("linkedin_company_list.csv", "linkedin_company_list", [2, 3, 4]),
        ("linkedin_contact_list.csv", "linkedin_contact_list", [2, 3, 4]),
        ("google_customer_match_template.csv", "google_customer_match", [5, 6, 7]),
        ("google_customer_match_simple.csv", "google_customer_match", [2, 3, 4]),
        ("google_customer_match_hashed.csv", "google_customer_match", [2, 3, 4]),
        ("bombora_master_surge_2015.csv", "bombora_surge_2015", [1, 2, 3]),
        ("unconfirmed_bombora_company_surge_comprehensive.csv", "bombora_surge", [2, 3, 4]),
        ("unconfirmed_g2_buyer_intent.csv", "g2_buyer_intent", [2, 3, 4]),
        ("factors_intent_upload.csv", "factors_intent", [2, 3, 4]),
    ],
)
def test_every_known_export_is_recognised_with_true_line_numbers(
    file: str, layout: str, lines: list[int]
) -> None:
    source = read_source(DATA / file)

    assert source.layout.name == layout
    assert source.frame["line"].to_list() == lines


def test_the_hashed_and_the_plain_google_file_give_the_same_people() -> None:
    plain, hashed = (
        identify_contacts(clean_contacts(read_source(DATA / f"google_customer_match_{form}.csv")).frame)
        for form in ("simple", "hashed")
    )

    assert plain.frame["contact_id"].to_list() == hashed.frame["contact_id"].to_list()


def test_a_contact_is_attached_by_the_crm_id_of_its_company() -> None:
    companies = resolve(clean_companies(read_source(DATA / "hubspot_companies_export.csv")).frame)
    contacts = clean_contacts(read_source(DATA / "hubspot_contacts_export.csv")).frame

    assert attach(contacts, companies)["account_id"].to_list() == ["northwind.example", None, None]


def test_two_rows_of_one_company_become_one_account_that_remembers_both() -> None:
    companies = resolve(clean_companies(read_source(DATA / "hubspot_companies_export.csv")).frame)
    account = {a.account_id: a for a in companies.account_list()}["northwind.example"]

    assert account.employees == 1200
    assert account.country == "GB"
    assert account.attributes["rows"] == ["hubspot_companies_export.csv:2", "hubspot_companies_export.csv:3"]


def test_a_feed_without_a_day_takes_the_day_it_is_given() -> None:
    signals = clean_signals(read_source(DATA / "bombora_master_surge_2015.csv"), as_of=date(2015, 7, 6)).frame

    assert signals["on"].unique().to_list() == [date(2015, 7, 6)]
    assert signals["strength"].to_list() == pytest.approx([0.72, 0.83, 0.25])
    assert signals["kind"].unique().to_list() == ["topic_surge"]
