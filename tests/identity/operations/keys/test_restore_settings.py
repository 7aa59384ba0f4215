"""A restored database has the rules, purposes and destinations of the journal, not of the backup."""

from pathlib import Path

import pytest

from identity.operations.corrections.put_rules import get_rules, put_rules
from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.destination_scope import open_scope
from identity.operations.spaces.manage_spaces import KeyCheck
from identity.values.errors import DestinationNotFound, Unauthorised
from identity.values.ids import public
from identity.values.not_ready import DestinationPaused
from tests.support.integrity.rolled_back_rows import LAX, LOOSE_RULES, NARROW, STRICT, TIGHT_RULES, WIDE
from tests.support.privacy.older_backup import Backup, publish_ledgers
from tests.support.processes.writer_processes import Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_what_was_narrowed_since_the_backup_is_narrow_after_the_restore(lab: Lab) -> None:
    """Changed, created and ended destinations, purposes and rules; an ended key stays ended."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        await put_rules(space, LOOSE_RULES, "t")
        await manage_purposes.put_purposes(space, LAX, "t")
        mail, gone = [await manage_destinations.put_destination(space, name, WIDE, "t") for name in ("mail", "gone")]
        assert gone.secret is not None
        backup = Backup(lab, "rules", "purposes", "destination", "delivery", "api_key")
        await put_rules(space, TIGHT_RULES, "t")
        await manage_purposes.put_purposes(space, STRICT, "t")
        await manage_destinations.put_destination(space, "mail", NARROW, "t")
        await manage_destinations.rotate_secrets(space, "mail", "t")
        await manage_destinations.remove_destination(space, "gone", "t")
        new = await manage_destinations.put_destination(space, "gone", NARROW, "t")
        rules, purposes = await get_rules(space), await manage_purposes.get_purposes(space)
        backup.restore()
        await publish_ledgers(ingest)

        space = await ingest.spaces.get(space.tenant.id)
        assert (await get_rules(space)).document() == rules.document()
        assert (await manage_purposes.get_purposes(space)).document() == purposes.document()
        for each in (mail, new):
            with pytest.raises(DestinationPaused):
                await open_scope(space, public("dst", each.id))
        for name in ("mail", "gone"):
            await manage_destinations.resume_destination(space, name, "t")
        for each, version in ((mail, 3), (new, 1)):
            scope = await open_scope(space, public("dst", each.id))
            assert (scope.entitled.traits, scope.version) == (["plan"], version)
        with pytest.raises(DestinationNotFound):
            await open_scope(space, public("dst", gone.id))
        with pytest.raises(Unauthorised):
            await KeyCheck(ingest.spaces).caller(gone.secret)
        assert (await manage_destinations.rotate_secrets(space, "gone", "t")).secret
