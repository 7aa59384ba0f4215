"""Keeps a transaction open while its process computes: a statement now and then shows that somebody is there.

Postgres ends the session of a writer that is idle in a transaction for too long, since the writer may be dead while
others wait for its locks. A process that stops altogether still loses its session.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from identity.store.postgres.database import Connection, translated
from identity.values.errors import OnefoldError

EVERY: Final = 5.0
"""Seconds between two statements, a small part of `idle_in_transaction_session_timeout`."""


@asynccontextmanager
async def kept_alive(connection: Connection) -> AsyncIterator[None]:
    """Keep the transaction of a connection open while the block runs, in a thread or on other connections."""
    beat = asyncio.create_task(_beat(connection))
    try:
        yield
    finally:
        beat.cancel()
        # The statement of the block that follows reports a lost connection.
        with suppress(asyncio.CancelledError, OnefoldError):
            await beat


async def _beat(connection: Connection) -> None:
    while True:
        await asyncio.sleep(EVERY)
        with translated():
            # A cancelled statement would abort the transaction.
            await asyncio.shield(asyncio.ensure_future(connection.execute("SELECT 1")))
