"""Summer time begins and ends, and clocks are set wrong: nothing is done twice, nothing expires that should not."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from prefect.server.schemas.schedules import CronSchedule

from flows.runs import Busy, leased
from flows.wiring import App, open_app
from platforms.pacing import InMemoryQuota, Rate, next_arrival
from tests.flows import failing_lists, kept_workspace
from tests.flows.failing_trials import calls

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
HOST = socket.gethostname()


def fired(cron: str, zone: str, first: datetime, *, days: int) -> list[datetime]:
    """When Prefect starts a deployment with this line, in local time."""
    schedule = CronSchedule(cron=cron, timezone=zone)
    moments = asyncio.run(schedule.get_dates(n=days * 3, start=first, end=first + timedelta(days=days)))
    return [moment.astimezone(ZoneInfo(zone)) for moment in moments]


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", datetime(2027, 3, 28)),
        ("Europe/Berlin", datetime(2026, 10, 25)),
        ("America/New_York", datetime(2027, 3, 14)),
        ("America/New_York", datetime(2026, 11, 1)),
        ("Australia/Lord_Howe", datetime(2027, 4, 4)),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{value:%Y-%m-%d}",
)
def test_a_daily_schedule_starts_once_on_each_of_8_days_around_a_change_of_the_clocks(
    zone: str, change: datetime
) -> None:
    first = (change - 4 * DAY).replace(tzinfo=ZoneInfo(zone))
    for hour in range(24):
        found = fired(f"30 {hour} * * *", zone, first, days=8)
        days = Counter(moment.date() for moment in found)
        assert days == Counter({(first + n * DAY).date(): 1 for n in range(8)})
        usual = [moment for moment in found if moment.date() != change.date()]
        assert all((moment.hour, moment.minute) == (hour, 30) for moment in usual)


@contextmanager
def world(folder: Path, *, lists: bool = False) -> Iterator[tuple[App, list[timedelta]]]:
    """A workspace (its ``lists`` in line but for what changed since), and how wrong the clock goes: the last entry."""
    if lists:
        failing_lists.make(folder)
    else:
        kept_workspace.write(folder, companies=1, people=1)
    with open_app(folder) as app:
        wrong, right = [timedelta(0)], app.now
        app.now = lambda: right() + wrong[-1]
        yield app, wrong


def test_a_clock_a_day_ahead_and_then_an_hour_behind_sends_every_row_once_and_settles_all(
    tmp_path: Path,
) -> None:
    with world(tmp_path / "w", lists=True) as (app, wrong):
        before = (tmp_path / "w" / "sandbox" / "journal.bin").stat().st_size
        for step in (DAY, -HOUR, timedelta(0)):
            wrong.append(step)
            kept_workspace.sync(app)
        failing_lists.check_sync(app, lambda: calls(tmp_path / "w", after=before))


def test_a_day_is_counted_in_the_workspaces_zone_on_both_sides_of_a_change(tmp_path: Path) -> None:
    with world(tmp_path / "w") as (app, _):
        app.config = app.config.model_copy(update={"timezone": "Europe/Berlin"})
        for moment, day in (
            (datetime(2026, 10, 24, 21, 59, tzinfo=UTC), 24),
            (datetime(2026, 10, 24, 22, 1, tzinfo=UTC), 25),
            (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), 25),  # a day of 25 hours
            (datetime(2026, 10, 25, 23, 1, tzinfo=UTC), 26),
        ):
            app.now = lambda moment=moment: moment  # type: ignore[misc]
            assert app.today.day == day


def test_the_lease_of_a_living_process_outlasts_a_clock_that_jumps_a_day_ahead(tmp_path: Path) -> None:
    from flows.runs import _started

    with world(tmp_path / "w") as (app, wrong):
        living = f"{HOST}:1:{_started(1)}:7"  # another process of this machine that surely runs
        assert app.store.take_lease("list", living, now=app.now(), until=app.now() + HOUR)
        wrong.append(DAY)
        with pytest.raises(Busy), leased(app, "list"):
            pass
        wrong.append(-HOUR)
        with pytest.raises(Busy), leased(app, "list"):
            pass


@pytest.mark.parametrize("tail", ["999999999:12345:7", "1:1:7"], ids=["ended", "its number given out again"])
def test_the_lease_of_a_process_that_ended_is_taken_over_whatever_the_clock_says(
    tmp_path: Path, tail: str
) -> None:
    with world(tmp_path / "w") as (app, wrong):
        app.store.take_lease("list", f"{HOST}:{tail}", now=app.now(), until=app.now() + HOUR)
        wrong.append(-HOUR)
        with leased(app, "list"):
            assert app.store.lease("list") is not None
        assert app.store.lease("list") is None


def test_a_run_whose_lease_another_machine_took_stops_before_its_next_batch(tmp_path: Path) -> None:
    with world(tmp_path / "w") as (app, wrong), leased(app, "list") as renew:
        renew()
        wrong.append(DAY)
        assert app.store.take_lease("list", "elsewhere:1:1:1", now=app.now(), until=app.now() + HOUR)
        with pytest.raises(Busy):
            renew()


def test_long_work_keeps_its_lease_by_renewing_it(tmp_path: Path) -> None:
    with world(tmp_path / "w") as (app, wrong), leased(app, "list") as renew:
        for n in range(1, 5):
            wrong.append(n * timedelta(minutes=50))
            renew()
            assert not app.store.take_lease("list", "elsewhere:1:1:1", now=app.now(), until=app.now() + HOUR)


def test_requests_wait_no_longer_than_usual_after_the_clock_was_set_back_an_hour() -> None:
    quota, rate = InMemoryQuota(), Rate(per_minute=60, burst=5)
    noon = datetime(2026, 10, 25, 12, tzinfo=UTC).timestamp()
    for _ in range(30):
        assert quota.reserve("bucket", rate, noon, longest=60.0) <= 60.0
    assert quota.reserve("bucket", rate, noon - 3600.0, longest=60.0) == 0.0
    assert next_arrival(noon + 3600.0, rate, noon, longest=60.0)[1] == 0.0
    assert next_arrival(noon + 40.0, rate, noon, longest=60.0)[1] == pytest.approx(36.0)  # a queue is a queue
