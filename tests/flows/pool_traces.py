"""Everything that is kept of what a pool did: files, tables, pages, the inside of a backup. Judges nothing."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
from sqlalchemy import create_engine, inspect, text

from flows.wiring import App
from tests.flows.pool_world import World, marks


def everything(world: World, more: Path) -> Iterator[tuple[str, bytes]]:
    """Every file but the sources and their copies in a backup, and every table of the record."""
    sources = {world.folder / "contacts.csv", *(world.folder / "inbox").iterdir()}
    for file in (*world.outside.rglob("*"), *more.iterdir()):
        if file.is_file() and file not in sources and file.suffix != ".gz":
            yield str(file), file.read_bytes()
    with gzip.open(more / "copy.tar.gz") as archive:
        assert marks()[0].encode() in archive.read().lower()  # it holds the sources, as it says
    with world.opened() as app:
        engine = create_engine(app.config.database)
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            rows = connection.execute(text(f'SELECT t::text FROM "{table}" AS t')).scalars()
            yield f"table {table}", "\n".join(rows).encode()
    engine.dispose()


def answers_of_the_page(world: World) -> dict[str, bytes]:
    """Every page a visitor reaches by links from the first."""
    from flows.page import page_app, page_service

    async def visit(app: App) -> dict[str, bytes]:
        transport = httpx.ASGITransport(page_app(page_service(app)))
        seen: dict[str, bytes] = {}
        ahead = ["/"]
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            while ahead and len(seen) < 60:
                path = ahead.pop()
                if path not in seen:
                    seen[path] = (await client.get(path)).content
                    ahead += re.findall(r'href="(/[^"#]*)"', seen[path].decode(errors="ignore"))
        return seen

    with world.opened() as app:
        return {f"page {path}": content for path, content in asyncio.run(visit(app)).items()}
