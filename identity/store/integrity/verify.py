"""Reads a whole space for verification: in one snapshot, some thousand rows at a time, nothing decrypted.

A server cursor walks each table once. These statements scan, so they are planned for whole tables. Writers never wait
for them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString, NamedTuple

from psycopg import AsyncRawServerCursor
from psycopg.rows import TupleRow

from identity.store.postgres.database import Connection, Database, rows
from identity.store.postgres.snapshot import scanning_snapshot
from identity.store.postgres.tenant import Tenant
from identity.values.enums import ErasureState, FeedOperation, StoredKind
from identity.values.ids import DestinationNumber, ProfileId

BATCH = 5_000
_ERASE, _MERGE = FeedOperation.ERASE.value, FeedOperation.MERGE.value
_SETTINGS = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")

PROFILES: LiteralString = """
SELECT profile_id, head, canonical, joined_to, joined_at, born, elder, version, events, own
FROM profile WHERE space_id = $1::int4 AND bucket = $2::int4
"""
COUNTERS: LiteralString = """
SELECT profile_id, own, folded FROM profile WHERE space_id = $1::int4 AND bucket = $2::int4
"""
FORWARD: LiteralString = """
SELECT key, profile_id FROM identifier WHERE space_id = $1::int4 AND bucket = $2::int4
"""
REVERSE: LiteralString = """
SELECT profile_id, key, type, retired, linked_at, last_seen, length(value) > 0
FROM profile_identifier WHERE space_id = $1::int4 AND bucket = $2::int4
"""
EVIDENCE: LiteralString = """
SELECT profile_id, stamp, kind, kept FROM evidence WHERE space_id = $1::int4 AND bucket = $2::int4
"""
CLAIMING: LiteralString = f"""
SELECT profile_id, stamp, kind, kept, demoted FROM evidence
WHERE space_id = $1::int4 AND bucket = $2::int4 AND (demoted IS NOT NULL OR kind = {StoredKind.REFUSE.value})
"""  # noqa: S608 (the number of a kind)
CLAIMS: LiteralString = """
SELECT key, profile_id, join_id, since, last, times, refused, key FROM claim
WHERE space_id = $1::int4 AND bucket = $2::int4
"""
EVENTS: LiteralString = """
SELECT profile_id, sum(calls)::int8 FROM event
WHERE space_id = $1::int4 AND bucket = $2::int4 GROUP BY profile_id
"""
FEED_STATE: LiteralString = f"""
SELECT t.profile_id, max(t.version) FILTER (WHERE t.named), CASE
    WHEN p.profile_id IS NULL THEN bool_or(t.op = {_ERASE})
    -- Of a live profile its last entry counts; of an id that was merged away, that it was.
    ELSE NOT p.withheld AND (array_agg(t.op ORDER BY t.at DESC, t.version DESC, t.op DESC))[1] = {_ERASE}
END
FROM (
    SELECT profile_id, version, at, op, true AS named FROM change WHERE space_id = $1::int4 AND bucket = $2::int4
    UNION ALL
    SELECT other, version, at, op, false FROM change WHERE space_id = $1::int4 AND bucket = $2::int4 AND op = {_MERGE}
) t
LEFT JOIN profile p ON p.profile_id = t.profile_id AND p.space_id = $1::int4 AND p.bucket = $2::int4
GROUP BY t.profile_id, p.profile_id, p.withheld HAVING bool_or(t.named)
"""  # noqa: S608 (numbers of operations)
ERASED: LiteralString = f"""
SELECT DISTINCT c.profile_id FROM change c
WHERE c.space_id = $1::int4 AND c.bucket = $2::int4 AND c.op = {_ERASE} AND c.other IS NOT NULL
  AND NOT EXISTS (SELECT FROM erasure e WHERE e.erasure_id = c.other AND e.space_id = $1::int4 AND e.bucket = $2::int4)
