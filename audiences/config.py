"""``evenreach.yaml`` as typed, checked settings: sources, scoring, segments, policies.

Reads one file and nothing else: no environment, no secrets (those are the
settings of the shell), no data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field, model_validator

from audiences.config_scoring import Scoring
from audiences.config_segments import Finding, Matrix, Segment, order, reference_findings
from audiences.config_values import ZeroShare, as_list
from audiences.config_yaml import (
    Node,
    Part,
    Problem,
    parse_nodes,
    place,
    problems_error,
    read_text,
    suggestion,
    validate,
    wrong,
)

# The fields of balancer.types.Policy; a test on the flows side keeps the two alike.
POLICY_KEYS = (
    "mode window_days bands beta tier_weights member_cap share_cap absolute_cap tier_caps click_cap "
    "spend_cap cap_policy floor pins held impression_floor spend_floor minimum_members operations_per_day "
    "dwell_days stale_days ramp max_throttle reband_days hysteresis gain threshold interval_days "
    "report_delay actuation_delay raised even_cap"
).split()


class LinkedIn(Part):
    """The ad account whose lists and campaigns are ours."""

    mode: Literal["sandbox", "live"] = "sandbox"
    ad_account: str
    api_version: str = Field("202608", pattern=r"^20\d{4}$")
    lists: Literal["streamed", "csv"] = "streamed"  # csv: each list whole, in one file, 300 rows or more
    company_intelligence: bool = False  # a private API, for apps LinkedIn has approved for it


class Google(Part):
    """The Ads customer (and manager) whose Customer Match lists are ours."""

    mode: Literal["sandbox", "live"] = "sandbox"
    customer: str
    login_customer: str | None = None  # the manager account, when access goes through one
    terms_accepted: bool = False  # a person has accepted Google's Customer Match terms for this customer


class Files(Part):
    """Lists written as files instead of pushed."""

    directory: str = "out"


class Platforms(Part):
    """What is set up; a platform that is not named here does not exist."""

    linkedin: LinkedIn | None = None
    google: Google | None = None
    files: Files | None = None

    def names(self) -> tuple[str, ...]:
        """The platforms that are set up, in a fixed order."""
        return tuple(name for name in type(self).model_fields if getattr(self, name) is not None)


def _layout_name(value: object) -> object:
    """``generic_companies`` and ``companies`` are the same layout: any table of companies."""
    return value.removeprefix("generic_") if isinstance(value, str) else value


Layout = Annotated[str, BeforeValidator(_layout_name)]


Column = str | tuple[str, ...]


class Source(Part):
    """A file (CSV, XLSX, Parquet, optionally gzipped) or an SQL query; ``layout`` maps its columns."""

    file: str | None = None
    sql: str | None = Field(
        None, repr=False
    )  # SQLAlchemy URL, or env:NAME to keep the password out of this file
    query: str | None = None
    layout: Layout = "auto"
    columns: dict[str, Column] = Field(default_factory=dict)  # ours -> theirs; of several the first filled
    sheet: str | None = None
    name: str | None = None

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> Source:
        if (self.file is None) == (self.sql is None):
            raise wrong("a source is a file or an SQL query", "Write file: or sql: and query:")
        if self.sql is not None and self.query is None:
            raise wrong("the SQL source has no query", "Add query: select ...")
        return self


class CompanySource(Source):
    """Rows about companies."""

    layout: Layout = "companies"


class ContactSource(Source):
    """Rows about people, and what may be done with them where the rows do not say."""

    layout: Layout = "contacts"
    first_party: bool = False
    consent: Literal["granted", "denied", "unknown"] = "unknown"  # where the file has no consent column
    default_country: str | None = Field(None, pattern=r"^[A-Z]{2}$")


class SignalSource(Source):
    """Rows about what companies did; kind and day stand here where the file has none."""

    kind: str | None = None
    as_of: date | None = None  # day of the signals, where the file has no date column


class DealSource(Source):
    """Rows about deals, for the performance of segments."""

    layout: Layout = "deals"


class Sources(Part):
    """Where the data comes from."""

    companies: tuple[CompanySource, ...] = ()
    contacts: tuple[ContactSource, ...] = ()
    signals: tuple[SignalSource, ...] = ()
    deals: tuple[DealSource, ...] = ()
    decisions: str | None = None
    suppressions: str | None = None  # file of companies and people never to be put on a list


class Brakes(Part):
    """How large a change may be before a person is asked."""

    max_leavers: ZeroShare = 0.3
    max_rule_drop: ZeroShare = 0.4
    minimum_rows: int = Field(1, ge=0)
    minimum_leavers: int = Field(10, ge=0)  # fewer leavers than this never brake
    max_source_drop: ZeroShare = 0.5  # a source that lost a larger share of its rows may be half-written


class Sync(Part):
    """When lists are synced, reports collected and plans made (cron lines), and how lists are kept alive."""

    schedule: str | None = None  # cron
    collect: str | None = None
    balance: str | None = None
    keep_alive_days: int = Field(25, ge=1)


class Alerts(Part):
    """Who is told when something changes state."""

    slack: str | None = Field(None, repr=False)  # env:NAME of the webhook address
    email: Annotated[tuple[str, ...], BeforeValidator(as_list)] = ()
    webhook: str | None = Field(None, repr=False)


class Approvals(Part):
    """Which plans go ahead alone and who may approve the others."""

    auto_below: int = Field(0, ge=0)  # plans with fewer moves go ahead without a person
    approvers: Annotated[tuple[str, ...], BeforeValidator(as_list)] = ()
    expire_days: int = Field(7, ge=1)


class Retention(Part):
    """How long the record keeps what."""

    versions_days: int = Field(365, ge=1)
    reports_days: int = Field(730, ge=1)
    audit_days: int = Field(1095, ge=1)


class SandboxClock(Part):
    """The simulated platforms' clock. It goes with the day unless it is told to start on a day and stand still."""

    starts: date | None = None  # for demos and tests: 06:00 UTC of that day, moved only by waiting


