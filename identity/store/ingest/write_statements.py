"""The statements of `write`, each with the care it needs.

All are set-based over `unnest`, which is 1.6 times faster than rows of VALUES on one machine. On Citus this file
would change. Times and stamps are parameters.

Postgres has one plan for each, whatever its statistics say. A changed row is named by `= ANY (ARRAY[...])`, which an
index looks up and no join can order by, and `+ 0` hides the space and its bucket from every index, so that no scan of
a whole space is possible. Rows named by the first column of the only index are deleted by `= ANY` of the whole array.
"""

from typing import Final, LiteralString

INSERT_PROFILES = """
INSERT INTO profile (profile_id, space_id, bucket, version, stamp, born, elder, events, joined_at, head,
                     canonical, joined_to, own, folded)
SELECT u.id, $1::int4, u.bucket, u.version, u.stamp, u.born, u.elder, u.events, u.joined_at, u.head,
       u.canonical, u.joined_to, u.own, u.folded
FROM unnest($2::uuid[], $3::int4[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[],
            $10::uuid[], $11::uuid[], $12::uuid[], $13::bytea[], $14::bytea[])
     AS u (id, bucket, version, stamp, born, elder, events, joined_at, head, canonical, joined_to, own, folded)
"""

# The partial index on `head` finds the origins; the root itself is among the touched profiles.
MOVE_ORIGINS = """
UPDATE profile p SET head = u.to_root
FROM unnest($2::uuid[], $3::uuid[]) AS u (head, to_root)
WHERE p.head = ANY (ARRAY[u.head]) AND p.head <> p.profile_id AND p.space_id + 0 = $1::int4 AND p.bucket + 0 = $4::int4
"""

# The stamp it had when it was locked: nobody else may have written it since.
UPDATE_PROFILES = """
UPDATE profile p
SET version = u.version, stamp = u.stamp, born = u.born, elder = u.elder, events = u.events, joined_at = u.joined_at,
    head = u.head, canonical = u.canonical, joined_to = u.joined_to, own = u.own, folded = u.folded
FROM unnest($2::uuid[], $3::int4[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::int8[],
            $10::uuid[], $11::uuid[], $12::uuid[], $13::bytea[], $14::bytea[], $15::int8[])
     AS u (id, bucket, version, stamp, born, elder, events, joined_at, head, canonical, joined_to, own, folded,
           expected)
WHERE p.profile_id = ANY (ARRAY[u.id]) AND p.space_id + 0 = $1::int4 AND p.bucket + 0 = u.bucket
  AND p.stamp = u.expected
"""

# Another batch that links the same identifier makes this one wait, and then fail: it plans again.
INSERT_IDENTIFIERS = """
INSERT INTO identifier (key, space_id, bucket, profile_id)
SELECT u.key, $1::int4, u.bucket, u.origin
FROM unnest($2::bytea[], $3::int4[], $4::uuid[]) AS u (key, bucket, origin)
"""

INSERT_PROFILE_IDENTIFIERS = """
INSERT INTO profile_identifier (profile_id, key, space_id, bucket, type, retired, source, linked_at,
                                first_seen, last_seen, value)
SELECT u.origin, u.key, $1::int4, u.bucket, u.type, u.retired, u.source, u.linked_at, u.first_seen, u.last_seen,
       u.value
FROM unnest($2::uuid[], $3::bytea[], $4::int4[], $5::int2[], $6::bool[], $7::int4[], $8::int8[], $9::int8[],
            $10::int8[], $11::bytea[])
     AS u (origin, key, bucket, type, retired, source, linked_at, first_seen, last_seen, value)
"""

UPDATE_SEEN = """
UPDATE profile_identifier i
SET first_seen = least(i.first_seen, u.first_seen), last_seen = greatest(i.last_seen, u.last_seen)
FROM unnest($2::uuid[], $3::bytea[], $4::int4[], $5::int8[], $6::int8[])
     AS u (origin, key, bucket, first_seen, last_seen)
WHERE i.profile_id = ANY (ARRAY[u.origin]) AND i.key = u.key AND i.space_id + 0 = $1::int4 AND i.bucket + 0 = u.bucket
  AND (i.last_seen < u.last_seen OR i.first_seen > u.first_seen)
"""

