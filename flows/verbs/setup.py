"""Commands that set up and look: init, map, hash, platforms."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from flows.verbs.outcome import DONE, FAILED, show, table
from flows.verbs.workspace import opened


def init(arguments: argparse.Namespace) -> int:
    """Write a commented evenreach.yaml; an existing one is never touched, but its database brought up to date."""
    from flows.files import write_atomically
    from flows.wiring import CONFIG, WorkspaceError

    folder = arguments.workspace or Path()
    target = folder / CONFIG
    if target.exists():
        if not _brought_up_to_date(folder):
            raise WorkspaceError(f"{target} exists already; nothing was written")
        done = f"{target} stays as it is. The database was brought up to date; its data are kept."
        show(arguments, {"written": None, "database": "brought up to date"}, lambda: done)
        return DONE
    write_atomically(target, files("flows").joinpath("starter", CONFIG).read_bytes())
    (folder / "data").mkdir(exist_ok=True)
    show(arguments, {"written": str(target)}, lambda: f"Wrote {target}. Read it, then run: evenreach check")
    return DONE


def _brought_up_to_date(folder: Path) -> bool:
    """Run the migrations that a database waits for; False when there are none."""
    from audiences.config import load
    from audiences.store import Store
    from audiences.store.errors import StoreBehind, StoreMissing
    from flows.wiring import CONFIG, database_url

    url = database_url(load(folder / CONFIG).database, folder.absolute())
    try:
        Store.open(url).close()
    except StoreMissing:
        return False  # the first command that works on it makes it
    except StoreBehind:
        Store.create(url).close()
        return True
    return False


def map_file(arguments: argparse.Namespace) -> int:
    """Say how a file's columns would be read; with --write add it to evenreach.yaml."""
    from audiences.sources import propose_mapping

    proposal = propose_mapping(arguments.file)
    data = asdict(proposal)
    understood = proposal.kind in ("companies", "contacts", "signals") and bool(proposal.layout)
    end = [f"Add it to the settings with: evenreach map {arguments.file} --write"] if understood else []
    if arguments.write and understood:
        with opened(arguments) as app:
            data["written"] = str(_add_source(app.workspace, arguments.file, proposal))
        end = [f"Written under sources: {proposal.kind}: in {data['written']}. Next: evenreach check"]
    rows = [[ours, ", ".join(theirs)] for ours, theirs in proposal.columns.items()]
    lines = [
        f"{proposal.file}: {proposal.kind or 'unknown kind'}, read as {proposal.layout or 'nothing known'}"
    ]
    lines += [table(["ours", "in the file"], rows)] if rows else []
    lines += [f"not used: {', '.join(proposal.unmapped)}"] if proposal.unmapped else []
    show(arguments, data, lambda: "\n".join([*lines, *proposal.notes, *end]))
    return DONE if understood else FAILED


def _add_source(workspace: Path, file: Path, proposal: Any) -> Path:
    """Add the file under sources, or renew its entry, keeping every comment of evenreach.yaml."""
    import io

    from ruamel.yaml import YAML

    from audiences.sources_layout import load_layouts
    from flows.files import write_atomically
    from flows.wiring import CONFIG

    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 4_096  # lines stay as somebody wrote them
    yaml.indent(mapping=2, sequence=4, offset=2)
    target = workspace / CONFIG
    settings = yaml.load(target.read_text(encoding="utf-8"))
    try:
        named = str(file.absolute().relative_to(workspace))
    except ValueError:
        named = str(file.absolute())
    entry: dict[str, Any] = {"file": named, "layout": proposal.layout}
    if not load_layouts()[proposal.layout].headerless:  # a file without a header has no names to find
        entry["columns"] = {ours: _one_or_several(theirs) for ours, theirs in proposal.columns.items()}
    settings["sources"] = settings.get("sources") or {}
    settings["sources"][proposal.kind] = part = settings["sources"].get(proposal.kind) or []
    known = next((one for one in part if one.get("file") == named), None)
    if known is None:
        part.append(entry)
    else:
        known.pop("columns", None)
        known.update(entry)
    buffer = io.StringIO()
    yaml.dump(settings, buffer)
    write_atomically(target, buffer.getvalue())
    return target


def _one_or_several(names: Sequence[str]) -> str | list[str]:
    """A repeated column is found by its name alone; several names are kept in their order."""
    distinct = list(dict.fromkeys(names))
    return distinct[0] if len(distinct) == 1 else distinct


def hash_lines(arguments: argparse.Namespace) -> int:
    """One hex digest (or !reason) per line of stdin."""
    from audiences.identity import hash_one

    for line in sys.stdin:
        print(hash_one(arguments.platform, arguments.kind, line.rstrip("\r\n")))
    return DONE


def recipes(arguments: argparse.Namespace) -> int:
    """Print the commented YAML of one ready-made negative segment, or the names of all."""
    from audiences.config_recipes import recipe, recipe_names

    wanted = [arguments.name] if arguments.name else list(recipe_names())
    texts = {name: recipe(name) for name in wanted}
    lines = [f"{name}: {text.lstrip('# ').splitlines()[0]}" for name, text in texts.items()]
    plain = texts[arguments.name].rstrip() if arguments.name else "\n".join(lines)
    show(arguments, {"recipes": texts}, lambda: plain)
    return DONE


def platforms(arguments: argparse.Namespace) -> int:
    """Print each capability record, those of other settings too."""
    from platforms import PLATFORMS

    records = {name: asdict(entry.capabilities()) for name, entry in PLATFORMS.items()}
    for name, entry in PLATFORMS.items():
        records |= {f"{name} ({setting})": asdict(record) for setting, record in entry.variants().items()}
    text = "\n\n".join(
        "\n".join(
            [name, *(f"  {field.replace('_', ' '):20} {_words(value)}" for field, value in record.items())]
        )
        for name, record in records.items()
    )
    show(arguments, records, lambda: text)
    return DONE


def _lasting(value: timedelta) -> str:
    """In the largest unit that leaves nothing over."""
    minutes = round(value.total_seconds() / 60)
    size, unit = next(one for one in ((1440, "day"), (60, "hour"), (1, "minute")) if minutes % one[0] == 0)
    count = minutes // size
    return f"{count} {unit}{'' if count == 1 else 's'}" if count else "at once"


def _words(value: object) -> str:
    if isinstance(value, tuple):
        sentences = any(str(v).endswith(".") for v in value)
        return (" " if sentences else ", ").join(str(v) for v in value) or "-"
    if isinstance(value, timedelta):
        return _lasting(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
