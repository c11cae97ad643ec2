"""Revision 0001: audiences, ledger, batches, leases, small state. Frozen; imports no table of ours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create() -> None:
    _alert()
    _audience()
    _dead_letter()
    _lease()
    _ledger()
    _one_off()
    _quota()
    _setting()
    _audience_status()
    _push_batch()


def _alert() -> None:
    op.create_table(
        "alert",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("subject"),
    )


def _audience() -> None:
    op.create_table(
        "audience",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("audience_id", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("band", sa.Integer(), nullable=True),
        sa.Column("ledger_version", sa.Integer(), nullable=False),
        sa.Column("oldest_version", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("target_id", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("audience_size", sa.BigInteger(), nullable=True),
        sa.Column("matched", sa.BigInteger(), nullable=True),
        sa.Column("match_rate", sa.Float(), nullable=True),
        sa.Column("usable", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("audience_id"),
    )
    with op.batch_alter_table("audience", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audience_segment"), ["segment"], unique=False)


def _dead_letter() -> None:
    op.create_table(
        "dead_letter",
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("op", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_try", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("audience", "key"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("dead_letter", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dead_letter_next_try"), ["next_try"], unique=False)


def _lease() -> None:
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("digest", sa.BigInteger(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("audience", "key"),
        sqlite_with_rowid=False,
    )


def _one_off() -> None:
    op.create_table(
        "one_off",
        sa.Column("audience_id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("audience_id"),
    )


def _quota() -> None:
    op.create_table(
        "quota",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "endpoint", "window"),
    )


def _setting() -> None:
    op.create_table(
        "setting",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _audience_status() -> None:
    op.create_table(
        "audience_status",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("usable", sa.Boolean(), nullable=False),
        sa.Column("audience_size", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["audience"], ["audience.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("audience_status", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audience_status_audience"), ["audience"], unique=False)


def _push_batch() -> None:
    op.create_table(
        "push_batch",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("audience", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("op", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("changes", sa.Boolean(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("member_keys", sa.LargeBinary(), nullable=True),
        sa.Column("payloads", sa.LargeBinary(), nullable=True),
        sa.Column("account_ids", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["audience"],
            ["audience.number"],
        ),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("batch_id"),
    )
    with op.batch_alter_table("push_batch", schema=None) as batch_op:
        batch_op.create_index("ix_push_batch_open", ["audience", "status"], unique=False)


def drop() -> None:
    with op.batch_alter_table("push_batch", schema=None) as batch_op:
        batch_op.drop_index("ix_push_batch_open")
    op.drop_table("push_batch")
    with op.batch_alter_table("audience_status", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audience_status_audience"))
    op.drop_table("audience_status")
    op.drop_table("setting")
    op.drop_table("quota")
    op.drop_table("one_off")
    op.drop_table("ledger")
    op.drop_table("lease")
    with op.batch_alter_table("dead_letter", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dead_letter_next_try"))
    op.drop_table("dead_letter")
    with op.batch_alter_table("audience", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audience_segment"))
    op.drop_table("audience")
    op.drop_table("alert")
