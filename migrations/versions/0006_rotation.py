"""Rotation of root and index keys: versions of the index on the gate, and what a rotation has renamed.

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What is never rewritten stays so; only by which names a row is found or names others may change.
_RENAMED = {
    "key_store": "root_id",
    "identifier": "key",
    "identifier_type": "name_key",
    "evidence": "kept, demoted",
    "history": "keys",
}
_VERSIONS = ("index_version", "index_live", "index_messages", "index_oldest")


def _open_erasures(which: str) -> None:
    """Those that are looked for by their key: what waits, and what was given up may have withheld somebody."""
    op.drop_index("erasure_open", table_name="erasure")
    op.create_index(
        "erasure_open", "erasure", ["key", "space_id", "bucket"], unique=False, postgresql_where=sa.text(which)
    )


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
    _open_erasures("state < 2 OR state = 4")
    op.create_index("account_list", "account", ["space_id", "bucket", "account_id"], unique=False)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON renamed_key TO onefold_app")
    for table, columns in _RENAMED.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO onefold_app")


def downgrade() -> None:
    for table, columns in _RENAMED.items():
        op.execute(f"REVOKE UPDATE ({columns}) ON {table} FROM onefold_app")
    op.drop_index("account_list", table_name="account")
    _open_erasures("state < 2")
    op.drop_table("renamed_key")
    for name in (*_VERSIONS, "index_at"):
        op.drop_column("space_gate", name)
