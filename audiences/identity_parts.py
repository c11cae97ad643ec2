"""People who come in parts, too many to be held raw and hashed at once; one row per person at the end.

Keeps digests and codes only: a part's raw values are gone when ``add`` returns.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import polars as pl

from audiences.identity_contacts import Identified, fold, hash_rows, identifier_kind
from audiences.model import Rejected

PART = 250_000  # rows: what is raw or text of digests at one time
PIECE = 50_000  # rows of a table for the store, whose texts are long
_PLACES = ("source", "line", "row_id")  # where a row was read; of no use once its faults are told
_CODES = ("country", "consent", "function", "seniority")  # few different texts: held as numbers


class People:
    """What ``identify_contacts`` makes of all parts in one frame, as tables for the store.

    Parts are given in order: of several rows of a person the earlier one counts, part by part.
    """

    def __init__(self) -> None:
        self._parts: list[pl.DataFrame] = []
        self._columns: dict[str, None] = {}
        self._rejected: list[Rejected] = []
        self._code = pl.Categorical(pl.Categories.random())  # its words go when the people go

    def add(self, frame: pl.DataFrame) -> None:
        """Take the rows of a cleaned contacts frame."""
        self._columns |= dict.fromkeys(frame.columns)
        for part in frame.iter_slices(PART):
            hashed = hash_rows(part, self._rejected).drop(*_PLACES, "region_code")
            digests = [name for name in hashed.columns if _is_digest(name)]
            codes = pl.col(_CODES).cast(self._code)
            self._parts.append(hashed.with_columns(pl.col(digests).str.decode("hex"), codes))

    def rejected(self) -> tuple[Rejected, ...]:
        """Column by column, then the rows that nobody could be known by."""
        order = {name: at for at, name in enumerate(self._columns)}
        return tuple(sorted(self._rejected, key=lambda one: order.get(one.column, len(order))))

    def settle(self, *, without: Collection[bytes] = ()) -> Settled:
        """Fold the rows of each person into one. The parts are gone afterwards.

        ``without``: ids of people who are to be left out.
        """
        rows = pl.concat(self._parts, how="diagonal_relaxed") if self._parts else pl.DataFrame()
        self._parts.clear()
        if not rows.height:
            return Settled(pl.DataFrame())
        people = fold(rows)
        if without:
            gone = pl.Series(list(without), dtype=pl.Binary)
            people = people.filter(~pl.col("contact_id").is_in(gone.implode()))
        return Settled(people)


class Settled:
    """One row per person, digests as bytes; without ``region_code``, which is the country once more."""

    def __init__(self, people: pl.DataFrame) -> None:
        self._people = people
        self.height = people.height

    def tables(self) -> Iterator[pl.DataFrame]:
        """``Identified.table`` in pieces, in byte order of the id from the first to the last."""
        if not self.height:
            return
        order = self._people["contact_id"].arg_sort()
        digests = [name for name in self._people.columns if _is_digest(name)]
        for at in range(0, self.height, PIECE):
            piece = self._people[order.slice(at, PIECE)].with_columns(
                pl.col(digests).bin.encode("hex"),
                pl.col(_CODES).cast(pl.String),
                pl.col("country").cast(pl.String).alias("region_code"),
            )
            yield Identified(piece, (), 0).table()


def _is_digest(column: str) -> bool:
    return column == "contact_id" or identifier_kind(column) in (
        "email",
        "phone",
        "given_name",
        "family_name",
    )
