"""What the best customers share more often than all customers."""

from __future__ import annotations

from audiences.model import Account
from audiences.scoring import frames_from
from audiences.scoring_customers import Contrast, contrasts


def customers(count: int, top: int) -> tuple[list[Account], dict[str, float]]:
    """75 % of the largest and 40 % of all use HubSpot; 90 % of the largest and 70 % of all are in the US."""
    accounts, won = [], {}
    for i in range(count):
        hubspot = i < round(0.75 * top) or top <= i < top + round(0.4 * count) - round(0.75 * top)
        american = i < round(0.9 * top) or top <= i < top + round(0.7 * count) - round(0.9 * top)
        accounts.append(
            Account(
                f"c{i:03}", f"C{i}", country="US" if american else "DE", employees=300 if i < top else 20 + i,
                attributes={"technologies": ["HubSpot"] if hubspot else ["Other"]},
            )
        )  # fmt: skip
        won[f"c{i:03}"] = float(count - i)
    return accounts, won


def found(contrast: str, value: str) -> Contrast:
    accounts, won = customers(100, 20)
    rows = contrasts(frames_from(accounts).accounts, won, top=20)
    return next(row for row in rows if (row.field, row.value) == (contrast, value))


def test_three_quarters_against_forty_per_cent_is_a_strong_signal() -> None:
    row = found("technologies", "HubSpot")
    assert (row.top_share, row.all_share, row.strength) == (0.75, 0.4, "strong")


def test_ninety_against_seventy_per_cent_is_a_weak_signal() -> None:
    row = found("country", "US")
    assert (round(row.top_share, 2), round(row.all_share, 2), row.strength) == (0.9, 0.7, "weak")


def test_head_counts_are_compared_in_bands() -> None:
    row = found("employees", "100 to 500")
    assert (row.top_share, row.top_known) == (1.0, 20)
    assert row.strength == "strong"


def test_what_the_best_have_less_often_speaks_against() -> None:
    assert found("country", "DE").strength == "against"


def test_companies_that_bought_nothing_are_no_customers() -> None:
    accounts, won = customers(100, 20)
    strangers = [Account(f"s{i}", "S", country="FR") for i in range(500)]
    rows = contrasts(frames_from(accounts + strangers).accounts, won)
    assert not [row for row in rows if row.value == "FR"]


def test_few_customers_say_nothing() -> None:
    accounts, won = customers(8, 5)
    assert {row.strength for row in contrasts(frames_from(accounts).accounts, won, top=5)} == {
        "too few to say"
    }


def test_no_customers_give_no_contrasts() -> None:
    assert contrasts(frames_from([Account("a", "A")]).accounts, {}) == ()
