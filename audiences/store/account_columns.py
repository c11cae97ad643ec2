"""Accounts and scores by column: the road for a million companies, without an object per row. Decides nothing."""

from __future__ import annotations

from datetime import datetime

import polars as pl
from sqlalchemy import delete, select

from audiences.scoring_frames import ACCOUNT_SCHEMA, attributes_from_json
from audiences.store.accounts import ACCOUNT, note_fingerprint
from audiences.store.columns import frame_of, insert_frame
from audiences.store.part import Part
from audiences.store.segments import SCORE

_COLUMNS = (*ACCOUNT_SCHEMA, "attributes")


class AccountColumns(Part):
    def replace_account_table(self, table: pl.DataFrame, source_fingerprint: str, at: datetime) -> None:
        """Make these the accounts, in one transaction. ``table`` as made by ``companies_merge.account_table``."""
        with self._db.write() as connection:
            connection.execute(delete(ACCOUNT))
            insert_frame(connection, ACCOUNT, table.select(_COLUMNS))
            note_fingerprint(connection, "accounts", source_fingerprint, table.height, at)

    def account_frame(self) -> pl.DataFrame:
        """All accounts in the shape of ACCOUNT_SCHEMA plus ``attributes.<name>``, by id."""
        wanted = select(*(ACCOUNT.c[name] for name in _COLUMNS))
        with self._db.read() as connection:
            stored = frame_of(connection, wanted, dict(ACCOUNT_SCHEMA) | {"attributes": pl.String})
        extra = attributes_from_json(stored["attributes"])
        return stored.drop("attributes").with_columns(extra).sort("account_id")

    def replace_score_table(self, scores: pl.DataFrame) -> None:
        """Make these the scores (``scoring.SCORE_COLUMNS``), in one transaction."""
        with self._db.write() as connection:
            connection.execute(delete(SCORE))
            insert_frame(connection, SCORE, scores.select([column.name for column in SCORE.c]))
