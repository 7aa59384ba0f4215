"""Connections that know of which space their session shows the rows.

Invariant: a connection shows the rows of one space, of all, or of none, as the policies of migration 0016 read the
setting of its session, and keeps beside itself which. Its next user has the setting changed first, unless the
connection shows that space already. After a cancellation in the middle the next user changes the setting in any case.
"""

from typing import Final

from psycopg import AsyncConnection, generators
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.rows import TupleRow

SPACE_SETTING: Final = "onefold.space"
ALL_SPACES: Final = "*"
NO_SPACE: Final = ""


class SpaceConnection(AsyncConnection[TupleRow]):
    """A connection with the space that it shows; None while that is not certain."""

    shown: str | None = NO_SPACE

    async def show(self, space: str) -> None:
        """Show the rows of a space from now on. Outside a transaction, so that nothing rolls the setting back."""
        if self.shown != space:
            self.shown = None
            await self.set_space(space)
            self.shown = space

    async def set_space(self, space: str) -> None:
        """Send the setting: a number, `*` or nothing. The cursor of the driver would double the price (measured)."""
        async with self.lock:
            self.pgconn.send_query(f"SET {SPACE_SETTING} = '{space}'".encode())
            answer = (await self.wait(generators.execute(self.pgconn)))[-1]
        if answer.status != ExecStatus.COMMAND_OK:
            raise error_from_result(answer, encoding="utf-8")
