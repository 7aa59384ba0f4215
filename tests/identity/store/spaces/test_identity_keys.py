"""The document of the identity keys: the newest version is in force, and each version is put once."""

from collections.abc import AsyncIterator

import pytest

from identity.store.postgres import space_lock
from identity.store.postgres.database import Database
from identity.store.postgres.tenant import Tenant
from identity.store.spaces import identity_keys
from identity.values.errors import Conflict, SpaceNotFound
from identity.values.ids import SpaceNumber
from identity.values.stamps import Stamp

SPACE, OTHER, GONE = (Tenant(SpaceNumber(nr), 0) for nr in (7, 8, 9))


@pytest.fixture
async def store(database: str) -> AsyncIterator[Database]:
    """A database with the locks of two spaces."""
    opened = Database(database).of_all_spaces
    await opened.open()
    async with opened.transaction() as connection:
        for each in (SPACE, OTHER):
            await space_lock.create(connection, each.id, Stamp(100))
    yield opened
    await opened.close()


async def put(store: Database, tenant: Tenant, version: int, document: bytes) -> None:
    """Put a version in force in a transaction of its own."""
    async with store.transaction() as connection:
        await identity_keys.put(connection, tenant, version, document, "t")


async def in_force(store: Database, tenant: Tenant) -> tuple[int, bytes | None]:
    """The newest version and its document."""
    async with store.reading() as connection:
        return await identity_keys.in_force(connection, tenant)


async def test_the_newest_version_of_the_space_is_in_force(store: Database) -> None:
    """Version 0 without a document before the first; another space has its own."""
    assert await in_force(store, SPACE) == (0, None)
    await put(store, SPACE, 1, b"one")
    await put(store, SPACE, 2, b"two")

    assert await in_force(store, SPACE) == (2, b"two")
    assert await in_force(store, OTHER) == (0, None)


async def test_a_version_is_put_once(store: Database) -> None:
    """The process that comes second plans again; the document of the first stays."""
    await put(store, SPACE, 1, b"one")
    with pytest.raises(Conflict):
        await put(store, SPACE, 1, b"other")

    assert await in_force(store, SPACE) == (1, b"one")


async def test_a_deleted_space_gets_no_keys(store: Database) -> None:
    """It has no lock to share, and no row is left behind."""
    with pytest.raises(SpaceNotFound):
        await put(store, GONE, 1, b"one")

    assert await in_force(store, GONE) == (0, None)
