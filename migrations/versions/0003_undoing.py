"""Corrections: rules have a place in the order of calls, removals and jobs are stored.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "forgotten",
        sa.Column("key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "space_id", "bucket"),
    )
    op.create_table(
        "job",
        sa.Column("job_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("until", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "space_id", "bucket"),
    )
    op.create_index("job_open", "job", ["created_at"], unique=False, postgresql_where=sa.text("state < 2"))
    op.execute("ALTER TABLE job ALTER COLUMN payload SET STORAGE EXTERNAL")
    op.add_column("rules", sa.Column("stamp", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("rules", sa.Column("actor", sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("history", sa.Column("actor", sa.BigInteger(), nullable=True))
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON forgotten, job TO onefold_app")


def downgrade() -> None:
    op.drop_column("history", "actor")
    for column in ("actor", "stamp"):
        op.drop_column("rules", column)
    op.drop_table("job")
    op.drop_table("forgotten")
