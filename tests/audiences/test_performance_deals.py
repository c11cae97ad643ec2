"""Deal exports as people have them."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from audiences.config import Economics
from audiences.errors import ConfigError, UnknownColumns
from audiences.performance import performance
from audiences.performance_deals import deals_from

HUBSPOT = pl.DataFrame(
    {
        "Record ID": ["11", "12", "13", "14"],
        "Deal Name": ["a", "b", "c", "d"],
        "Deal Stage": ["Closed Won", "closedlost", "Contract sent", "Closed Won"],
        "Amount": ["12,500.00", "900", "", "$1,000"],
        "Close Date": ["2026-03-01", "2026-02-01", "2026-12-31", "2026-04-01"],
        "Create Date": ["2026-01-01", "2026-01-15", "2026-02-01", "2026-03-01"],
        "Became a MQL Date": ["2025-12-01", "", "2025-12-05", ""],
        "Company Domain Name": ["https://www.Acme.com/", "shop.other.co.uk", "third.com", ""],
    }
)


def test_a_hubspot_export_is_read_without_any_mapping() -> None:
    rows = deals_from(HUBSPOT, source="deals.csv")
    won, lost, running = rows.deals
    assert (won.deal_id, won.account_id, won.outcome, won.amount) == ("11", "acme.com", "won", 12_500.0)
    assert won.stages == {"mql": date(2025, 12, 1), "opportunity": date(2026, 1, 1)}
    assert won.closed_on == date(2026, 3, 1)
    assert (lost.account_id, lost.outcome) == ("other.co.uk", "lost")
    assert (running.outcome, running.amount, running.closed_on) == ("open", None, None)
    assert rows.unmapped == ("Deal Name",)


def test_a_deal_without_a_company_is_rejected_with_its_line() -> None:
    (rejected,) = deals_from(HUBSPOT, source="deals.csv").rejected
    assert (rejected.source, rejected.line, rejected.reason) == ("deals.csv", 5, "no_company")


def test_other_headers_are_named_in_the_settings() -> None:
    table = HUBSPOT.rename({"Deal Stage": "Phase", "Company Domain Name": "Firma"})
    with pytest.raises(UnknownColumns, match="columns:"):
        deals_from(table, source="deals.csv")
    rows = deals_from(table, source="deals.csv", columns={"outcome": "Phase", "domain": "Firma"})
    assert [deal.outcome for deal in rows.deals] == ["won", "lost", "open"]


def test_an_export_and_a_segment_give_a_win_rate() -> None:
    deals = deals_from(HUBSPOT, source="deals.csv").deals
    found = performance({"s": {"acme.com", "other.co.uk"}}, deals, economics=Economics())["s"]
    assert (found.win_rate.value, found.win_rate.n, found.cycle_days.value) == (0.5, 2, 59)


def test_a_deal_takes_the_first_filled_of_several_columns_and_a_column_that_is_gone_is_named() -> None:
    table = HUBSPOT.with_columns(pl.Series("Partner site", ["x.com", "y.com", "z.com", "fourth.com"]))
    columns = {"domain": ["Company Domain Name", "Partner site"]}

    deals = deals_from(table, source="deals.csv", columns=columns).deals

    assert [deal.account_id for deal in deals] == ["acme.com", "other.co.uk", "third.com", "fourth.com"]
    with pytest.raises(ConfigError, match=r'deals\.csv, field "columns\.domain".*"Gone" is not in the file'):
        deals_from(HUBSPOT, source="deals.csv", columns={"domain": "Gone"})
