"""Every table of the record."""

from __future__ import annotations

from audiences.migrations.first import decisions, lists, who

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for theme in (who, lists, decisions):
        theme.create()


def downgrade() -> None:
    for theme in (decisions, lists, who):
        theme.drop()
