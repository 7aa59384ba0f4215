"""A space is served while another process begins and continues its journal."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from identity.spaces.ledger_publication import publish, require_published
from identity.spaces.space import Space, Spaces
from identity.store.postgres.database import Database
from identity.values.errors import LedgerBroken
from identity.vault.journal import Journal
from tests.support.processes.writer_processes import Lab


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


class Overtaken(Journal):
    """A journal that another process continues just after it was read for the first time."""

    def __init__(self, journal: Journal, meanwhile: Callable[[], None]) -> None:
        self.__dict__.update(journal.__dict__)
        self._meanwhile: list[Callable[[], None]] = [meanwhile]

    def last(self) -> tuple[int, bytes] | None:
        """The last entry, as of before the other process."""
        found = super().last()
        while self._meanwhile:
            self._meanwhile.pop()()
        return found


def journal_of(spaces: Spaces, space: Space) -> Journal:
    """The journal of a space, as its server opens it."""
    return spaces.keyring.journal(space.public_id)


def published_elsewhere(lab: Lab, space: Space, journal: Journal) -> Callable[[], None]:
    """Publishes the ledger as another process does."""

    async def elsewhere() -> None:
        database = Database(lab.url, readers=1)
        await database.open()
        await publish(database, space.tenant, journal)
        await database.close()

    return lambda: asyncio.run(elsewhere())


async def closed(spaces: Spaces) -> None:
    """Ends the connections."""
    spaces.keyring.close()
    await spaces.database.close()


def unpublished(lab: Lab, space: Space) -> None:
    """Takes a space back to before its journal was begun."""
    lab.query("UPDATE ledger_head SET begun = false WHERE space_id = %s", space.tenant.id)
    for path in lab.key_store.rglob("journal*"):
        path.unlink()


async def test_a_journal_that_another_process_begins_breaks_no_ledger(lab: Lab) -> None:
    """The journal is read before the first line is written, and the flag after."""
    spaces = await lab.open()
    space = await lab.space(spaces)
    unpublished(lab, space)
    journal = journal_of(spaces, space)
    await require_published(spaces.database, space.tenant, Overtaken(journal, published_elsewhere(lab, space, journal)))
    assert lab.query("SELECT begun FROM ledger_head WHERE space_id = %s", space.tenant.id) == [(True,)]
    await closed(spaces)


async def test_a_process_that_dies_as_it_begins_a_journal_leaves_the_space_served(lab: Lab) -> None:
    """Between the first line and the flag; the next process sets the flag."""
    spaces = await lab.open()
    space = await lab.space(spaces)
    journal = journal_of(spaces, space)
    await publish(spaces.database, space.tenant, journal)
    lab.query("UPDATE ledger_head SET begun = false WHERE space_id = %s", space.tenant.id)
    await require_published(spaces.database, space.tenant, journal)
    await publish(spaces.database, space.tenant, journal)
    assert lab.query("SELECT begun FROM ledger_head WHERE space_id = %s", space.tenant.id) == [(True,)]
    await closed(spaces)


async def test_a_journal_that_is_gone_breaks_the_ledger(lab: Lab) -> None:
    """Read once or twice."""
    spaces = await lab.open()
    space = await lab.space(spaces)
    journal = journal_of(spaces, space)
    await publish(spaces.database, space.tenant, journal)
    for path in lab.key_store.rglob("journal*"):
        path.unlink()
    with pytest.raises(LedgerBroken):
        await require_published(spaces.database, space.tenant, journal)
    await closed(spaces)