"""  # noqa: S608 (numbers of operations)
DELIVERIES: LiteralString = """
SELECT coalesce(v.destination, d.id), v.destination IS NOT NULL AND d.id IS NOT NULL, v.acked, v.pushed
FROM (SELECT * FROM delivery WHERE space_id = $1::int4 AND bucket = $2::int4) v
FULL JOIN (SELECT id FROM destination WHERE space_id = $1::int4) d ON d.id = v.destination
"""
DISCLOSED: LiteralString = """
SELECT t.profile_id, t.destination, p.profile_id IS NOT NULL AND d.id IS NOT NULL FROM disclosure t
LEFT JOIN profile p ON p.profile_id = t.profile_id AND p.space_id = $1::int4 AND p.bucket = $2::int4
LEFT JOIN destination d ON d.id = t.destination AND d.space_id = $1::int4
WHERE t.space_id = $1::int4 AND t.bucket = $2::int4
"""
CUTS: LiteralString = """
SELECT key, cut, side FROM cut WHERE space_id = $1::int4 AND bucket = $2::int4
"""
RENAMED: LiteralString = """
SELECT old, new FROM renamed_key WHERE new IS NOT NULL AND space_id = $1::int4 AND bucket = $2::int4
"""
FORGOTTEN: LiteralString = """
SELECT key, until FROM forgotten WHERE space_id = $1::int4 AND bucket = $2::int4
"""
BLOCKED_LINKED: LiteralString = """
SELECT b.key FROM blocked_key b
JOIN identifier i ON i.key = b.key AND i.space_id = $1::int4 AND i.bucket = $2::int4
WHERE b.space_id = $1::int4 AND b.bucket = $2::int4
"""
BLOCKED: LiteralString = """
SELECT key FROM blocked_key WHERE space_id = $1::int4 AND bucket = $2::int4
"""
ERASURES: LiteralString = """
SELECT erasure_id, request_id, kind, regulation, state, hash, commitment, received_at, internal_at, duplicate_of, found,
    backup_safe_at, ARRAY(SELECT n.destination FROM erasure_notice n
                          WHERE n.erasure_id = e.erasure_id AND n.space_id = $1::int4 AND n.bucket = $2::int4)
FROM erasure e WHERE space_id = $1::int4 AND bucket = $2::int4
"""
REQUESTS: LiteralString = """
SELECT request_id, front, kind, regulation, received_at, actor, encode(uuid_send(idempotency), 'hex'),
    encode(uuid_send(body), 'hex'), details IS NOT NULL
FROM privacy_request WHERE space_id = $1::int4 AND bucket = $2::int4
"""
UNDOCUMENTED: LiteralString = """
SELECT DISTINCT m.profile_id FROM membership m
JOIN profile p ON p.profile_id = m.profile_id AND p.space_id = $1::int4 AND p.bucket = $2::int4
WHERE m.space_id = $1::int4 AND m.bucket = $2::int4
  AND NOT EXISTS (SELECT FROM profile_document d
                  WHERE d.profile_id = m.profile_id AND d.space_id = $1::int4 AND d.bucket = $2::int4)
"""
WITHHELD: LiteralString = f"""
WITH waiting AS (
    SELECT DISTINCT p.head FROM erasure e
    JOIN identifier i ON i.key = e.key AND i.space_id = $1::int4 AND i.bucket = $2::int4
    JOIN profile p ON p.profile_id = i.profile_id AND p.space_id = $1::int4 AND p.bucket = $2::int4
    WHERE e.state = {ErasureState.ON_HOLD.value} AND e.space_id = $1::int4 AND e.bucket = $2::int4
)
SELECT p.profile_id FROM profile p LEFT JOIN waiting w ON w.head = p.head
WHERE p.space_id = $1::int4 AND p.bucket = $2::int4 AND p.withheld <> (w.head IS NOT NULL)
  AND p.head <> '00000000-0000-0000-0000-000000000000'
  AND EXISTS (SELECT FROM identifier i JOIN profile o ON o.profile_id = i.profile_id
              WHERE o.head = p.head AND o.space_id = $1::int4 AND o.bucket = $2::int4
                AND i.space_id = $1::int4 AND i.bucket = $2::int4)
"""  # noqa: S608 (the number of a state)
KEYLESS: LiteralString = """
SELECT o.id FROM (
    SELECT profile_id AS id FROM profile WHERE space_id = $1::int4 AND bucket = $2::int4
    UNION ALL SELECT account_id FROM account WHERE space_id = $1::int4 AND bucket = $2::int4
) o
LEFT JOIN (
    SELECT s.profile_id FROM subject_key s
    JOIN slot_key w ON w.slot = s.slot AND w.space_id = $1::int4 AND w.bucket = $2::int4
    WHERE s.space_id = $1::int4 AND s.bucket = $2::int4
) k ON k.profile_id = o.id
WHERE k.profile_id IS NULL
"""
OWNERLESS: LiteralString = """
SELECT s.profile_id FROM subject_key s
LEFT JOIN profile p ON p.profile_id = s.profile_id AND p.space_id = $1::int4 AND p.bucket = $2::int4
LEFT JOIN account a ON a.account_id = s.profile_id AND a.space_id = $1::int4 AND a.bucket = $2::int4
WHERE s.space_id = $1::int4 AND s.bucket = $2::int4 AND p.profile_id IS NULL AND a.account_id IS NULL
  AND NOT EXISTS (SELECT FROM export x
                  WHERE x.export_id = s.profile_id AND x.space_id = $1::int4 AND x.bucket = $2::int4)
  AND NOT EXISTS (SELECT FROM erasure e
                  WHERE e.erasure_id = s.profile_id AND e.aside IS NOT NULL AND e.space_id = $1::int4
                    AND e.bucket = $2::int4)
  AND NOT EXISTS (SELECT FROM hold h
                  WHERE h.hold_id = s.profile_id AND h.space_id = $1::int4 AND h.bucket = $2::int4)
