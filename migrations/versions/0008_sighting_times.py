"""Event times of the first and the last call of a link: two columns of sightings.

Revision: 0008, after 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    # Of a call before this version only the day of the last one is known, so both times begin there.
    for name in ("first_seen", "last_seen"):
        op.add_column("sighting", sa.Column(name, sa.BigInteger(), nullable=True))
    op.execute("UPDATE sighting SET first_seen = last_day * 86400000000, last_seen = last_day * 86400000000")
    for name in ("first_seen", "last_seen"):
        op.alter_column("sighting", name, nullable=False)


def downgrade() -> None:
    op.drop_column("sighting", "last_seen")
    op.drop_column("sighting", "first_seen")
