"""The connection of a writer ends with its writer, whatever became of its lease."""

import pytest

from identity.store.postgres import writer_slots
from identity.store.postgres.database import Database
from identity.store.postgres.writer_connection import WriterConnection


@pytest.mark.parametrize("lost", [False, True])
async def test_closing_a_writer_closes_its_connection(database: str, *, lost: bool) -> None:
    """With its lease, and after another writer took the slot."""
    opened = Database(database, readers=1)
    await opened.open()
    writer = WriterConnection(opened)
    connection = await writer.ready()
    if lost:
        writer.forget_lease()
    await writer.close()
    assert connection.closed
    await opened.close()


async def test_a_slot_that_cannot_be_released_closes_the_connection(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease ends by itself."""

    async def fails(*_: object) -> None:
        raise OSError

    opened = Database(database, readers=1)
    await opened.open()
    writer = WriterConnection(opened)
    connection = await writer.ready()
    monkeypatch.setattr(writer_slots, "release", fails)
    with pytest.raises(Exception, match="database"):
        await writer.close()
    assert connection.closed
    await opened.close()