RETIRE = """
UPDATE profile_identifier i SET retired = true
FROM unnest($2::uuid[], $3::bytea[], $4::int4[]) AS u (origin, key, bucket)
WHERE i.profile_id = ANY (ARRAY[u.origin]) AND i.key = u.key AND i.space_id + 0 = $1::int4 AND i.bucket + 0 = u.bucket
"""

INSERT_SIGHTINGS = """
INSERT INTO sighting (profile_id, set_key, space_id, bucket, count, days, last_day, first_seen, last_seen, sources)
SELECT u.origin, u.set_key, $1::int4, u.bucket, u.count, u.days, u.last_day, u.first_seen, u.last_seen, u.sources
FROM unnest($2::uuid[], $3::uuid[], $4::int4[], $5::int4[], $6::int4[], $7::int4[], $8::int8[], $9::int8[],
            $10::bytea[])
     AS u (origin, set_key, bucket, count, days, last_day, first_seen, last_seen, sources)
"""

UPDATE_SIGHTINGS = """
UPDATE sighting g SET count = u.count, days = u.days, last_day = u.last_day, first_seen = u.first_seen,
                      last_seen = u.last_seen, sources = u.sources
FROM unnest($2::uuid[], $3::uuid[], $4::int4[], $5::int4[], $6::int4[], $7::int4[], $8::int8[], $9::int8[],
            $10::bytea[])
     AS u (origin, set_key, bucket, count, days, last_day, first_seen, last_seen, sources)
WHERE g.profile_id = ANY (ARRAY[u.origin]) AND g.set_key = u.set_key AND g.space_id + 0 = $1::int4
  AND g.bucket + 0 = u.bucket
"""

# The space lock is held, so the epoch this key is wrapped under is still the newest.
INSERT_SLOT = """
INSERT INTO slot_key (space_id, slot, bucket, epoch, wrapped)
VALUES ($1::int4, $2::int2, $3::int4, $4::int4, $5::bytea)
"""

INSERT_SUBJECT_KEYS = """
INSERT INTO subject_key (profile_id, space_id, bucket, slot, key_id, wrapped)
SELECT u.id, $1::int4, u.bucket, u.slot, u.key_id, u.wrapped
FROM unnest($2::uuid[], $3::int4[], $4::int2[], $5::uuid[], $6::bytea[]) AS u (id, bucket, slot, key_id, wrapped)
"""

INSERT_DOCUMENTS = """
INSERT INTO profile_document (profile_id, space_id, bucket, version, document)
SELECT u.id, $1::int4, u.bucket, u.version, u.document
FROM unnest($2::uuid[], $3::int4[], $4::int4[], $5::bytea[]) AS u (id, bucket, version, document)
"""

UPDATE_DOCUMENTS = """
UPDATE profile_document d SET version = u.version, document = u.document
FROM unnest($2::uuid[], $3::int4[], $4::int4[], $5::bytea[]) AS u (id, bucket, version, document)
WHERE d.profile_id = ANY (ARRAY[u.id]) AND d.space_id + 0 = $1::int4 AND d.bucket + 0 = u.bucket
  AND d.version = u.version - 1
"""

INSERT_GROUPS = """
INSERT INTO account (key, space_id, bucket, account_id, version, group_id, document)
SELECT u.key, $1::int4, u.bucket, u.id, u.version, u.group_id, u.document
FROM unnest($2::bytea[], $3::int4[], $4::uuid[], $5::int4[], $6::bytea[], $7::bytea[])
     AS u (key, bucket, id, version, group_id, document)
"""

UPDATE_GROUPS = """
UPDATE account a SET version = u.version, document = u.document
FROM unnest($2::bytea[], $3::int4[], $4::uuid[], $5::int4[], $6::bytea[], $7::bytea[])
     AS u (key, bucket, id, version, group_id, document)
WHERE a.key = ANY (ARRAY[u.key]) AND a.space_id + 0 = $1::int4 AND a.bucket + 0 = u.bucket
  AND a.version = u.version - 1
"""

