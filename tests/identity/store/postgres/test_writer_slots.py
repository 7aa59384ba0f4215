"""Writer slots: no two writers ever hold the same one for the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from identity.store.postgres import writer_slots
from identity.store.postgres.arrays import Uuid
from identity.store.postgres.database import Database, translated
from identity.store.postgres.pipeline import PipelineConnection
from identity.values.errors import Conflict, OnefoldError, Unavailable
from identity.values.ids import new_id
from identity.values.stamps import Micros

NOW = 10**15


@asynccontextmanager
async def connections(url: str, count: int) -> AsyncIterator[list[PipelineConnection]]:
    """Connections of writers."""
    database = Database(url)
    opened = [await database.writer() for _ in range(count)]
    try:
        yield opened
    finally:
        for connection in opened:
            await connection.close()


async def test_slots_taken_at_once_differ(database: str) -> None:
    """Writers that start together get slots of their own; one that loses the race asks again."""
    async with connections(database, 6) as opened:

        async def take(connection: PipelineConnection) -> int:
            while True:
                try:
                    with translated():
                        return (await writer_slots.take(connection, new_id(), Micros(NOW))).slot
                except Conflict:
                    await asyncio.sleep(0)

        slots = await asyncio.gather(*(take(connection) for connection in opened))
        assert sorted(slots) == list(range(len(opened)))


async def test_an_ended_lease_is_taken_over_after_its_end(database: str) -> None:
    """The next holder's stamps lie after the end of the last lease, and the last holder gets an error."""
    async with connections(database, 2) as (one, two):
        first = await writer_slots.take(one, new_id(), Micros(NOW))
        second = await writer_slots.take(two, new_id(), Micros(first.until + 1))
        assert (second.slot, second.floor) == (first.slot, first.until + 1)
        assert not await writer_slots.renew(one, first, Micros(first.until + writer_slots.LEASE_MICROS))
        assert await writer_slots.renew(two, second, Micros(second.until + writer_slots.LEASE_MICROS))


async def test_a_lease_in_use_is_not_taken_over(database: str) -> None:
    """While a transaction holds a share of the slot, nobody takes it, even after its end."""
    async with connections(database, 2) as (one, two):
        first = await writer_slots.take(one, new_id(), Micros(NOW))
        await one.execute("BEGIN")
        await one.execute(writer_slots.LOCK_LEASE, [first.slot, Uuid(first.holder)])
        assert (await writer_slots.take(two, new_id(), Micros(first.until + 1))).slot != first.slot
        await one.execute("ROLLBACK")


async def test_a_released_slot_is_free_after_the_last_stamp(database: str) -> None:
    """A slot given back is taken again, and its stamps go on after those given."""
    async with connections(database, 1) as (one,):
        first = await writer_slots.take(one, new_id(), Micros(NOW))
        await writer_slots.release(one, first, Micros(NOW + 5))
        again = await writer_slots.take(one, new_id(), Micros(NOW + 7))
        assert (again.slot, again.floor > NOW + 5) == (first.slot, True)


async def test_no_more_slots_than_there_are(database: str) -> None:
    """The two hundred and fifty-seventh writer is refused."""
    async with connections(database, 1) as (one,):
        await one.execute(
            "INSERT INTO writer_slot (slot, holder, until) "
            "SELECT n, gen_random_uuid(), 9000000000000000000 FROM generate_series(0, 255) n"
        )
        with pytest.raises(Unavailable) as caught:
            await writer_slots.take(one, new_id(), Micros(NOW))
        assert isinstance(caught.value, OnefoldError)
