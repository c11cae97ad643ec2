"""Alembic's entry: run migrations on the connection the caller passed. Opens nothing by itself."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from audiences.column_types import Blob, Instant
from audiences.tables import Table


def plain_types(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write library types into migration files, so that an old migration never depends on new code."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Blob):
        return "sa.LargeBinary()"
    if kind == "type" and type(item).__name__ == "AutoString":
        return "sa.String()"
    return False


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:
        raise RuntimeError("run migrations through audiences.migrations.upgrade(connection)")
    context.configure(
        connection=connection,
        target_metadata=Table.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=plain_types,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
