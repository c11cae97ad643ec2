"""``evenreach experiment evaluate`` on a made record: a decided and an undecided answer, beside the A/A band."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiences.model import (
    Account,
    Campaign,
    ImpressionReport,
    Organization,
    ReportRow,
    ReportTotal,
    SegmentVersion,
)
from balancer.evaluate import halves
from balancer.types import Vector
from flows.cli import main
from flows.experiment_record import Experiment, keep
from flows.wiring import App, open_app
from platforms import PLATFORMS

SEGMENT, SALT, ACCOUNTS, WEEKS = "all", "autumn", 80, 6
TEMPLATE, BALANCED, LEFT_ALONE = "600", "601", "602"
NAMES = tuple(f"company{i:03d}.com" for i in range(ACCOUNTS))
CONFIG = """
workspace: Halves
database: sqlite:///evenreach.db
timezone: UTC
sandbox: {starts: 2026-08-24}
platforms:
  linkedin: {mode: sandbox, ad_account: "500000001"}
segments:
  all:
    where: {field: employees, at_least: 1}
    sync: {linkedin: [companies]}
    balance: {campaign: "600"}
"""


class Market:
    """Delivers log-normal impressions day by day, and reports every one of them.

    evened  whether the balanced half is really served evenly; otherwise nothing was done to it
    """

    capabilities = PLATFORMS["linkedin"].capabilities()

    def __init__(self, now: datetime, *, evened: bool) -> None:
        self._now, self._evened = now, evened
        self._rate = np.random.default_rng(7).lognormal(3.0, 1.2, ACCOUNTS)

    def delivered(self, campaign: str, day: date) -> Vector:
        """(n,) impressions of one campaign on one day."""
        treated, rate = halves(NAMES, salt=SALT), self._rate
        if campaign == BALANCED and self._evened:
            rate = np.full(ACCOUNTS, rate[treated].mean())
        serves = {TEMPLATE: np.ones(ACCOUNTS, dtype=bool), BALANCED: treated, LEFT_ALONE: ~treated}
        rng = np.random.default_rng([day.toordinal(), int(campaign)])
        return np.where(serves[campaign], rng.poisson(rate), 0).astype(float)

    def campaign(self, campaign: str) -> Campaign:
        return Campaign(campaign, campaign, "active", None, "USD", (), (), creatives=(f"{campaign}-ad",))

    def organizations(self, urns: Sequence[str]) -> dict[str, Organization]:
        numbers = {urn: int(urn.rpartition(":")[2]) for urn in urns}
        return {urn: Organization(urn, None, NAMES[number]) for urn, number in numbers.items()}

    def account_report(
        self,
        start: date,
        end: date,
        *,
        grain: str,
        campaigns: Sequence[str] = (),
        creatives: Sequence[str] = (),
    ) -> ImpressionReport:
        days = [start + timedelta(days=i) for i in range((end - start).days + 1)]
        asked = [*campaigns, *(creative.removesuffix("-ad") for creative in creatives)]
        rows, totals = [], []
        for campaign in asked:
            own: dict[str, Any] = (
                {"creative_id": f"{campaign}-ad"} if creatives else {"campaign_id": campaign}
            )
            counts = {day: self.delivered(campaign, day) for day in days}
            told = {None: sum(counts.values())} if grain == "all" else counts
            for day, seen in told.items():
                shown = [(i, int(count)) for i, count in enumerate(np.asarray(seen).tolist()) if count]
                rows += [ReportRow(day, f"urn:li:organization:{i}", count, **own) for i, count in shown]
                totals.append(ReportTotal(day, sum(count for _, count in shown), None, Decimal(1), **own))
        return ImpressionReport(
            "linkedin", start, end, grain, tuple(rows), tuple(totals), self._now,
            scope=(*campaigns, *creatives), list_depth=None, floor=0, noise=0,
        )  # fmt: skip


def made(folder: Path, monkeypatch: pytest.MonkeyPatch, *, evened: bool) -> list[str]:
    """A record with weeks of quiet days and an experiment that ran; the words of the command that judges it."""
    folder.mkdir()
    (folder / "evenreach.yaml").write_text(CONFIG)
    with open_app(folder) as app:
        at, live = app.now(), app.today - timedelta(days=20)
        market = Market(at, evened=evened)
        app.store.replace_accounts([Account(name, name, domain=name) for name in NAMES], "made", at)
        app.store.save_segment_version(SegmentVersion(SEGMENT, "made", app.today, NAMES), at=at)
        keep(app, SEGMENT, Experiment(SALT, TEMPLATE, BALANCED, LEFT_ALONE, "10", "10", live_since=live))
        quiet = (live - timedelta(weeks=WEEKS), live - timedelta(days=1))
        app.store.save_report(market.account_report(*quiet, grain="daily", campaigns=(TEMPLATE,)))
    monkeypatch.setattr(App, "platform", lambda self, name: market)
    return ["experiment", "evaluate", "--days", "7", "--workspace", str(folder)]


def test_an_effect_beyond_chance_is_decided_and_lies_outside_the_usual_wavering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = made(tmp_path / "decided", monkeypatch, evened=True)
    assert main([*words, "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    tenth, band = shown["figures"][0], shown["band"]

    assert all(one["effect"]["works"] for one in shown["figures"])
    assert band["changes"] == WEEKS - 1
    assert band["low"] < 0.0 < band["high"]
    assert tenth["after"][0] - tenth["before"][0] < band["low"]  # no week before fell as far
    assert band["low"] < tenth["after"][1] - tenth["before"][1] < band["high"]


def test_a_half_that_nothing_was_done_to_leaves_it_undecided_and_the_usual_wavering_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(made(tmp_path / "undecided", monkeypatch, evened=False)) == 0
    said = capsys.readouterr().out

    rows = [
        line for line in said.splitlines() if line.startswith(("share of the top tenth", "Gini", "coverage"))
    ]
    assert [row.split()[-1] for row in rows] == ["no", "no", "no"]
    assert re.search(r"top tenth's share moved by -0\.\d+ to \+0\.\d+ by itself", said)
    assert "Too few quiet weeks" not in said
