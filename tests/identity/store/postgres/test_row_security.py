"""Row security: a statement that forgets its space reads and changes no row of another, on no connection."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import psycopg
import pytest
from psycopg import sql

from identity.store.embedded.server import OWNER_ROLE
from identity.store.postgres.database import Connection, Database, rows
from identity.store.postgres.shown_space import SpaceConnection
from identity.store.postgres.writer_connection import WriterConnection
from identity.values.database_roles import APP_ROLE
from identity.values.errors import DatabaseUnavailable
from identity.values.ids import SpaceNumber
from tests.support.database.rows_of_two_spaces import (
    ONE,
    OTHER,
    WITHOUT_A_SPACE,
    fill_two_spaces,
    insertion,
    space_column,
    tables,
)

FORGETFUL = "SELECT space_id FROM profile"
"""A statement that names no space."""
ROLES = (APP_ROLE, OWNER_ROLE)


@pytest.fixture
def owner(database: str) -> Iterator[psycopg.Connection]:
    """The owner, who sees all spaces."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def filled(owner: psycopg.Connection) -> list[str]:
    """The tables that have a row of either space."""
    return fill_two_spaces(owner)


@pytest.fixture
async def store(database: str, filled: list[str]) -> AsyncIterator[Database]:
    """The database with one connection for all readers."""
    assert filled
    opened = Database(database, readers=1)
    await opened.open()
    yield opened
    await opened.close()


def session(database: str, role: str, space: str) -> psycopg.Connection:
    """A session of a role to which these spaces are shown."""
    return psycopg.connect(database, autocommit=True, options=f"-c role={role} -c onefold.space={space}")


def test_every_table_with_a_space_is_under_the_policy(owner: psycopg.Connection) -> None:
    """Its owner too, and each partition; what has no space says why. A new table is in neither list, and fails here."""
    found = owner.execute(
        """
        SELECT c.relname, array_agg(pg_get_expr(p.polqual, p.polrelid)), bool_and(p.polcmd = '*' AND p.polpermissive)
        FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
        WHERE c.relnamespace = 'public'::regnamespace AND c.relrowsecurity AND c.relforcerowsecurity GROUP BY 1
        """
    ).fetchall()
    protected = {name: expressions for name, expressions, whole in found if whole}

    assert set(tables(owner)) - protected.keys() == WITHOUT_A_SPACE.keys()
    for name, expressions in protected.items():
        setting = "(current_setting('onefold.space'::text, true) = "
        assert expressions == [f"({setting}'*'::text) OR {setting}({space_column(name)})::text))"]


@pytest.mark.parametrize("role", ROLES)
def test_attack_227_a_statement_that_forgets_the_space(database: str, filled: list[str], role: str) -> None:
    """In every table it finds the rows of the space of its connection, and changes no others."""
    with session(database, role, str(ONE)) as one, session(database, role, str(OTHER)) as other:
        for table in filled:
            name, column = sql.Identifier(table), sql.Identifier(space_column(table))
            query = sql.SQL("SELECT {} FROM {}").format(column, name)
            assert one.execute(query).fetchall() == [(ONE,)], table
            before = other.execute(sql.SQL("SELECT t::text FROM {} t").format(name)).fetchall()
            with suppress(psycopg.errors.InsufficientPrivilege):  # some tables are append-only for the service
                assert one.execute(sql.SQL("DELETE FROM {}").format(name)).rowcount == 1, table
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"row-level security|permission denied"):
                one.execute(insertion(one, table, OTHER))
            after = other.execute(sql.SQL("SELECT t::text FROM {} t").format(name)).fetchall()
            assert after == before, table
            assert len(after) == 1, table


@pytest.mark.parametrize("role", ROLES)
def test_attack_227_a_connection_without_a_space_sees_nothing(database: str, filled: list[str], role: str) -> None:
    """Nor one with a setting that is no number of a space."""
    for space in ("", "0", "-1", "1000001 ", "%", "**"):
        with session(database, role, "") as connection:
            connection.execute("SELECT set_config('onefold.space', %s, false)", [space])
            for table in filled:
                name = sql.Identifier(table)
                assert connection.execute(sql.SQL("SELECT 1 FROM {}").format(name)).fetchall() == [], table
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(insertion(connection, table, ONE))


async def shown(connection: Connection) -> set[int]:
    """The spaces whose profiles a statement finds that names none."""
    return {space for (space,) in await rows(connection, FORGETFUL)}


