"""How a command ends: output as text or JSON, errors as a sentence with the remedy. Knows no verb."""

from __future__ import annotations

import argparse
import errno
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

DONE, FAILED, STOPPED = 0, 1, 3


def guarded(verb: Callable[[argparse.Namespace], int], arguments: argparse.Namespace) -> int:
    """Run a verb; our own errors become one message and an exit code, anything else is raised."""
    try:
        return verb(arguments)
    except KeyboardInterrupt:
        print("Stopped. Nothing is half-applied; run the same command again to go on.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return FAILED
    except Exception as error:
        remedy = getattr(error, "remedy", _remedy_of_the_system(error))
        if remedy is None:
            raise
        return _fail(error, str(remedy), arguments)


_WRONG_PLACE = "Check the path, and that you may read and write there; or name another place."
_SYSTEM = {
    errno.ENOSPC: "The disk is full. Free space, then run the same command again; nothing was half written.",
    errno.EDQUOT: "The disk is full. Free space, then run the same command again; nothing was half written.",
    errno.EADDRINUSE: "Stop the other program that listens there, or choose another port; see --help.",
    **dict.fromkeys(
        (
            errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG
        ),
        _WRONG_PLACE,
    ),
}  # fmt: skip


def _remedy_of_the_system(error: Exception) -> str | None:
    """What to do where the operating system refused a file or a port, and nothing of ours has a word for it."""
    return _SYSTEM.get(error.errno or 0) if isinstance(error, OSError) else None


def _fail(error: Exception, remedy: str, arguments: argparse.Namespace) -> int:
    code = int(getattr(error, "exit_code", FAILED))
    message = _said(error)
    if getattr(arguments, "json", False):
        body = {"error": type(error).__name__, "message": message, "remedy": remedy}
        print(json.dumps({"error": body}, ensure_ascii=False))
    else:
        tail = "" if remedy in message else f"\n{remedy}"
        print(f"evenreach: {message}{tail}", file=sys.stderr)
    return code


def _said(error: Exception) -> str:
    """The message; where the system refused, its words and the place instead of an error number."""
    if isinstance(error, OSError) and error.strerror and not hasattr(error, "remedy"):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror)
    return str(error)


def show(arguments: argparse.Namespace, data: Any, text: Callable[[], str]) -> None:
    """Print ``data`` as JSON where asked, else the text."""
    print(json.dumps(data, ensure_ascii=False, default=str) if arguments.json else text())


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A plain aligned table: numbers right, words left."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]
    right = [bool(cells) and all(_numeric(row[i]) for row in cells) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        return "  ".join(
            c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)
        ).rstrip()

    return "\n".join([line(list(header)), line(["-" * w for w in widths]), *map(line, cells)])


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _numeric(text: str) -> bool:
    return (
        text == "-" or text.replace(",", "").replace(".", "").replace("%", "").strip().lstrip("-").isdigit()
    )
