"""Rotation of root and index keys: versions of the index on the gate, and what a rotation has renamed.

Revision: 0005, after 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_VERSIONS = ("index_version", "index_live", "index_messages", "index_oldest")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name in _VERSIONS:
        op.add_column("space_gate", sa.Column(name, sa.SmallInteger(), server_default=sa.text("1"), nullable=False))
    op.add_column("space_gate", sa.Column("index_at", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.create_table(
        "renamed_key",
        sa.Column("old", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("new", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("old", "space_id", "bucket"),
    )
    op.create_index("account_list", "account", ["space_id", "bucket", "account_id"], unique=False)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON renamed_key TO onefold_app")
    op.execute("GRANT UPDATE (root_id) ON key_store TO onefold_app")


def downgrade() -> None:
    op.execute("REVOKE UPDATE (root_id) ON key_store FROM onefold_app")
    op.drop_index("account_list", table_name="account")
    op.drop_table("renamed_key")
    for name in (*_VERSIONS, "index_at"):
        op.drop_column("space_gate", name)
