"""The statements of `load`, each with one plan that Postgres can choose, whatever its statistics say.

Each row is looked up by its whole key in a subquery of its own: `OFFSET 0` keeps the subquery apart, so no join can
read a whole space and filter it. Where a table has another index with which the space begins, `+ 0` hides the space
and its bucket from that index.
"""

DEDUP = """
INSERT INTO message (key, space_id, bucket, batch)
SELECT k.key, $1::int4, k.bucket, $4::int8 FROM unnest($2::uuid[], $3::int4[]) AS k (key, bucket)
ON CONFLICT DO NOTHING RETURNING key
"""

# Only roots are locked: the lock on a root covers all its origins, so a merge, which writes origins
# that it has not loaded, never meets a transaction that holds one of them and waits for the root.
# $3 is the one bucket of all rows of the space: `spread` is 1 in every space today (`postgres/tenant.py`).
# A space that is spread over several buckets, for Citus, would need two statements here.
ROOTS = """
SELECT p.profile_id, p.version, p.stamp, p.born, p.elder, p.events, p.joined_at, p.head, p.canonical,
       p.joined_to, p.own, p.folded
FROM (
    SELECT DISTINCT o.head FROM unnest($2::uuid[]) AS k (id)
    CROSS JOIN LATERAL (
        SELECT t.head FROM profile t
        WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
    ) o
    ORDER BY o.head
) n CROSS JOIN LATERAL (
    SELECT t.* FROM profile t
    WHERE t.profile_id = n.head AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0 FOR NO KEY UPDATE
) p
"""

ORIGINS = """
SELECT p.profile_id, p.version, p.stamp, p.born, p.elder, p.events, p.joined_at, p.head, p.canonical,
       p.joined_to, p.own, p.folded
FROM unnest($2::uuid[]) AS k (id) CROSS JOIN LATERAL (
    SELECT t.* FROM profile t
    WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
) p
"""

KEYS = """
SELECT k.id, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped, d.version, d.document
FROM unnest($2::uuid[], $3::int4[], $4::bool[]) AS k (id, bucket, wanted)
CROSS JOIN LATERAL (
    SELECT t.slot, t.key_id, t.wrapped FROM subject_key t
    WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = k.bucket OFFSET 0
) s
CROSS JOIN LATERAL (
    SELECT t.epoch, t.wrapped FROM slot_key t
    WHERE t.space_id = $1::int4 AND t.slot = s.slot AND t.bucket = $5::int4 OFFSET 0
) w
LEFT JOIN LATERAL (
    SELECT t.version, t.document FROM profile_document t
    WHERE k.wanted AND t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = k.bucket OFFSET 0
) d ON true
"""

SIGHTINGS = """
SELECT g.profile_id, g.set_key, g.count, g.days, g.last_day, g.first_seen, g.last_seen, g.sources
FROM unnest($2::uuid[], $3::uuid[], $4::int4[]) AS k (id, set_key, bucket) CROSS JOIN LATERAL (
    SELECT t.* FROM sighting t
    WHERE t.profile_id = k.id AND t.set_key = k.set_key AND t.space_id = $1::int4 AND t.bucket = k.bucket OFFSET 0
) g
"""

SLOT = (
    "SELECT epoch, wrapped FROM slot_key WHERE space_id = $1::int4 AND slot = $2::int2 AND bucket = $3::int4 FOR SHARE"
)

# `+ 0` keeps the index of the list of groups out of it, which has no key.
GROUPS = """
SELECT a.key, a.account_id, a.version, a.group_id, a.document
FROM unnest($2::bytea[], $3::int4[]) AS k (key, bucket) CROSS JOIN LATERAL (
    SELECT t.* FROM account t
    WHERE t.key = k.key AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = k.bucket OFFSET 0 FOR NO KEY UPDATE
) a
"""
GROUP_KEYS = """
SELECT a.account_id, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped, NULL::int4, NULL::bytea
FROM unnest($2::bytea[], $3::int4[]) AS k (key, bucket)
CROSS JOIN LATERAL (
    SELECT t.account_id FROM account t
    WHERE t.key = k.key AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = k.bucket OFFSET 0
) a
CROSS JOIN LATERAL (
    SELECT t.slot, t.key_id, t.wrapped FROM subject_key t
    WHERE t.profile_id = a.account_id AND t.space_id = $1::int4 AND t.bucket = $4::int4 OFFSET 0
) s
CROSS JOIN LATERAL (
    SELECT t.epoch, t.wrapped FROM slot_key t
    WHERE t.space_id = $1::int4 AND t.slot = s.slot AND t.bucket = $4::int4 OFFSET 0
) w
"""

BATCH = """
SELECT m.batch FROM unnest($2::uuid[], $3::int4[]) AS k (key, bucket) CROSS JOIN LATERAL (
    SELECT t.batch FROM message t
    WHERE t.key = k.key AND t.space_id = $1::int4 AND t.bucket = k.bucket OFFSET 0
) m
WHERE m.batch = ANY ($4::int8[])
UNION ALL
SELECT r.stamp FROM unnest($4::int8[]) AS b (stamp) CROSS JOIN LATERAL (
    SELECT t.stamp FROM rejection t
    WHERE t.space_id = $1::int4 AND t.stamp = b.stamp AND t.bucket = $5::int4 OFFSET 0
) r
LIMIT 1
"""

SEEN = """
SELECT m.key FROM unnest($2::uuid[], $3::int4[]) AS k (key, bucket) CROSS JOIN LATERAL (
    SELECT t.key FROM message t
    WHERE t.key = k.key AND t.space_id = $1::int4 AND t.bucket = k.bucket OFFSET 0
) m
"""

# `+ 0` leaves the partial index on `head` alone.
WINDOW = """
SELECT i.key, i.last_seen
FROM (
    SELECT $2::uuid AS id UNION ALL (
        SELECT t.profile_id FROM profile t
        WHERE t.head = $2::uuid AND t.head <> t.profile_id AND t.space_id + 0 = $1::int4 AND t.bucket + 0 = $5::int4
    )
) p CROSS JOIN LATERAL (
    SELECT t.key, t.last_seen FROM profile_identifier t
    WHERE t.profile_id = p.id AND t.space_id = $1::int4 AND t.bucket = $5::int4 AND t.type = $3::int2
      AND NOT t.retired OFFSET 0
) i
ORDER BY i.last_seen DESC, i.key DESC LIMIT $4::int4
"""
