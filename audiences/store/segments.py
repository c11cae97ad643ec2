"""Scores, and who qualified for each segment, version by version. Stores results; computes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select

from audiences.model import Score, SegmentVersion
from audiences.store.bulk import insert_rows
from audiences.store.database import table_of
from audiences.store.errors import NotFound
from audiences.store.packing import pack_texts, unpack_texts
from audiences.store.part import Part
from audiences.store.records import SegmentSize
from audiences.tables import ScoreRow, SegmentVersionRow

SCORE = table_of(ScoreRow)
VERSION = table_of(SegmentVersionRow)
_SCORE = tuple(column.name for column in SCORE.c)


class Segments(Part):
    def replace_scores(self, scores: Iterable[Score]) -> None:
        """Make these the scores, in one transaction."""
        rows = ([getattr(score, name) for name in _SCORE] for score in scores)
        with self._db.write() as connection:
            connection.execute(delete(SCORE))
            insert_rows(connection, SCORE, _SCORE, rows)

    def scores(self) -> dict[str, Score]:
        """Account id -> score, in order of id."""
        with self._db.read() as connection:
            return {row.account_id: Score(*row) for row in sorted(connection.execute(select(SCORE)))}

    def tiers(self) -> dict[str, int]:
        """Account id -> tier."""
        with self._db.read() as connection:
            rows = connection.execute(select(SCORE.c.account_id, SCORE.c.tier))
            return dict(rows.tuples().all())

    def save_segment_version(self, version: SegmentVersion, *, at: datetime) -> bool:
        """Store who qualifies now. False when the latest version already has this fingerprint."""
        with self._db.write() as connection:
            latest = connection.execute(_latest(version.segment)).one_or_none()
            if latest is not None and latest.fingerprint == version.fingerprint:
                return False
            connection.execute(
                insert(VERSION).values(
                    segment=version.segment,
                    fingerprint=version.fingerprint,
                    computed_on=version.computed_on,
                    size=len(version.account_ids),
                    holdout_size=len(version.holdout_ids),
                    at=at,
                    account_ids=pack_texts(version.account_ids),
                    holdout_ids=pack_texts(version.holdout_ids),
                )
            )
            return True

    def segment_version(self, segment: str, fingerprint: str | None = None) -> SegmentVersion | None:
        """The latest version of a segment, or the latest with this fingerprint; None when there is none.

        Raises ``NotFound`` when retention has dropped its account ids.
        """
        wanted = _latest(segment)
        if fingerprint is not None:
            wanted = wanted.where(VERSION.c.fingerprint == fingerprint)
        with self._db.read() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else _version(row)

    def segments_known(self) -> tuple[str, ...]:
        """Names of all segments ever stored."""
        with self._db.read() as connection:
            return tuple(
                connection.execute(select(VERSION.c.segment).distinct().order_by(VERSION.c.segment)).scalars()
            )

    def segment_sizes(self, segment: str) -> tuple[SegmentSize, ...]:
        """Sizes of every version, oldest first."""
        columns = [
            VERSION.c[name] for name in ("segment", "fingerprint", "computed_on", "size", "holdout_size")
        ]
        wanted = select(*columns).where(VERSION.c.segment == segment).order_by(VERSION.c.number)
        with self._db.read() as connection:
            return tuple(SegmentSize(*row) for row in connection.execute(wanted))


def _latest(segment: str) -> Any:
    return select(VERSION).where(VERSION.c.segment == segment).order_by(VERSION.c.number.desc()).limit(1)


def _version(row: Row[Any]) -> SegmentVersion:
    if row.account_ids is None and row.size:
        raise NotFound(f"The accounts of this version of {row.segment} were dropped by retention.")
    return SegmentVersion(
        segment=row.segment,
        fingerprint=row.fingerprint,
        computed_on=row.computed_on,
        account_ids=tuple(unpack_texts(row.account_ids, row.size)),
        holdout_ids=tuple(unpack_texts(row.holdout_ids, row.holdout_size)),
    )
