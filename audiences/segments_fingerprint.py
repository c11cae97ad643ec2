"""Stable names for "this data under these rules on this date", and stable draws for holdouts.

Only hashing: nothing here looks at what the values mean.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

import numpy as np
import polars as pl
import polars_hash as plh
from numpy.typing import NDArray

from audiences.config import Config
from audiences.config_rules import MatrixTest, ScoreTest, walk
from audiences.config_segments import Segment, needs
from audiences.scoring_universe import Universe

_FORMAT = "evenreach/segment/1"


def fingerprints(config: Config, universe: Universe, scores: pl.DataFrame) -> dict[str, tuple[str, str]]:
    """Per segment two hex SHA-256: over rules, data and date, and over the rules alone.

    The rules of a segment include those it refers to, and those of its rivals where it has a priority.
    """
    data = data_digest(universe, scores)
    found = {}
    for name in config.segments:
        rules = rules_digest(config, name)
        text = "\x00".join((_FORMAT, name, rules, universe.on.isoformat(), data))
        found[name] = hashlib.sha256(text.encode()).hexdigest(), rules
    return found


def rules_digest(config: Config, name: str) -> str:
    """Hex SHA-256 of everything that decides who is in the segment, but for data and date."""
    start = {name}
    if config.segments[name].priority is not None:
        start |= {rival for rival, segment in config.segments.items() if segment.priority is not None}
    wanted = _with_needs(config, start)
    rules = {n: _dump(config.segments[n]) for n in sorted(wanted)}
    trees = [config.segments[n].where for n in sorted(wanted)]
    leaves = [condition for tree in trees if tree for _, condition in walk(tree)]
    used = {condition.matrix for condition in leaves if isinstance(condition, MatrixTest)}
    axes = [
        a
        for n in sorted(used)
        for a in (*config.matrices[n].rows.values(), *config.matrices[n].columns.values())
    ]
    leaves += [condition for axis in axes for _, condition in walk(axis)]
    matrices = {n: config.matrices[n].model_dump(mode="json", by_alias=True) for n in sorted(used)}
    scored = any(isinstance(condition, ScoreTest) for condition in leaves)
    scoring = config.scoring.model_dump(mode="json", by_alias=True) if scored else None
    text = json.dumps([rules, matrices, scoring], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _with_needs(config: Config, start: set[str]) -> set[str]:
    wanted, queue = set[str](), list(start)
    while queue:
        current = queue.pop()
        if current not in wanted:
            wanted.add(current)
            queue += needs(config.segments[current], config.matrices)
    return wanted


def _dump(segment: Segment) -> dict[str, Any]:
    return segment.model_dump(mode="json", by_alias=True, exclude=_NOT_RULES)


# Words for people, and what is done with a segment: they change nobody's membership.
_NOT_RULES = {
    "title",
    "owner",
    "purpose",
    "review_by",
    "acted_on_by",
    "sync",
    "balance",
    "budget",
    "bid_note",
}


def data_digest(universe: Universe, scores: pl.DataFrame) -> str:
    """Hex digest of accounts, signals and scores; the order of the input rows does not show."""
    digest = hashlib.sha256()
    digest.update(_table(universe.accounts))
    digest.update(_table(scores))
    for kind in universe.kinds:
        part = universe.signals((kind,))
        if part is not None:
            digest.update(kind.encode() + b"\x00" + signals_digest(part))
    return digest.hexdigest()


def _sha256(column: str) -> pl.Expr:
    """Hex SHA-256 of a text column."""
    hashed: Any = plh.col(column)
    return cast(pl.Expr, hashed.chash.sha2_256())


def _table(frame: pl.DataFrame) -> bytes:
    names = sorted(frame.columns)
    text = [
        pl.col(name).list.join("\x1f") if isinstance(frame.schema[name], pl.List) else pl.col(name)
        for name in names
    ]
    return frame.select(text).write_csv(null_value="\\N", quote_style="necessary").encode()


_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def signals_digest(part: pl.DataFrame) -> bytes:
    """Order-free digest of one kind's rows: the sum and the xor of a 64-bit mix of each row.

    Summing row hashes is what lets ten million rows be digested without sorting them. It guards
    against change, not against somebody constructing a collision.
    """
    state = np.zeros(part.height, dtype=np.uint64)
    for column in ("row", "age", "strength", "topic", "person"):
        state = _mix(state + _code(part[column]))
    total = int(state.sum(dtype=np.uint64)) if part.height else 0
    xor = int(np.bitwise_xor.reduce(state)) if part.height else 0
    return f"{part.height}:{total:016x}:{xor:016x}".encode()


def _code(series: pl.Series) -> NDArray[np.uint64]:
    if series.dtype == pl.String:
        return _text_code(series)
    if series.dtype.is_float():
        return series.cast(pl.Float64).to_numpy().view(np.uint64)
    return series.cast(pl.Int64).to_numpy().view(np.uint64)


def _text_code(series: pl.Series) -> NDArray[np.uint64]:
    """64 bits of the SHA-256 of each text; hashing distinct values only, since topics and people repeat."""
    distinct = series.unique().drop_nulls()
    code = _sha256("text").str.slice(0, 16).str.to_integer(base=16, dtype=pl.UInt64)
    frame = distinct.to_frame("text").with_columns(code.alias("code"))
    codes = series.to_frame("text").join(frame, on="text", how="left", maintain_order="left")["code"]
    return codes.fill_null(0).to_numpy()


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea, Flood 2014): every input bit reaches every output bit."""
    state = (state + np.uint64(0x9E3779B97F4A7C15)).astype(np.uint64)
    state = (state ^ (state >> np.uint64(30))) * _MIX[0]
    state = (state ^ (state >> np.uint64(27))) * _MIX[1]
    return state ^ (state >> np.uint64(31))


def holdout_draw(account_ids: pl.Series, group: str) -> NDArray[np.float64]:
    """(n,) uniform in [0, 1), a pure function of account id and group: the same on every day and machine."""
    text = pl.concat_str(pl.lit(f"evenreach/holdout/{group}/"), pl.col("text"))
    draw = _sha256("text").str.slice(0, 13).str.to_integer(base=16, dtype=pl.UInt64)  # 52 bits: exact
    codes = account_ids.to_frame("text").select(text.alias("text")).select(draw)["text"].to_numpy()
    return codes.astype(np.float64) / float(16**13)
