"""Consent and destinations: purposes of a space, the feed position and the answers of a destination.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "purposes",
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("space_id", "version"),
    )
    op.execute("ALTER TABLE purposes ALTER COLUMN document SET STORAGE EXTERNAL")
    op.create_table(
        "delivery",
        sa.Column("destination", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("acked", sa.LargeBinary(), nullable=True),
        sa.Column("acked_at", sa.BigInteger(), nullable=True),
        sa.Column("pushed", sa.LargeBinary(), nullable=True),
        sa.Column("pushed_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_failed_at", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("dead_at", sa.BigInteger(), nullable=True),
        sa.Column("watched", sa.LargeBinary(), nullable=True),
        sa.Column("behind_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("destination", "space_id", "bucket"),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_table(
        "callback",
        sa.Column("key", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("destination", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "destination", "space_id", "bucket"),
    )
    op.add_column("destination", sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False))
    op.create_index(
        "destination_name",
        "destination",
        ["space_id", "name"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.add_column("disclosure", sa.Column("until", sa.BigInteger(), nullable=True))
    op.create_index(
        "erasure_notice_waiting",
        "erasure_notice",
        ["destination"],
        unique=False,
        postgresql_where=sa.text("state NOT IN (3, 4, 5)"),
    )
    op.create_index(
        "disclosure_until", "disclosure", ["until"], unique=False, postgresql_where=sa.text("until IS NOT NULL")
    )
    op.add_column("privacy_request", sa.Column("call_at", sa.BigInteger(), nullable=True))
    op.add_column("privacy_request", sa.Column("call_failed_at", sa.BigInteger(), nullable=True))
    op.add_column(
        "privacy_request", sa.Column("calls_failed", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.create_index(
        "privacy_request_call",
        "privacy_request",
        ["call_at"],
        unique=False,
        postgresql_where=sa.text("call_at IS NOT NULL"),
    )
    op.add_column("lane_head", sa.Column("base", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON purposes, delivery, callback TO onefold_app")


def downgrade() -> None:
    op.drop_column("lane_head", "base")
    op.drop_index("privacy_request_call", "privacy_request")
    for column in ("calls_failed", "call_failed_at", "call_at"):
        op.drop_column("privacy_request", column)
    op.drop_index("disclosure_until", "disclosure")
    op.drop_index("erasure_notice_waiting", "erasure_notice")
    op.drop_column("disclosure", "until")
    op.drop_index("destination_name", "destination")
    op.drop_column("destination", "version")
    for table in ("callback", "delivery", "purposes"):
        op.drop_table(table)
