"""A statement per event: the rows that Onefold writes, one transaction per call, one row a statement.

Values, ciphertexts and order of locks are Onefold's own (its planner and sealer, one call at a time);
only the way into the database differs. Statements are prepared, and reads of several keys are one
statement each. In its favour, it takes neither the space lock nor a lease.
"""

import asyncio
import os
import random
import time
from collections.abc import Sequence
from typing import Any, LiteralString

from psycopg import AsyncConnection, AsyncRawCursor, errors
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from benchmarks.rivals import keys
from benchmarks.rivals.lean import Application, application
from identity.operations.ingest.request import IngestRequest
from identity.operations.ingest.seal import Sealer
from identity.operations.ingest.unseal import UnsealedBatch, wanted_documents, wanted_sets
from identity.planning.resolution.planner import plan
from identity.spaces.space import Space, Spaces
from identity.store.ingest.load import BatchClaim, LockedRows
from identity.store.ingest.write import Writes
from identity.store.postgres import rows
from identity.store.postgres.arrays import Uuid, adapt, byteas, uuids
from identity.store.postgres.space_lock import SpaceLockRow
from identity.store.spaces import spaces_and_keys
from identity.values.calls import Call, Source
from identity.values.errors import Conflict
from identity.values.ids import BlindIndex, ProfileId, new_profile_id, public_profile
from identity.values.stamps import Clock, Micros, Stamp

Connection = AsyncConnection[TupleRow]

_MESSAGE = (
    "INSERT INTO message (key, space_id, bucket, batch) VALUES ($1, $2, $3, $4::int8) "
    "ON CONFLICT DO NOTHING RETURNING key"
)
_OWNERS = (
    "SELECT i.key, i.profile_id, p.head FROM identifier i JOIN profile p ON p.profile_id = i.profile_id "
    "AND p.space_id = $2 AND p.bucket = $3 WHERE i.key = ANY ($1) AND i.space_id = $2 AND i.bucket = $3"
)
_PROFILES = (
    "SELECT profile_id, version, stamp, born, elder, events, joined_at, head, canonical, joined_to, own, folded "
    "FROM profile WHERE profile_id = ANY ($1) AND space_id = $2 AND bucket = $3 ORDER BY profile_id FOR NO KEY UPDATE"
)
_KEYS = (
    "SELECT s.profile_id, s.slot, s.key_id, s.wrapped, w.epoch, w.wrapped, d.version, d.document FROM subject_key s "
    "JOIN slot_key w ON w.space_id = $2 AND w.slot = s.slot AND w.bucket = $3 "
    "LEFT JOIN profile_document d ON d.profile_id = s.profile_id AND d.space_id = $2 AND d.bucket = $3 AND $4::bool "
    "WHERE s.profile_id = ANY ($1) AND s.space_id = $2 AND s.bucket = $3"
)
_SIGHTINGS = (
    "SELECT profile_id, set_key, count, days, last_day, first_seen, last_seen, sources FROM sighting "
    "WHERE profile_id = ANY ($1) AND set_key = ANY ($4) AND space_id = $2 AND bucket = $3"
)
_SLOT = "SELECT epoch, wrapped FROM slot_key WHERE space_id = $1 AND slot = $2 AND bucket = $3 FOR SHARE"
_PROFILE = (
    "UPDATE profile SET version = $4, stamp = $5, elder = $6, events = $7, joined_at = $8, head = $9, canonical = $10, "
    "joined_to = $11, own = $12, folded = $13 WHERE profile_id = $1 AND space_id = $2 AND bucket = $3 AND stamp = $14"
)
_MOVE = "UPDATE profile SET head = $4 WHERE head = $1 AND head <> profile_id AND space_id = $2 AND bucket = $3"
_DOCUMENT = (
    "UPDATE profile_document SET version = $4, document = $5 "
    "WHERE profile_id = $1 AND space_id = $2 AND bucket = $3 AND version = $4 - 1"
)
_SIGHTING = (
    "UPDATE sighting SET count = $5, days = $6, last_day = $7, first_seen = $8, last_seen = $9, sources = $10 "
    "WHERE profile_id = $1 AND set_key = $4 AND space_id = $2 AND bucket = $3"
)
_SEEN = (
    "UPDATE profile_identifier SET first_seen = least(first_seen, $5), last_seen = greatest(last_seen, $6) "
    "WHERE profile_id = $1 AND key = $4 AND space_id = $2 AND bucket = $3 AND (first_seen > $5 OR last_seen < $6)"
)
_CHANGE = (
    "WITH head AS (UPDATE lane_head SET seq = seq + 1 WHERE space_id = $1 AND lane = $2 AND bucket = $3 RETURNING seq) "
    "INSERT INTO change (space_id, lane, seq, bucket, op, version, at, profile_id, other) "
    "SELECT $1, $2, seq, $3, $4, $5, $6, $7, $8 FROM head"
)
_SETTINGS = "-c role=onefold_app -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off"
_ATTEMPTS = 20


