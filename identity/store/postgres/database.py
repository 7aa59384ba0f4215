"""Connections to Postgres, and the only place that translates its errors.

The service works under the role `onefold_app` and refuses to start if that role could change the schema or bypass row
security. No message of the database leaves this module: it may quote rows.

Invariant: row security shows a connection the rows of one space (`of_space`), of all (`of_all_spaces`), or of none,
which is what a `Database` gives that names neither. Nobody gets a connection before it shows the rows of its next user,
and one that shows them already is sent nothing, so the connections of one busy space pay nothing.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from typing import Any, LiteralString, NamedTuple, Self

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, errors
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from identity.store.postgres.arrays import adapt
from identity.store.postgres.pipeline import PipelineConnection, is_idle
from identity.store.postgres.refused_connections import reason_of
from identity.store.postgres.shown_space import ALL_SPACES, NO_SPACE, SPACE_SETTING, SpaceConnection
from identity.values.database_roles import APP_ROLE
from identity.values.errors import Conflict, DatabaseUnavailable, Misconfigured, PartitionMissing
from identity.values.ids import SpaceNumber

MIN_VERSION = 15
Connection = AsyncConnection[TupleRow]

# One plan per statement, made once: a nested loop of index lookups is right at any size, while what
# the planner picks for a table it takes for empty scans all of it once it is not.
_PLANS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "jit": "off",
}
# Nothing here waits for a lock longer than a client would.
_WRITER = {
    **_PLANS,
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "30s",
}
_READER = {**_PLANS, "statement_timeout": "30s"}

RETRIED = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation, errors.LockNotAvailable)


@contextmanager
def translated() -> Iterator[None]:
    """Translate errors of the driver into `Conflict` (plan again) or `DatabaseUnavailable`."""
    try:
        yield
    except errors.CheckViolation as error:
        raise PartitionMissing from error
    except RETRIED as error:
        raise Conflict from error
    except (psycopg.Error, PoolTimeout, OSError) as error:
        raise DatabaseUnavailable from error


class PoolSize(NamedTuple):
    """The connections of the pool, those that are idle, and the requests that wait for one."""

    size: int
    idle: int
    waiting: int


class _Spare:
    """The idle connection that is kept for the next writer; shared by a `Database` and those that show spaces of it."""

    def __init__(self) -> None:
        self.connection: PipelineConnection | None = None
        self.closing = False

    def take(self) -> PipelineConnection | None:
        """The connection, which is not kept any more."""
        taken, self.connection = self.connection, None
        return taken


class Database:
    """A pool for reads and the control plane, and connections for writers. Shows the rows of no space by itself.

    One idle connection of a writer is kept for the next one, with the statements that it has prepared.
    """

    def __init__(self, url: str, *, readers: int = 8) -> None:
        self._url = url
        self.shows = NO_SPACE
        self._spare = _Spare()
        self._pool: AsyncConnectionPool[SpaceConnection] = AsyncConnectionPool(
            self._conninfo(_READER),
            connection_class=SpaceConnection,
            min_size=1,
            max_size=readers,
            timeout=5.0,
            open=False,
            kwargs={"autocommit": True, "cursor_factory": AsyncRawCursor},
            configure=_configure,
            check=None,
        )

    def of_space(self, space: SpaceNumber) -> Self:
        """The same connections, which show the rows of one space."""
        return self._showing(str(space))

    @property
    def of_all_spaces(self) -> Self:
        """The same connections, which show all rows: for work that no single space asks for."""
        return self._showing(ALL_SPACES)

    def _showing(self, space: str) -> Self:
        other = copy(self)
        other.shows = space
        return other

    def _conninfo(self, settings: dict[str, str], space: str = NO_SPACE) -> str:
        # Always named: the login role or the database may have a default of its own.
        options = " ".join(
            f"-c {name}={value}" for name, value in {"role": APP_ROLE, SPACE_SETTING: space, **settings}.items()
        )
        return make_conninfo(self._url, options=options, application_name="onefold", connect_timeout="5")

    async def open(self) -> None:
        """Connect. Misconfigured where the role has too many rights.

        The connection of that check is the one of the first writer.
        """
        first = await _connect(self._conninfo(_WRITER))
        try:
            await _require_safe(first)
        except BaseException:
            await first.close()
            raise
        self._spare.connection = first
        await self._pool.open()

    async def close(self) -> None:
        """Close all connections but those that writers still use."""
        self._spare.closing = True
        spare = self._spare.take()
        if spare is not None:
            await spare.close()
        await self._pool.close()

    def pool_size(self) -> PoolSize:
        """How many connections the pool has."""
        stats = self._pool.get_stats()
        return PoolSize(stats["pool_size"], stats["pool_available"], stats.get("requests_waiting", 0))

    async def writer(self) -> PipelineConnection:
        """A connection outside the pool, for one writer, which closes it or gives it back."""
        spare = self._spare.take()
        if spare is not None:
            if is_idle(spare):
                return await self._shown(spare)
            await spare.close()
        with translated():
            connection = await _open(self._conninfo(_WRITER, self.shows))
        connection.shown = self.shows
        return connection

    async def _shown(self, connection: PipelineConnection) -> PipelineConnection:
        """The connection of a former writer, which may have been of another space."""
        try:
            with translated():
                await connection.show(self.shows)
        except BaseException:
            await connection.close()
            raise
        return connection

    async def give_back(self, connection: PipelineConnection) -> None:
        """Keep the connection of a writer for the next one; close it where one is kept already or it is not idle."""
        if self._spare.closing or self._spare.connection is not None or not is_idle(connection):
            await connection.close()
        else:
            self._spare.connection = connection

    async def make_partitions(self, ahead: int = 7) -> None:
        """Create the missing event partitions of the coming days."""
        async with self.reading() as connection:
            await connection.execute("SELECT onefold_event_partitions($1::int4)", [ahead])

    async def drop_events(self, keep: int) -> None:
        """Drop event partitions older than a number of days."""
        async with self.reading() as connection:
            await connection.execute("SELECT onefold_drop_events($1::int4)", [keep])

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """A connection for single statements; each sees what was committed before it."""
        with translated():
            async with self._pool.connection() as connection:
                await connection.show(self.shows)
                yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A transaction of the control plane; commits at the end of the block."""
        with translated():
            async with self._pool.connection() as connection:
                await connection.show(self.shows)
                async with connection.transaction():
                    yield connection


