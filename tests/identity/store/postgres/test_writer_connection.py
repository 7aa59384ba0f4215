"""The connection of a writer that ends is kept for the next one, or closed; none is left open."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from identity.store.postgres import writer_slots
from identity.store.postgres.database import Database
from identity.store.postgres.pipeline import PipelineConnection, Statement, run
from identity.store.postgres.writer_connection import WriterConnection
from tests.concurrency.properties.conftest import url

__all__ = ["url"]


@pytest.fixture
async def opened(url: str) -> AsyncIterator[Database]:
    """The database, open."""
    database = Database(url, readers=1)
    await database.open()
    yield database
    await database.close()


async def _ended(opened: Database) -> PipelineConnection:
    """The connection of a writer that has ended."""
    writer = WriterConnection(opened)
    connection = await writer.ready()
    await writer.close()
    return connection


@pytest.mark.parametrize("lost", [False, True])
async def test_a_writer_takes_over_the_connection_of_one_that_has_ended(opened: Database, *, lost: bool) -> None:
    """Where it ended with its lease, and after another writer took the slot. It has the prepared statements."""
    writer = WriterConnection(opened)
    connection = await writer.ready()
    await run(connection, Statement("SELECT 1"))
    if lost:
        writer.forget_lease()
    await writer.close()

    following = WriterConnection(opened)
    assert await following.ready() is connection
    assert "SELECT 1" in connection.names
    assert following.lease is not None
    await following.close()


async def test_the_first_writer_takes_the_connection_that_checked_the_role(opened: Database, url: str) -> None:
    """A start opens no connection for the check alone."""

    def connections() -> list[tuple[int]]:
        with psycopg.connect(url, autocommit=True) as owner:
            query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user"
            return owner.execute(query + " AND pid <> pg_backend_pid() ORDER BY pid").fetchall()

    before = connections()
    writer = WriterConnection(opened)
    pid = (await writer.ready()).info.backend_pid
    assert (pid,) in before
    await writer.close()


async def test_two_writers_never_share_a_connection(opened: Database) -> None:
    """Of two that have ended the connection of one is kept, and that of the other is closed."""
    first, second = WriterConnection(opened), WriterConnection(opened)
    connections = [await first.ready(), await second.ready()]
    assert connections[0] is not connections[1]
    await first.close()
    await second.close()
    assert [each.closed for each in connections] == [False, True]


async def test_the_end_of_the_database_closes_the_kept_connection(url: str) -> None:
    """And that of a writer that ends later."""
    database = Database(url, readers=1)
    await database.open()
    late = WriterConnection(database)
    used = await late.ready()
    kept = await _ended(database)
    open_before = not kept.closed
    await database.close()
    await late.close()
    assert (open_before, kept.closed, used.closed) == (True, True, True)


async def test_a_connection_that_the_server_has_ended_is_not_taken_over(opened: Database, url: str) -> None:
    """As after a restart of Postgres: the next writer opens another one."""
    kept = await _ended(opened)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("SELECT pg_terminate_backend(%s, 60000)", [kept.info.backend_pid])
    writer = WriterConnection(opened)
    assert await writer.ready() is not kept
    assert kept.closed
    await writer.close()


async def test_a_connection_within_a_transaction_is_closed(opened: Database) -> None:
    """What its writer left undone is rolled back by the server."""
    writer = WriterConnection(opened)
    connection = await writer.ready()
    writer.forget_lease()
    await connection.execute("BEGIN")
    await writer.close()
    assert connection.closed


async def test_a_slot_that_cannot_be_released_closes_the_connection(
    opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease ends by itself."""

    async def fails(*_: object) -> None:
        raise OSError

    writer = WriterConnection(opened)
    connection = await writer.ready()
    monkeypatch.setattr(writer_slots, "release", fails)
    with pytest.raises(Exception, match="database"):
        await writer.close()
    assert connection.closed
