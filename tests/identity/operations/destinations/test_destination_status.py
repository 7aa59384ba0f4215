"""A restore pauses a destination: nothing is read by it or pushed to it, until an administrator resumes it."""

from pathlib import Path

import pytest

from identity.operations.backup.repair_from_journal import note_restore
from identity.operations.destinations import manage_destinations
from identity.operations.destinations.destination_scope import open_scope
from identity.values.not_ready import DestinationPaused
from tests.support.destinations.callback_destination import mailing, person
from tests.support.processes.writer_processes import Lab


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_nothing_is_pushed_to_a_paused_destination(lab: Lab) -> None:
    """What changed meanwhile is sent once it is resumed; its status shows the pause."""
    async with mailing(lab) as mail:
        await mail.ingest.send(person("ann"))
        async with mail.space.database.transaction() as connection:
            await note_restore(connection, mail.space.tenant)
        await mail.space.publish()
        await mail.send()
        assert mail.receiver.ops == []
        with pytest.raises(DestinationPaused):
            await open_scope(mail.space, mail.public)
        assert (await mail.status()).paused

        assert not (await manage_destinations.resume_destination(mail.space, "mail", "t")).paused
        mail.now_due()
        await mail.send()
        assert mail.receiver.ops == ["upsert"]
