"""Row security shows a session the rows of one space, of all, or of none.

The setting `onefold.space` names a space by its number, or all with `*`. Without it, or where it is empty, no row is
seen and none can be written. FORCE holds the owner of the tables to the same policies, and a partition has one too:
rights on it are checked apart where somebody names it.

`onefold_by_space` puts a table under the policy; a migration that adds a table with a space calls it.

Revision: 0016, after 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# No cast of the setting: a policy that raises an error would be one more way to learn of rows.
BY_SPACE = """
CREATE FUNCTION onefold_by_space(target regclass, space name DEFAULT 'space_id') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('CREATE POLICY by_space ON %s USING (current_setting(''onefold.space'', true) IN (''*'', %I::text))',
                   target, space);
END $$;
REVOKE ALL ON FUNCTION onefold_by_space(regclass, name) FROM PUBLIC;
"""

TABLES = (
    "account", "api_key", "blocked_key", "callback", "change", "claim", "cut", "delivery", "destination", "disclosure",
    "erasure", "erasure_notice", "event", "evidence", "export", "export_part", "forgotten", "held_key", "history",
    "hold", "identifier", "identifier_type", "identity_keys", "job", "lane_head", "ledger", "ledger_head", "membership",
    "message", "privacy_request", "profile", "profile_document", "profile_identifier", "purposes", "rejection",
    "renamed_key", "rules", "sighting", "slot_key", "space_gate", "subject_key", "suppression",
)  # fmt: skip
_PARTITIONS = "SELECT inhrelid::regclass AS inhrelid FROM pg_inherits WHERE inhparent = 'public.event'::regclass"

MAKING_HEAD = """
CREATE OR REPLACE FUNCTION onefold_event_partitions(ahead integer) RETURNS integer
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
"""
PROTECT = "            PERFORM public.onefold_by_space(to_regclass('public.' || name));\n"
MAKING_TAIL = """
            EXECUTE format('ALTER TABLE public.event ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)',
                           name, low, low + 86400000000::bigint * 256);
            made := made + 1;
        END IF;
        day := day + 1;
    END LOOP;
    RETURN made;
END $$;
"""

# The function looks for holds of all spaces, whatever its caller sees, or it would drop the events of people on hold.
DROPPING = """
CREATE OR REPLACE FUNCTION onefold_drop_events(keep integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '2s' AS $$
DECLARE
    shown CONSTANT text := coalesce(current_setting('onefold.space', true), '');
    holds boolean;
    partition name;
    low bigint;
    total bigint;
    held bigint := 0;
    dropped integer := 0;
    kept CONSTANT text := '
        SELECT e.* FROM public.%I e WHERE (e.profile_id, e.space_id, e.bucket) IN (
            SELECT o.profile_id, o.space_id, o.bucket FROM public.held_key h
            JOIN public.identifier i ON i.key = h.key AND i.space_id = h.space_id AND i.bucket = h.bucket
            JOIN public.profile p ON p.profile_id = i.profile_id AND p.space_id = i.space_id AND p.bucket = i.bucket
            JOIN public.profile o ON o.head = p.head AND o.space_id = p.space_id AND o.bucket = p.bucket)';
BEGIN
    PERFORM set_config('onefold.space', '*', true);
    holds := EXISTS (SELECT FROM public.held_key);
    FOR partition IN
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.event'::regclass
          AND c.relname < 'event_' || to_char((now() AT TIME ZONE 'UTC')::date - greatest(keep, 1), 'YYYYMMDD')
    LOOP
        IF holds THEN
            EXECUTE format('SELECT count(*) FROM (' || kept || ') k', partition) INTO held;
        END IF;
        IF held = 0 THEN
            EXECUTE format('DROP TABLE public.%I', partition);
            dropped := dropped + 1;
            CONTINUE;
        END IF;
        EXECUTE format('SELECT count(*) FROM public.%I', partition) INTO total;
        CONTINUE WHEN total = held;
        low := (to_date(substr(partition::text, 7), 'YYYYMMDD') - date '1970-01-01')::bigint * 86400000000 * 256;
        EXECUTE format('ALTER TABLE public.event DETACH PARTITION public.%I', partition);
        EXECUTE format('ALTER TABLE public.%I RENAME TO event_expired', partition);
        EXECUTE format('CREATE TABLE public.%I (LIKE public.event INCLUDING ALL)', partition);
        PERFORM public.onefold_by_space(to_regclass('public.' || quote_ident(partition)));
        EXECUTE format('INSERT INTO public.%I ' || kept, partition, 'event_expired');
        EXECUTE format('ALTER TABLE public.event ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)',
                       partition, low, low + 86400000000::bigint * 256);
        DROP TABLE public.event_expired;
    END LOOP;
    PERFORM set_config('onefold.space', shown, true);
    RETURN dropped;
END $$;
"""


def upgrade() -> None:
    # A lock that is not had soon is given up: waiting for it would stall every writer behind.
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(BY_SPACE)
    op.execute(MAKING_HEAD + PROTECT + MAKING_TAIL)
    op.execute(DROPPING)
    for table in TABLES:
        op.execute(f"SELECT onefold_by_space('public.{table}')")
    op.execute("SELECT onefold_by_space('public.space', 'id')")
    op.execute(f"SELECT onefold_by_space(inhrelid) FROM ({_PARTITIONS}) p")  # noqa: S608 (constants)


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(MAKING_HEAD + MAKING_TAIL)
    op.execute(
        f"""
        DO $$ DECLARE target regclass; BEGIN
            FOR target IN {_PARTITIONS} UNION ALL SELECT unnest('{{{",".join((*TABLES, "space"))}}}'::regclass[]) LOOP
                EXECUTE format('DROP POLICY by_space ON %s', target);
                EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY', target);
            END LOOP;
        END $$
        """
    )
    op.execute("DROP FUNCTION onefold_by_space(regclass, name)")
