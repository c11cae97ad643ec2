"""20 segments of 10 rules over 1 million accounts with 10 million signals; bar: 10 seconds on two cores.

Run by hand: python tests/benchmarks/bench_segments.py [accounts] [signals]
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from audiences.config import Config, load
from audiences.scoring import score_universe
from audiences.scoring_universe import Universe
from audiences.segments import evaluate_universe

BAR_SECONDS = 10.0
TODAY = date(2026, 11, 1)
KINDS = (
    "pricing_page",
    "topic_surge",
    "download",
    "webinar",
    "demo_request",
    "review_site",
    "comparison",
    "login",
)
INDUSTRIES = ("Software", "Semiconductors", "Banking", "Retail", "Health", "Government", "Media", "Energy")


def accounts(n: int, rng: np.random.Generator) -> pl.DataFrame:
    """Companies with the gaps real data has: a tenth of head-counts and industries unknown."""
    ids = pl.Series("i", np.arange(n)).cast(pl.String)
    employees = pl.Series(rng.lognormal(4.5, 1.6, n).astype(np.int64))
    known = pl.Series(rng.random(n) > 0.1)
    industry = pl.Series(INDUSTRIES).gather(rng.integers(0, len(INDUSTRIES), n))
    return pl.DataFrame(
        {
            "account_id": "company-" + ids + ".example",
            "name": "Company " + ids,
            "domain": "company-" + ids + ".example",
            "country": pl.Series(("US", "DE", "FR", "GB", "IN")).gather(rng.integers(0, 5, n)),
            "industry": industry,
            "employees": employees,
            "revenue_usd": rng.lognormal(15, 2, n),
            "founded_year": rng.integers(1900, 2025, n),
            "attributes.stage": pl.Series(("lead", "customer", "opportunity")).gather(rng.integers(0, 3, n)),
        }
    ).with_columns(
        pl.when(known).then(pl.col("employees")).alias("employees"),
        pl.when(pl.Series(rng.random(n) > 0.1)).then(pl.col("industry")).alias("industry"),
    )


def signals(m: int, ids: pl.Series, rng: np.random.Generator) -> pl.DataFrame:
    """Half of the signals fall on a tenth of the accounts."""
    rows = np.where(rng.random(m) < 0.5, rng.integers(0, len(ids) // 10, m), rng.integers(0, len(ids), m))
    days = pl.Series(TODAY.toordinal() - 719_163 - rng.integers(0, 90, m).astype(np.int32)).cast(pl.Date)
    return pl.DataFrame(
        {
            "account_id": ids.gather(rows),
            "kind": pl.Series(KINDS).gather(rng.integers(0, len(KINDS), m)),
            "on": days,
            "topic": pl.Series(("crm", "erp", "data", "ai")).gather(rng.integers(0, 4, m)),
            "strength": rng.random(m) * 2.0,
            "person": "p" + pl.Series(rng.integers(0, 50, m)).cast(pl.String),
        }
    )


def configuration() -> Config:
    """Twenty segments of ten leaf rules; every number differs, so nothing is answered by a shared rule."""
    text = """
workspace: Bench
scoring:
  fit:
    maximum: 60
    groups:
      size: {best: [{field: employees, between: [100, 500], points: 30}]}
      industry: {best: [{field: industry, in: [Software, Semiconductors], points: 30}]}
  intent: {weights: {pricing_page: 10, topic_surge: 5, demo_request: 20}, hot: top 10 %, warm: top 30 %}
segments:
  customers: {kind: negative, where: {field: stage, is: customer}}
"""
    for i in range(20):
        text += f"""
  s{i}:
    where:
      all:
        - {{field: employees, between: [{10 + i}, {5000 + i}]}}
        - {{field: industry, in: [{INDUSTRIES[i % 8]}, {INDUSTRIES[(i + 3) % 8]}]}}
        - {{field: revenue_usd, at_least: {100_000 + i}}}
        - {{field: country, is_not: {("US", "DE", "FR", "GB", "IN")[i % 5]}}}
        - {{tier: [1, 2, 3]}}
        - any:
            - {{signal: {KINDS[i % 8]}, at_least: {1 + i % 3}, within_days: {14 + i}}}
            - {{signal: topic_surge, topics: [crm, erp], minimum_strength: 0.{i + 10}, within_days: {30 + i}}}
            - {{signal: {KINDS[(i + 1) % 8]}, people: 2, within_days: {20 + i}}}
            - {{heat: [hot, warm]}}
        - none: [{{segment: customers}}]
    holdout: 0.1
"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evenreach.yaml"
        path.write_text(text)
        return load(path)


def main(n: int, m: int) -> None:
    rng = np.random.default_rng(1)
    table = accounts(n, rng)
    events = signals(m, table["account_id"], rng)
    config = configuration()
    start = time.perf_counter()
    universe = Universe(table, events, on=TODAY)
    indexed = time.perf_counter()
    scores = score_universe(config.scoring, universe)
    scored = time.perf_counter()
    found = evaluate_universe(config, universe, scores)
    done = time.perf_counter()
    size = sum(len(evaluation.version.account_ids) for evaluation in found.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{n:,} accounts, {m:,} signals, {len(found)} segments, {size:,} memberships")
    print(f"index {indexed - start:.2f} s, score {scored - indexed:.2f} s, evaluate {done - scored:.2f} s")
    print(f"all {done - start:.2f} s = {(done - start) / BAR_SECONDS:.2f} x the bar; peak {peak:.2f} GB")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    main(*(numbers or [1_000_000, 10_000_000]))
