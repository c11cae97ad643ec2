"""Walks long arrays in pieces that fit the processor's cache. It computes nothing itself."""

from __future__ import annotations

from collections.abc import Iterator

SIZE = 65_536


def blocks(n: int) -> Iterator[slice]:
    """Slices that cover 0..n-1 in order. One pass over a block needs no memory the size of the list."""
    for start in range(0, n, SIZE):
        yield slice(start, min(start + SIZE, n))