PUT_MEMBERSHIPS = """
INSERT INTO membership (group_key, profile_id, space_id, bucket, member, time, stamp)
SELECT u.group_key, u.origin, $1::int4, u.bucket, u.member, u.time, u.stamp
FROM unnest($2::bytea[], $3::uuid[], $4::int4[], $5::bool[], $6::int8[], $7::int8[])
     AS u (group_key, origin, bucket, member, time, stamp)
ON CONFLICT (group_key, profile_id, space_id, bucket)
DO UPDATE SET member = excluded.member, time = excluded.time, stamp = excluded.stamp
"""

DELETE_MEMBERSHIPS = """
DELETE FROM membership m USING unnest($2::bytea[], $3::uuid[], $4::int4[]) AS u (group_key, origin, bucket)
WHERE m.group_key = ANY (ARRAY[u.group_key]) AND m.profile_id = u.origin AND m.space_id + 0 = $1::int4
  AND m.bucket + 0 = u.bucket
"""

INSERT_EVIDENCE = """
INSERT INTO evidence (profile_id, stamp, space_id, bucket, kind, rules_version, kept, demoted, payload)
SELECT u.origin, u.stamp, $1::int4, u.bucket, u.kind, u.rules, u.kept, u.demoted, u.payload
FROM unnest($2::uuid[], $3::int8[], $4::int4[], $5::int2[], $6::bytea[], $7::bytea[], $8::bytea[], $9::int4[])
     AS u (origin, stamp, bucket, kind, kept, demoted, payload, rules)
"""

# The claims of one origin change under the lock of its profile alone. A claim that was gathered before grows.
PUT_CLAIMS = """
INSERT INTO claim (key, profile_id, space_id, bucket, join_id, since, last, times, refused)
SELECT u.key, u.origin, $1::int4, u.bucket, u.id, u.since, u.last, u.times, u.refused
FROM unnest($2::bytea[], $3::uuid[], $4::int4[], $5::uuid[], $6::int8[], $7::int8[], $8::int8[], $9::int8[])
     AS u (key, origin, bucket, id, since, last, times, refused)
ON CONFLICT (key, profile_id, space_id, bucket) DO UPDATE
SET since = CASE WHEN claim.times = 0 THEN excluded.since ELSE least(claim.since, excluded.since) END,
    last = greatest(claim.last, excluded.last), times = claim.times + excluded.times,
    refused = greatest(claim.refused, excluded.refused)
"""

INSERT_EVENTS = """
INSERT INTO event (profile_id, stamp, space_id, bucket, calls, payload)
SELECT u.origin, u.stamp, $1::int4, u.bucket, u.calls, u.payload
FROM unnest($2::uuid[], $3::int8[], $4::int4[], $5::int2[], $6::bytea[]) AS u (origin, stamp, bucket, calls, payload)
"""

INSERT_HISTORY = """
INSERT INTO history (profile_id, stamp, seq, space_id, bucket, kind, rules_version, other, keys, actor)
SELECT u.origin, u.stamp, u.seq, $1::int4, u.bucket, u.kind, u.rules, u.other, u.keys, u.source
FROM unnest($2::uuid[], $3::int8[], $4::int4[], $5::int2[], $6::int2[], $7::uuid[], $8::bytea[], $9::int4[],
            $10::int8[])
     AS u (origin, stamp, bucket, seq, kind, other, keys, rules, source)
"""

# Claimed at the start, but the call came to nothing: its id stays free.
DELETE_MESSAGES = """
DELETE FROM message WHERE key = ANY ($2::uuid[]) AND space_id = $1::int4 AND bucket = ANY ($3::int4[])
"""


CONTENT_TABLES: Final[tuple[LiteralString, ...]] = (
    "profile_document", "sighting", "evidence", "claim", "event", "history", "subject_key",
)  # fmt: skip
"""The tables with the content of an origin: rows found by the id of the origin alone. `subject_key` is the last."""

# Delete the content of origins; the identifiers and memberships of an origin have statements of their own. The first
# statement marks the key slots of the deleted subject keys as touched, so the next key roll makes new slot keys for
# them. The statement also writes a slot that is marked already: it needs the row lock of the slot, and so waits until
# a key roll that is working on the slot has committed. Otherwise the roll would take the mark away with its own.
DELETE_ORIGIN_CONTENT: Final[tuple[LiteralString, ...]] = (
    """
    UPDATE slot_key SET touched = true WHERE space_id = $1::int4 AND slot = ANY (ARRAY(
        SELECT s.slot FROM subject_key s
        WHERE s.profile_id = ANY ($2::uuid[]) AND s.space_id = $1::int4 AND s.bucket = ANY ($3::int4[])
    ))
    """,
    *(
        f"""
    DELETE FROM {table} WHERE profile_id = ANY ($2::uuid[]) AND space_id = $1::int4 AND bucket = ANY ($3::int4[])
    """  # noqa: S608 (names of tables)
        for table in CONTENT_TABLES
    ),
)

