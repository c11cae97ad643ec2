"""Every module of the platforms can be the first one that is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
EACH_ALONE = """
import importlib, sys
for name in sys.argv[1:]:
    for held in [m for m in sys.modules if m.split(".")[0] == "platforms"]:
        del sys.modules[held]
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(name, type(error).__name__, error)
"""


def test_no_module_needs_another_to_be_imported_before_it() -> None:
    files = sorted((ROOT / "platforms").rglob("*.py"))
    names = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files
    ]
    assert len(names) > 80
    ran = subprocess.run(
        [sys.executable, "-c", EACH_ALONE, *names], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout == ""
