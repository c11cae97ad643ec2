"""What makes rows one company, what never does, and how a person's decision is taken over."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences.clean import COMPANY_COLUMNS
from audiences.companies import Resolution, resolve
from audiences.companies_attach import attach
from audiences.companies_decisions import Decisions, parse_decisions, read_decisions
from audiences.errors import ConfigError, SourceUnavailable


def rows(*given_rows: dict[str, object]) -> pl.DataFrame:
    """Cleaned company rows; lines are counted from 2, the rest is blank unless given."""
    full = [{"source": "crm", "line": i, **row} for i, row in enumerate(given_rows, 2)]
    return pl.DataFrame(full, schema=COMPANY_COLUMNS)


def accounts(resolution: Resolution) -> list[str]:
    return resolution.links["account_id"].to_list()


def test_www_ports_paths_and_case_do_not_make_another_company() -> None:
    found = resolve(
        rows(
            {"name": "Acme Inc.", "host": "acme.com"},
            {"name": "ACME", "host": "shop.acme.com"},
            {"name": None, "host": "acme.com"},
        )
    )

    assert accounts(found) == ["acme.com"] * 3


def test_free_mail_and_shared_hosts_never_identify_a_company() -> None:
    hosts = ("gmail.com", "docs.google.com", "linkedin.com", "facebook.com", "github.com")
    found = resolve(rows(*({"name": f"Bakery {host}", "host": host, "country": "DE"} for host in hosts)))

    assert found.accounts["domain"].null_count() == len(hosts)
    assert all(one.startswith("name:bakery") for one in accounts(found))
    assert {entry.reason for entry in found.quarantined} == {"shared_host"}


def test_the_owner_of_a_shared_host_keeps_its_own_domain() -> None:
    data = rows(
        {"name": "LinkedIn Corporation", "host": "linkedin.com"},
        {"name": "GitHub, Inc.", "host": "github.com"},
    )
    found = resolve(data)

    assert accounts(found) == ["linkedin.com", "github.com"]


def test_one_domain_on_many_unrelated_names_identifies_only_who_spells_it() -> None:
    names = (
        "RH",
        "Weyerhaeuser Company",
        "CRH plc",
        "Yorhe Fluid Control",
        "Sports Toto Berhad",
        "Bursa Malaysia",
    )
    found = resolve(rows(*({"name": name, "host": "rh.com", "country": "US"} for name in names)))

    assert accounts(found)[0] == "rh.com"
    assert all(one.startswith("name:") for one in accounts(found)[1:])
    assert [(q.subject, q.reason, len(q.rows)) for q in found.quarantined] == [("rh.com", "shared_host", 5)]


def test_a_name_that_merely_contains_the_domain_is_kept_apart_with_that_evidence() -> None:
    found = resolve(
        rows({"name": "Flex Ltd.", "host": "flex.com"}, {"name": "Enerflex Ltd.", "host": "flex.com"})
    )

    assert accounts(found) == ["flex.com", "name:enerflex|"]
    assert "probably a wrong domain" in found.quarantined[0].evidence
    assert "flex.com / name:enerflex|" in found.quarantined[0].evidence


def test_a_shared_town_in_two_names_does_not_make_them_one_company() -> None:
    data = rows(
        {"name": "Athens Stock Exchange", "host": "athexgroup.gr", "city": "Athens", "country": "GR"},
        {"name": "Athens Medical", "host": "athexgroup.gr", "city": "Athens", "country": "GR"},
    )

    assert len(set(accounts(resolve(data)))) == 2


def test_an_alias_stated_in_the_data_joins_two_names() -> None:
    found = resolve(
        rows(
            {"name": "Sinomach (China)", "host": "sinomach.com.cn", "tags": "alias:China National Machinery"},
            {"name": "China National Machinery", "host": "sinomach.com.cn"},
        )
    )

    assert accounts(found) == ["sinomach.com.cn"] * 2


def test_a_row_without_a_website_joins_the_one_company_of_its_name_unless_the_country_differs() -> None:
    found = resolve(
        rows(
            {"name": "Delignit AG", "host": "delignit.de", "country": "DE"},
            {"name": "DELIGNIT AG INH.O.N.", "country": "DE"},
            {"name": "Delignit"},
            {"name": "Delignit Inc", "country": "US"},
        )
    )

    assert accounts(found) == ["delignit.de", "delignit.de", "delignit.de", "name:delignit|US"]
    assert [q.reason for q in found.quarantined] == ["same_name"]


def test_a_name_that_two_companies_bear_joins_nobody() -> None:
    found = resolve(
        rows(
            {"name": "Stem, Inc.", "host": "stem.com", "country": "US"},
            {"name": "Stem Holdings", "host": "stemholdings.com", "country": "US"},
            {"name": "Stem", "country": "US"},
        )
    )

    assert accounts(found) == ["stem.com", "stemholdings.com", "name:stem|US"]
    assert found.quarantined[0].reason == "same_name"


def test_one_name_one_country_one_label_under_two_suffixes_is_one_company_with_both_domains() -> None:
    found = resolve(
        rows(
            {"name": "LIXIL Corporation", "host": "lixil.com", "country": "JP"},
            {"name": "LIXIL Corporation (Japan)", "host": "lixil.co.jp", "country": "JP"},
        )
    )
    columns = {"email": pl.String, "host": pl.String, "company": pl.String}
    people = pl.DataFrame([["a@lixil.co.jp", None, "x"], ["b@gmail.com", None, "y"]], columns, orient="row")

    assert accounts(found) == ["lixil.com", "lixil.com"]
    assert found.accounts["domains"].to_list() == [["lixil.com", "lixil.co.jp"]]
    assert attach(people, found)["account_id"].to_list() == ["lixil.com", None]


def test_each_field_comes_from_the_most_trusted_then_the_fullest_row_and_says_so() -> None:
    frame = pl.concat(
        [
            rows({"name": "Acme", "host": "acme.com", "employees": 10, "city": "Leeds", "industry": "Steel"}),
            rows({"source": "billing", "name": "Acme Ltd", "host": "acme.com", "employees": 12}),
        ]
    )
    full, trusted = resolve(frame), resolve(frame, trust=["billing"])

    assert full.accounts["employees"].to_list() == [10]
    (account,) = trusted.account_list()
    assert (account.name, account.employees, account.city) == ("Acme Ltd", 12, "Leeds")
    assert account.attributes["provenance"] == {
        "name": "billing:2", "employees": "billing:2", "city": "crm:2", "industry": "crm:2",
    }  # fmt: skip


def test_a_subsidiary_stays_its_own_account_and_names_its_parent() -> None:
    found = resolve(
        rows(
            {"name": "Novo Nordisk (Denmark)", "host": "novonordisk.com", "country": "DK", "row_id": "9"},
            {
                "name": "Novo Nordisk (Portugal)",
                "host": "novonordisk.pt",
                "country": "PT",
                "tags": "parent:Novo Nordisk (Denmark)",
            },
            {"name": "Novo Labs", "host": "novolabs.example", "parent": "9"},
        )
    )
    parents = dict(zip(found.accounts["account_id"], found.accounts["parent_id"], strict=True))

    assert parents == {
        "novonordisk.com": None, "novonordisk.pt": "novonordisk.com", "novolabs.example": "novonordisk.com",
    }  # fmt: skip


def test_decisions_merge_keep_apart_and_split() -> None:
    data = rows(
        {"name": "Anthem, Inc.", "host": "antheminc.com", "country": "US"},
        {"name": "Elevance Health", "host": "antheminc.com", "country": "US"},
        {"name": "Flex", "host": "flex.com"},
        {"name": "Enerflex", "host": "flex.com"},
        {"name": "Holding A", "host": "holding.example"},
        {"name": "Holding A Mining", "host": "holding.example"},
    )
    decided = parse_decisions(
        {
            "same": [["antheminc.com", "name:elevance health|US"]],
            "different": [["flex.com", "name:enerflex|"]],
            "split": ["holding.example"],
        }
    )
    found = resolve(data, decisions=decided)

    assert len(resolve(data).quarantined) == 2
    assert not found.quarantined
    assert accounts(found)[:4] == ["antheminc.com", "antheminc.com", "flex.com", "name:enerflex|"]
    assert accounts(found)[4] != accounts(found)[5]


def test_a_decision_file_is_read_and_a_mistake_in_it_is_placed(tmp_path: Path) -> None:
    good, bad, broken = (tmp_path / name for name in ("good.yaml", "bad.yaml", "broken.yaml"))
    good.write_text("merge:\n  - [a.com, b.com]\n  - [b.com, c.com]\n")
    bad.write_text("same:\n  - [a.com, b.com]\n  - lonely.com\n")
    broken.write_text("same: [a\n")

    assert read_decisions(good) == Decisions(same={"b.com": "a.com", "c.com": "a.com"})
    with pytest.raises(ConfigError, match=r'bad\.yaml, line 3, field "same"'):
        read_decisions(bad)
    with pytest.raises(ConfigError, match=r"broken\.yaml, line"):
        read_decisions(broken)
    with pytest.raises(SourceUnavailable):
        read_decisions(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    "document",
    [
        {"same": [["a", "b"], ["b", "a"]]},
        {"same": [["a", "b"], ["c", "b"]]},
        {"joined": []},
        ["a"],
        {"split": "rh.com"},
        {"different": [["a", 1]]},
    ],
)
def test_decisions_that_contradict_themselves_are_refused(document: object) -> None:
    with pytest.raises(ConfigError):
        parse_decisions(document)


names = st.sampled_from(["Acme", "Acme Inc", "Beta Corp", "Gamma", "Delta Steel", "Epsilon", "RH", None])
hosts = st.sampled_from(["acme.com", "beta.com", "rh.com", "gmail.com", "gamma.co.uk", "gamma.com", None])
countries = st.sampled_from(["US", "DE", None])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(names, hosts, countries), min_size=1, max_size=12), st.randoms(use_true_random=False)
)
def test_every_row_is_in_exactly_one_company_whatever_the_order(
    data: list[tuple[str | None, str | None, str | None]], rng: object
) -> None:
    numbered = [{"line": i, "name": n, "host": h, "country": c} for i, (n, h, c) in enumerate(data)]
    shuffled = sorted(numbered, key=lambda row: hash((row["line"], repr(rng))))
    first, second = resolve(rows(*numbered)), resolve(rows(*shuffled))

    links = dict(zip(first.links["line"], first.links["account_id"], strict=True))
    assert links == dict(zip(second.links["line"], second.links["account_id"], strict=True))
    assert sorted(links) == list(range(len(data)))
    assert sorted(set(links.values())) == first.accounts["account_id"].to_list()
    assert sum(len(refs) for refs in first.accounts["rows"]) == len(data)