def _insert(table: LiteralString, columns: LiteralString) -> LiteralString:
    values = ", ".join(f"${n + 1}" for n in range(columns.count(",") + 1))
    return f"INSERT INTO {table} ({columns}) VALUES ({values})"


_NEW_PROFILE = _insert(
    "profile",
    "profile_id, space_id, bucket, version, stamp, born, elder, events, joined_at, head, canonical, joined_to, own, "
    "folded",
)
_NEW_IDENTIFIER = _insert("identifier", "key, space_id, bucket, profile_id")
_NEW_PROFILE_IDENTIFIER = _insert(
    "profile_identifier",
    "profile_id, space_id, bucket, key, type, retired, source, linked_at, first_seen, last_seen, value",
)
_NEW_SLOT = _insert("slot_key", "space_id, slot, bucket, epoch, wrapped")
_NEW_KEY = _insert("subject_key", "profile_id, space_id, bucket, slot, key_id, wrapped")
_NEW_DOCUMENT = _insert("profile_document", "profile_id, space_id, bucket, version, document")
_NEW_SIGHTING = _insert(
    "sighting", "profile_id, space_id, bucket, set_key, count, days, last_day, first_seen, last_seen, sources"
)
_EVIDENCE = _insert("evidence", "profile_id, space_id, bucket, stamp, kind, kept, demoted, payload, rules_version")
_EVENT = _insert("event", "profile_id, space_id, bucket, stamp, calls, payload")
_HISTORY = _insert("history", "profile_id, space_id, bucket, stamp, seq, kind, other, keys, rules_version")


