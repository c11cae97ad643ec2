"""The report is pure: it imports nouns only, reads no clock and opens nothing."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balancer.shares import concentration
from flows.report import html, text
from flows.report.model import Measured, build_page
from flows.report.pieces import AccountFacts
from tests.flows.report.test_page_model import MARCH, MAY, NOW

MODULES = sorted((Path(__file__).parents[3] / "flows" / "report").glob("*.py"))
ALLOWED = ("flows.report", "audiences.model", "balancer.types")


@pytest.mark.parametrize("module", MODULES, ids=[path.name for path in MODULES])
def test_a_report_module_imports_nouns_only(module: Path) -> None:
    for node in ast.walk(ast.parse(module.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        ours = [n for n in names if n.split(".")[0] in ("flows", "audiences", "platforms", "balancer")]
        assert all(name.startswith(ALLOWED) for name in ours), ours


@pytest.mark.parametrize("module", MODULES, ids=[path.name for path in MODULES])
def test_a_report_module_reads_no_clock_and_opens_nothing(module: Path) -> None:
    source = module.read_text()
    for word in ("time.now(", "date.today(", " open(", "random", "write_text", "urlopen", "os.environ"):
        assert word not in source, word


counts = st.lists(st.integers(0, 3_000), min_size=1, max_size=40)


@given(counts, st.integers(1, 120), st.integers(0, 5_000))
@settings(max_examples=25, deadline=None)
def test_any_measured_report_becomes_a_page_a_file_and_a_summary(
    seen: list[int], top: int, elsewhere: int
) -> None:
    before = concentration(np.array(seen, dtype=float), top=top, total=sum(seen) + elsewhere)
    after = concentration(np.array(seen[::-1], dtype=float), top=top)
    page = build_page(
        "s",
        Measured(after, MAY),
        earlier=Measured(before, MARCH),
        facts={"0": AccountFacts(name="Zero", tier=1, members=3, cap=10, band=0)},
        generated_at=NOW,
    )
    assert page.sentence
    assert page.sentence.replace("\u00a0", " ") in text.summary(page)
    document = html.render(page)
    assert "nan" not in document.split("<main")[1].split("</main>")[0].lower().replace("finan", "")
