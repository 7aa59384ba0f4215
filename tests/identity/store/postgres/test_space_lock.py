"""Writers share the lock of a space, a change holds the lock alone, and a deleted space has no lock."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from identity.store.postgres import space_lock
from identity.store.postgres.database import Database
from identity.values.errors import SpaceNotFound
from identity.values.ids import SpaceNumber
from identity.values.stamps import Stamp

SPACE = SpaceNumber(7)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Database]:
    """A database with the lock of one space."""
    opened = Database(database).of_space(SPACE)
    await opened.open()
    async with opened.transaction() as connection:
        await space_lock.create(connection, SPACE, Stamp(100))
    yield opened
    await opened.close()


def waiting(database: str) -> list[Any]:
    """The locks that somebody waits for."""
    with psycopg.connect(database) as connection:
        return connection.execute("SELECT pid FROM pg_locks WHERE NOT granted").fetchall()


async def test_a_change_waits_for_writers_and_reads_what_they_left(store: Database, database: str) -> None:
    """Two writers hold the lock at once; the change gets it when both are done."""

    async def change() -> space_lock.SpaceLockRow:
        async with store.transaction() as connection:
            return await space_lock.take_exclusive(connection, SPACE)

    async with store.transaction() as one, store.transaction() as other:
        assert await space_lock.share(one, SPACE) == await space_lock.share(other, SPACE)
        changing = asyncio.create_task(change())
        while not waiting(database):  # noqa: ASYNC110 (Postgres notifies nobody of a wait)
            await asyncio.sleep(0.01)
        assert not changing.done()

    assert (await changing).stamp == 100


async def test_a_stamp_never_goes_back_and_marks_stay(store: Database) -> None:
    """A lower stamp changes nothing; the marks of all changes add up."""
    async with store.transaction() as connection:
        await space_lock.take_exclusive(connection, SPACE)
        await space_lock.raise_stamp(connection, SPACE, Stamp(120), 1)
        await space_lock.raise_stamp(connection, SPACE, Stamp(110), 4)
        await space_lock.raise_stamp(connection, SPACE, Stamp(130), 2)
        found = await space_lock.read(connection, SPACE)

        assert (found.stamp, found.marks) == (130, 3)


async def test_an_epoch_begins_once(store: Database) -> None:
    """A second process that expects the epoch before begins none."""
    async with store.transaction() as connection:
        began = [await space_lock.raise_epoch(connection, SPACE, 1) for _ in range(2)]
        found = await space_lock.read(connection, SPACE)

        assert (began, found.epoch) == ([True, False], 2)


async def test_a_deleted_space_lets_nobody_in(store: Database) -> None:
    """Every way to the lock says that there is no space."""
    async with store.transaction() as connection:
        await space_lock.delete(connection, SPACE)

        assert not await space_lock.share_if_there(connection, SPACE)
        for way in (space_lock.read, space_lock.share, space_lock.take_exclusive):
            with pytest.raises(SpaceNotFound):
                await way(connection, SPACE)
