"""One segment's definition cut out of ``evenreach.yaml`` and put back, comments and all. Checks nothing."""

from __future__ import annotations

import textwrap
from typing import Any

from ruamel.yaml import YAML


def segment_text(text: str, name: str) -> str:
    """The lines of one segment, its name included, moved to the left margin. Raises KeyError."""
    first, last = _lines(text, name)
    return textwrap.dedent("".join(text.splitlines(keepends=True)[first:last])).strip("\n") + "\n"


def with_segment(text: str, name: str, definition: str) -> str:
    """The whole file with one segment's lines replaced. Raises KeyError when the segment is not in it."""
    first, last = _lines(text, name)
    lines = text.splitlines(keepends=True)
    old = "".join(lines[first:last])
    indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    gap = "\n" * (len(old) - len(old.rstrip("\n")) or 1)
    new = textwrap.indent(definition.strip("\n"), indent) + gap
    return "".join([*lines[:first], new, *lines[last:]])


def _lines(text: str, name: str) -> tuple[int, int]:
    """First line of the segment and the line after its last, from 0."""
    root: Any = YAML(typ="rt").load(text)
    segments = root["segments"]
    starts = {key: segments.lc.key(key)[0] for key in segments}
    first = starts[name]
    column = segments.lc.key(name)[1]
    later = [start for start in starts.values() if start > first]
    lines = text.splitlines(keepends=True)
    last = min(later, default=len(lines))
    for number in range(first + 1, last):  # the block ends where something stands further left
        line = lines[number]
        if line.strip() and len(line) - len(line.lstrip()) < column:
            last = number
            break
    return first, last
