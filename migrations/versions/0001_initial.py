"""The first tables, roles and functions.

Revision: 0001, after
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


SEALED = (
    ("account", "document"),
    ("account", "group_id"),
    ("event", "payload"),
    ("evidence", "payload"),
    ("identifier_type", "name"),
    ("profile_document", "document"),
    ("profile_identifier", "value"),
    ("rules", "document"),
)

# A role belongs to the whole server, so another database may have made it already.
ROLE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'onefold_app') THEN
        CREATE ROLE onefold_app NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
    IF NOT pg_has_role(current_user, 'onefold_app', 'MEMBER') THEN
        EXECUTE format('GRANT onefold_app TO %I', current_user);
    END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$;
"""

# The service makes partitions ahead of time but may not otherwise change the schema. Attaching a
# finished table takes a weaker lock on `event` than creating a partition does.
PARTITIONS = """
CREATE FUNCTION onefold_event_partitions(ahead integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    day date := (now() AT TIME ZONE 'UTC')::date - 1;
    last date := (now() AT TIME ZONE 'UTC')::date + ahead;
    name text;
    low bigint;
    made integer := 0;
BEGIN
    LOCK TABLE public.event IN SHARE UPDATE EXCLUSIVE MODE;
    WHILE day <= last LOOP
        name := 'event_' || to_char(day, 'YYYYMMDD');
        IF to_regclass('public.' || name) IS NULL THEN
            low := (day - date '1970-01-01')::bigint * 86400000000 * 256;
            EXECUTE format('CREATE TABLE public.%I (LIKE public.event INCLUDING ALL)', name);
            EXECUTE format('ALTER TABLE public.event ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)',
                           name, low, low + 86400000000::bigint * 256);
            made := made + 1;
        END IF;
        day := day + 1;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION onefold_event_partitions(integer) FROM PUBLIC;

-- A partition goes once the last of its day is older than `keep` days; never today's or yesterday's.
CREATE FUNCTION onefold_drop_events(keep integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '2s' AS $$
DECLARE
    partition name;
    dropped integer := 0;
BEGIN
    FOR partition IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.event'::regclass
          AND c.relname < 'event_' || to_char((now() AT TIME ZONE 'UTC')::date - greatest(keep, 1), 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE public.%I', partition);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
REVOKE ALL ON FUNCTION onefold_drop_events(integer) FROM PUBLIC;
"""

# Append-only is held by the database: no UPDATE where nothing is ever rewritten in place.
GRANTS = """
GRANT USAGE ON SCHEMA public TO onefold_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON
    account, api_key, lane_head, profile, profile_document, profile_identifier, sighting, slot_key, space,
    space_gate, subject_key, writer_slot TO onefold_app;
GRANT SELECT, INSERT, DELETE ON
    blocked_key, change, cut, event, evidence, history, identifier, identifier_type, membership, message, rules,
    suppression TO onefold_app;
GRANT SELECT, INSERT ON audit, key_store TO onefold_app;
GRANT SELECT ON alembic_version TO onefold_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO onefold_app;
GRANT EXECUTE ON FUNCTION onefold_event_partitions(integer), onefold_drop_events(integer) TO onefold_app;
"""


