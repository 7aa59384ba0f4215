"""Rejections are kept, demotions are found by time, memberships say when and whether.

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "rejection",
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("calls", sa.SmallInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("space_id", "stamp", "bucket"),
    )
    op.execute("ALTER TABLE rejection ALTER COLUMN payload SET STORAGE EXTERNAL")
    op.create_index(
        "evidence_demoted",
        "evidence",
        ["space_id", "bucket", "stamp"],
        unique=False,
        postgresql_where=sa.text("demoted IS NOT NULL"),
    )
    op.add_column("membership", sa.Column("member", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.add_column("membership", sa.Column("time", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("membership", sa.Column("stamp", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.execute("GRANT SELECT, INSERT, DELETE ON rejection TO onefold_app")
    op.execute("GRANT UPDATE ON membership TO onefold_app")


def downgrade() -> None:
    op.execute("REVOKE UPDATE ON membership FROM onefold_app")
    for column in ("stamp", "time", "member"):
        op.drop_column("membership", column)
    op.drop_index("evidence_demoted", table_name="evidence")
    op.drop_table("rejection")