class Economics(Part):
    """What acquisition costs and customers bring; without these CAC and LTV are not shown."""

    marketing_spend: float | None = Field(None, ge=0)
    sales_spend: float | None = Field(None, ge=0)
    spend_by_segment: dict[str, float] = Field(default_factory=dict)
    gross_margin: ZeroShare | None = None
    revenue_per_account: float | None = Field(None, ge=0)  # per year
    churn: ZeroShare | None = None  # per year
    revenue_before: str | None = None  # company field: yearly revenue a year ago ...
    revenue_now: str | None = None  # ... and today, 0 for who has left; NRR is their ratio
    cost_per_thousand: float | None = Field(None, gt=0)  # planning price of a thousand impressions


def _default_policies() -> dict[str, dict[str, Any]]:
    return {"default": {}}


class Config(Part):
    """Everything a workspace is told."""

    workspace: str
    database: str = Field("sqlite:///evenreach.db", repr=False)  # the address may hold a password
    timezone: str = "UTC"
    platforms: Platforms = Platforms()
    sources: Sources = Sources()
    scoring: Scoring = Scoring()
    matrices: dict[str, Matrix] = Field(default_factory=dict)
    segments: dict[str, Segment] = Field(default_factory=dict)
    policies: dict[str, dict[str, Any]] = Field(default_factory=_default_policies)
    brakes: Brakes = Brakes()
    sync: Sync = Sync()
    alerts: Alerts = Alerts()
    approvals: Approvals = Approvals()
    retention: Retention = Retention()
    economics: Economics = Economics()
    sandbox: SandboxClock = SandboxClock()

    @property
    def zone(self) -> ZoneInfo:
        """The time zone days are counted in."""
        return ZoneInfo(self.timezone)

    def segment_order(self) -> tuple[str, ...]:
        """Segment names, each after what it is computed from."""
        return order(self.segments, self.matrices)


def load(path: Path, *, policy_keys: Sequence[str] = POLICY_KEYS) -> Config:
    """Read and check a settings file.

    Raises ConfigError listing every problem with file, line, field and what to do.
    """
    return parse(read_text(path), file=path.name, policy_keys=policy_keys)


def parse(text: str, *, file: str = "evenreach.yaml", policy_keys: Sequence[str] = POLICY_KEYS) -> Config:
    """``load`` for text that is already here; ``file`` is only named in errors."""
    root = parse_nodes(text, file)
    config, problems = validate(Config, root)
    if config is not None:
        problems = [_problem(root, finding) for finding in _findings(config, policy_keys)]
    if config is None or problems:
        raise problems_error(file, problems)
    return config


def _problem(root: Node, finding: Finding) -> Problem:
    parts, message, remedy = finding
    line, path = place(root, parts)
    return Problem(line, path, message, remedy)


def _findings(config: Config, policy_keys: Sequence[str]) -> Iterator[Finding]:
    """What each part cannot know alone: names that must exist elsewhere in the file."""
    if config.timezone not in available_timezones():
        yield (
            ("timezone",),
            "this is no time zone",
            suggestion(config.timezone, sorted(available_timezones())),
        )
    yield from reference_findings(config.segments, config.matrices)
    for name, policy in config.policies.items():
        for key in policy:
            if key not in policy_keys:
                yield ("policies", name, key), f'unknown key "{key}"', suggestion(key, policy_keys)
    platforms = config.platforms.names()
    for name, segment in config.segments.items():
        yield from _segment_findings(name, segment, config.policies, platforms)


def _segment_findings(
    name: str, segment: Segment, policies: Mapping[str, object], platforms: Sequence[str]
) -> Iterator[Finding]:
    for platform in segment.sync:
        if platform not in platforms:
            remedy = suggestion(platform, platforms) if platforms else "Add it under platforms:"
            yield ("segments", name, "sync", platform), f'platform "{platform}" is not set up', remedy
    if segment.balance and segment.balance.policy not in policies:
        remedy = suggestion(segment.balance.policy, policies)
        yield ("segments", name, "balance", "policy"), "there is no such policy", remedy
