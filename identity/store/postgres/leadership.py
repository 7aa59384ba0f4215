"""Elects the leading process: one database session at a time holds an advisory lock.

The lock goes with the session, so a leader that dies is followed at the next attempt of another process. Nothing
rests on there being one leader only: a session that was cut off may believe for one task more that it leads, so what
a leader runs has to bear being run twice.
"""

from typing import Final

from identity.store.postgres.database import Database, row, translated
from identity.store.postgres.pipeline import PipelineConnection

# The advisory lock of the leader; the space locks have two numbers each and never meet it.
_LOCK: Final = 7302
_TAKE: Final = "SELECT pg_try_advisory_lock($1::int8)"
_STILL: Final = "SELECT $1::int8 > 0"


class Leadership:
    """The candidacy of one process; `close` gives the lock back."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._session: PipelineConnection | None = None
        self._leads = False

    async def leads(self) -> bool:
        """Whether this process leads; takes the lock where it is free. DatabaseUnavailable."""
        try:
            if self._session is None or self._session.closed:
                self._leads = False
                self._session = await self._database.writer()
            with translated():
                # The answer of the leader's own session is its proof; another process cannot hold the lock then.
                found = await row(self._session, _STILL if self._leads else _TAKE, _LOCK)
        except BaseException:
            await self.close()
            raise
        self._leads = found is not None and bool(found[0])
        return self._leads

    async def close(self) -> None:
        """Ends the session, and with it the leadership."""
        session, self._session, self._leads = self._session, None, False
        if session is not None:
            await session.close()