async def test_attack_228_a_connection_of_the_pool_after_another_space(store: Database) -> None:
    """After an answer, a transaction, an error and a cancellation in the middle, the next space sees its rows only."""
    one, other = (store.of_space(SpaceNumber(space)) for space in (ONE, OTHER))

    async def sees_its_own() -> None:
        async with other.reading() as connection:
            assert await shown(connection) == {OTHER}
        async with store.reading() as connection:
            assert await shown(connection) == set()
        async with one.reading() as connection:
            assert await shown(connection) == {ONE}

    await sees_its_own()

    async def fail() -> None:
        async with one.transaction() as connection:
            assert await shown(connection) == {ONE}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await sees_its_own()
    with pytest.raises(DatabaseUnavailable):
        async with one.transaction() as connection:
            await connection.execute("SELECT 1 / 0")
    await sees_its_own()

    async def long() -> None:
        async with one.transaction() as connection:
            await connection.execute("SELECT pg_sleep(60)")

    waiting = asyncio.create_task(long())
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await sees_its_own()


async def test_attack_228_a_cancellation_while_the_connection_changes_its_space(
    store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the server took the setting is unknown then, so the next user sets it in any case."""
    one, other = (store.of_space(SpaceNumber(space)) for space in (ONE, OTHER))
    set_space = SpaceConnection.set_space

    async def cancelled(self: SpaceConnection, space: str) -> None:
        await set_space(self, space)
        raise asyncio.CancelledError

    async with one.reading() as connection:
        assert await shown(connection) == {ONE}
    with monkeypatch.context() as patched:
        patched.setattr(SpaceConnection, "set_space", cancelled)
        with pytest.raises(asyncio.CancelledError):
            await other.reading().__aenter__()
    async with one.reading() as connection:
        assert await shown(connection) == {ONE}


async def test_attack_228_one_busy_space_sets_nothing(store: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting is kept beside its connection, so a second read of the same space sends its own statement alone."""
    sent: list[str] = []
    set_space = SpaceConnection.set_space

    async def counted(self: SpaceConnection, space: str) -> None:
        sent.append(space)
        await set_space(self, space)

    monkeypatch.setattr(SpaceConnection, "set_space", counted)
    for space in (ONE, ONE, ONE, OTHER, OTHER):
        async with store.of_space(SpaceNumber(space)).reading() as connection:
            assert await shown(connection) == {space}

    assert sent == [str(ONE), str(OTHER)]


async def test_attack_229_two_spaces_on_two_connections(database: str, filled: list[str]) -> None:
    """Reads, transactions, errors and cancellations of both and of all spaces at once; each sees its own rows alone."""
    assert filled
    opened = Database(database, readers=2)
    await opened.open()
    kinds = [
        (opened.of_space(SpaceNumber(ONE)), {ONE}),
        (opened.of_space(SpaceNumber(OTHER)), {OTHER}),
        (opened.of_all_spaces, {ONE, OTHER}),
        (opened, set[int]()),
    ]
    chance = random.Random(7)

    async def use(of: Database, expected: set[int], what: int) -> None:
        if what == 0:
            async with of.reading() as connection:
                assert await shown(connection) == expected
            return
        async with of.transaction() as connection:
            assert await shown(connection) == expected
            if what == 1:
                await connection.execute("SELECT 1 / 0")
            await connection.execute("SELECT pg_sleep(0.001)")
            assert await shown(connection) == expected

    async def one_after_the_other() -> None:
        for _ in range(40):
            task = asyncio.create_task(use(*chance.choice(kinds), chance.randrange(4)))
            if chance.random() < 0.3:
                await asyncio.sleep(chance.random() / 300)
                task.cancel()
            with suppress(asyncio.CancelledError, DatabaseUnavailable):
                await task

    try:
        await asyncio.gather(*(one_after_the_other() for _ in range(6)))
    finally:
        await opened.close()


async def test_attack_228_a_connection_of_a_writer_after_another_space(store: Database) -> None:
    """A new connection of a writer and one that is kept for the next show the space of the writer, or none.

    A writer of the queue serves all spaces in turn, and enters one with its lock.
    """
    one, other = (store.of_space(SpaceNumber(space)) for space in (ONE, OTHER))
    first = None
    for of, expected in ((one, {ONE}), (other, {OTHER}), (store, set[int]()), (one, {ONE})):
        writer = WriterConnection(of)
        connection = await writer.ready()
        assert await shown(connection) == expected
        first = first or connection
        assert connection is first
        await writer.close()
