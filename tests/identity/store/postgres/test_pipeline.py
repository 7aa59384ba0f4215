"""Statements as prebuilt binary messages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from identity.store.postgres.arrays import int4, int4s
from identity.store.postgres.database import Database, translated
from identity.store.postgres.pipeline import PipelineConnection, Statement, run
from identity.values.errors import DatabaseUnavailable

NUMBERS = "SELECT n FROM unnest($1::int4[]) AS u (n)"
DIVIDE = "SELECT 10 / $1::int4"


@asynccontextmanager
async def on_a_connection(url: str) -> AsyncIterator[PipelineConnection]:
    """A writer's connection."""
    connection = await Database(url).writer()
    try:
        yield connection
    finally:
        await connection.close()


async def test_results_come_in_the_order_of_the_steps(database: str) -> None:
    """Each step has its own rows and count, also when a statement stands twice."""
    async with on_a_connection(database) as connection:
        one, two, three = await run(
            connection,
            Statement(NUMBERS, [int4s([1, 2])]),
            Statement(DIVIDE, [int4(5)]),
            Statement(NUMBERS, [int4s([])]),
        )
        assert one == ([(1,), (2,)], 2)
        assert two.rows == [(2,)]
        assert three == ([], 0)


async def test_a_statement_is_prepared_once(database: str) -> None:
    """Its name is kept for the connection."""
    async with on_a_connection(database) as connection:
        for _ in range(3):
            await run(connection, Statement(NUMBERS, [int4s([1])]))
        cursor = await connection.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'onefold_%'")
        assert await cursor.fetchone() == (1,)


async def test_the_first_failure_is_raised_and_the_rest_is_not_run(database: str) -> None:
    """What stood behind it can be sent again, prepared or not."""
    async with on_a_connection(database) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await run(connection, Statement(DIVIDE, [int4(0)]), Statement(NUMBERS, [int4s([7])]))
        (again,) = await run(connection, Statement(NUMBERS, [int4s([7])]))
        assert again.rows == [(7,)]


async def test_a_statement_that_cannot_be_prepared_is_raised(database: str) -> None:
    """And the connection goes on working."""
    async with on_a_connection(database) as connection:
        with pytest.raises(psycopg.errors.UndefinedTable):
            await run(connection, Statement("SELECT * FROM nowhere"), Statement(DIVIDE, [int4(5)]))
        (after,) = await run(connection, Statement(DIVIDE, [int4(5)]))
        assert after.rows == [(2,)]


async def test_a_lost_connection_is_an_error(database: str) -> None:
    """It is neither waited for nor taken for an answer."""
    async with on_a_connection(database) as connection:
        with psycopg.connect(database, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
        with pytest.raises(DatabaseUnavailable), translated():
            await run(connection, Statement("COMMIT"))
        assert connection.closed
