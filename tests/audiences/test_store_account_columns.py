"""Accounts and scores by column hold what they hold object by object."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiences.clean import clean_companies
from audiences.companies import resolve
from audiences.model import Account
from audiences.scoring import SCORE_COLUMNS, scores_from
from audiences.scoring_frames import ORIGIN, frames_from
from audiences.sources import read_source
from audiences.store import Store

AT = datetime(2026, 8, 24, tzinfo=UTC)
ODD = st.sampled_from(["", "x", 'a "b"', "back\\slash", "],[", "},{", '"rows":["', "Zürich", "\t", ",}"])
VALUES = {  # one type per name, as columns of a file have
    "tags": st.lists(ODD, max_size=3),
    "stage": ODD,
    "seats": st.integers(-(2**53), 2**53),
    "growth": st.floats(-1e9, 1e9),
    "is_customer": st.booleans(),
    "mixed": st.integers(0, 9) | ODD,
    "provenance": st.dictionaries(st.sampled_from(["name", "city"]), ODD, max_size=2),
    "rows": st.lists(ODD, min_size=1, max_size=2),
}
ATTRIBUTES = st.fixed_dictionaries({}, optional=VALUES)
ACCOUNTS = st.lists(
    st.builds(
        Account,
        account_id=st.text("abé.", min_size=1, max_size=4),
        name=ODD,
        domain=st.none() | ODD,
        employees=st.none() | st.integers(0, 2**40),
        revenue_usd=st.none() | st.floats(0, 1e15),
        attributes=ATTRIBUTES,
    ),
    max_size=6,
    unique_by=lambda account: account.account_id,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(accounts=ACCOUNTS)
def test_accounts_by_column_are_the_accounts_object_by_object(store: Store, accounts: list[Account]) -> None:
    store.replace_accounts(accounts, "f", AT)
    twin = frames_from(store.accounts()).accounts.sort("account_id")
    found = store.account_frame()
    assert set(found.columns) == set(twin.columns)
    assert not any(f"attributes.{name}" in found.columns for name in ORIGIN)
    for name in twin.columns:
        if twin[name].null_count() < twin.height:  # a column without a value has no type worth the name
            assert found[name].equals(twin[name]), name
        assert found[name].null_count() == twin[name].null_count()


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([{"x": 1}, 3], id="an object here, a number there"),
        pytest.param([{"x": 1}, {"y": None}], id="objects"),
        pytest.param([[["a"]], [["b", None]]], id="lists of lists"),
    ],
)
def test_attributes_no_column_type_fits_are_read_one_by_one(store: Store, values: list[object]) -> None:
    accounts = [Account(f"{i}.example", "A", attributes={"odd": value}) for i, value in enumerate(values)]
    twin = frames_from(accounts).accounts
    store.replace_accounts(accounts, "f", AT)
    assert store.account_frame()["attributes.odd"].equals(twin["attributes.odd"])


def test_scores_by_column_are_the_scores_object_by_object(store: Store) -> None:
    rows = [
        ("a.example", 70.5, 0.25, 1, 12.0, "hot", "strike"),
        ("b.example", 0.0, 1.0, 4, 0.0, "cool", "ignore"),
    ]
    frame = pl.DataFrame(rows, schema=SCORE_COLUMNS, orient="row")
    store.replace_score_table(frame)
    assert list(store.scores().values()) == scores_from(frame)
    store.replace_score_table(frame.head(1))
    assert store.tiers() == {"a.example": 1}


def test_resolved_companies_by_column_are_the_accounts_object_by_object(store: Store) -> None:
    rows = Path(__file__).parent / "data" / "company_rows.csv"
    resolution = resolve(clean_companies(read_source(rows)).frame)
    store.replace_account_table(resolution.account_table(), "f", AT)
    assert list(store.accounts()) == list(resolution.account_list())
