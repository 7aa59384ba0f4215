"""Dry run: plans a call on the locked rows like any other, then rolls the transaction back.

A process makes one dry run at a time, on a connection of its own, so dry runs never take a writer from ingest.
"""

import asyncio
from contextlib import suppress
from typing import Any

from msgspec import structs

from identity.operations.ingest.commit import BatchWriter
from identity.operations.ingest.request import IngestRequest
from identity.spaces.space import Space
from identity.store.postgres.database import Database
from identity.values.calls import Outcome, Source
from identity.values.errors import OnefoldError
from identity.values.stamps import wall_time


class DryRuns:
    """Makes dry runs. Nothing of them stays but the lease of the writer."""

    def __init__(self, database: Database) -> None:
        self._writer = BatchWriter(database, keeps=False)
        self._turn = asyncio.Lock()

    async def close(self) -> None:
        """Gives the connection back."""
        async with self._turn:
            # If the database cannot be reached, the lease ends by itself.
            with suppress(OnefoldError):
                await self._writer.close()

    async def simulate(self, space: Space, body: Any, source: Source) -> Outcome:
        """The outcome that a call would have if it arrived now; a profile that the call would create has no id."""
        request = IngestRequest([body], source=source, received=wall_time(), dry_run=True)
        async with self._turn:
            await request.read(space, await space.rules())
            if request.calls:
                await self._writer.write(space, [request])
        (outcome,) = request.outcomes
        if outcome is None:
            raise OnefoldError
        return structs.replace(outcome, profile_id=None) if outcome.created else outcome
