"""Joins that wait for proof: a table of the identifiers that public keys claim, filled from the evidence that there is.

Revision: 0014, after 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# Of each demoted identifier evidence holds 32 bytes of key, one of the reason (9: it needs proof), two of a type.
FILL = """
INSERT INTO claim (key, profile_id, space_id, bucket, join_id, since, last, times)
SELECT c.key, c.profile_id, c.space_id, c.bucket, gen_random_uuid(), min(c.stamp), max(c.stamp), count(*)
FROM (
    SELECT substr(e.demoted, 35 * n.at + 1, 32) AS key, e.profile_id, e.space_id, e.bucket, e.stamp
    FROM evidence e CROSS JOIN LATERAL generate_series(0, length(e.demoted) / 35 - 1) AS n (at)
    WHERE e.demoted IS NOT NULL AND get_byte(e.demoted, 35 * n.at + 32) = 9
) c
GROUP BY c.key, c.profile_id, c.space_id, c.bucket
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "claim",
        sa.Column("key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("profile_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("join_id", sa.UUID(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", "profile_id", "space_id", "bucket"),
    )
    op.create_index("claim_list", "claim", ["space_id", "bucket", "since", "profile_id", "key"], unique=False)
    op.create_index("claim_id", "claim", ["join_id"], unique=False)
    op.create_index("claim_origin", "claim", ["profile_id"], unique=False)
    op.create_index(
        "claim_refused",
        "claim",
        ["key", "space_id", "bucket"],
        unique=False,
        postgresql_where=sa.text("refused IS NOT NULL"),
    )
    op.execute(FILL)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON claim TO onefold_app")


def downgrade() -> None:
    op.drop_table("claim")
