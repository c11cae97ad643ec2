"""Contacts and signals by column: the road for millions, without an object per row. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import orjson
import polars as pl
from sqlalchemy import Connection, Select, Table, delete, select

from audiences.model import IdentifierKind
from audiences.scoring_frames import CONTACT_SCHEMA, SIGNAL_SCHEMA, canonical
from audiences.store.accounts import CONTACT, SIGNAL, note_fingerprint
from audiences.store.bulk import CHUNK, insert_rows, is_sqlite, raw
from audiences.store.part import Part

_CONTACT = tuple(column.name for column in CONTACT.c)
_SIGNAL = tuple(SIGNAL_SCHEMA)


class Columns(Part):
    def replace_contact_table(
        self, tables: Iterable[pl.DataFrame], source_fingerprint: str, at: datetime
    ) -> None:
        """Make these the contacts, in one transaction. Each table as made by ``Identified.table``."""
        height = 0
        with self._db.write() as connection:
            connection.execute(delete(CONTACT))
            for table in tables:
                insert_frame(connection, CONTACT, table.select(_CONTACT))
                height += table.height
            note_fingerprint(connection, "contacts", source_fingerprint, height, at)

    def contact_frame(self, *, at: pl.Series | None = None) -> pl.DataFrame:
        """Contacts in the shape of CONTACT_SCHEMA, in no order: all, or those at some accounts."""
        names = ("contact_id", "account_id", "identifiers", *list(CONTACT_SCHEMA)[3:])
        schema = {name: CONTACT_SCHEMA.get(name, pl.String) for name in names}
        wanted = select(*(CONTACT.c[name] for name in names))
        accounts = None if at is None else at.to_frame("account_id")
        with self._db.read() as connection:
            parts = _parts(connection, wanted, schema | {"first_party": pl.Boolean})
            kept = [
                _people(p if accounts is None else p.join(accounts, on="account_id", how="semi"))
                for p in parts
            ]
        return pl.concat(kept) if kept else pl.DataFrame(schema=CONTACT_SCHEMA)

    def replace_signal_frame(self, frame: pl.DataFrame, source_fingerprint: str, at: datetime) -> None:
        """Make these the signals (SIGNAL_SCHEMA), in one transaction."""
        with self._db.write() as connection:
            connection.execute(delete(SIGNAL))
            insert_frame(connection, SIGNAL, frame.select(_SIGNAL))
            note_fingerprint(connection, "signals", source_fingerprint, frame.height, at)

    def signal_frame(self, *, since: date | None = None) -> pl.DataFrame:
        """Signals in the shape of SIGNAL_SCHEMA, in the order given; optionally from a day on."""
        wanted = select(*(SIGNAL.c[name] for name in _SIGNAL)).order_by(SIGNAL.c.number)
        if since is not None:
            wanted = wanted.where(SIGNAL.c.on >= since)
        with self._db.read() as connection:
            return frame_of(connection, wanted, dict(SIGNAL_SCHEMA))


def insert_frame(connection: Connection, table: Table, rows: pl.DataFrame) -> None:
    """Rows of a frame into a table.

    SQLite keeps a day as text and a flag as a number, as they are here: no binder per row.
    """
    if not is_sqlite(connection):
        insert_rows(connection, table, rows.columns, rows.iter_rows())
        return
    days = [name for name, dtype in rows.schema.items() if dtype == pl.Date]
    plain = rows.with_columns(pl.col(days).cast(pl.String)) if days else rows
    names = ",".join(f'"{name}"' for name in rows.columns)
    marks = ",".join("?" * rows.width)
    sql = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608
    raw(connection).executemany(sql, plain.iter_rows())


def frame_of(connection: Connection, wanted: Select[Any], schema: dict[str, Any]) -> pl.DataFrame:
    """The answer of a question by column, in the order of its rows."""
    parts = list(_parts(connection, wanted, schema))
    return pl.concat(parts, rechunk=True) if parts else pl.DataFrame(schema=schema)


def _parts(connection: Connection, wanted: Select[Any], schema: dict[str, Any]) -> Iterator[pl.DataFrame]:
    """Of a moderate size: rows as tuples live only as long as their part."""
    answer = connection.execution_options(yield_per=CHUNK).execute(wanted)
    return (_part(rows, schema) for rows in answer.partitions(CHUNK))


def _people(stored: pl.DataFrame) -> pl.DataFrame:
    return stored.with_columns(_payloads(stored)).select(list(CONTACT_SCHEMA))


def _part(rows: Sequence[Any], schema: dict[str, Any]) -> pl.DataFrame:
    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [
            pl.Series(name, values, dtype=dtype)
            for (name, dtype), values in zip(schema.items(), columns, strict=True)
        ]
    )


def _payloads(stored: pl.DataFrame) -> pl.Series:
    """Null for the one e-mail that nearly everybody has and that the id already says."""
    plain = pl.concat_str(pl.lit(f'[["{IdentifierKind.EMAIL.value}","'), "contact_id", pl.lit('"]]'))
    simple = stored.select((pl.col("identifiers") == plain).alias("simple"))["simple"]
    payload = pl.Series("payload", [None], dtype=pl.Binary).new_from_index(0, stored.height)
    rest = (~simple).arg_true()
    if rest.is_empty():
        return payload
    texts = stored["identifiers"].gather(rest)
    found = _reshaped(texts)
    odd = found.is_null().arg_true()
    if not odd.is_empty():
        found = found.scatter(odd, pl.Series(list(_canonical(texts.gather(odd))), dtype=pl.Binary))
    return payload.scatter(rest, found)


_KINDS = sorted(
    prefix + kind.value
    for kind in (
        IdentifierKind.EMAIL, IdentifierKind.PHONE, IdentifierKind.GIVEN_NAME, IdentifierKind.FAMILY_NAME,
        IdentifierKind.POSTAL_CODE, IdentifierKind.REGION_CODE,
    )
    for prefix in ("", "google:", "linkedin:")
)  # fmt: skip


def _reshaped(texts: pl.Series) -> pl.Series:
    """``canonical`` on the text alone, where known kinds stand in order and once each; null elsewhere.

    ``[["a","1"],["b","2"]]`` becomes ``{"a":"1","b":"2"}``. A value with an escape or a bracket might be
    taken for structure, so such a row is left to the careful way.
    """
    text = pl.col("text")
    frame = texts.alias("text").to_frame()
    at = frame.select(text.str.find(f'["{kind}"', literal=True).alias(kind) for kind in _KINDS)
    kinds = [kind for kind in _KINDS if at[kind].null_count() < at.height] or list(_KINDS)
    sane = text.str.count_matches("]", literal=True) == at.select(_count(kinds)).to_series() + 1
    sane &= ~text.str.contains("\\", literal=True) & pl.lit(at.select(_ascending(kinds)).to_series())
    inner = text.str.replace_all('","', '":"', literal=True).str.replace_all('"],["', '","', literal=True)
    whole = pl.concat_str(pl.lit("{"), inner.str.strip_prefix("[[").str.strip_suffix("]]"), pl.lit("}"))
    return frame.select(pl.when(sane).then(whole.cast(pl.Binary)).alias("p"))["p"]


def _count(kinds: Sequence[str]) -> pl.Expr:
    return pl.sum_horizontal([pl.col(kind).is_not_null().cast(pl.UInt32) for kind in kinds])


def _ascending(kinds: Sequence[str]) -> pl.Expr:
    """True where each kind that is there stands behind those before it."""
    last, result = pl.lit(-1, pl.Int64), pl.lit(value=True)
    for kind in kinds:
        place = pl.col(kind).cast(pl.Int64)
        result = result & (place > last).fill_null(value=True)
        last = pl.coalesce(place, last)
    return result.alias("ascending")


def _canonical(texts: Iterable[str]) -> Iterator[bytes]:
    for text in texts:
        yield canonical((kind, value) for kind, value in orjson.loads(text))
