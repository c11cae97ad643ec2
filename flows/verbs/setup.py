"""Commands that set up and look: init, check, map, hash, platforms."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from flows.verbs.outcome import DONE, FAILED, show, table
from flows.verbs.workspace import opened


def init(arguments: argparse.Namespace) -> int:
    """Write a commented evenreach.yaml; an existing one is never touched."""
    from flows.files import write_atomically
    from flows.wiring import CONFIG, WorkspaceError

    folder = arguments.workspace or Path()
    target = folder / CONFIG
    if target.exists():
        raise WorkspaceError(f"{target} exists already; nothing was written")
    write_atomically(target, files("flows").joinpath("starter", CONFIG).read_bytes())
    (folder / "data").mkdir(exist_ok=True)
    show(arguments, {"written": str(target)}, lambda: f"Wrote {target}. Read it, then run: evenreach check")
    return DONE


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``remedy`` is empty when it is well."""

    what: str
    well: bool
    words: str
    remedy: str = ""


def check(arguments: argparse.Namespace) -> int:
    """Look at configuration, data and connections; exit code 1 when something needs doing."""
    found: list[Finding] = []
    with opened(arguments) as app:
        found.append(
            Finding("configuration", True, f"{len(app.config.segments)} segments, read without fault")
        )
        found += _looked(lambda: _sources(app), "sources")
        found += _looked(lambda: _rules(app), "segments")
        if not arguments.offline:
            for name in app.config.platforms.names():
                found += _looked(lambda n=name: _platform(app, n), name)  # type: ignore[misc]
    rows = [
        ["well" if f.well else "DO", f.what, f.words + (f" {f.remedy}" if f.remedy else "")] for f in found
    ]
    show(arguments, {"findings": [asdict(f) for f in found]}, lambda: table(["", "what", "finding"], rows))
    return DONE if all(f.well for f in found) else FAILED


def _looked(look: Callable[[], list[Finding]], what: str) -> list[Finding]:
    """The findings, or the error as one."""
    try:
        return look()
    except Exception as error:
        remedy = getattr(error, "remedy", None)
        if remedy is None:
            raise
        words = str(error)
        return [Finding(what, False, words, "" if str(remedy) in words else str(remedy))]


def _sources(app: Any) -> list[Finding]:
    from flows.load import load

    loaded = load(app)
    return [
        Finding(
            what,
            True,
            f"{c.read:,} rows read, {c.resolved:,} kept, {c.rejected:,} rejected, {c.quarantined:,} set aside",
        )
        for what, c in (
            ("companies", loaded.companies),
            ("contacts", loaded.contacts),
            ("signals", loaded.signals),
        )
    ] + [
        Finding(f"columns of {name}", True, f"not used: {', '.join(columns)}")
        for name, columns in loaded.unmapped.items()
    ]


def _rules(app: Any) -> list[Finding]:
    from audiences.segments_warnings import workspace_warnings
    from flows.assess import assess

    assessment = assess(app, record=False)
    empty = [name for name, found in assessment.segments.items() if not found.members.any()]
    findings = [
        Finding(name, False, "nobody qualifies.", "Run evenreach segments preview.") for name in empty
    ]
    findings += [
        Finding("segments", True, f"worth knowing: {advice.words}")
        for advice in workspace_warnings(app.config)
    ]
    return findings


def _platform(app: Any, name: str) -> list[Finding]:
    said = app.platform(name).check()
    return [Finding(name, False, words) for words in said] or [Finding(name, True, "signed in, answers")]


def map_file(arguments: argparse.Namespace) -> int:
    """Say how a file's columns would be read; with --write add it to evenreach.yaml."""
    from audiences.sources import propose_mapping

    proposal = propose_mapping(arguments.file)
    data = asdict(proposal)
    if arguments.write:
        with opened(arguments) as app:
            data["written"] = str(_add_source(app.workspace, arguments.file, proposal))
    rows = [[ours, ", ".join(theirs)] for ours, theirs in proposal.columns.items()]
    lines = [
        f"{proposal.file}: {proposal.kind or 'unknown kind'}, read as {proposal.layout or 'nothing known'}"
    ]
    lines += [table(["ours", "in the file"], rows)] if rows else []
    lines += [f"not used: {', '.join(proposal.unmapped)}"] if proposal.unmapped else []
    show(arguments, data, lambda: "\n".join([*lines, *proposal.notes]))
    return DONE if proposal.layout else FAILED


def _add_source(workspace: Path, file: Path, proposal: Any) -> Path:
    """Add the file under sources, keeping every comment of evenreach.yaml."""
    import io

    from ruamel.yaml import YAML

    from flows.files import write_atomically
    from flows.wiring import CONFIG

    yaml = YAML()
    target = workspace / CONFIG
    settings = yaml.load(target.read_text(encoding="utf-8"))
    try:
        named = str(file.absolute().relative_to(workspace))
    except ValueError:
        named = str(file.absolute())
    columns = {ours: theirs[0] for ours, theirs in proposal.columns.items()}
    entry = {"file": named, "layout": proposal.layout, "columns": columns}
    settings.setdefault("sources", {}).setdefault(proposal.kind, []).append(entry)
    buffer = io.StringIO()
    yaml.dump(settings, buffer)
    write_atomically(target, buffer.getvalue())
    return target


def hash_lines(arguments: argparse.Namespace) -> int:
    """One hex digest (or !reason) per line of stdin."""
    from audiences.identity import hash_one

    for line in sys.stdin:
        print(hash_one(arguments.platform, arguments.kind, line.rstrip("\r\n")))
    return DONE


def platforms(arguments: argparse.Namespace) -> int:
    """Print each capability record."""
    from platforms import PLATFORMS

    records = {name: asdict(entry.capabilities()) for name, entry in PLATFORMS.items()}
    text = "\n\n".join(
        "\n".join(
            [name, *(f"  {field.replace('_', ' '):20} {_words(value)}" for field, value in record.items())]
        )
        for name, record in records.items()
    )
    show(arguments, records, lambda: text)
    return DONE


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(v) for v in value) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
