"""``evenreach check``: every fault with its remedy; exit code 1 when something needs doing."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from flows.verbs.outcome import DONE, FAILED, show, table


def check(arguments: argparse.Namespace) -> int:
    """Look at everything; print what is well and what to do."""
    from flows.doctor import examine
    from flows.settings import Settings

    settings = Settings()
    workspace: Path = arguments.workspace or settings.workspace
    found = examine(workspace, settings=settings, offline=arguments.offline)
    rows = [
        ["well" if f.well else "DO", f.what, f.words + (f" {f.remedy}" if f.remedy else "")] for f in found
    ]
    show(arguments, {"findings": [asdict(f) for f in found]}, lambda: table(["", "what", "finding"], rows))
    return DONE if all(f.well for f in found) else FAILED
