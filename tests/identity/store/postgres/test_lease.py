"""A leased row has one holder until the end of the lease, and a former holder writes nothing."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from identity.store.postgres.database import Database
from identity.store.postgres.lease import LeasedRows
from identity.values.stamps import Micros

ROWS = LeasedRows(
    table="leased", key=(("id", "int4"), ("part", "int4")), end="ends_at", fence=("ends_at", "int8")
)  # fmt: skip
FIRST, SECOND = (1, 0), (2, 0)


@pytest.fixture
async def store(database: str) -> AsyncIterator[Database]:
    """A table with two rows that nobody holds."""
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("CREATE TABLE leased (id int4, part int4, ends_at int8 DEFAULT 0, note text, rank int4)")
        owner.execute("INSERT INTO leased (id, part, rank) VALUES (1, 0, 1), (2, 0, 2)")
        owner.execute("GRANT SELECT, UPDATE ON leased TO PUBLIC")
    opened = Database(database)
    await opened.open()
    yield opened
    await opened.close()


async def test_a_row_has_one_holder_until_its_lease_ends(store: Database) -> None:
    """The next process takes the row from the end of the lease on, and not before."""
    async with store.transaction() as connection:
        assert await ROWS.take(connection, FIRST, Micros(5), Micros(10), returning="id") == (1,)
        assert await ROWS.take(connection, FIRST, Micros(9), Micros(20), returning="id") is None
        assert await ROWS.take(connection, FIRST, Micros(10), Micros(20), returning="id", where="rank > 1") is None
        assert await ROWS.take(connection, FIRST, Micros(10), Micros(20), returning="id, ends_at") == (1, 20)


async def test_a_former_holder_writes_nothing(store: Database) -> None:
    """The fence of the first lease finds no row once a second process has the lease."""
    async with store.transaction() as connection:
        await ROWS.take(connection, FIRST, Micros(5), Micros(10), returning="id")
        await ROWS.take(connection, FIRST, Micros(10), Micros(20), returning="id")

        assert not await ROWS.write(connection, FIRST, 10, "note = $4::text", "late")
        assert await ROWS.write(connection, FIRST, 20, "note = $4::text, ends_at = 0", "done")
        assert not await ROWS.write(connection, FIRST, 20, "note = $4::text", "twice")
        cursor = await connection.execute("SELECT note FROM leased ORDER BY id")
        assert await cursor.fetchall() == [("done",), (None,)]


async def test_the_next_row_is_the_first_that_nobody_holds(store: Database) -> None:
    """Rows come in the order of the caller, and none is left once all are held."""
    async with store.transaction() as connection:
        given = [
            await ROWS.take_next(
                connection,
                Micros(5),
                Micros(10),
                mark,
                returning="t.id, t.note",
                order="rank DESC",
                changes=", note = $3::text",
            )
            for mark in ("a", "b", "c")
        ]

        assert given == [(2, "a"), (1, "b"), None]


async def test_two_processes_at_once_take_different_rows(store: Database) -> None:
    """A row that another transaction is taking is skipped, not waited for."""
    async with store.transaction() as one, store.transaction() as other:
        first = await ROWS.take_next(one, Micros(5), Micros(10), returning="t.id", order="rank")
        second = await ROWS.take_next(other, Micros(5), Micros(10), returning="t.id", order="rank")

        assert (first, second) == ((1,), (2,))


async def test_a_held_lease_cannot_be_taken_before_the_transaction_ends(store: Database) -> None:
    """`hold` finds the row of the holder alone, and keeps others from the row although its lease is over."""
    async with store.transaction() as connection:
        await ROWS.take(connection, SECOND, Micros(5), Micros(10), returning="id")
    async with store.transaction() as holder, store.transaction() as other:
        kept = await holder.execute(ROWS.lock, [*SECOND, 10])
        lost = await holder.execute(ROWS.lock, [*SECOND, 11])
        assert (await kept.fetchall(), await lost.fetchall()) == ([(10,)], [])
        assert await ROWS.take_next(other, Micros(50), Micros(60), returning="t.id", order="rank DESC") == (1,)
