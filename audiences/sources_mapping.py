"""A header and position columns into a SourceFrame: the step every kind of source shares.

Must not open anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from audiences.errors import ConfigError, EmptySource, UnsupportedSource
from audiences.model import Rejected
from audiences.sources_layout import (
    MANY,
    Layout,
    Understood,
    assign,
    assign_explicit,
    fold,
    load_layouts,
    recognise,
)

Columns = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, eq=False)
class SourceFrame:
    """A source as text. ``frame`` has ``line`` (1-based, UInt32) and canonical String columns; blank is null.

    A further e-mail, phone or postal code of the same row is ``email_2``,
    ``phone_2`` and so on. Columns the layout keeps as extra account attributes
    are named ``attribute:<name>``.
    """

    source: str
    kind: str  # "companies" | "contacts" | "signals"
    layout: Layout
    frame: pl.DataFrame
    mapping: Mapping[str, tuple[str, ...]]  # canonical column -> header names in the file
    unmapped: tuple[str, ...]
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()
    header: tuple[str, ...] = ()  # every column name, in the order of the file


def score_header(cells: Sequence[str], *, kind: str, layout: str, columns: Columns) -> int:
    """How many cells of a row are known column names; 0 when the row cannot be a header."""
    wanted = {
        fold(name) for names in columns.values() for name in ([names] if isinstance(names, str) else names)
    }
    explicit = sum(1 for cell in cells if fold(cell) in wanted)
    found = recognise(cells, kind=kind, layout=layout)
    known = sum(map(len, found.positions.values())) if found else 0
    return max(explicit, known)


def understand_header(
    header: Sequence[str], *, name: str, kind: str, layout: str, columns: Columns
) -> Understood | None:
    """The mapping of this header, the user's own pairs on top; None when nothing identifies a row."""
    found = recognise(header, kind=kind, layout=layout)
    if found is not None and found.layout.kind == "report" and not columns:
        raise UnsupportedSource(
            "this is an impression report, not a list of companies or people.",
            file=name,
            remedy="Give it to `evenreach rehearse --impressions`; a source is companies, contacts or signals.",
        )
    if not columns:
        return found
    if found is None or found.layout.kind == "report":
        general = load_layouts()[layout or kind or _kind_of(columns)]
        found = assign(general, [fold(cell) for cell in header])
    return assign_explicit(header, columns, base=found, file=name)


def check_choice(kind: str, layout: str, name: str) -> None:
    """Raise ConfigError for a kind or a layout nobody knows; "" leaves the choice to recognition."""
    if kind not in ("", "companies", "contacts", "signals"):
        raise ConfigError("the kind is companies, contacts or signals.", file=name, field="kind")
    if layout and layout not in load_layouts():
        known = ", ".join(load_layouts())
        raise ConfigError(f"the layout is one of: {known}.", file=name, field="layout")


def _kind_of(columns: Columns) -> str:
    """What a table is about whose header says nothing, by the columns the user names."""
    if {"email", "phone", "given_name", "family_name"} & columns.keys():
        return "contacts"
    return "signals" if "on" in columns or "topic" in columns else "companies"


def assemble(
    cells: pl.DataFrame,
    found: Understood,
    header: Sequence[str],
    *,
    name: str,
    rejected: Sequence[Rejected] = (),
    notes: Sequence[str] = (),
) -> SourceFrame:
    """Position columns ``c<i>`` to canonical ones; of a repeated column the first filled cell counts."""
    if cells.height == 0:
        raise EmptySource("there is a header but no data row.", file=name)
    picks = [pl.col("line")]
    for column, places in found.positions.items():
        target = f"attribute:{column}" if column in found.layout.attributes else column
        if column in MANY:
            picks += [
                pl.col(f"c{i}").alias(target if n == 0 else f"{target}_{n + 1}") for n, i in enumerate(places)
            ]
        else:
            picks.append(pl.coalesce(f"c{i}" for i in places).alias(target))
    return SourceFrame(
        source=name, kind=found.layout.kind, layout=found.layout, frame=cells.select(picks),
        mapping={column: tuple(header[i] for i in places) for column, places in found.positions.items()},
        unmapped=tuple(header[i] for i in found.unmapped),
        rejected=tuple(rejected), notes=tuple(notes), header=tuple(header),
    )  # fmt: skip
