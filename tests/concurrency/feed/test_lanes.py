"""Why the feed has lanes: a sequence number skips entries that commit late, the head of a lane does not."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from identity.store.destinations import feed
from identity.store.postgres.arrays import Uuid
from identity.store.postgres.database import Database
from identity.store.postgres.pipeline import PipelineConnection
from identity.store.postgres.rows import ChangeRow
from identity.store.postgres.tenant import Tenant
from identity.store.spaces import spaces_and_keys
from identity.values.enums import FeedOperation
from identity.values.ids import ProfileId, SpaceId, new_id
from identity.values.stamps import Stamp

WRITERS = 16
EACH = 12


class Both:
    """A space's lanes, and beside them a table with a sequence, written by the same transactions."""

    def __init__(self, writers: list[PipelineConnection], tenant: Tenant) -> None:
        self.reader, *self.writers = writers
        self.tenant = tenant
        self.place: dict[int, int] = {}
        self.last = 0
        self.by_lanes: list[bytes] = []
        self.by_sequence: list[bytes] = []

    async def write(self, writer: PipelineConnection, lane: int, stamp: int = 0) -> bytes:
        """Writes a change to both feeds, in the writer's transaction."""
        id_ = new_id()
        await writer.execute("INSERT INTO by_sequence (profile_id) VALUES ($1)", [Uuid(id_)])
        await feed.append(
            writer,
            self.tenant,
            lane,
            [ChangeRow(op=FeedOperation.UPSERT, version=1, stamp=Stamp(stamp), profile=ProfileId(id_), other=None)],
        )
        return id_

    async def read(self, limit: int = 1_000) -> None:
        """Goes on with both, after what was read before."""
        lanes = {lane: self.place.get(lane, 0) for lane in range(spaces_and_keys.LANES)}
        for entry in await feed.entries(self.reader, self.tenant, lanes, limit):
            assert entry.seq == self.place.get(entry.lane, 0) + 1
            self.place[entry.lane] = entry.seq
            self.by_lanes.append(entry.profile)
        found = await self.reader.execute(
            "SELECT seq, profile_id FROM by_sequence WHERE seq > $1::int8 ORDER BY seq", [self.last], binary=True
        )
        for seq, id_ in await found.fetchall():
            self.last = seq
            self.by_sequence.append(bytes(id_))


@asynccontextmanager
async def both_feeds(url: str, writers: int) -> AsyncIterator[Both]:
    """A reader and so many writers."""
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE TABLE by_sequence (seq bigserial PRIMARY KEY, profile_id uuid NOT NULL)")
        owner.execute("GRANT ALL ON by_sequence, by_sequence_seq_seq TO onefold_app")
    database = Database(url).of_all_spaces
    await database.open()
    opened = [await database.writer() for _ in range(writers + 1)]
    try:
        async with database.transaction() as connection:
            space = await spaces_and_keys.create_space(connection, SpaceId(new_id()), "s", Stamp(0), 1)
        yield Both(opened, Tenant(space.id, space.bucket_base, space.spread))
    finally:
        for connection in opened:
            await connection.close()
        await database.close()


async def test_who_commits_late_is_not_skipped(database: str) -> None:
    """An entry whose transaction began first and ends last is read after all, in its own lane and in another."""
    async with both_feeds(database, 3) as both:
        late, soon, same = both.writers
        for writer in both.writers:
            await writer.execute("BEGIN")
        first = await both.write(late, 0)
        second = await both.write(soon, 1)
        await soon.execute("COMMIT")
        # The same lane waits for the one before it: its numbers are given in the order of commits.
        waiting = asyncio.create_task(both.write(same, 0))
        await asyncio.sleep(0.05)
        await both.read()
        assert both.by_lanes == both.by_sequence == [second]
        await late.execute("COMMIT")
        third = await waiting
        await same.execute("COMMIT")
        await both.read()
        assert both.by_lanes == [second, first, third]
        assert first not in both.by_sequence


async def test_lanes_lose_nothing_under_sixteen_writers(database: str) -> None:
    """Under writers that commit or roll back at random the lanes lose nothing and a sequence does."""
    async with both_feeds(database, WRITERS) as both:
        committed: list[bytes] = []

        async def work(nr: int, writer: PipelineConnection) -> None:
            rng = random.Random(nr)
            for _ in range(EACH):
                await writer.execute("BEGIN")
                id_ = await both.write(writer, nr, rng.randrange(1_000))
                await asyncio.sleep(rng.uniform(0, 0.02))
                if rng.random() < 0.25:
                    await writer.execute("ROLLBACK")
                else:
                    await writer.execute("COMMIT")
                    committed.append(id_)

        async def follow(ended: asyncio.Event) -> None:
            while not ended.is_set():
                await both.read(limit=7)
                await asyncio.sleep(0.001)

        ended = asyncio.Event()
        following = asyncio.create_task(follow(ended))
        await asyncio.gather(*(work(nr, writer) for nr, writer in enumerate(both.writers)))
        ended.set()
        await following
        await both.read()
        assert sorted(both.by_lanes) == sorted(committed)
        assert set(both.by_sequence) < set(committed)


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
async def test_old_stamps_after_new_ones(database: str, limit: int) -> None:
    """A lane whose stamps go backwards is read whole and in its order, in pages of any size."""
    async with both_feeds(database, 1) as both:
        (writer,) = both.writers
        await writer.execute("BEGIN")
        wanted: dict[int, list[bytes]] = {}
        for nr, stamp in enumerate([9, 3, 7, 1, 8, 2]):
            wanted.setdefault(nr % 2, []).append(await both.write(writer, nr % 2, stamp << 8))
        await writer.execute("COMMIT")
        for _ in range(6):
            await both.read(limit)
        assert both.by_lanes != []
        for lane in wanted.values():
            assert [id_ for id_ in both.by_lanes if id_ in lane] == lane
