"""The plain events of people under a litigation hold outlive their retention.

An expired partition goes whole, unless it has events of such people: then a partition with these events alone takes its
place, until the hold ends or an erasure deletes the events.

Revision: 0012, after 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

HEAD = """
CREATE OR REPLACE FUNCTION onefold_drop_events(keep integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '2s' AS $$
"""
EXPIRED = """
        SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.event'::regclass
          AND c.relname < 'event_' || to_char((now() AT TIME ZONE 'UTC')::date - greatest(keep, 1), 'YYYYMMDD')
"""

# A rewritten partition holds events of held people alone, so later sweeps find nothing to rewrite.
KEEPING = f"""
{HEAD}
DECLARE
    holds boolean := EXISTS (SELECT FROM public.held_key);
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
    FOR partition IN {EXPIRED} LOOP
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
        EXECUTE format('INSERT INTO public.%I ' || kept, partition, 'event_expired');
        EXECUTE format('ALTER TABLE public.event ATTACH PARTITION public.%I FOR VALUES FROM (%s) TO (%s)',
                       partition, low, low + 86400000000::bigint * 256);
        DROP TABLE public.event_expired;
    END LOOP;
    RETURN dropped;
END $$;
"""  # noqa: S608 (constants)

DROPPING = f"""
{HEAD}
DECLARE
    partition name;
    dropped integer := 0;
BEGIN
    FOR partition IN {EXPIRED} LOOP
        EXECUTE format('DROP TABLE public.%I', partition);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.execute(KEEPING)


def downgrade() -> None:
    op.execute(DROPPING)
