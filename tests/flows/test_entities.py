"""Which account is behind a reported company: website first, then a name that only one account has."""

import string

from hypothesis import given
from hypothesis import strategies as st

from audiences.model import Organization
from flows.entities import identify, index_of

ACCOUNTS = [
    ("northwind.com", "Northwind Traders Inc.", "northwind.com"),
    ("quoted.com", "Quoted, Inc.", "quoted.com"),
    ("name:acme|US", "ACME Corporation", None),
    ("name:twin|US", "Twin Ltd", None),
    ("name:twin|GB", "Twin Limited", None),
]


def organization(name: str | None, domain: str | None, vanity: str | None = None) -> dict[str, Organization]:
    return {"urn:li:organization:1": Organization("urn:li:organization:1", name, domain, vanity)}


def test_a_website_identifies_whatever_the_page_is_called() -> None:
    found = identify(organization("Another Name", "www.northwind.com"), index_of(ACCOUNTS))
    assert found == {"urn:li:organization:1": "northwind.com"}


def test_a_page_without_website_is_known_by_a_name_only_one_account_has() -> None:
    assert identify(organization("Acme Corp.", None), index_of(ACCOUNTS)) == {
        "urn:li:organization:1": "name:acme|US"
    }


def test_a_name_two_accounts_share_identifies_nobody() -> None:
    assert identify(organization("Twin", None), index_of(ACCOUNTS)) == {}


def test_a_page_under_another_website_is_known_by_its_name() -> None:
    assert identify(organization("Quoted", "quoted-eu.example"), index_of(ACCOUNTS)) == {
        "urn:li:organization:1": "quoted.com"
    }


def test_a_page_name_helps_only_where_there_is_no_website() -> None:
    assert identify(organization("Unheard", None, "northwind"), index_of(ACCOUNTS)) == {
        "urn:li:organization:1": "northwind.com"
    }
    assert identify(organization("Unheard", "elsewhere.example", "northwind"), index_of(ACCOUNTS)) == {}


@given(st.lists(st.text(string.ascii_letters + " .,", max_size=12), max_size=6), st.text(max_size=12))
def test_a_name_is_linked_only_to_the_one_account_that_has_it(names: list[str], asked: str) -> None:
    accounts = [(f"account-{i}", name, None) for i, name in enumerate(names)]
    found = identify(organization(asked, None), index_of(accounts))
    again = identify(organization(asked, None), index_of(accounts[::-1]))
    assert found == again
    assert set(found.values()) <= {account for account, _, _ in accounts}
