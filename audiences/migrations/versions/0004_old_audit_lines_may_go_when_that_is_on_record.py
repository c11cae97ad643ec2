"""A line of the audit log may go once a later line says so: "audit trimmed", with the last number it covers.

Whoever removes lines leaves that line behind, with how many they were and the digest of what they said; it can
only go itself under a later one. Everything else is refused as before.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# CASE, or PostgreSQL may try to read other lines' subjects as numbers before it looks at what they are
_COVERED = (
    "EXISTS (SELECT 1 FROM audit AS later WHERE later.what = 'audit trimmed' AND later.number > OLD.number"
    " AND CASE WHEN later.what = 'audit trimmed' THEN CAST(later.subject AS BIGINT) END >= OLD.number)"
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_no_delete")
        op.execute(
            f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit WHEN NOT {_COVERED} "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
        return
    op.execute("DROP TRIGGER audit_no_change ON audit")
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
    )
    op.execute(
        "CREATE FUNCTION audit_line_is_covered() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {_COVERED} THEN RETURN OLD; END IF; "
        "RAISE EXCEPTION 'the audit log is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION audit_line_is_covered()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER audit_no_delete")
        op.execute(
            "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )
        return
    op.execute("DROP TRIGGER audit_no_delete ON audit")
    op.execute("DROP FUNCTION audit_line_is_covered()")
    op.execute("DROP TRIGGER audit_no_change ON audit")
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
    )
