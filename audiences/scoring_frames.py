"""Nouns to columns: accounts, signals and contacts as Polars frames of a fixed shape.

It copies values and derives nothing; a missing value stays null, never 0 or "".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from audiences.model import Account, Contact, IdentifierKind, Signal

ATTRIBUTE = "attributes."  # prefix of columns that came from Account.attributes

ACCOUNT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "account_id": pl.String,
    "name": pl.String,
    "domain": pl.String,
    "country": pl.String,
    "region": pl.String,
    "city": pl.String,
    "industry": pl.String,
    "employees": pl.Int64,
    "revenue_usd": pl.Float64,
    "founded_year": pl.Int64,
    "linkedin_url": pl.String,
    "organization_urn": pl.String,
}
SIGNAL_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "account_id": pl.String,
    "kind": pl.String,
    "on": pl.Date,
    "topic": pl.String,
    "strength": pl.Float64,
    "person": pl.String,
}
CONTACT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "contact_id": pl.String,  # 64 hex digits
    "account_id": pl.String,
    "payload": pl.Binary,  # canonical JSON of the identifiers; null: the id is the one e-mail's digest
    "country": pl.String,
    "first_party": pl.Boolean,
    "consent": pl.String,
    "function": pl.String,
    "seniority": pl.String,
}


@dataclass(frozen=True, eq=False)
class Frames:
    """Accounts and signals by column, in the shapes of ACCOUNT_SCHEMA (plus attributes) and SIGNAL_SCHEMA."""

    accounts: pl.DataFrame
    signals: pl.DataFrame


def frames_from(accounts: Iterable[Account], signals: Iterable[Signal] = ()) -> Frames:
    """Frames of ``accounts`` and ``signals``; each attribute becomes a column ``attributes.<name>``.

    An attribute column takes the type of its values: numbers, true/false, text, or lists of text;
    mixed values become text.
    """
    rows = list(accounts)
    columns: dict[str, list[Any]] = {name: [getattr(row, name) for row in rows] for name in ACCOUNT_SCHEMA}
    frame = pl.DataFrame(columns, schema=ACCOUNT_SCHEMA)
    return Frames(
        frame.with_columns(attribute_columns([row.attributes for row in rows])), signals_frame(signals)
    )


def signals_frame(signals: Iterable[Signal]) -> pl.DataFrame:
    """Signals in the shape of SIGNAL_SCHEMA."""
    rows = list(signals)
    return pl.DataFrame(
        {name: [getattr(row, name) for row in rows] for name in SIGNAL_SCHEMA}, schema=SIGNAL_SCHEMA
    )


def contacts_frame(contacts: Iterable[Contact]) -> pl.DataFrame:
    """Contacts in the shape of CONTACT_SCHEMA."""
    rows = list(contacts)
    columns = {
        "contact_id": [row.contact_id for row in rows],
        "account_id": [row.account_id for row in rows],
        "payload": [_payload(row) for row in rows],
        "country": [row.country for row in rows],
        "first_party": [row.first_party for row in rows],
        "consent": [row.consent.value if row.consent else None for row in rows],
        "function": [row.function for row in rows],
        "seniority": [row.seniority for row in rows],
    }
    return pl.DataFrame(columns, schema=CONTACT_SCHEMA)


def _payload(contact: Contact) -> bytes | None:
    """Null for the one e-mail that nearly everybody has and that the id already says."""
    if contact.identifiers == ((IdentifierKind.EMAIL.value, contact.contact_id),):
        return None
    return canonical(contact.identifiers)


def canonical(identifiers: Iterable[tuple[str, str]]) -> bytes:
    """Identifiers as JSON with sorted keys and no blanks: equal identifiers give equal bytes.

    One value per kind stands alone, several (two e-mails of one person) as a sorted list.
    """
    grouped: dict[str, list[str]] = {}
    for kind, value in sorted(set(identifiers)):
        grouped.setdefault(str(kind), []).append(value)
    single = {kind: values[0] if len(values) == 1 else values for kind, values in grouped.items()}
    return orjson.dumps(single, option=orjson.OPT_SORT_KEYS)


# Where each value was read is noted beside the facts of a company; it is none of them.
ORIGIN = ("provenance", "rows")
_ORIGIN = r'"provenance":\{[^}\\]*\},?|"rows":\[[^\]\\]*\],?'


def attributes_from_json(texts: pl.Series) -> list[pl.Series]:
    """``attribute_columns`` of JSON objects as text, decoded all at once where their values are plain."""
    objects = texts.str.replace_all(_ORIGIN, "").str.replace(r",\}$", "}")
    if objects.is_empty():
        return []
    try:
        found = objects.str.json_decode(infer_schema_length=None).struct.unnest()
    except pl.exceptions.ComputeError:  # one name holds an object here and a value there
        return attribute_columns([orjson.loads(text) for text in texts])
    if any(_is_odd(dtype) for name, dtype in found.schema.items() if name not in ORIGIN):
        return attribute_columns([orjson.loads(text) for text in texts])
    return [_plain(found[name]) for name in sorted(set(found.columns) - set(ORIGIN))]


def _is_odd(dtype: pl.DataType) -> bool:
    """Nested values, and numbers above 64 bits."""
    inner = dtype.inner if isinstance(dtype, pl.List) else dtype
    return inner.is_nested() or (inner.is_integer() and inner != pl.Int64)


def _plain(values: pl.Series) -> pl.Series:
    named = values.alias(ATTRIBUTE + values.name)
    if isinstance(values.dtype, pl.List):
        return named.list.drop_nulls().cast(pl.List(pl.String))
    kept = values.dtype in (pl.Boolean, pl.Int64, pl.Float64)
    return named if kept else named.cast(pl.String)


def attribute_columns(attributes: Sequence[Mapping[str, Any]]) -> list[pl.Series]:
    """One typed series per attribute name, in name order; an absent key is null. ORIGIN is left out."""
    names = sorted({name for row in attributes for name in row} - set(ORIGIN))
    return [_typed(ATTRIBUTE + name, [row.get(name) for row in attributes]) for name in names]


def _typed(name: str, values: list[Any]) -> pl.Series:
    kinds = {_kind(value) for value in values if value is not None}
    if kinds == {"list"}:
        lists = [None if v is None else [str(item) for item in v if item is not None] for v in values]
        return pl.Series(name, lists, dtype=pl.List(pl.String))
    if kinds == {"bool"}:
        return pl.Series(name, values, dtype=pl.Boolean)
    if kinds and kinds <= {"int", "float"}:
        dtype = pl.Int64 if kinds == {"int"} else pl.Float64
        return pl.Series(
            name, [None if v is None else (v if dtype == pl.Int64 else float(v)) for v in values], dtype
        )
    return pl.Series(name, [None if v is None else _text(v) for v in values], dtype=pl.String)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    return "list" if isinstance(value, list | tuple | set | frozenset) else "text"


def _text(value: Any) -> str:
    return (
        json.dumps(value, sort_keys=True, default=str)
        if isinstance(value, dict | list | tuple)
        else str(value)
    )
