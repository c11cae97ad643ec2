"""One pass over the bytes of a table: how many lines, and what a fast reader must be told.

Counts bytes only. Must not decode, split or keep any of them.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
SLICE = 1 << 17  # small enough for the processor's cache: four times faster than one large pass
_NEWLINE, _RETURN, _TAB, _SPACE, _QUOTE = 10, 13, 9, 32, 34
_REPLACED = "\ufffd".encode()  # where somebody's decoder gave up
# First bytes of all multi-byte white space (U+0085, U+00A0, U+1680, U+2000.., U+3000), and of other letters.
_MAY_BE_SPACE = np.array([0xC2, 0xE1, 0xE2, 0xE3], dtype=np.uint8)


@dataclass(slots=True)
class Survey:
    """What the bytes hold.

    ``odd``: control characters, lone returns or replaced characters are among them. ``leading`` and
    ``trailing``: some cell may begin, or end, with a space. ``empties``: some cell may be ``""``.
    ``rare_blanks``: some cell may begin or end with another kind of white space.
    """

    lines: int = 0
    odd: bool = False
    leading: bool = False
    trailing: bool = False
    empties: bool = False
    rare_blanks: bool = False


def survey(data: bytes | mmap.mmap, *, start: int, delimiter: str) -> Survey:
    """Look at every byte from ``start`` on. A last line without a line end counts as a line."""
    whole = np.frombuffer(data, dtype=np.uint8)[start:]
    found, mark = Survey(), ord(delimiter)
    for at in range(0, whole.size, SLICE):
        piece = whole[max(at - 1, 0) : at + SLICE + 2]  # a little more on either side, to see neighbours
        inner = whole[at : at + SLICE]
        lines = int(np.count_nonzero(inner == _NEWLINE))
        found.lines += lines
        plain = int(np.count_nonzero(inner < _SPACE)) == lines
        if not plain:
            _look_at_controls(piece, found, tab_is_delimiter=mark == _TAB)
        letters = int(inner.max()) > 0x7F
        found.odd |= letters and _REPLACED in piece.tobytes()
        found.rare_blanks |= letters and bool(np.isin(inner, _MAY_BE_SPACE).any())
        ends = (mark, _NEWLINE) if plain else (mark, _NEWLINE, _RETURN)
        _look_at_edges(piece, found, ends)
    if whole.size:
        found.lines += int(whole[-1] != _NEWLINE)
        found.odd |= int(whole[-1]) == _RETURN
        found.leading |= int(whole[0]) == _SPACE
        found.trailing |= int(whole[-1]) == _SPACE
    return found


def _look_at_controls(piece: Bytes, found: Survey, *, tab_is_delimiter: bool) -> None:
    """CRLF is a line end and a delimiting tab is fine; a tab elsewhere may need trimming; anything else is
    odd.
    """
    returns = np.flatnonzero(piece[:-1] == _RETURN)
    found.odd |= bool((piece[returns + 1] != _NEWLINE).any())
    controls = (piece < _SPACE) & (piece != _NEWLINE) & (piece != _RETURN)
    tabs = bool((piece == _TAB).any())
    found.rare_blanks |= tabs and not tab_is_delimiter
    found.odd |= bool((controls & (piece != _TAB)).any())


def _look_at_edges(piece: Bytes, found: Survey, ends: Sequence[int]) -> None:
    """Whether a space follows or precedes a delimiter, a quote or a line end; or two quotes touch each other."""
    if found.leading and found.trailing and found.empties:
        return
    edge = piece == _QUOTE
    if not found.empties and edge.any():
        found.empties = bool((edge[:-1] & edge[1:]).any())
    for end in ends:
        edge |= piece == end
    space = piece == _SPACE
    found.leading = found.leading or bool((edge[:-1] & space[1:]).any())
    found.trailing = found.trailing or bool((space[:-1] & edge[1:]).any())
