"""An index on the hash of an erasure: the end of a hold asks which identifiers are suppressed still.

Revision: 0009, after 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_index("erasure_hash", "erasure", ["hash", "space_id", "bucket"])


def downgrade() -> None:
    op.drop_index("erasure_hash", "erasure")
