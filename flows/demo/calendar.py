"""The demo's dates, fixed beforehand so that a run that was cut off and started again goes the same way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from flows.sandbox_link import START

QUIET_DAYS = 35  # so many weeks without control are needed to say how much the share wavers by itself
BASELINE_DAYS = 28
COMPARED_DAYS = 28
LOADED = START.date()
REPORT_DAYS = 2  # days until LinkedIn has finished a day's company rows


@dataclass(frozen=True, slots=True)
class Calendar:
    """When what happens; ``weeks`` of balancing."""

    weeks: int
    loaded: date = LOADED

    @property
    def attached(self) -> datetime:
        """The lists are ready; the campaign is pointed at its list and starts."""
        return morning(self.loaded + timedelta(days=2), hour=6)

    @property
    def quiet(self) -> tuple[date, date]:
        """First and last whole day before balancing."""
        first = self.attached.date() + timedelta(days=1)
        return first, first + timedelta(days=QUIET_DAYS - 1)

    @property
    def baseline(self) -> tuple[date, date]:
        """The last four weeks before balancing, which are compared."""
        last = self.quiet[1]
        return last - timedelta(days=BASELINE_DAYS - 1), last

    @property
    def planned(self) -> list[date]:
        """Mornings on which a plan is made and applied."""
        first = self.baseline[1] + timedelta(days=REPORT_DAYS)
        return [first + timedelta(days=i) for i in range(7 * self.weeks + 1)]

    @property
    def compared(self) -> tuple[date, date]:
        """The last four weeks under balancing."""
        last = self.planned[-1]
        return last - timedelta(days=COMPARED_DAYS - 1), last

    @property
    def finished(self) -> datetime:
        return morning(self.planned[-1] + timedelta(days=REPORT_DAYS), hour=12)

    def weeks_shown(self) -> list[tuple[date, date]]:
        """Seven-day windows from the first whole day to the last compared one, oldest first."""
        windows, start = [], self.quiet[0]
        while start + timedelta(days=6) <= self.compared[1]:
            windows.append((start, start + timedelta(days=6)))
            start += timedelta(days=7)
        return windows


def morning(day: date, *, hour: int = 9) -> datetime:
    """A moment of a day, UTC."""
    return datetime.combine(day, time(hour), tzinfo=UTC)
