"""Revision 0001: reports, plans, bands, the audit log. Frozen; never imports our tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create() -> None:
    _audit()
    _band_state()
    _impression()
    _impression_total()
    _plan()
    _report_scope()
    _plan_move()
    _report_window()


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("inputs_hash", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_subject"), ["subject"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_what"), ["what"], unique=False)


def _band_state() -> None:
    op.create_table(
        "band_state",
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("band", sa.SmallInteger(), nullable=False),
        sa.Column("commanded_on", sa.Date(), nullable=False),
        sa.Column("landed_band", sa.SmallInteger(), nullable=True),
        sa.Column("landed_on", sa.Date(), nullable=True),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("segment", "account_id"),
        sqlite_with_rowid=False,
    )


def _impression() -> None:
    op.create_table(
        "impression",
        sa.Column("scope", sa.Integer(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("creative_id", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=True),
        sa.Column("clicks", sa.BigInteger(), nullable=True),
        sa.Column("spend", sa.String(), nullable=True),
        sa.Column("members", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("scope", "first", "last", "campaign_id", "creative_id", "entity"),
        sqlite_with_rowid=False,
    )


def _impression_total() -> None:
    op.create_table(
        "impression_total",
        sa.Column("scope", sa.Integer(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("campaign_id", sa.String(), nullable=False),
        sa.Column("creative_id", sa.String(), nullable=False),
        sa.Column("impressions", sa.BigInteger(), nullable=False),
        sa.Column("clicks", sa.BigInteger(), nullable=True),
        sa.Column("spend", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "first", "last", "campaign_id", "creative_id"),
        sqlite_with_rowid=False,
    )


def _plan() -> None:
    op.create_table(
        "plan",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.String(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("inputs_hash", sa.String(), nullable=False),
        sa.Column("inputs", sa.LargeBinary(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("memory", sa.LargeBinary(), nullable=True),
        sa.Column("moves", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("plan_id"),
    )
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.create_index("ix_plan_segment", ["segment", "day"], unique=False)


def _report_scope() -> None:
    op.create_table(
        "report_scope",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("grain", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("report_scope", schema=None) as batch_op:
        batch_op.create_index("ux_report_scope", ["platform", "source", "grain", "scope"], unique=True)


def _plan_move() -> None:
    op.create_table(
        "plan_move",
        sa.Column("plan", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("before", sa.Integer(), nullable=False),
        sa.Column("after", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("release", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["plan"], ["plan.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("plan", "account_id"),
    )


def _report_window() -> None:
    op.create_table(
        "report_window",
        sa.Column("scope", sa.Integer(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("list_depth", sa.Integer(), nullable=True),
        sa.Column("floor", sa.Integer(), nullable=False),
        sa.Column("noise", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["scope"], ["report_scope.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("scope", "first", "last"),
    )


def drop() -> None:
    op.drop_table("report_window")
    op.drop_table("plan_move")
    with op.batch_alter_table("report_scope", schema=None) as batch_op:
        batch_op.drop_index("ux_report_scope")
    op.drop_table("report_scope")
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.drop_index("ix_plan_segment")
    op.drop_table("plan")
    op.drop_table("impression_total")
    op.drop_table("impression")
    op.drop_table("band_state")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_what"))
        batch_op.drop_index(batch_op.f("ix_audit_subject"))
        batch_op.drop_index(batch_op.f("ix_audit_at"))
    op.drop_table("audit")
