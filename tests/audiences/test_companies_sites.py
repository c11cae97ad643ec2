"""One company with two websites, and products on their maker's website."""

from __future__ import annotations

import pytest

from audiences.companies import resolve
from tests.audiences.test_companies_rules import accounts, rows

LEEDS = {"country": "GB", "city": "Leeds"}


def site(name: str, host: str, **more: object) -> dict[str, object]:
    return {"name": name, "host": host, **more}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            site("Acme Tools Ltd", "acme-tools.co.uk", **LEEDS), site("ACME Tools plc", "toolmakers.com", **LEEDS),
            id="a name of several words and the town",
        ),
        pytest.param(
            site("Deere & Company", "deere.com", **LEEDS), site("Deere", "johndeere.com", **LEEDS),
            id="a name of one word, the town, and both websites made of it",
        ),
        pytest.param(
            site("Maple Leaf Foods", "mapleleaf.ca", country="CA"),
            site("Maple Leaf Foods Inc.", "mapleleaffoods.com", country="CA", city="Mississauga"),
            id="a name of several words, the country, and both websites made of it",
        ),
        pytest.param(
            site("Toyobo (Japan)", "toyobo.co.jp", **LEEDS), site("Toyobo Co., Ltd.", "toyobo-global.com", **LEEDS),
            id="a country in brackets says nothing",
        ),
    ],
)  # fmt: skip
def test_two_websites_of_one_name_are_one_company_where_the_town_or_both_websites_say_so(
    one: dict[str, object], other: dict[str, object]
) -> None:
    assert len(set(accounts(resolve(rows(one, other))))) == 1
    assert len(set(accounts(resolve(rows(other, one))))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(
            site("Samyang Holdings Corporation", "samyang.com", **LEEDS),
            site("Samyang Corporation", "samyangcorp.com", **LEEDS), id="a holding and what it holds",
        ),
        pytest.param(
            site("SoftBank Group Corp.", "group.softbank", **LEEDS), site("SoftBank Corp.", "softbank.jp", **LEEDS),
            id="a group and one of its companies",
        ),
        pytest.param(
            site("Jindal Stainless Limited", "jslstainless.com", **LEEDS),
            site("Jindal Stainless (Hisar) Limited", "jshlstainless.com", **LEEDS), id="a place in brackets",
        ),
        pytest.param(
            site("Akatsuki Inc.", "aktsk.jp", **LEEDS), site("Akatsuki Corp.", "akatsuki-fg.com", **LEEDS),
            id="one word, one large town, a website of another name",
        ),
        pytest.param(
            site("Stem, Inc.", "stem.com", country="US", city="Millbrae"),
            site("Stem Corp", "stemcorp.com", country="US", city="Boca Raton"),
            id="one word in one country",
        ),
        pytest.param(
            site("Wilton Resources Inc.", "wiltonresources.com", country="CA", city="Calgary"),
            site("Wilton Resources Limited", "wilton.sg", country="SG", city="Singapore"), id="two countries",
        ),
    ],
)  # fmt: skip
def test_two_websites_of_one_name_stay_two_companies_where_that_could_be_wrong(
    one: dict[str, object], other: dict[str, object]
) -> None:
    assert len(set(accounts(resolve(rows(one, other))))) == 2


def test_a_website_with_a_second_name_on_it_is_not_joined_to_another() -> None:
    found = resolve(
        rows(
            site("Siemens Healthineers", "siemens.com", **LEEDS),
            site("Siemens AG", "siemens.com", **LEEDS),
            site("Siemens Healthineers AG", "siemens-healthineers.com", **LEEDS),
        )
    )
    assert accounts(found) == ["siemens.com", "siemens.com", "siemens-healthineers.com"]


def test_four_websites_of_one_name_are_left_to_a_person() -> None:
    found = resolve(rows(*(site("First Trust Bank", f"first-trust{i}.com", **LEEDS) for i in range(4))))
    assert len(set(accounts(found))) == 4
    assert [entry.reason for entry in found.quarantined] == ["same_name"]


def test_products_belong_to_the_company_on_whose_website_they_are() -> None:
    product = {"tags": "kind:product"}
    found = resolve(
        rows(
            site("Authzed", "authzed.com"),
            site("SpiceDB", "authzed.com", **product),
            site("Pluto", "fairwinds.com", **product),
            site("RBAC Manager", "fairwinds.com", **product),
            site("Kraken", "github.com", **product),
        )
    )
    assert accounts(found)[:4] == ["authzed.com"] * 2 + ["fairwinds.com"] * 2
    assert accounts(found)[4].startswith("name:kraken")
