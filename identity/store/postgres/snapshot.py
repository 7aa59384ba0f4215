"""Transactions that see one moment of the database, for reads of more than one statement."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from identity.store.postgres.database import Connection, Database, row


async def begin_snapshot(connection: Connection) -> None:
    """Let all further statements of the transaction see one moment."""
    await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


async def begin_long_snapshot(connection: Connection) -> None:
    """Let all further statements see one moment, without a time limit."""
    await begin_snapshot(connection)
    await connection.execute("SET LOCAL statement_timeout = 0")


@asynccontextmanager
async def scanning_snapshot(database: Database, *planner: str) -> AsyncIterator[Connection]:
    """A connection that sees one moment and may scan whole tables; `planner` names settings to turn on."""
    async with database.transaction() as connection:
        await begin_long_snapshot(connection)
        await _turn_on(connection, planner)
        yield connection


async def _turn_on(connection: Connection, settings: Sequence[str]) -> None:
    for name in settings:
        await connection.execute("SELECT set_config($1, 'on', true)", [name])


@asynccontextmanager
async def exported_snapshot(database: Database) -> AsyncIterator[tuple[Connection, str]]:
    """A connection that sees one moment, and the name under which other sessions see the same moment."""
    async with scanning_snapshot(database, "enable_seqscan") as connection:
        found = await row(connection, "SELECT pg_export_snapshot()")
        assert found is not None
        yield connection, str(found[0])