async def rows(connection: Connection, query: LiteralString, *params: Any) -> list[TupleRow]:
    """All rows of one statement, in binary form."""
    cursor = await connection.execute(query, params, binary=True)
    return await cursor.fetchall()


async def row(connection: Connection, query: LiteralString, *params: Any) -> TupleRow | None:
    """The first row of one statement, or None."""
    cursor = await connection.execute(query, params, binary=True)
    return await cursor.fetchone()


async def _configure(connection: SpaceConnection) -> None:
    adapt(connection)


async def _open(conninfo: str) -> PipelineConnection:
    connection = await PipelineConnection.connect(conninfo, autocommit=True, cursor_factory=AsyncRawCursor)
    adapt(connection)
    return connection


async def _connect(conninfo: str) -> PipelineConnection:
    """The first connection. Misconfigured, with what to correct."""
    try:
        return await _open(conninfo)
    except psycopg.OperationalError as error:
        message = (
            f"The service must be able to work as the role {APP_ROLE}: run `onefold migrate` as the owner of the "
            f"database, then GRANT {APP_ROLE} to the role named in ONEFOLD_DATABASE_URL."
        )
        # The role of the service is none that the address names.
        own = APP_ROLE in str(error) or "set role" in str(error)
        raise Misconfigured(message if own else reason_of(error, message)) from error


async def _require_safe(connection: Connection) -> None:
    if connection.info.server_version < MIN_VERSION * 10_000:
        message = f"Onefold needs PostgreSQL {MIN_VERSION} or newer."
        raise Misconfigured(message)
    unsafe = await row(
        connection,
        """
        SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole
            OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                       WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relowner = r.oid)
        FROM pg_roles r WHERE r.rolname = current_user
        """,
    )
    if unsafe is None or unsafe[0]:
        message = (
            f"The role {APP_ROLE} must be neither superuser nor owner of the tables, and must not bypass security."
        )
        raise Misconfigured(message)
