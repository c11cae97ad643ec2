"""A frame as a table of somebody's database, replaced in one transaction. Overwrites no table but its own."""

from __future__ import annotations

from typing import Any

import polars as pl

from audiences.errors import ConfigError, SourceUnavailable
from flows.wiring import App, database_url

OURS = frozenset({"account_id", "segments", "computed_on"})  # columns by which our own table is known
CHUNK = 10_000


def write_table(app: App, address: str, name: str, frame: pl.DataFrame) -> str:
    """Replace table ``name`` at a SQLAlchemy URL (or ``env:NAME``). Returns the table's name.

    Raises ConfigError for an unusable address, or when a table of that name is not one of ours;
    SourceUnavailable when the database refuses. No error repeats the address.
    """
    from sqlalchemy import MetaData, create_engine, insert, inspect
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    if address.startswith("env:"):
        address = app.settings.named(address).get_secret_value()
    try:
        engine = create_engine(database_url(address, app.workspace), poolclass=NullPool)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise ConfigError(f"the database address cannot be used ({type(error).__name__}).") from None
    table = _table(name, frame, MetaData())
    try:
        with engine.begin() as connection:
            if inspect(connection).has_table(name):
                _refuse_strangers(name, {str(c["name"]) for c in inspect(connection).get_columns(name)})
                table.drop(connection)
            table.create(connection)
            for part in frame.iter_slices(CHUNK):
                connection.execute(insert(table), part.to_dicts())
    except SQLAlchemyError as error:
        raise SourceUnavailable(
            f"the database did not take the table ({type(error).__name__}).",
            remedy="Check the address, that the database runs, and that the user may create tables.",
        ) from None
    finally:
        engine.dispose()
    return name


def _refuse_strangers(name: str, columns: set[str]) -> None:
    if not columns >= OURS:
        raise ConfigError(
            f'there is a table "{name}" already, and it is not an export of ours.',
            remedy="Name another one with --table.",
        )


def _table(name: str, frame: pl.DataFrame, metadata: Any) -> Any:
    from sqlalchemy import Column, Table

    return Table(name, metadata, *(Column(title, _type(dtype)) for title, dtype in frame.schema.items()))


def _type(dtype: pl.DataType) -> Any:
    from sqlalchemy import BigInteger, Boolean, Date, Float, Text

    if dtype.is_integer():
        return BigInteger()
    if dtype.is_float():
        return Float()
    return {pl.Boolean: Boolean(), pl.Date: Date()}.get(type(dtype), Text())
