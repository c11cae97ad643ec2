"""Every behaviour of the sandbox that is a guess or a choice, as one frozen record.

It must hold no state: what changes while the sandbox runs lives in ``world``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Knobs:
    """Defaults follow what the platforms document; where they are silent, the middle of what is reported.

    Times are seconds of the sandbox's clock unless the name says hours, days or minutes.
    """

    # --- clock -----------------------------------------------------------------
    request_seconds: float = 0.25  # simulated time one request takes (below 300 requests a minute)
    early_wait_seconds: float = 2.5  # simulated time that passes when a client is told "not yet" (404)
    # --- LinkedIn: lists ---------------------------------------------------------
    child_ready_seconds: float = 5.0  # children of a new segment answer 404 until then
    build_hours: float = 24.0  # first match
    add_hours: float = 24.0  # later additions land after
    remove_hours: float = 24.0
    reactivate_hours: float = 48.0  # an ARCHIVED segment that is used again
    archive_days: float = 30.0
    expire_days: float = 90.0
    counter_days: float = 7.0  # window of inputCount and matchedCount
    minimum_audience: int = 300
    segment_limit: int = 1000
    batch_limit: int = 5000
    opt_out: float = 0.03  # members who opted out of third-party targeting
    organization_exists: float = 0.93
    name_match: float = 0.60  # a company known by name only
    contact_match: float = 0.60
    expired_accepts_pushes: bool = False
    unknown_field_fails_whole_batch: bool = False  # live behaviour unknown
    missing_account_is_created: bool = True  # an ad account nobody seeded exists as soon as it is named
    # --- LinkedIn: quotas --------------------------------------------------------
    users_per_minute: int = 600
    companies_per_minute: int = 300
    other_per_minute: int = 100_000
    calls_per_day: int = 10_000_000  # per member and endpoint; the real numbers are unpublished
    application_calls_per_day: int = 10_000_000  # of all members of the application, per endpoint
    metric_values_per_5_minutes: int = 45_000_000
    # --- LinkedIn: versions ------------------------------------------------------
    versions: tuple[str, ...] = (
        "202601", "202602", "202603", "202604", "202605", "202606", "202607", "202608", "202609", "202610",
    )  # fmt: skip
    accept_encoded_tuples: bool = False  # %28, %2C instead of ( and ,
    # --- LinkedIn: campaigns -----------------------------------------------------
    refuse_small_audience: bool = False  # 400 on save instead of a serving hold
    counts_know_lists: bool = True  # False: audienceCounts answers 0 as soon as a list is named
    employers_limit: int = 100
    active_campaigns: int = 1000  # per ad account
    group_campaigns: int = 2000  # per campaign group
    groups_only_in_batches: bool = True  # a campaign group takes BATCH_PARTIAL_UPDATE only
    search_needs_criteria: bool = False  # documented as mandatory, answered without in practice
    accounts_intelligence: bool = False  # Company Intelligence is private
    organizations_batch_refused: bool = False  # Development tier
    # --- LinkedIn: reports -------------------------------------------------------
    member_delay_hours: float = 18.0
    list_depth: int = 100
    count_floor: int = 3
    noise: int = 3
    engaged_floor: int = 0  # clicks below which a creative has no demographic rows; unpublished
    element_limit: int = 15_000
    honour_count_default_10: bool = False
    # --- Google ------------------------------------------------------------------
    google_minutes: float = 30.0  # PROCESSING until then
    google_unordered: bool = False  # every first of two overlapping requests finishes last
    google_match: float = 0.45
    google_minimum_size: int = 100
    google_eea_share: float = 0.0  # digests treated as belonging to the EEA
    google_names_rows: bool = True  # recordIndices beside the counts, as newer revisions have them
    google_too_recent_minutes: float = 0.0  # a list younger than this refuses records
    google_ingest_per_minute: int = 300
    google_ingest_per_day: int = 100_000
    google_read_per_minute: int = 300
    google_read_per_day: int = 100_000
    google_manage_per_minute: int = 300
    google_manage_per_day: int = 50_000
    # --- market ------------------------------------------------------------------
    drift_sd: float = 0.20
    drift_memory: float = 0.97  # per day
    day_noise_cv: float = 0.35
    weekend: float = 0.70
    click_rate: float = 0.005
    leak: float = 0.005  # impressions shown to companies nobody targeted
    size_correlation: float = 0.6  # of log members and log natural rate, by rank
    budget_per_day_paid: bool = True  # budgets follow the weekday pattern of traffic

    def changed(self, changes: Mapping[str, Any]) -> Knobs:
        """A copy with ``changes`` applied.

        Raises:
            ValueError: a name that is no knob, listing the knobs, or a value of the wrong kind.
        """
        names = {f.name for f in fields(self)}
        unknown = sorted(set(changes) - names)
        if unknown:
            raise ValueError(f"no such knob: {', '.join(unknown)}; there are {', '.join(sorted(names))}")
        typed = {name: _fitting(name, getattr(self, name), value) for name, value in changes.items()}
        return replace(self, **typed)

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form, the inverse of ``Knobs().changed(record)``."""
        return asdict(self)


def _fitting(name: str, now: Any, value: Any) -> Any:
    """``value`` as the kind of value a knob has now."""
    if isinstance(now, bool) and isinstance(value, bool):
        return value
    if isinstance(now, tuple) and isinstance(value, list | tuple) and all(isinstance(v, str) for v in value):
        return tuple(value)
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
    if number and isinstance(now, float):
        return float(value)
    if number and isinstance(now, int) and not isinstance(now, bool) and value == int(value):
        return int(value)
    raise ValueError(f"{name} does not take {value!r}; it is {now!r} now")