DELETE_IDENTIFIERS = """
DELETE FROM identifier WHERE key = ANY ($2::bytea[]) AND space_id = $1::int4 AND bucket = ANY ($3::int4[])
"""

DELETE_PROFILE_IDENTIFIERS = """
DELETE FROM profile_identifier i USING unnest($2::uuid[], $3::bytea[], $4::int4[]) AS u (origin, key, bucket)
WHERE i.profile_id = ANY (ARRAY[u.origin]) AND i.key = u.key AND i.space_id + 0 = $1::int4 AND i.bucket + 0 = u.bucket
"""

UNRETIRE = """
UPDATE profile_identifier i SET retired = false
FROM unnest($2::uuid[], $3::bytea[], $4::int4[]) AS u (origin, key, bucket)
WHERE i.profile_id = ANY (ARRAY[u.origin]) AND i.key = u.key AND i.space_id + 0 = $1::int4 AND i.bucket + 0 = u.bucket
"""

DELETE_SIGHTINGS = """
DELETE FROM sighting g USING unnest($2::uuid[], $3::uuid[], $4::int4[]) AS u (origin, set_key, bucket)
WHERE g.profile_id = ANY (ARRAY[u.origin]) AND g.set_key = u.set_key AND g.space_id + 0 = $1::int4
  AND g.bucket + 0 = u.bucket
"""

INSERT_CUTS = """
INSERT INTO cut (key, space_id, bucket, cut, side)
SELECT u.key, $1::int4, u.bucket, u.cut, u.side
FROM unnest($2::bytea[], $3::int4[], $4::uuid[], $5::int2[]) AS u (key, bucket, cut, side)
"""

BLOCK = """
INSERT INTO blocked_key (key, space_id, bucket)
SELECT u.key, $1::int4, u.bucket FROM unnest($2::bytea[], $3::int4[]) AS u (key, bucket)
ON CONFLICT DO NOTHING
"""

FORGET = """
INSERT INTO forgotten (key, space_id, bucket, until)
SELECT u.key, $1::int4, u.bucket, u.until FROM unnest($2::bytea[], $3::int4[], $4::int8[]) AS u (key, bucket, until)
ON CONFLICT (key, space_id, bucket) DO UPDATE SET until = greatest(forgotten.until, excluded.until)
"""

SUPPRESS = """
INSERT INTO suppression (key, space_id, bucket, whole, until)
SELECT u.key, $1::int4, u.bucket, u.whole, u.until
FROM unnest($2::bytea[], $3::int4[], $4::bool[], $5::int8[]) AS u (key, bucket, whole, until)
ON CONFLICT (key, space_id, bucket) DO UPDATE
SET whole = suppression.whole OR excluded.whole, until = greatest(suppression.until, excluded.until)
"""

INSERT_REJECTION = """
INSERT INTO rejection (space_id, stamp, bucket, calls, payload)
VALUES ($1::int4, $2::int8, $3::int4, $4::int2, $5::bytea)
"""

# The row lock on the lane's head is held to the commit, so committed entries are exactly 1..seq.
INSERT_CHANGES = """
WITH head AS (
    UPDATE lane_head SET seq = seq + $4::int8
    WHERE space_id = $1::int4 AND lane = $2::int2 AND bucket = $3::int4 RETURNING seq
)
INSERT INTO change (space_id, lane, seq, bucket, op, version, at, profile_id, other)
SELECT $1::int4, $2::int2, head.seq - $4::int8 + u.nr, $3::int4, u.op, u.version, u.at, u.profile, u.other
FROM head, unnest($5::int2[], $6::int8[], $7::int8[], $8::uuid[], $9::uuid[]) WITH ORDINALITY
     AS u (op, version, at, profile, other, nr)
"""
