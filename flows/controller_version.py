"""Which controller this is: the program's version and a fingerprint of the balancer's code.

Recorded with every plan's inputs, so that a plan that no longer follows from them can say why. It never
decides whether a plan rebuilds: only the bytes do.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

DIGITS = 12  # of the fingerprint


def program_version() -> str:
    """The installed version, "unknown" where the program runs from a folder."""
    try:
        return version("evenreach")
    except PackageNotFoundError:
        return "unknown"


@cache
def controller_version() -> str:
    """E.g. ``0.1.0+3f9a1c20b7de``: another number of the program, or other code of the balancer, is another one."""
    digest = hashlib.sha256()
    sources = [file for file in files("balancer").iterdir() if file.name.endswith(".py")]
    for source in sorted(sources, key=lambda file: file.name):
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    return f"{program_version()}+{digest.hexdigest()[:DIGITS]}"
