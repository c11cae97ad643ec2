"""Plan a budget-split experiment on a balanced segment, and evaluate one from a file of outcomes.

Designs whose answer would be wrong are refused with the reason. It reads the store
and files; it changes no campaign.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiences.companies_domains import registrable
from balancer.evaluate import (
    Effect,
    Verdict,
    budget_split,
    can_confirm,
    check_design,
    halves,
    outcome_effect,
    sample_size,
)
from balancer.types import Vector
from flows.balance import policy_of
from flows.experiment_record import running
from flows.exposure import qualified_accounts
from flows.files import write_atomically
from flows.funding import template_budget
from flows.report.tables import to_csv
from flows.wiring import App, WorkspaceError

LIFTS = (0.05, 0.10, 0.15, 0.20, 0.25, 0.50, 1.00)


class OutcomesNotUnderstood(Exception):
    """A file of outcomes that cannot be read as one."""

    retryable = False
    remedy = (
        "Give a CSV with a header: account, outcome and, for a sharper answer, before (the same, earlier)."
    )


@dataclass(frozen=True, eq=False)
class Plan:
    """A budget-split: who is balanced, what each half may spend a day, and what it can show.

    table  relative lift -> accounts needed per half; ``verdict.smallest_lift`` is what these halves can show
    """

    segment: str
    salt: str
    accounts: tuple[str, ...]
    treated: tuple[bool, ...]
    treated_budget: float
    control_budget: float
    verdict: Verdict
    table: dict[float, int]
    base: float
    lift: float
    rho: float


@dataclass(frozen=True, slots=True)
class Result:
    """The effect of balancing one half, and whether this list can confirm what was hoped for.

    rate         outcome per account of the half that was left alone
    without_past the same comparison without CUPED, None where no past was given
    outside      rows of the file that belong to no account of the segment
    missing      accounts of the segment without a row; they are left out, not counted as zero
    """

    treated: int
    control: int
    rate: float
    effect: Effect
    without_past: Effect | None
    verdict: Verdict | None
    outside: int
    missing: int


def plan(
    app: App,
    segment: str,
    *,
    salt: str,
    design: str = "budget_split",
    base: float = 0.02,
    lift: float = 0.25,
    rho: float = 0.0,
) -> Plan:
    """Random halves of the segment, each with its part of the budget, and what they can show.

    base  fraction of accounts with the outcome when nothing is done     lift  relative
    rho   correlation of the outcome with the same figure before the start (CUPED)
    Raises DesignRefused for a design that would answer wrongly, WorkspaceError without a budget.
    """
    check_design(design, mode=policy_of(app, segment).mode)
    if design != "budget_split":
        raise WorkspaceError(f"evenreach plans budget-splits; a {design} needs no plan of halves")
    accounts = qualified_accounts(app, segment)
    sizes = app.store.account_sizes()
    members = np.array([sizes.get(account, 0.0) for account in accounts], dtype=np.float64)
    split = budget_split(accounts, salt=salt, budget=_budget(app, segment), members=members)
    return Plan(
        segment=segment,
        salt=salt,
        accounts=accounts,
        treated=tuple(bool(one) for one in split.treated),
        treated_budget=split.treated_budget,
        control_budget=split.control_budget,
        verdict=can_confirm(len(accounts), base=base, lift=lift, rho=rho),
        table={one: sample_size(base, one, rho=rho) for one in LIFTS},
        base=base,
        lift=lift,
        rho=rho,
    )


def write_halves(design: Plan, file: Path) -> None:
    """Who is in which half, as CSV: account, half."""
    rows = zip(design.accounts, design.treated, strict=True)
    halves = ((account, "balanced" if one else "left alone") for account, one in rows)
    write_atomically(file, to_csv(("account", "half"), halves))


def evaluate(app: App, segment: str, file: Path, *, salt: str, lift: float = 0.25) -> Result:
    """Compare the halves that ``salt`` draws, from a file of outcomes per account.

    Raises OutcomesNotUnderstood, or the balancer's BadNumbers when a half has too few accounts.
    """
    accounts = qualified_accounts(app, segment)
    rows = read_outcomes(file)
    row = {account: i for i, account in enumerate(accounts)}
    found = {row[a]: v for a, v in ((_account(name, row), v) for name, v in rows.items()) if a is not None}
    places = sorted(found)
    outcome = np.array([found[i][0] for i in places], dtype=np.float64)
    past = np.array([np.nan if found[i][1] is None else found[i][1] for i in places], dtype=np.float64)
    covariate = past if places and bool(np.isfinite(past).all()) else None
    treated = halves([accounts[i] for i in places], salt=salt)
    plain = outcome_effect(outcome, treated=treated)
    effect = plain if covariate is None else outcome_effect(outcome, treated=treated, covariate=covariate)
    rate = float(outcome[~treated].mean())
    return Result(
        treated=int(treated.sum()),
        control=int((~treated).sum()),
        rate=rate,
        effect=effect,
        without_past=None if covariate is None else plain,
        verdict=_verdict(outcome, effect, rate, lift),
        outside=len(rows) - len(found),
        missing=len(accounts) - len(found),
    )


def _verdict(outcome: Vector, effect: Effect, rate: float, lift: float) -> Verdict | None:
    """Only outcomes that happen or do not (0 or 1) have the sample size of a rate."""
    if not (0.0 < rate < 1.0 and bool(np.isin(outcome, (0.0, 1.0)).all())):
        return None
    rho = float(np.sqrt(max(0.0, 1.0 - effect.variance_ratio)))
    return can_confirm(outcome.size, base=rate, lift=lift, rho=min(rho, 0.999))


def read_outcomes(file: Path) -> dict[str, tuple[float, float | None]]:
    """Account or domain -> (outcome, the same before the start or None). Raises OutcomesNotUnderstood."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
            header = [name.strip().lower() for name in (rows[0] if rows else {})]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise OutcomesNotUnderstood(f"{file.name} cannot be read as CSV: {type(error).__name__}") from error
    if not {"account", "outcome"} <= set(header):
        raise OutcomesNotUnderstood(f"{file.name} has no columns account and outcome")
    found: dict[str, tuple[float, float | None]] = {}
    for line, raw in enumerate(rows, 2):
        cells = {(name or "").strip().lower(): (value or "").strip() for name, value in raw.items() if name}
        name = cells["account"].lower()
        if name in found:
            raise OutcomesNotUnderstood(f"{file.name}, line {line}: this account has a row already")
        before = _number(file, line, "before", cells["before"]) if cells.get("before") else None
        found[name] = (_number(file, line, "outcome", cells["outcome"]), before)
    return found


def _number(file: Path, line: int, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise OutcomesNotUnderstood(f"{file.name}, line {line}, column {column}: not a number")
    return value


def _account(name: str, known: dict[str, int]) -> str | None:
    if name in known:
        return name
    site = registrable(name)
    return site if site in known else None


def _budget(app: App, segment: str) -> float:
    """The money of both halves together, also while they run."""
    experiment = running(app, segment)
    if experiment is not None:
        return float(experiment.balanced_budget) + float(experiment.left_alone_budget)
    known = app.store.get(f"baseline/{segment}", {}).get("budget") or template_budget(app, segment)
    if not known:
        raise WorkspaceError(f"the daily budget of {segment} is not known yet; run evenreach collect first")
    return float(known)
