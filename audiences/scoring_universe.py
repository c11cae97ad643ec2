"""All accounts and their signals on one date, indexed so that many rules can be asked quickly.

Rows are accounts in byte order of account_id, so no result depends on the
order of the input. It answers counts; it knows no rule and no score.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from audiences.scoring_frames import ATTRIBUTE

Counts = NDArray[np.float64]


class Universe:
    """Accounts (sorted) with their signals up to ``on``.

    ``accounts`` needs a unique ``account_id``; ``signals`` has SIGNAL_SCHEMA. Signals of unknown accounts
    and of days after ``on`` are left out and counted (``foreign``, ``future``).
    """

    def __init__(self, accounts: pl.DataFrame, signals: pl.DataFrame, *, on: date) -> None:
        self.accounts = accounts.sort("account_id")
        self.on = on
        self.n = self.accounts.height
        ids = self.accounts["account_id"]
        if ids.n_unique() != self.n:
            raise ValueError(f"{self.n - ids.n_unique()} account ids stand more than once")
        self._load(signals)

    def _load(self, signals: pl.DataFrame) -> None:
        rows = self.accounts.select("account_id", pl.int_range(pl.len(), dtype=pl.Int32).alias("row"))
        row = signals.select("account_id").join(rows, on="account_id", how="left", maintain_order="left")[
            "row"
        ]
        age = (pl.lit(self.on) - pl.col("on")).dt.total_days().cast(pl.Int32)
        strength = pl.col("strength").fill_null(1.0)
        shaped = signals.select(
            row,
            "kind",
            "topic",
            "person",
            age.alias("age"),
            strength.alias("strength"),
            pl.when(strength > 1.0).then(strength.floor()).otherwise(1.0).alias("events"),
        )
        self.foreign = row.null_count()
        self.future = shaped.filter(pl.col("row").is_not_null() & (pl.col("age") < 0)).height
        if self.foreign or self.future:
            shaped = shaped.filter(pl.col("row").is_not_null() & (pl.col("age") >= 0))
        parts = shaped.partition_by("kind", as_dict=True)
        self._kinds = {str(key[0]): part for key, part in parts.items()}

    @cached_property
    def ids(self) -> list[str]:
        """(n,) account ids in row order."""
        return self.accounts["account_id"].to_list()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of signals some source has shown, sorted."""
        return tuple(sorted(self._kinds))

    def column(self, field: str) -> str | None:
        """The column a field name means: a field of the company, else an attribute, else None."""
        names = (field, ATTRIBUTE + field, ATTRIBUTE + field.removeprefix("attributes."))
        return next((name for name in names if name in self.accounts.columns), None)

    def fields(self) -> tuple[str, ...]:
        """Field names rules may use, attributes without their prefix."""
        return tuple(name.removeprefix(ATTRIBUTE) for name in self.accounts.columns)

    def signals(self, kinds: Sequence[str]) -> pl.DataFrame | None:
        """Rows of these kinds; None when no source has ever shown one of them."""
        parts = [self._kinds[kind] for kind in dict.fromkeys(kinds) if kind in self._kinds]
        if not parts:
            return None
        return parts[0] if len(parts) == 1 else pl.concat(parts)

    def total(self, part: pl.DataFrame, column: str) -> Counts:
        """(n,) sum of ``column`` per account over the rows of ``part``."""
        weights = part[column].cast(pl.Float64).to_numpy()
        return np.bincount(part["row"].to_numpy(), weights=weights, minlength=self.n).astype(np.float64)

    def rows(self, part: pl.DataFrame) -> Counts:
        """(n,) number of rows of ``part`` per account."""
        return np.bincount(part["row"].to_numpy(), minlength=self.n).astype(np.float64)

    def people(self, part: pl.DataFrame) -> Counts:
        """(n,) distinct people per account over ``part``; rows without a person are not counted."""
        return self.rows(part.filter(pl.col("person").is_not_null()).unique(["row", "person"]))

    def extreme(self, part: pl.DataFrame, *, largest: bool) -> Counts:
        """(n,) largest (or smallest) age of the account's rows; NaN where it has none."""
        age = pl.col("age").max() if largest else pl.col("age").min()
        per_row = part.group_by("row").agg(age)
        result = np.full(self.n, np.nan)
        result[per_row["row"].to_numpy()] = per_row["age"].to_numpy()
        return result
