"""``evenreach experiment``: halves that stay, honest sample sizes, refused designs, CUPED from a file."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from balancer.errors import DesignRefused
from flows import experiment
from flows.cli import main
from flows.wiring import App
from tests.flows.small_workspace import SEGMENT, Copies


@pytest.fixture(scope="module")
def app(copies: Copies) -> Iterator[App]:
    with copies.opened("experiment") as opened:
        yield opened


def test_the_halves_are_random_stable_and_share_the_budget_by_size(app: App) -> None:
    one, again = (experiment.plan(app, SEGMENT, salt="autumn") for _ in range(2))
    other = experiment.plan(app, SEGMENT, salt="winter")

    assert one.treated == again.treated
    assert one.treated != other.treated
    assert 0.4 < sum(one.treated) / len(one.treated) < 0.6
    budget = app.store.get(f"template_budget/{SEGMENT}")
    assert one.treated_budget + one.control_budget == pytest.approx(budget)
    assert one.treated_budget / budget == pytest.approx(sum(one.treated) / len(one.treated))


def test_accounts_of_one_budget_are_not_compared_and_the_reason_is_given(
    copies: Copies, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copies.path("experiment-refused")
    words = ["experiment", "plan", "--design", "accounts_in_one_budget", "--workspace", str(path)]

    assert main([*words, "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["error"] == "DesignRefused"
    assert "flows to the controls" in error["message"]


def test_a_design_with_a_wrong_answer_raises(app: App) -> None:
    for design in ("accounts_in_one_budget", "switchback", "astrology"):
        with pytest.raises(DesignRefused):
            experiment.plan(app, SEGMENT, salt="x", design=design)


def test_the_plan_says_when_the_list_cannot_confirm_the_lift(
    copies: Copies, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path, out = copies.path("experiment-plan"), tmp_path / "halves.csv"
    where = ["--workspace", str(path), "--json"]
    assert main(["experiment", "plan", "--base", "0.02", "--lift", "0.25", "--out", str(out), *where]) == 0
    found = json.loads(capsys.readouterr().out)

    assert found["verdict"] == "list_cannot_confirm"
    assert found["words"].startswith("This list cannot confirm that lift (25%)")
    assert found["needed_per_half"]["0.25"] > 10_000
    with out.open() as stream:
        halves = [row["half"] for row in csv.DictReader(stream)]
    assert halves.count("balanced") == found["balanced"]["accounts"]
    assert main(["experiment", "plan", "--base", "0.4", "--lift", "0.9", *where]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "list_can_confirm"


def outcomes(file: Path, app: App, *, lift: float, seed: int, past: bool = True) -> Path:
    """0/1 per account, tied to the same before; ``lift`` is added to the balanced half's rate."""
    rng = random.Random(seed)
    design = experiment.plan(app, SEGMENT, salt="autumn")
    lines = ["account,outcome" + (",before" if past else "")]
    for account, treated in zip(design.accounts, design.treated, strict=True):
        before = rng.random() < 0.3
        seen = rng.random() < 0.1 + 0.5 * before + lift * treated
        lines.append(f"{account},{int(seen)}" + (f",{int(before)}" if past else ""))
    file.write_text("\n".join(lines) + "\n")
    return file


def test_a_real_effect_is_found_and_the_past_makes_the_answer_sharper(app: App, tmp_path: Path) -> None:
    found = experiment.evaluate(
        app, SEGMENT, outcomes(tmp_path / "o.csv", app, lift=0.3, seed=1), salt="autumn"
    )

    assert found.effect.works
    assert found.effect.estimate == pytest.approx(0.3, abs=0.15)
    assert found.effect.low > 0.0
    assert found.without_past is not None
    assert found.effect.variance_ratio < 0.9
    assert found.effect.high - found.effect.low < found.without_past.high - found.without_past.low
    assert found.missing == found.outside == 0


def test_without_an_effect_it_says_that_the_list_could_not_have_shown_one(
    app: App, copies: Copies, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = outcomes(tmp_path / "o.csv", app, lift=0.0, seed=5, past=False)
    path = copies.path("experiment-none")
    words = ["experiment", "evaluate", "--outcomes", str(file), "--salt", "autumn", "--lift", "0.1"]

    assert main([*words, "--workspace", str(path)]) == 0
    said = capsys.readouterr().out
    assert "Chance alone could have made this difference." in said
    assert "This list cannot confirm that lift (10%)" in said


def test_accounts_without_a_row_are_left_out_and_counted(app: App, tmp_path: Path) -> None:
    file = outcomes(tmp_path / "o.csv", app, lift=0.0, seed=2)
    rows = file.read_text().splitlines()
    file.write_text("\n".join([*rows[:-7], "stranger.example,1,0"]) + "\n")
    found = experiment.evaluate(app, SEGMENT, file, salt="autumn")

    assert (found.missing, found.outside) == (7, 1)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "no columns"),
        ("who,what\na,1\n", "no columns"),
        ("account,outcome\na.com,many\n", "line 2, column outcome"),
        ("account,outcome\na.com,1\nA.com,0\n", "line 3"),
        ("account,outcome,before\na.com,1,inf\n", "line 2, column before"),
    ],
)
def test_a_file_of_outcomes_that_cannot_be_read_names_the_line(tmp_path: Path, text: str, where: str) -> None:
    (tmp_path / "o.csv").write_text(text)

    with pytest.raises(experiment.OutcomesNotUnderstood, match=where) as caught:
        experiment.read_outcomes(tmp_path / "o.csv")
    assert "many" not in str(caught.value)
