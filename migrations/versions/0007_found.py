"""Whether anybody had an identifier: a column of erasures and of access exports, and the list of exports.

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("erasure", sa.Column("found", sa.Boolean(), nullable=True))
    for name in ("named", "unknown"):
        op.add_column("export", sa.Column(name, sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.create_index("export_list", "export", ["space_id", "bucket", "export_id"], unique=False)


def downgrade() -> None:
    op.drop_index("export_list", table_name="export")
    for name in ("unknown", "named"):
        op.drop_column("export", name)
    op.drop_column("erasure", "found")
