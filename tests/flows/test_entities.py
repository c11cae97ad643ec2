"""Which account is behind a reported company: website first, then a name that only one account has."""

import string
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from audiences.model import Account, Organization, SegmentVersion
from flows.entities import identify, index_of, link
from flows.wiring import App, open_app

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


def test_a_name_two_accounts_share_identifies_the_one_that_is_on_the_lists() -> None:
    served = index_of([one for one in ACCOUNTS if one[0] != "name:twin|GB"])
    assert identify(organization("Twin", None), index_of(ACCOUNTS), served) == {
        "urn:li:organization:1": "name:twin|US"
    }
    assert identify(organization("Twin", None), index_of(ACCOUNTS), index_of(ACCOUNTS)) == {}


def test_a_name_on_the_lists_is_not_enough_where_page_and_account_have_different_websites() -> None:
    accounts = [("north.com", "North Ltd", "north.com"), ("north.de", "North", "north.de")]
    served = index_of(accounts[:1])
    assert identify(organization("North", "north.fr"), index_of(accounts), served) == {}
    assert identify(organization("North", None), index_of(accounts), served) == {
        "urn:li:organization:1": "north.com"
    }


def test_a_page_name_that_two_websites_share_identifies_the_one_on_the_lists() -> None:
    accounts = [("north.com", "One", "north.com"), ("north.de", "Two", "north.de")]
    page = organization("Unheard", None, "north")
    assert identify(page, index_of(accounts)) == {}
    assert identify(page, index_of(accounts), index_of(accounts[1:])) == {"urn:li:organization:1": "north.de"}


@given(st.lists(st.text(string.ascii_letters + " .,", max_size=12), max_size=6), st.text(max_size=12))
def test_a_name_is_linked_only_to_the_one_account_that_has_it(names: list[str], asked: str) -> None:
    accounts = [(f"account-{i}", name, None) for i, name in enumerate(names)]
    found = identify(organization(asked, None), index_of(accounts))
    again = identify(organization(asked, None), index_of(accounts[::-1]))
    assert found == again
    assert set(found.values()) <= {account for account, _, _ in accounts}


class Directory:
    """A platform that knows one page, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def organizations(self, urns: Sequence[str]) -> dict[str, Organization]:
        self.asked += urns
        return {urn: Organization(urn, "Twin Limited", None, None) for urn in urns}


CONFIG = """
workspace: Entities
database: sqlite:///evenreach.db
timezone: UTC
sandbox: {starts: 2026-08-24}
platforms:
  linkedin: {mode: sandbox, ad_account: "500000001"}
segments:
  all:
    where: {field: employees, at_least: 1}
"""


def known(app: App, *accounts: str, served: tuple[str, ...]) -> None:
    """These are the accounts from now on, and ``served`` those of the segment; all are called Twin."""
    made = [Account(account, "Twin Ltd") for account in accounts]
    app.store.replace_accounts(made, "+".join(accounts), app.now())
    version = SegmentVersion("all", ",".join(served), date(2026, 8, 24), served)
    app.store.save_segment_version(version, at=app.now())


def test_an_entity_is_asked_about_again_when_the_accounts_or_the_lists_change_and_else_never(
    tmp_path: Path,
) -> None:
    (tmp_path / "evenreach.yaml").write_text(CONFIG)
    page, directory = "urn:li:organization:1", Directory()
    with open_app(tmp_path) as app:
        app._platforms["linkedin"] = directory

        def linked() -> str:
            link(app, "linkedin", [page], segment="all")
            return app.store.organization_links("linkedin")[page]

        known(app, "a.example", "b.example", served=("a.example", "b.example"))
        assert [linked(), linked(), len(directory.asked)] == ["", "", 1]

        known(app, "a.example", "b.example", served=("b.example",))  # only one of the two is served
        assert [linked(), linked(), len(directory.asked)] == ["b.example", "b.example", 2]

        known(app, "a.example", "c.example", served=("c.example",))  # who was found is gone
        assert [linked(), len(directory.asked)] == ["c.example", 3]

        link(app, "linkedin", [page, "urn:li:organization:2"], segment="all")
        assert directory.asked[3:] == ["urn:li:organization:2"]
