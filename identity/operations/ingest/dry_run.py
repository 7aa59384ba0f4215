"""What would become of a call: planned on the locked rows as any other, then rolled back.

One at a time in a process, on a connection of its own, so that those who try things out never take
a writer from those who send them.
"""

import asyncio
import time
from contextlib import suppress
from typing import Any

from msgspec import structs

from identity.operations.ingest.commit import Writer
from identity.operations.ingest.request import Request
from identity.spaces.space import Space
from identity.store.postgres.database import Database
from identity.values.calls import Outcome, Source
from identity.values.errors import OnefoldError


class DryRuns:
    """Tries calls out. Nothing of it stays, but for the lease of its writer."""

    def __init__(self, database: Database) -> None:
        self._writer = Writer(database, keeps=False)
        self._turn = asyncio.Lock()

    async def close(self) -> None:
        """Gives its connection back."""
        async with self._turn:
            # Where the database is away, its lease ends by itself.
            with suppress(OnefoldError):
                await self._writer.close()

    async def simulate(self, space: Space, body: Any, source: Source) -> Outcome:
        """The outcome that a call would have now; a profile that it would create has no id yet."""
        request = Request([body], source=source, received=time.time_ns() // 1000, history=True, trial=True)
        async with self._turn:
            await request.read(space, await space.rules())
            if request.calls:
                await self._writer.write(space, [request])
        (outcome,) = request.outcomes
        if outcome is None:
            raise OnefoldError
        return structs.replace(outcome, profile_id=None) if outcome.created else outcome
