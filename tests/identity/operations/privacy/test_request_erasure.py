"""Erasures that wait for the lock of their space."""

import asyncio
from pathlib import Path

import psycopg
import pytest

from identity.operations.profiles.read_profile import get_profile
from identity.store.postgres.space_lock import LOCK_EXCLUSIVE
from identity.values.enums import ErasureState
from tests.support.privacy.restored_requests import ask
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

BURST = 24


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_a_burst_of_erasures_leaves_the_connections_to_the_other_spaces(lab: Lab) -> None:
    """More erasures than the pool has connections wait for one space lock; a read of another space does not wait."""
    async with ingesting(lab) as ingest:
        other = Ingest(lab, ingest.spaces, await lab.space(ingest.spaces), ingest.queue)
        await other.send({"type": "identify", "userId": "eve"})
        people = [{"type": "identify", "userId": f"p{number}"} for number in range(BURST)]
        await ingest.send(*people)
        with psycopg.connect(lab.url) as holder:
            holder.execute(LOCK_EXCLUSIVE.replace("$1", str(ingest.space.tenant.id)).encode())
            burst = [asyncio.create_task(ask(ingest, person["userId"])) for person in people]
            await asyncio.wait(burst, timeout=0.5)
            assert (await get_profile(other.space, "user_id:eve")).identifiers
            assert ingest.spaces.database.pool_size().waiting == 0
            holder.rollback()
        done = await asyncio.gather(*burst)
    assert [each.erasures[0].state for each in done] == [ErasureState.FINISHED] * BURST
