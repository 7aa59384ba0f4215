"""A change that holds the space lock alone."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from identity.operations.corrections.put_rules import put_rules
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceChange, run_exclusive
from tests.support.processes.writer_processes import Lab, ingesting

POOL = 8
PATIENCE = 4
"""Seconds, fewer than a caller waits for a connection of the pool."""


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_a_change_needs_no_connection_of_the_pool(lab: Lab) -> None:
    """Those of the pool may all wait for the lock that the change holds, such as the reads of destinations."""
    async with ingesting(lab) as ingest:
        version = (await put_rules(ingest.space, {"max_merges": 3}, "t")).version
        ingest.spaces.forget(ingest.space.tenant.id)
        space = await ingest.spaces.get(ingest.space.tenant.id)

        async def decide(exclusive: ExclusiveSpace) -> SpaceChange[int]:
            return SpaceChange(exclusive.rules.version)

        async with AsyncExitStack() as pool:
            for _ in range(POOL):
                await pool.enter_async_context(space.database.reading())
            assert await asyncio.wait_for(run_exclusive(space, (), decide), PATIENCE) == version


async def test_new_types_of_one_space_wait_for_its_lock_one_by_one(lab: Lab) -> None:
    """With one connection of the pool, whatever the number of calls that bring a type."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        await space.read_types()
        lock_row = f"SELECT * FROM space_gate WHERE space_id = {space.tenant.id} FOR UPDATE"
        holder = await space.database.writer()
        try:
            async with holder.transaction():
                await holder.execute(lock_row)
                bringing = [asyncio.create_task(space.ensure_types({f"type_{number}"})) for number in range(POOL + 1)]
                await asyncio.wait(bringing, timeout=0.5)
                size = space.database.pool_size()
                assert (size.size - size.idle, size.waiting) == (1, 0)
            await asyncio.gather(*bringing)
        finally:
            await holder.close()
        assert {f"type_{number}" for number in range(POOL + 1)} <= space.codes.keys()
