"""The walls of the house, held by the import graph and by the text of the modules."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("flows", "audiences", "platforms", "balancer")


def modules() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_every_package_imports_only_what_the_house_allows() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_environment_is_read_in_one_file_only() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in modules()
        if any(word in path.read_text() for word in ("os.environ", "os.getenv", "getenv("))
    ]
    assert readers == ["flows/settings.py"]


def test_only_activate_writes_to_an_ad_platform() -> None:
    """The one door out: nothing in flows but ``activate`` calls a changing platform method."""
    changing = {"push", "find_or_create", "delete", "set_targets", "set_daily_budget", "set_status", "clone"}
    changing.add("finish_replace")
    trespassers = []
    for path in sorted((ROOT / "flows").rglob("*.py")):
        if path.name.startswith("activate"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in changing
                and "platform" in ast.unparse(node.func.value)
            ):
                trespassers.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert trespassers == []


@pytest.mark.parametrize("module", [str(path.relative_to(ROOT)) for path in modules()])
def test_a_module_opens_by_saying_its_job(module: str) -> None:
    text = (ROOT / module).read_text()
    if not text.strip() or "migrations/versions" in module:
        return
    assert ast.get_docstring(ast.parse(text)), f"{module} has no opening docstring"
