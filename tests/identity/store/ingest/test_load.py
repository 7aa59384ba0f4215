"""Loading: what is locked is what was found, and who waited for a lock looks again."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from identity.store.ingest import load
from identity.store.postgres import writer_slots
from identity.store.postgres.arrays import Uuid
from identity.store.postgres.pipeline import PipelineConnection, rollback
from identity.store.postgres.tenant import Tenant
from identity.values.errors import Conflict, LeaseLost, SpaceNotFound
from identity.values.ids import ProfileId, SpaceNumber, new_id
from identity.values.stamps import Micros, Stamp
from tests.support.processes.writer_processes import Ingest, Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def begun(
    ingest: Ingest, *users: str, tenant: Tenant | None = None, **how: Any
) -> tuple[PipelineConnection, Any]:
    """A transaction that found what these users are."""
    connection = await ingest.spaces.database.writer()
    lease = await writer_slots.take(connection, new_id(), Micros(time.time_ns() // 1000))
    keys = [ingest.space.keys.identifier("user_id", user) for user in users]
    lease = how.pop("lease", lease)
    try:
        found = await load.begin(
            connection,
            tenant or ingest.space.tenant,
            [b"m" * 16],
            keys,
            Stamp(1),
            lease,
            exclusive=how.get("exclusive", False),
        )
    except BaseException:
        await connection.close()
        raise
    return connection, found


async def test_a_space_that_is_gone(lab: Lab) -> None:
    """Without a gate there is no space, and nothing is begun."""
    async with ingesting(lab) as ingest:
        with pytest.raises(SpaceNotFound):
            await begun(ingest, "u1", tenant=Tenant(SpaceNumber(999), 0))


async def test_a_lease_of_somebody_else(lab: Lab) -> None:
    """A transaction begins only on a slot that is the writer's."""
    async with ingesting(lab) as ingest:
        with pytest.raises(LeaseLost):
            await begun(ingest, "u1", lease=writer_slots.WriterLease(0, new_id(), Micros(0), Micros(0)))


async def test_one_that_was_merged_while_waiting(lab: Lab) -> None:
    """A writer that waits for the lock of a root that is merged away meanwhile has to plan again."""
    async with ingesting(lab) as ingest:
        await ingest.send(
            {"type": "track", "event": "E", "anonymousId": "a1"}, {"type": "track", "event": "E", "userId": "u1"}
        )
        one, two = [id_.bytes for (id_,) in lab.query("SELECT profile_id FROM profile")]
        merging, _ = await begun_lock(ingest, [one, two])
        late = await ingest.space.database.writer()
        await late.execute("BEGIN")
        waiting = asyncio.create_task(lock(late, ingest, [two]))
        while not waiting.done() and not lab.query("SELECT pid FROM pg_locks WHERE NOT granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await merging.execute("UPDATE profile SET head = $1 WHERE profile_id = $2", [Uuid(one), Uuid(two)])
        await merging.execute("COMMIT")
        with pytest.raises(Conflict):
            await waiting
        await merging.close()
        await late.close()


async def lock(connection: PipelineConnection, ingest: Ingest, origins: list[ProfileId]) -> load.LockedRows:
    """Locks these."""
    return await load.lock(connection, ingest.space.tenant, origins, set(), [], [], None)


async def begun_lock(ingest: Ingest, origins: list[ProfileId]) -> tuple[PipelineConnection, load.LockedRows]:
    """A transaction of its own, without messages, that holds these."""
    connection = await ingest.space.database.writer()
    await connection.execute("BEGIN")
    return connection, await lock(connection, ingest, origins)


@pytest.mark.parametrize(("first", "second"), [(False, True), (True, False), (True, True)])
async def test_the_gate_alone(lab: Lab, first: bool, second: bool) -> None:  # noqa: FBT001
    """Who holds the gate alone is alone: others wait until it ends."""
    async with ingesting(lab) as ingest:
        one, _ = await begun(ingest, exclusive=first)
        waiting = asyncio.create_task(begun(ingest, exclusive=second))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        await rollback(one)
        two, _ = await waiting
        await rollback(two)
        await one.close()
        await two.close()
