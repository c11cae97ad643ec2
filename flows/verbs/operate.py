"""``evenreach upkeep``, ``audit``, ``backup``, ``restore-backup`` and ``connect``: running it for years."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from flows.verbs.outcome import DONE, FAILED, show, table
from flows.verbs.workspace import opened


def upkeep(arguments: argparse.Namespace) -> int:
    """Look after every list once; exit code 1 when one could not be kept up."""
    from flows.upkeep import upkeep as keep_up

    with opened(arguments) as app:
        found = keep_up(app)
    data = {
        "open": found.open,
        "lists": [asdict(kept) for kept in found.lists],
        "pruned": found.pruned,
        "told": list(found.told),
    }
    show(arguments, data, lambda: _upkeep_words(found))
    return FAILED if found.troubles else DONE


def _upkeep_words(found: Any) -> str:
    names = ["audience_id", "status", "open", "retried", "refreshed", "renewed", "emptied", "parked"]
    lines = [table(names, [[getattr(kept, name) for name in names] for kept in found.lists])]
    for kept in found.lists:
        lines += [
            f"{kept.audience_id}: {words}" for words in (*kept.notes, kept.empty, kept.trouble) if words
        ]
    dropped = sum(found.pruned.values())
    lines += [f"{dropped:,} rows that retention no longer keeps were dropped."] if dropped else []
    return "\n".join([*lines, *(f"Told: {words}" for words in found.told)])
