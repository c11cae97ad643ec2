"""``evenreach rehearse`` from the command line: files, worlds, modes, and the table of prices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from balancer.errors import BadNumbers
from flows.cli import main
from flows.price_table import price_table
from flows.verbs.rehearse import caps, price_words

LAYOUTS = Path(__file__).parents[1] / "platforms" / "layouts"
NAMES = {
    "top100_before", "top100_after", "oracle", "delivery", "gini_after", "coverage_after", "changes_per_day",
    "settle_days", "weekly_sd",
}  # fmt: skip


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["rehearse", *words, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture(scope="module")
def counts() -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.floor(np.random.default_rng(3).lognormal(4.0, 1.6, 260))


@pytest.fixture(scope="module")
def plain_file(tmp_path_factory: pytest.TempPathFactory, counts: Any) -> Path:
    file = tmp_path_factory.mktemp("files") / "impressions.csv"
    file.write_text("account,impressions\n" + "".join(f"acc{i},{int(v)}\n" for i, v in enumerate(counts)))
    return file


@pytest.mark.parametrize("mode", ["bands", "duty", "threshold", "auto"])
@pytest.mark.parametrize("plant", ["proportional", "power", "auction"])
def test_every_mode_meets_every_plant_on_a_plain_file(
    capsys: pytest.CaptureFixture[str], plain_file: Path, mode: str, plant: str
) -> None:
    words = [
        "--impressions",
        str(plain_file),
        "--mode",
        mode,
        "--plant",
        plant,
        "--seed",
        "3",
        "--weeks",
        "4",
    ]
    found = printed(capsys, *words)

    assert set(found) >= NAMES
    assert found["accounts"] == 260
    assert found["top100_after"] <= found["top100_before"] + 0.02
    assert found["oracle"] <= found["top100_after"] + 0.01
    assert 0.5 < found["delivery"] < 1.1


def test_a_linkedin_export_is_read_like_a_plain_file(capsys: pytest.CaptureFixture[str]) -> None:
    for name in (
        "unconfirmed_linkedin_companies_tab_export.csv",
        "linkedin_adanalytics_member_company.json",
        "linkedin_demographics_report_utf16_tab.csv",
    ):
        found = printed(capsys, "--impressions", str(LAYOUTS / name), "--weeks", "4")
        assert found["accounts"] >= 2
        assert set(found) >= NAMES


def test_a_world_is_rehearsed_the_same_way_twice(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--world", "D", "--mode", "bands", "--plant", "proportional", "--seed", "2", "--weeks", "4"]

    assert printed(capsys, *words) == printed(capsys, *words)


def test_a_file_that_is_no_report_is_an_error_with_a_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "letter.csv").write_text("Dear all\n")

    assert main(["rehearse", "--impressions", str(tmp_path / "letter.csv"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["remedy"]


def test_the_comparison_shows_spread_assumptions_and_the_price_of_a_point(
    capsys: pytest.CaptureFixture[str], plain_file: Path
) -> None:
    words = [
        "--impressions",
        str(plain_file),
        "--compare",
        "--caps",
        "none",
        "--floor",
        "0.9",
        "--weeks",
        "4",
    ]
    found = printed(capsys, *words)

    assert {row["mode"] for row in found["rows"]} == {"bands", "duty", "threshold"}
    for row in found["rows"]:
        assert set(row["figures"]) >= {"top100_after", "coverage_after", "delivery", "cpm_ratio"}
        assert all(row["low"][k] <= row["figures"][k] <= row["high"][k] for k in row["figures"])
        assert row["kept"] == (row["figures"]["delivery"] >= 0.8995)
    assert [f["elasticity"] for f in found["frontier"]] == [0.0, 0.1, 0.3]
    shares = [f["share"] for f in found["frontier"]]
    assert shares == sorted(shares)
    assert any("headroom" in one for one in found["assumed"])


def test_a_mode_that_falls_below_the_floor_is_not_tightened_further(counts: Any) -> None:
    found = price_table(
        counts,
        caps=[None, 3.0, 2.0],
        plant="power",
        seed=1,
        seeds=1,
        weeks=4,
        floor=1.0,
        headroom=5.0,
        modes=("duty",),
    )

    assert len(found.rows) == 1
    assert not found.rows[0].kept
    assert found.best is None


def test_the_best_row_is_the_most_even_of_those_that_keep_the_floor(counts: Any) -> None:
    found = price_table(
        counts,
        caps=[None],
        plant="proportional",
        seed=1,
        seeds=1,
        weeks=4,
        floor=0.5,
        headroom=5.0,
    )

    assert found.best is not None
    assert found.best.figures["top100_after"] == min(r.figures["top100_after"] for r in found.rows)
    said = price_words(found)
    assert f"Lowest share within your floor of 50%: {found.best.mode}." in said
    assert "It promises nothing." in said


def test_caps_and_floors_that_mean_nothing_are_refused(counts: Any) -> None:
    assert caps("none, 3,2.5") == [None, 3.0, 2.5]
    with pytest.raises(BadNumbers):
        caps("three")
    for bad in (
        {"caps": [0.5], "floor": 0.9},
        {"caps": [None], "floor": 0.0},
        {"caps": [None], "floor": 98.0},
    ):
        with pytest.raises(BadNumbers):
            price_table(counts, plant="power", seed=1, seeds=1, weeks=4, headroom=5.0, **bad)
