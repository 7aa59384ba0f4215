"""Marks a database whose restore has not ended yet, so that nothing but another restore uses the database.

Invariant: the mark is a table that the transaction of the restored rows creates, and only the end of a whole restore
drops it. In between, erasures since the backup are not repeated and destinations are not paused.
"""

from typing import Final

import psycopg

from identity.store.postgres.database import Connection, row
from identity.values.errors import Misconfigured

UNFINISHED: Final = (
    "The last restore of this database did not end, so erasures since the backup may be missing. Run `onefold restore` "
    "with the same backup again."
)
_FIND: Final = "SELECT to_regclass('public.unfinished_restore') IS NOT NULL"


def mark_sql(*, keys_placed: bool) -> str:
    """The statements that mark a database; `keys_placed` says that the key store came from a backup."""
    return (
        "DROP TABLE IF EXISTS public.unfinished_restore;\n"
        f"CREATE TABLE public.unfinished_restore AS SELECT {keys_placed} AS keys_placed;"
    )


def is_unfinished(url: str) -> bool:
    """Whether the last restore of a database did not end."""
    with psycopg.connect(url) as connection:
        return _is_unfinished(connection)


def placed_keys(url: str) -> bool:
    """Whether an unfinished restore put the key store in place."""
    if not is_unfinished(url):
        return False
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT keys_placed FROM public.unfinished_restore").fetchone()
    return bool(found and found[0])


def end(url: str) -> None:
    """Drop the mark: the restore is whole."""
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS public.unfinished_restore")


def require_finished(url: str) -> None:
    """Misconfigured while a restore has not ended."""
    with psycopg.connect(url) as connection:
        require_finished_on(connection)


def require_finished_on(connection: psycopg.Connection) -> None:
    """The same on a connection that is open."""
    if _is_unfinished(connection):
        raise Misconfigured(UNFINISHED)


def _is_unfinished(connection: psycopg.Connection) -> bool:
    found = connection.execute(_FIND).fetchone()
    return bool(found and found[0])


async def require_finished_here(connection: Connection) -> None:
    """Misconfigured while a restore has not ended; for a process that serves."""
    found = await row(connection, _FIND)
    if found and found[0]:
        raise Misconfigured(UNFINISHED)