"""
LEDGER: LiteralString = """
SELECT seq, entry, hash FROM ledger WHERE space_id = $1::int4 AND bucket = $2::int4 ORDER BY seq
"""
_ABOUT: dict[LiteralString, LiteralString] = {
    "profile_document": "profile_id",
    "sighting": "profile_id",
    "history": "profile_id",
    "membership": "profile_id",
    "change": "other",
}
# The entry of an erasure names the erasure, no profile.
_AS: dict[LiteralString, LiteralString] = {"change": f"(SELECT * FROM change WHERE op <> {_ERASE})"}  # noqa: S608


@asynccontextmanager
async def snapshot(database: Database) -> AsyncIterator[Connection]:
    """A connection that sees one moment, and whose statements are planned for whole tables."""
    async with scanning_snapshot(database, *_SETTINGS) as connection:
        await connection.execute("SET LOCAL plan_cache_mode = auto")
        yield connection


async def stream(
    connection: Connection, query: LiteralString, tenant: Tenant, batch: int = BATCH
) -> AsyncIterator[list[TupleRow]]:
    """The rows of a statement on a space, some at a time."""
    async with AsyncRawServerCursor(connection, "audit") as cursor:
        await cursor.execute(query, [tenant.id, tenant.base], binary=True)
        more = True
        while more:
            found = await cursor.fetchmany(batch)
            # Fewer rows than asked for are the last ones.
            more = len(found) == batch
            if found:
                yield found


async def profiles_with_history(connection: Connection, tenant: Tenant, kind: int) -> list[ProfileId]:
    """The profiles whose history has a line of this kind."""
    found = await rows(
        connection,
        """
        SELECT DISTINCT profile_id FROM history
        WHERE space_id = $1::int4 AND bucket = $2::int4 AND kind = $3::int4
        """,
        tenant.id,
        tenant.base,
        kind,
    )
    return [ProfileId(id_) for (id_,) in found]


async def blocked_keys(connection: Connection, tenant: Tenant) -> set[bytes]:
    """The blind indexes of all blocked identifiers."""
    return {bytes(key) for (key,) in await rows(connection, BLOCKED, tenant.id, tenant.base)}


async def destination_numbers(connection: Connection, tenant: Tenant) -> set[DestinationNumber]:
    """The numbers of all destinations, ended ones included."""
    found = await rows(connection, "SELECT id FROM destination WHERE space_id = $1::int4", tenant.id)
    return {DestinationNumber(number) for (number,) in found}


class LaneCheckRow(NamedTuple):
    """A lane of the feed: its last entry, its base, and the entries that it holds."""

    lane: int
    seq: int | None
    base: int
    entries: int
    first: int | None
    last: int | None


async def lanes(connection: Connection, tenant: Tenant) -> list[LaneCheckRow]:
    """The lanes of the feed, and lanes that have entries but no head."""
    found = await rows(
        connection,
        """
        SELECT coalesce(h.lane, c.lane), h.seq, coalesce(h.base, 0), coalesce(c.entries, 0), c.low, c.high
        FROM (SELECT lane, seq, base FROM lane_head WHERE space_id = $1::int4 AND bucket = $2::int4) h
        FULL JOIN (
            SELECT lane, count(*) AS entries, min(seq) AS low, max(seq) AS high FROM change
            WHERE space_id = $1::int4 AND bucket = $2::int4 GROUP BY lane
        ) c ON c.lane = h.lane
        """,
        tenant.id,
        tenant.base,
    )
    return [LaneCheckRow(*each) for each in found]


async def orphans(connection: Connection, tenant: Tenant) -> AsyncIterator[tuple[str, list[ProfileId]]]:
    """Per table the profiles that its rows name and that do not exist."""
    for table, about in _ABOUT.items():
        async for found in stream(connection, _orphans(table, about), tenant):
            yield table, [id_ for (id_,) in found]


def _orphans(table: LiteralString, about: LiteralString) -> LiteralString:
    return f"""
        SELECT DISTINCT t.{about} FROM {_AS.get(table, table)} t
        LEFT JOIN profile p ON p.profile_id = t.{about} AND p.space_id = $1::int4 AND p.bucket = $2::int4
        WHERE t.space_id = $1::int4 AND t.bucket = $2::int4 AND t.{about} IS NOT NULL AND p.profile_id IS NULL
          AND NOT EXISTS (SELECT FROM change e WHERE e.profile_id = t.{about} AND e.op = {_ERASE}
                          AND e.space_id = $1::int4 AND e.bucket = $2::int4 AND '{table}' = 'change')
    """  # noqa: S608 (names of tables)
