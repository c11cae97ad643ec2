"""Revision 0001: accounts, people, imports, segments, suppression. Frozen; never imports our tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create() -> None:
    _account()
    _contact()
    _erasure()
    _import_run()
    _organization_link()
    _score()
    _segment_version()
    _signal()
    _suppression()
    _quarantine()
    _reject()


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("domain", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("industry", sa.String(), nullable=True),
        sa.Column("employees", sa.BigInteger(), nullable=True),
        sa.Column("revenue_usd", sa.Float(), nullable=True),
        sa.Column("founded_year", sa.Integer(), nullable=True),
        sa.Column("linkedin_url", sa.String(), nullable=True),
        sa.Column("organization_urn", sa.String(), nullable=True),
        sa.Column("attributes", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
    )


def _contact() -> None:
    op.create_table(
        "contact",
        sa.Column("contact_id", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=True),
        sa.Column("identifiers", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("first_party", sa.Boolean(), nullable=False),
        sa.Column("consent", sa.String(), nullable=True),
        sa.Column("function", sa.String(), nullable=True),
        sa.Column("seniority", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("contact_id"),
    )
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_account_id"), ["account_id"], unique=False)


def _erasure() -> None:
    op.create_table(
        "erasure",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("audience_id", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("batch_id", sa.String(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("digest", "audience_id"),
    )


def _import_run() -> None:
    op.create_table(
        "import_run",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("resolved", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_run_what"), ["what"], unique=False)


def _organization_link() -> None:
    op.create_table(
        "organization_link",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("urn", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("platform", "urn"),
    )
    with op.batch_alter_table("organization_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_organization_link_account_id"), ["account_id"], unique=False)


def _score() -> None:
    op.create_table(
        "score",
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("fit", sa.Float(), nullable=False),
        sa.Column("fit_unknown", sa.Float(), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("intent", sa.Float(), nullable=False),
        sa.Column("heat", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
    )


def _segment_version() -> None:
    op.create_table(
        "segment_version",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("computed_on", sa.Date(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("holdout_size", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_ids", sa.LargeBinary(), nullable=True),
        sa.Column("holdout_ids", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("segment_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_segment_version_fingerprint"), ["fingerprint"], unique=False)
        batch_op.create_index(batch_op.f("ix_segment_version_segment"), ["segment"], unique=False)


def _signal() -> None:
    op.create_table(
        "signal",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("topic", sa.String(), nullable=True),
        sa.Column("strength", sa.Float(), nullable=False),
        sa.Column("person", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("signal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signal_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_signal_on"), ["on"], unique=False)


def _suppression() -> None:
    op.create_table(
        "suppression",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sqlite_with_rowid=False,
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("import_number", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("rows", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["import_number"], ["import_run.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quarantine_import_number"), ["import_number"], unique=False)


def _reject() -> None:
    op.create_table(
        "reject",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("import_number", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["import_number"], ["import_run.number"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("reject", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reject_import_number"), ["import_number"], unique=False)


def drop() -> None:
    with op.batch_alter_table("reject", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reject_import_number"))
    op.drop_table("reject")
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quarantine_import_number"))
    op.drop_table("quarantine")
    op.drop_table("suppression")
    with op.batch_alter_table("signal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signal_on"))
        batch_op.drop_index(batch_op.f("ix_signal_account_id"))
    op.drop_table("signal")
    with op.batch_alter_table("segment_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_segment_version_segment"))
        batch_op.drop_index(batch_op.f("ix_segment_version_fingerprint"))
    op.drop_table("segment_version")
    op.drop_table("score")
    with op.batch_alter_table("organization_link", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organization_link_account_id"))
    op.drop_table("organization_link")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_run_what"))
    op.drop_table("import_run")
    op.drop_table("erasure")
    with op.batch_alter_table("contact", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_account_id"))
    op.drop_table("contact")
    op.drop_table("account")
