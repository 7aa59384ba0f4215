"""Privacy work: the ledger, requests and erasures, holds, exports, disclosures.

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SEALED = (
    ("destination", "document"),
    ("erasure", "aside"),
    ("export_part", "payload"),
    ("hold", "reason"),
    ("privacy_request", "details"),
)

# What was audited so far goes into the ledger, in its order; the bytes of an entry are what is hashed.
CHAIN = """
INSERT INTO ledger_head (space_id, bucket, seq, hash)
SELECT id, bucket_base, 0, '' FROM space WHERE deleted_at IS NULL
UNION SELECT DISTINCT a.space_id, coalesce(s.bucket_base, 0), 0, ''::bytea
FROM audit a LEFT JOIN space s ON s.id = a.space_id WHERE a.space_id IS NOT NULL;
DO $$
DECLARE
    line record;
    said bytea;
BEGIN
    FOR line IN SELECT * FROM audit WHERE space_id IS NOT NULL ORDER BY id LOOP
        said := convert_to(json_build_object('action', line.action, 'actor', line.actor,
                                             'subject', line.subject)::text, 'UTF8');
        UPDATE ledger_head SET seq = seq + 1, hash = sha256('\\x01'::bytea || hash || said)
        WHERE space_id = line.space_id;
        INSERT INTO ledger (space_id, seq, bucket, at, entry, hash)
        SELECT h.space_id, h.seq, h.bucket, (extract(epoch FROM line.at) * 1000000)::int8, said, h.hash
        FROM ledger_head h WHERE h.space_id = line.space_id;
    END LOOP;
END $$;
DROP TABLE audit;
"""

GRANTS = """
GRANT SELECT, INSERT ON ledger TO onefold_app;
GRANT SELECT, INSERT, UPDATE ON ledger_head TO onefold_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    destination, disclosure, erasure, erasure_notice, export, export_part, held_key, hold, privacy_request
    TO onefold_app;
GRANT UPDATE ON suppression TO onefold_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO onefold_app;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "ledger",
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("space_id", "seq", "bucket"),
    )
    op.create_table(
        "ledger_head",
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), server_default=sa.text("''"), nullable=False),
        sa.Column("begun", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("space_id", "bucket"),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_table(
        "privacy_request",
        sa.Column("request_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("front", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("regulation", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("idempotency", sa.UUID(), nullable=True),
        sa.Column("body", sa.UUID(), nullable=True),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("request_id", "space_id", "bucket"),
    )
    op.create_index(
        "privacy_request_again",
        "privacy_request",
        ["idempotency", "space_id", "bucket"],
        unique=True,
        postgresql_where=sa.text("idempotency IS NOT NULL"),
    )
    op.create_index(
        "privacy_request_list", "privacy_request", ["space_id", "bucket", "received_at", "request_id"], unique=False
    )
    op.create_table(
        "erasure",
        sa.Column("erasure_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("request_id", sa.UUID(), nullable=False),
        sa.Column("nr", sa.Integer(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("regulation", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("extended_at", sa.BigInteger(), nullable=True),
        sa.Column("internal_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=True),
        sa.Column("backup_safe_at", sa.BigInteger(), nullable=True),
        sa.Column("duplicate_of", sa.UUID(), nullable=True),
        sa.Column("ledger_seq", sa.BigInteger(), nullable=True),
        sa.Column("counts", sa.LargeBinary(), nullable=True),
        sa.Column("aside", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("erasure_id", "space_id", "bucket"),
    )
    op.create_index("erasure_request", "erasure", ["request_id", "nr", "space_id", "bucket"], unique=False)
    op.create_index("erasure_list", "erasure", ["space_id", "bucket", "erasure_id"], unique=False)
    op.create_index(
        "erasure_open",
        "erasure",
        ["key", "space_id", "bucket"],
        unique=False,
        postgresql_where=sa.text("state < 2"),
    )
    op.create_index(
        "erasure_unsafe",
        "erasure",
        ["internal_at"],
        unique=False,
        postgresql_where=sa.text("backup_safe_at IS NULL AND epoch IS NOT NULL"),
    )
    op.create_index(
        "erasure_aside", "erasure", ["received_at"], unique=False, postgresql_where=sa.text("aside IS NOT NULL")
    )
    op.create_table(
        "erasure_notice",
        sa.Column("erasure_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("destination", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ack", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("erasure_id", "destination", "space_id", "bucket"),
    )
    op.create_table(
        "destination",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.UUID(), nullable=False),
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("public_id"),
    )
    op.create_index(op.f("ix_destination_space_id"), "destination", ["space_id"], unique=False)
    op.create_table(
        "disclosure",
        sa.Column("profile_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("destination", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fields", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "destination", "fields", "space_id", "bucket"),
    )
    op.create_table(
        "hold",
        sa.Column("hold_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hold_id", "space_id", "bucket"),
    )
    op.create_table(
        "held_key",
        sa.Column("key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("hold_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "hold_id", "space_id", "bucket"),
    )
    op.create_table(
        "export",
        sa.Column("export_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("job_id", sa.UUID(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("profiles", sa.LargeBinary(), server_default=sa.text("''"), nullable=False),
        sa.Column("ticket", sa.LargeBinary(), nullable=True),
        sa.Column("parts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("export_id", "space_id", "bucket"),
    )
    op.create_table(
        "export_part",
        sa.Column("export_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("nr", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("export_id", "nr", "space_id", "bucket"),
    )
    for table, column in SEALED:
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")
    op.add_column("suppression", sa.Column("whole", sa.Boolean(), server_default=sa.text("true"), nullable=False))
    op.add_column("suppression", sa.Column("until", sa.BigInteger(), nullable=True))
    op.add_column("slot_key", sa.Column("touched", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("profile", sa.Column("withheld", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute(CHAIN)
    op.execute(GRANTS)


def downgrade() -> None:
    message = "The ledger proves what was erased; drop the database instead."
    raise RuntimeError(message)
