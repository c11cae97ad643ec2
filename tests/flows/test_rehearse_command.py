"""``evenreach rehearse`` from the command line: files, worlds, modes, and the table of prices."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from balancer.errors import BadNumbers
from flows.cli import main
from flows.price_table import price_table
from flows.rehearsal_words import price_words, rehearsal_words
from flows.verbs.rehearse import caps
from tests.flows.small_workspace import SEGMENT, Copies

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


def grown(file: Path, folder: Path, companies: int = 30) -> Path:
    """The same layout with more companies in it: its first company again and again, under other names."""
    encoding = "utf-16" if "utf16" in file.name else "utf-8"
    text = file.read_text(encoding=encoding)
    if file.suffix == ".json":
        body = json.loads(text)
        first = json.dumps(body["elements"][0])
        body["elements"] += [json.loads(first.replace("1000001", f"20000{i:02}")) for i in range(companies)]
        text = json.dumps(body)
    else:
        lines = text.splitlines(keepends=True)
        at = next(i for i, line in enumerate(lines) if line.startswith("Northwind"))
        more = [lines[at].replace("Northwind", f"Northwind {i}") for i in range(companies)]
        text = "".join([*lines[:at], *more, *lines[at:]])
    (folder / file.name).write_text(text, encoding=encoding)
    return folder / file.name


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unconfirmed_linkedin_companies_tab_export.csv", "does not say its days; 28 are assumed"),
        ("linkedin_adanalytics_member_company.json", "counts of 30 days scaled to 28"),
        ("linkedin_company_intelligence.json", ""),
        ("linkedin_demographics_report_utf16_tab.csv", "counts of 30 days scaled to 28"),
    ],
)
def test_every_download_that_names_companies_can_be_rehearsed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, said: str
) -> None:
    found = printed(capsys, "--impressions", str(grown(LAYOUTS / name, tmp_path)), "--weeks", "4")

    assert found["accounts"] >= 31
    assert set(found) >= NAMES
    assert any(said in one for one in found["assumed"])
    drawn = "members drawn, not known" in found["assumed"]
    assert drawn == ("companies_tab" not in name)  # only that layout says how many members a company has


def test_the_reports_of_a_segment_are_replayed_with_its_own_policy_and_members(
    capsys: pytest.CaptureFixture[str], copies: Copies
) -> None:
    path = copies.path("replay", mode="duty")
    found = printed(capsys, SEGMENT, "--workspace", str(path), "--weeks", "4")

    assert found["mode"] == "duty"
    assert 360 < found["accounts"] < 400
    assert "members drawn, not known" not in found["assumed"]
    assert any("counts of 14 days scaled to 28" in one for one in found["assumed"])
    assert found["top100_after"] < found["top100_before"]


AWKWARD = {
    "empty": ("", "is empty"),
    "three": ("account,impressions\na,1\nb,2\nc,3\n", "3 accounts"),
    "one": ("account,impressions\na,900\n", "1 accounts"),
    "wrong column": ("account,views\na,1\nb,2\n", "no line looks like a header with impressions"),
    "words": ("account,impressions\na,many\n", "row 2, column impressions"),
    "negative": ("account,impressions\na,-4\n", "row 2, column impressions"),
    "endless": ("account,impressions\na,inf\n", "row 2, column impressions"),
    "enormous": ("account,impressions\na,1e15\n", "row 2, column impressions"),
    "nothing shown": ("account,impressions\n" + "".join(f"a{i},0\n" for i in range(12)), "no impressions"),
    "short row": ("account,impressions\nonly-a-name\n", "row 2, column impressions"),
}


@pytest.mark.parametrize("kind", sorted(AWKWARD))
def test_a_file_that_cannot_be_rehearsed_is_refused_with_the_place_and_a_remedy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str
) -> None:
    text, said = AWKWARD[kind]
    (tmp_path / "past.csv").write_text(text)

    assert main(["rehearse", "--impressions", str(tmp_path / "past.csv"), "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert said in error["message"]
    assert error["remedy"]
    assert "many" not in error["message"]


@pytest.mark.parametrize(
    "words",
    [
        ["--weeks", "3"],
        ["--seeds", "1001"],
        ["--seed", "-1"],
        ["--floor", "98"],
        ["--headroom", "nan"],
        ["--compare", "--caps", "0.5"],
        ["--impressions", "no-such-file.csv"],
    ],
)
def test_numbers_that_mean_nothing_are_refused(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(["rehearse", *words, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["remedy"]


def test_several_seeds_show_a_range_and_a_course_below_the_floor_says_so(
    capsys: pytest.CaptureFixture[str], plain_file: Path
) -> None:
    words = ["rehearse", "--impressions", str(plain_file), "--weeks", "4", "--floor", "1"]
    assert main([*words, "--seeds", "3", "--mode", "threshold", "--headroom", "1.2"]) == 0
    said = capsys.readouterr().out

    assert "3 seeds, 5th to 95th percentile" in said
    assert re.search(r"impressions +\d+\.\d% \(\d+\.\d% to \d+\.\d%\) of before", said)
    assert "below your floor of 100.0%" in said
    assert "It promises nothing." in said


def test_a_world_is_rehearsed_the_same_way_twice(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--world", "D", "--mode", "bands", "--plant", "proportional", "--seed", "2", "--weeks", "4"]

    assert printed(capsys, *words) == printed(capsys, *words)


def test_eight_weeks_of_bands_in_a_world_of_known_inventory_reach_nearly_all_that_is_possible(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = printed(capsys, "--world", "A", "--mode", "bands", "--seed", "1", "--weeks", "8")

    assert found["top100_after"] <= 0.115
    assert found["realised"] >= 0.93
    assert found["delivery"] >= 0.995
    assert found["assumed"][0] == "ramp fast"


def test_a_course_that_never_settled_is_not_called_settled(
    capsys: pytest.CaptureFixture[str], plain_file: Path
) -> None:
    found = printed(capsys, "--impressions", str(plain_file), "--weeks", "4")

    twelve = {"settle_days": 12.0}
    settled = found | twelve | {end: found[end] | twelve for end in ("low", "high")}
    assert "a day, settled after 12 days" in rehearsal_words(settled)
    assert "not settled within 28 days" in rehearsal_words(found | {"settle_days": 29.0})


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
