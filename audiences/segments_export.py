"""Tier, scores and segments stamped on each company, as a table for the CRM.

Makes a frame and bytes; writing them anywhere is the caller's business.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import polars as pl

from audiences.segments import Evaluation

_FIELDS = ("account_id", "name", "domain", "country")
_SEPARATOR = "; "
# A spreadsheet runs a cell that starts with one of these as a formula (OWASP, CSV injection).
_FORMULA = r"^[=+\-@\t\r\n]"


def stamped(evaluations: Mapping[str, Evaluation], scores: pl.DataFrame) -> pl.DataFrame:
    """One row per company: identity, scores, ``segments`` it is in and ``held_out_of``, joined by "; ".

    Companies are in byte order of account_id; ``computed_on`` is the date of the evaluation.
    Raises ValueError without evaluations.
    """
    if not evaluations:
        raise ValueError("there is nothing to stamp: no segment was evaluated")
    universe = next(iter(evaluations.values())).universe
    base = universe.accounts.select([name for name in _FIELDS if name in universe.accounts.columns])
    flags = pl.DataFrame({name: evaluation.members for name, evaluation in evaluations.items()})
    held = pl.DataFrame({name: evaluation.holdout for name, evaluation in evaluations.items()})
    return base.join(scores, on="account_id", how="left", maintain_order="left").with_columns(
        _names(flags).alias("segments"),
        _names(held).alias("held_out_of"),
        pl.lit(universe.on).alias("computed_on"),
    )


def _names(flags: pl.DataFrame) -> pl.Series:
    named = [pl.when(pl.col(name)).then(pl.lit(name)) for name in flags.columns]
    return flags.select(pl.concat_str(named, separator=_SEPARATOR, ignore_nulls=True).alias("names"))["names"]


def neutralised(frame: pl.DataFrame) -> pl.DataFrame:
    """Text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay numbers."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    return frame.with_columns(
        pl.when(pl.col(name).str.contains(_FORMULA))
        .then(pl.concat_str(pl.lit("'"), pl.col(name)))
        .otherwise(pl.col(name))
        .alias(name)
        for name in texts
    )


def csv_bytes(frame: pl.DataFrame) -> bytes:
    """UTF-8 CSV with a header, formulas neutralised."""
    return neutralised(frame).write_csv().encode()


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """Parquet; values exactly as they are, since nothing runs them."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()
