"""Leadership: one session of a database at a time, and another one as soon as that is gone."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from identity.store.postgres.database import Database
from identity.store.postgres.leadership import Leadership
from identity.values.errors import DatabaseUnavailable


@pytest.fixture
async def candidates(database: str) -> AsyncIterator[tuple[Leadership, Leadership]]:
    """Two processes' candidacies for one database."""
    databases = [Database(database), Database(database)]
    for each in databases:
        await each.open()
    first, second = Leadership(databases[0]), Leadership(databases[1])
    yield first, second
    await first.close()
    await second.close()
    for each in databases:
        await each.close()


async def test_one_of_two_leads_and_goes_on_leading(candidates: tuple[Leadership, Leadership]) -> None:
    """The first to ask leads, however often both ask."""
    first, second = candidates

    assert [await first.leads(), await second.leads(), await first.leads(), await second.leads()] == [True, False] * 2


async def test_the_other_leads_once_the_leader_closes(candidates: tuple[Leadership, Leadership]) -> None:
    """The lock goes with the session, however often the leader has asked for it."""
    first, second = candidates
    assert await first.leads()
    assert await first.leads()

    await first.close()

    assert await second.leads()
    assert not await first.leads()


async def test_the_other_leads_once_the_session_of_the_leader_is_lost(
    candidates: tuple[Leadership, Leadership], database: str
) -> None:
    """A leader whose session has ended finds out at its next question."""
    first, second = candidates
    assert await first.leads()
    with psycopg.connect(database, autocommit=True) as connection:
        end = (
            "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
            " WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()"
        )
        assert connection.execute(end).fetchall() == [(True,)]
    while not await second.leads():
        pass

    with pytest.raises(DatabaseUnavailable):
        await first.leads()
    assert not await first.leads()
