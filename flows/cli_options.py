"""The options of each command: one function per command, adding them to its parser. Does no work.

Only argparse and plain words here: this module is imported by every ``--help``.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path


def day(text: str) -> date:
    """A date as a person types it. Raises ArgumentTypeError with the form that is wanted."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day; write it as 2026-12-31") from None


def count(text: str) -> int:
    """A whole number from 1 on. Raises ArgumentTypeError for anything else."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 on")
    return int(text)


def port(text: str) -> int:
    """A port of this machine; 0 takes a free one. Raises ArgumentTypeError for anything else."""
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; give a number from 0 to 65535")
    return int(text)


def nothing(command: argparse.ArgumentParser) -> None:
    """This command has no options of its own."""


def demo(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", type=int, default=1, help="seed of people, visits and market (default 1)")
    command.add_argument(
        "--weeks", type=count, default=8, help="weeks under balancing, at least 4; the last 4 are compared"
    )


def segments(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", choices=["list", "show", "preview", "export", "performance", "contrasts"])
    command.add_argument("segment", nargs="?", help="name from evenreach.yaml (default: all)")
    command.add_argument("--account", help="with show: why this account is in or out")
    command.add_argument(
        "--out", help="with export: a .csv or .parquet file, or sql:URL (sql:env:NAME keeps it secret)"
    )
    command.add_argument(
        "--table", default="evenreach_segments", help="with export to a database: the table to replace"
    )
    command.add_argument(
        "--top", type=count, default=20, help="with contrasts: how many of the best customers (default 20)"
    )


def accept_shrink(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--accept-shrink", type=int, metavar="N", help="let up to N members leave, where a brake named N"
    )
    command.add_argument(
        "--because", default="", metavar="WHY", help="with --accept-shrink: why, for the audit log"
    )


def sync(command: argparse.ArgumentParser) -> None:
    command.add_argument("segment", nargs="?", help="one segment (default: every segment with a sync entry)")
    command.add_argument("--platform", help="one platform (default: every platform named in the segment)")
    command.add_argument("--dry-run", action="store_true", help="show what would be sent; send nothing")
    accept_shrink(command)


def push(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, help="a list of companies or people (CSV, XLSX, Parquet)")
    command.add_argument("--platform", default="linkedin")
    command.add_argument("--name", help="name of the list (default: the file's name)")
    command.add_argument("--owner", help="who answers for it (default: you)")
    command.add_argument("--note", default="", help="what it is for")
    command.add_argument("--until", type=day, metavar="YYYY-MM-DD", help="end date; the list is emptied then")
    command.add_argument("--layout", help="name of a layout (default: recognised from the columns)")
    command.add_argument(
        "--first-party", action="store_true", help="the people gave you their details themselves"
    )
    command.add_argument(
        "--consented",
        action="store_true",
        help="they agreed to be reached by ads, where the file does not say (Google takes no others)",
    )
    accept_shrink(command)
    command.add_argument("--dry-run", action="store_true", help="show what would be sent; send nothing")


def suppress(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reason", default="asked not to be addressed", help="kept beside the digests")
    command.add_argument("--undo", action="store_true", help="take the lines of stdin off the list again")
    command.add_argument(
        "--show", action="store_true", help="only count who is on the list; stdin is not read"
    )


def restore(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "list",
        help="name of a list, such as linkedin/tier-1/companies; with undo also a balanced segment or plan",
    )
    command.add_argument(
        "--version", type=int, metavar="N", help="version to go back to (default: show them)"
    )
    command.add_argument("--dry-run", action="store_true", help="show what would be sent; send nothing")
    accept_shrink(command)


def restore_list(command: argparse.ArgumentParser) -> None:
    restore(command)
    command.add_argument(
        "--replace",
        action="store_true",
        help="send everybody who belongs on the list again, then take off whoever else is on it, known or not",
    )


def recipes(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", nargs="?", help="print this one (default: the names)")


def segment(command: argparse.ArgumentParser) -> None:
    command.add_argument("segment", nargs="?", help="a segment with a balance entry (default: all of them)")


def collect(command: argparse.ArgumentParser) -> None:
    segment(command)
    command.add_argument("--days", type=count, default=35, help="how far back to read again (default 35)")


def numbers(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "of",
        choices=["lists", "companies"],
        help="lists: sizes and what each was shown (Google); companies: impressions of each over a trailing"
        " window (LinkedIn Company Intelligence, for approved apps)",
    )
    command.add_argument("segment", nargs="?", help="with companies: only those on this segment's lists")
    command.add_argument(
        "--days", type=count, default=28, help="with lists: days up to yesterday (default 28)"
    )
    command.add_argument(
        "--window", type=int, default=30, choices=[7, 30, 60, 90, 180, 365], help="with companies: days"
    )
    command.add_argument("--campaign", help="with companies: only what this campaign was shown")
    command.add_argument(
        "--out", type=Path, help="with companies: write all of them as CSV, as rehearse reads it"
    )


def balance(command: argparse.ArgumentParser) -> None:
    segment(command)
    command.add_argument("--approve", metavar="PLAN", help="approve this plan and apply it")
    command.add_argument("--refuse", metavar="PLAN", help="refuse this plan")
    command.add_argument("--shadow", action="store_true", help="plan and record, never apply")
    command.add_argument("--scores", action="store_true", help="how well earlier plans forecast what came")
    command.add_argument("--rebuild", metavar="PLAN", help="check that a stored plan follows from its inputs")


def report(command: argparse.ArgumentParser) -> None:
    segment(command)
    command.add_argument("--days", type=count, default=28, help="length of the window (default 28)")
    command.add_argument(
        "--end", type=day, metavar="YYYY-MM-DD", help="last day (default: the newest complete one)"
    )
    command.add_argument(
        "--before", type=day, metavar="YYYY-MM-DD", help="last day of an earlier window to compare with"
    )
    command.add_argument("--top", type=count, default=100)
    command.add_argument("--out", type=Path, help="write the self-contained HTML file here")


def sandbox(command: argparse.ArgumentParser) -> None:
    command.add_argument("--port", type=port, default=8321)
    command.add_argument("--clock", choices=["real", "simulated"], default="real")
    command.add_argument("--state", type=Path, metavar="DIR", help="keep its state here between runs")


def rehearse(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "segment", nargs="?", help="replay the newest four weeks reported of this balanced segment"
    )
    command.add_argument(
        "--impressions",
        type=Path,
        metavar="FILE",
        help="replay a file instead: account and impressions, or a report downloaded from Campaign Manager",
    )
    command.add_argument(
        "--world", choices=["A", "B", "C", "D"], default="A", help="without either: a simulated world"
    )
    command.add_argument(
        "--mode",
        choices=["bands", "duty", "threshold", "auto"],
        help="default: the segment's own, else bands",
    )
    command.add_argument("--plant", choices=["proportional", "power", "auction"], default="proportional")
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--weeks", type=count, default=8)
    command.add_argument("--seeds", type=count, default=1, help="how many seeds, for bands of uncertainty")
    command.add_argument(
        "--headroom", type=float, default=5.0, help="times today's traffic an account can take"
    )
    command.add_argument("--compare", action="store_true", help="every mode and cap side by side")
    command.add_argument(
        "--caps",
        default="none,3,2",
        metavar="X,...",
        help="with --compare: caps in multiples of the even share",
    )
    command.add_argument("--floor", type=float, default=0.98, help="least impressions you accept, of today's")


def experiment(command: argparse.ArgumentParser) -> None:
    command.add_argument("action", choices=["plan", "start", "evaluate", "stop"])
    segment(command)
    command.add_argument("--salt", default="1", help="name of the experiment; another one draws other halves")
    command.add_argument("--design", default="budget_split", help="default: budget_split")
    command.add_argument("--base", type=float, default=0.02, help="accounts with the outcome, as a fraction")
    command.add_argument("--lift", type=float, default=0.25, help="lift you hope for, relative")
    command.add_argument("--rho", type=float, default=0.0, help="correlation of the outcome with its past")
    command.add_argument(
        "--outcomes",
        type=Path,
        metavar="CSV",
        help="with evaluate: account, outcome[, before] (default: the reports of both halves)",
    )
    command.add_argument("--days", type=count, default=28, help="with evaluate: days compared (default 28)")
    command.add_argument("--dry-run", action="store_true", help="with start: show it; make nothing")
    command.add_argument(
        "--go", action="store_true", help="with start: start the drafts once their lists serve"
    )
    command.add_argument("--out", type=Path, metavar="CSV", help="with plan: write who is in which half")


def hash(command: argparse.ArgumentParser) -> None:
    command.add_argument("--platform", choices=["linkedin", "google"], required=True)
    command.add_argument(
        "--kind",
        choices=["email", "phone", "given_name", "family_name"],
        default="email",
        help="default: email",
    )


def map(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path)
    command.add_argument("--write", action="store_true", help="add the source to evenreach.yaml")


def why(command: argparse.ArgumentParser) -> None:
    command.add_argument("account", help="account id or domain")
    command.add_argument("--on", type=day, metavar="YYYY-MM-DD", help="default: the newest plan")
