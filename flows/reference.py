"""The references, written from the program itself: ``python -m flows.reference > docs/commands.md``, and
``python -m flows.reference yaml > docs/yaml.md``. They say nothing the program does not know."""

from __future__ import annotations

import argparse
import sys

from flows.cli import COMMANDS, parser


def commands() -> str:
    """Every command and option as Markdown, in the order of ``evenreach --help``."""
    subparsers = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    parts = [
        "# Commands\n\nWritten by `python -m flows.reference`; a test keeps it true. Every command takes `--help`.\n"
    ]
    for name in COMMANDS:
        command: argparse.ArgumentParser = subparsers.choices[name]
        parts.append(f"## evenreach {name}\n\n{command.description}.\n\n{_options(command)}")
    return "\n".join(parts)


def _options(command: argparse.ArgumentParser) -> str:
    rows = ["| option | meaning |", "| --- | --- |"]
    for action in command._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        shown = ", ".join(action.option_strings) or action.dest
        if action.choices:
            shown += f" ({' / '.join(map(str, action.choices))})"
        elif action.option_strings and action.nargs != 0:
            shown += f" {action.metavar or action.dest.upper()}"
        rows.append(f"| `{shown}` | {(action.help or '').replace('%%', '%').replace('|', '/')} |")
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    from flows.reference_yaml import settings

    print(settings() if sys.argv[1:] == ["yaml"] else commands(), end="")