class PerStatement:
    """The store that sends a statement per row."""

    _space: Space
    _spaces: Spaces

    def __init__(self, url: str, connections: int) -> None:
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            make_conninfo(url, options=_SETTINGS),
            min_size=connections,
            max_size=connections,
            open=False,
            timeout=120.0,
            kwargs={"autocommit": True, "cursor_factory": AsyncRawCursor},
            configure=_configure,
        )
        self._clock = Clock(100 + os.getpid() % 100, Micros(1 << 60))

    async def open(self) -> None:
        """Connect, and open the keys."""
        self._spaces = await keys.spaces()
        self._space = await keys.only_space(self._spaces)
        await self._pool.open(wait=True)

    async def close(self) -> None:
        """Disconnect."""
        await self._pool.close()
        await self._spaces.database.close()

    async def write(self, call: dict[str, Any]) -> None:
        """Commit one call in one transaction; after a conflict, try again."""
        request = IngestRequest([call], source=Source(1), received=Micros(time.time_ns() // 1000))
        await request.read(self._space, await self._space.rules(0))
        for attempt in range(_ATTEMPTS):
            async with self._pool.connection() as connection:
                try:
                    await connection.execute("BEGIN")
                    await self._write(connection, request)
                    await connection.execute("COMMIT")
                except (Conflict, errors.UniqueViolation, errors.DeadlockDetected):
                    await connection.execute("ROLLBACK")
                    if attempt + 1 == _ATTEMPTS:
                        raise
                else:
                    return
            await asyncio.sleep(random.uniform(0, 0.002 * 2 ** min(attempt, 5)))

    async def _write(self, connection: Connection, request: IngestRequest) -> None:
        space, place = self._space, (self._space.tenant.id, self._space.tenant.base)
        ((_, call),) = request.calls

        async def run(query: LiteralString, *params: Any) -> list[TupleRow]:
            cursor = connection.cursor(binary=True)
            await cursor.execute(query, params, prepare=True)
            return await cursor.fetchall() if cursor.description else [()] * cursor.rowcount

        async def one(query: LiteralString, *params: Any) -> None:
            if len(await run(query, *params)) != 1:
                raise Conflict

        fresh = {key for (key,) in await run(_MESSAGE, Uuid(call.message_key), *place, self._clock.next())}
        owners = {
            key: (origin, root)
            for key, origin, root in await run(_OWNERS, byteas([i.key for i in call.identifiers]), *place)
        }
        known = {key: origin for key, (origin, _) in owners.items()}
        gate = SpaceLockRow(stamp=Stamp(0), rules_version=0, epoch=1, marks=0)
        first = BatchClaim(gate, fresh, known)
        second, slot = await self._lock(run, owners, call)
        opened = UnsealedBatch(space, first, second)
        opened.state.message_keys = {call.message_key} - fresh
        rules = await space.rules(0)
        made = plan(opened.state, [call], rules, self._clock.next, new_profile_id, public_profile)
        writes = Sealer(opened, gate, rules, slot, second.slot_key).seal(made)
        for row in writes.new_origins:
            await one(_NEW_PROFILE, Uuid(row.id), *place, *_profile(row, born=True))
        for root, to in writes.moved:
            await run(_MOVE, Uuid(root), *place, Uuid(to))
        for row, stamp in writes.touched:
            await one(_PROFILE, Uuid(row.id), *place, *_profile(row, born=False), stamp)
        await self._around(run, one, place, writes)
        await self._calls(one, place, writes)

    async def _calls(self, one: Any, place: tuple[int, int], writes: Writes) -> None:
        for evidence in writes.evidence:
            await one(_EVIDENCE, Uuid(evidence[0]), *place, *evidence[1:], 0)
        for event in writes.events:
            await one(_EVENT, Uuid(event[0]), *place, *event[1:])
        for note in writes.history:
            entry = (note.stamp, note.seq, note.kind, _uuid(note.other), note.keys)
            await one(_HISTORY, Uuid(note.origin), *place, *entry, 0)
        for change in writes.changes:
            lane = (place[0], random.randrange(spaces_and_keys.LANES), place[1])
            values = (change.op, change.version, change.stamp, Uuid(change.profile), _uuid(change.other))
            await one(_CHANGE, *lane, *values)

    async def _lock(
        self, run: Any, owners: dict[BlindIndex, tuple[ProfileId, ProfileId]], call: Call
    ) -> tuple[LockedRows, int]:
        place = (self._space.tenant.id, self._space.tenant.base)
        known = {key: origin for key, (origin, _) in owners.items()}
        origins = sorted({origin for origin, _ in owners.values()})
        named = sorted({*origins, *(root for _, root in owners.values())})
        locked = [rows.OriginRow(*r) for r in (await run(_PROFILES, uuids(named), *place) if named else ())]
        roots = {row.id: row.root for row in locked}
        if any(roots.get(o) != h or roots.get(h) != h for o, h in owners.values()):
            raise Conflict
        wanted = bool(wanted_documents([call], known))
        found = await run(_KEYS, uuids(origins), *place, wanted) if origins else ()
        sets = wanted_sets([call], known, lambda _call: frozenset())
        by = (uuids([origin for origin, _ in sets]), *place, uuids([set_ for _, set_ in sets]))
        seen = await run(_SIGHTINGS, *by) if sets else ()
        slot_key, slot = None, 0
        if not owners:
            slot = random.randrange(4096)
            slot_key = next(iter(await run(_SLOT, place[0], slot, place[1])), None)
        keyed = [rows.KeyRow(*r) for r in found]
        return LockedRows(
            profiles=locked, keys=keyed, sightings=[rows.SightingRow(*r) for r in seen], groups=[], slot_key=slot_key
        ), slot

    async def _around(self, run: Any, one: Any, place: tuple[int, int], writes: Writes) -> None:
        for gained in sorted(writes.identifiers):
            await one(_NEW_IDENTIFIER, gained.key, *place, Uuid(gained.origin))
            await one(_NEW_PROFILE_IDENTIFIER, Uuid(gained.origin), *place, gained.key, *gained[2:])
        for origin, key, first, last in writes.seen:
            await run(_SEEN, Uuid(origin), *place, key, first, last)
        for new, sightings in ((_NEW_SIGHTING, writes.new_sightings), (_SIGHTING, writes.sightings)):
            for sighting in sightings:
                await one(new, Uuid(sighting[0]), *place, Uuid(sighting[1]), *sighting[2:])
        if writes.new_slot_key is not None:
            slot, epoch, wrapped = writes.new_slot_key
            await one(_NEW_SLOT, place[0], slot, place[1], epoch, wrapped)
        for minted in writes.subject_keys:
            await one(_NEW_KEY, Uuid(minted.id), *place, minted.slot, Uuid(minted.key_id), minted.wrapped)
        for new, documents in ((_NEW_DOCUMENT, writes.new_documents), (_DOCUMENT, writes.documents)):
            for document in documents:
                await one(new, Uuid(document.origin), *place, document.version, document.document)


def _profile(row: rows.OriginRow, *, born: bool) -> Sequence[Any]:
    values: list[Any] = [row.version, row.stamp]
    if born:
        values.append(row.created)
    pointers = (_uuid(row.root), _uuid(row.canonical), _uuid(row.joined_to))
    return [*values, row.oldest_birth, row.events, row.joined_at, *pointers, row.own, row.folded]


def _uuid(id_: bytes | None) -> Uuid | None:
    return None if id_ is None else Uuid(id_)


async def _configure(connection: Connection) -> None:
    adapt(connection)


def create() -> Application:
    """The factory that uvicorn calls."""
    return application(PerStatement(os.environ["BENCH_URL"], int(os.environ["BENCH_CONNECTIONS"])))
