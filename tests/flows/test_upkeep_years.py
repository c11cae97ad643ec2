"""Two years of upkeep on a simulated clock: lists live, the record stays small, no sign-in ends unannounced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from flows.tokens import token_path
from flows.upkeep import raise_trouble, upkeep
from flows.wiring import App, open_app
from platforms.oauth import Token, TokenFile
from tests.flows.kept_workspace import (
    ALIVE,
    COMPANIES,
    PEOPLE,
    forward,
    in_ledger,
    known,
    sync,
    truly_on,
    write,
    write_data,
)
from tests.flows.rows_of_a_day import LIST, begin, rows_per_table, words_kept, write_day

DAY = timedelta(days=1)
YEAR, YEARS, STEP = 365, 730, 4  # days
VERSIONS, HISTORY, AUDIT = 40, 60, 80  # days, of retention
MOST = {  # rows a day written brings, and the days they are kept
    "push_batch": (4, VERSIONS), "import_run": (3, VERSIONS), "quota": (1, VERSIONS),
    "report_window": (2, HISTORY), "impression": (5, HISTORY), "impression_total": (1, HISTORY),
    "plan": (3, HISTORY), "plan_move": (3, HISTORY), "audience_status": (1, HISTORY),
    "segment_version": (1, HISTORY), "audit": (2, AUDIT),
}  # fmt: skip
EMPTY = {
    "contact",
    "erasure",
    "lease",
    "one_off",
    "signal",
    "suppression",
}  # what people bring, and given back


def with_retention(folder: Path, *, audit: int = AUDIT) -> None:
    settings = f"retention: {{versions_days: {VERSIONS}, reports_days: {HISTORY}, audit_days: {audit}}}\n"
    with (folder / "evenreach.yaml").open("a") as file:
        file.write(settings)


@pytest.mark.slow  # two simulated years, 104 weeks of upkeep and 26 syncs
def test_in_two_years_no_list_dies_the_ledger_stays_true_and_the_record_stays_small(tmp_path: Path) -> None:
    folder, sizes = tmp_path / "workspace", {}
    write(folder)
    with_retention(folder, audit=YEARS)
    with open_app(folder) as app:
        for week in range(104):
            if week % 4 == 0:
                write_data(folder, first=week // 4)
                sync(app)
            forward(app, days=7)
            found = upkeep(app)
            raise_trouble(found)
            assert {kept.status for kept in found.lists} <= ALIVE
            if week in (51, 103):
                for list_id in (COMPANIES, PEOPLE):
                    assert truly_on(app, list_id) == in_ledger(app, list_id)
                    assert len(in_ledger(app, list_id)) == (120 if list_id == COMPANIES else 360)
                sizes[week] = (folder / "evenreach.db").stat().st_size
        people = known(app, PEOPLE)
        users = app.sandbox.get("/sandbox/truth/members", segment=people.external_id)["users"]  # type: ignore[union-attr]
        assert people.audience_size == users  # nobody's membership lapsed
        assert len(app.store.audit_log(what="list created")) == 2
        assert not app.store.audit_log(what="list made anew")
    assert sizes[103] < 1.25 * sizes[51]


class Clock:
    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[tuple[App, Clock]]:
    """A workspace whose platforms nobody asks anything, on a clock of its own."""
    write(tmp_path / "workspace", companies=1, people=1)
    with_retention(tmp_path / "workspace")
    with open_app(tmp_path / "workspace") as app:
        app.now = clock = Clock(datetime(2026, 8, 24, 6, tzinfo=UTC))
        yield app, clock


def test_with_rows_of_every_kind_for_two_years_no_table_holds_more_after_the_second_than_after_the_first(
    idle: tuple[App, Clock],
) -> None:
    app, clock = idle
    begin(app)
    counts, words = [], []
    for number in range(YEARS // STEP):
        write_day(app, number)
        if number % 2 == 0:
            assert bool(upkeep(app).pruned)
        if number in (YEAR // STEP, YEARS // STEP - 1):
            counts.append(rows_per_table(app))
            words.append(words_kept(app))
        clock.at += STEP * DAY
    first, second = counts
    assert {name for name, n in second.items() if not n} == EMPTY
    assert second == first
    assert words[1] <= 1.05 * words[0]
    for name, (rows, days) in MOST.items():
        written = days // STEP + 2  # the first and the last day, and one since upkeep ran
        assert second[name] <= rows * written + 3, name
    kept = app.store.report_windows("linkedin", app.today - HISTORY * DAY, app.today, grain="daily")
    assert len(kept) >= HISTORY // STEP
    assert app.store.ledger_counts(LIST).accepted == 8  # ten came in ten days; two of them are refused


def test_a_sign_in_that_ends_each_year_is_announced_30_and_7_days_before_by_a_daily_run(
    idle: tuple[App, Clock],
) -> None:
    app, clock = idle
    announced, ends = [], sign_in(app)
    for _ in range(YEARS):
        if clock.at >= ends - 3 * DAY:  # a person has read the second message
            ends = sign_in(app)
        told = [words for words in upkeep(app).told if words.startswith("linkedin: Consent")]
        announced += [(ends - clock.at).days for _ in told]
        clock.at += DAY
    assert announced == [30, 7, 30, 7]


def sign_in(app: App) -> datetime:
    """Sign in for a year, as LinkedIn grants it. Returns the end."""
    ends = app.now() + 365 * DAY
    token = Token(SecretStr("access"), refresh=SecretStr("refresh"), refresh_until=ends)
    TokenFile(token_path(app, "linkedin")).save(token)
    return ends