def upgrade() -> None:
    # A lock that is not had soon is given up: waiting for it would stall every writer behind.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.create_table(
        "account",
        sa.Column("key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.UUID(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.LargeBinary(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", "space_id", "bucket"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Text(), nullable=False),
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("public_id"),
    )
    op.create_index(op.f("ix_api_key_space_id"), "api_key", ["space_id"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("space_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "blocked_key",
        sa.Column("key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", "space_id", "bucket"),
    )
    op.create_table(
        "change",
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("op", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.Column("other", sa.UUID(), nullable=True),
        sa.PrimaryKeyConstraint("space_id", "lane", "seq", "bucket"),
    )
    op.create_table(
        "cut",
        sa.Column("key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("cut", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("side", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "cut", "space_id", "bucket"),
    )
    op.create_table(
        "event",
        sa.Column("profile_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("calls", sa.SmallInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "stamp", "space_id", "bucket"),
        postgresql_partition_by="RANGE (stamp)",
    )
    op.create_table(
        "evidence",
        sa.Column("profile_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("kept", sa.LargeBinary(), nullable=False),
        sa.Column("demoted", sa.LargeBinary(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "stamp", "space_id", "bucket"),
    )
    op.create_table(
        "history",
        sa.Column("profile_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("other", sa.UUID(), nullable=True),
        sa.Column("keys", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "stamp", "seq", "space_id", "bucket"),
    )
    op.create_table(
        "identifier",
        sa.Column("key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("profile_id", sa.UUID(), nullable=False),
        sa.PrimaryKeyConstraint("key", "space_id", "bucket"),
    )
    op.create_table(
        "identifier_type",
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name_key", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("space_id", "code"),
    )
    op.create_index("identifier_type_name", "identifier_type", ["space_id", "name_key"], unique=True)
    op.create_table(
        "key_store",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("store_id", sa.Text(), nullable=False),
        sa.Column("root_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "lane_head",
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("space_id", "lane", "bucket"),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_table(
        "membership",
        sa.Column("group_key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("profile_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("group_key", "profile_id", "space_id", "bucket"),
    )
    op.create_table(
        "message",
        sa.Column("key", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "space_id", "bucket"),
    )
    op.create_table(
        "profile",
        sa.Column("profile_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.Column("born", sa.BigInteger(), nullable=False),
        sa.Column("elder", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("joined_at", sa.BigInteger(), nullable=True),
        sa.Column("head", sa.UUID(), nullable=False),
        sa.Column("canonical", sa.UUID(), nullable=False),
        sa.Column("joined_to", sa.UUID(), nullable=True),
        sa.Column("own", sa.LargeBinary(), nullable=False),
        sa.Column("folded", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("profile_id", "space_id", "bucket"),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "profile_head",
        "profile",
        ["head", "space_id", "bucket"],
        unique=False,
        postgresql_where=sa.text("head <> profile_id"),
    )
    op.create_index("profile_list", "profile", ["space_id", "bucket", "profile_id"], unique=False)
    op.create_table(
        "profile_document",
        sa.Column("profile_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "space_id", "bucket"),
        postgresql_with={"fillfactor": "70", "toast_tuple_target": "8160"},
    )
    op.create_table(
        "profile_identifier",
        sa.Column("profile_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column("retired", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("source", sa.Integer(), nullable=False),
        sa.Column("linked_at", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "key", "space_id", "bucket"),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_table(
        "rules",
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("space_id", "version"),
    )
    op.create_table(
        "sighting",
        sa.Column("profile_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("set_key", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.Column("sources", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "set_key", "space_id", "bucket"),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_table(
        "slot_key",
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("space_id", "slot", "bucket"),
    )
    op.create_table(
        "space",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.UUID(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("bucket_base", sa.Integer(), nullable=False),
        sa.Column("spread", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("public_id"),
    )
    op.create_table(
        "space_gate",
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.Column("rules_version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("marks", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("space_id"),
    )
    op.create_table(
        "subject_key",
        sa.Column("profile_id", sa.UUID(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("key_id", sa.UUID(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "space_id", "bucket"),
    )
    op.create_table(
        "suppression",
        sa.Column("key", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("space_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", "space_id", "bucket"),
    )
    op.create_table(
        "writer_slot",
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("holder", sa.UUID(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("slot"),
    )
    for table, column in SEALED:
        # Ciphertext does not compress; trying costs more than sealing it.
        op.execute(f"ALTER TABLE {table} ALTER COLUMN {column} SET STORAGE EXTERNAL")
    op.execute(ROLE)
    op.execute(PARTITIONS)
    op.execute("SELECT onefold_event_partitions(7)")
    op.execute(GRANTS)


def downgrade() -> None:
    message = "The first migration holds the data of people; drop the database instead."
    raise RuntimeError(message)
