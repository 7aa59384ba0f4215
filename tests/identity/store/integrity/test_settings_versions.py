"""The versions in force: of the spaces that are asked for, and of live destinations only."""

from pathlib import Path

from identity.operations.corrections.put_rules import put_rules
from identity.operations.destinations import manage_destinations, manage_purposes
from identity.store.integrity.settings_versions import destination_versions, settings_versions
from tests.support.integrity.rolled_back_rows import LAX, NARROW, STRICT, TIGHT_RULES, WIDE
from tests.support.processes.writer_processes import Lab, ingesting


async def test_the_versions_of_the_spaces_that_are_asked_for(database: str, tmp_path: Path) -> None:
    """A space without any document has 0; an ended destination has no version."""
    lab = Lab(database, tmp_path)
    async with ingesting(lab) as ingest:
        space, plain = ingest.space, await lab.space(ingest.spaces)
        await put_rules(space, TIGHT_RULES, "t")
        for purposes in (LAX, STRICT):
            await manage_purposes.put_purposes(space, purposes, "t")
        mail, _ = [await manage_destinations.put_destination(space, name, WIDE, "t") for name in ("mail", "gone")]
        await manage_destinations.put_destination(space, "mail", NARROW, "t")
        await manage_destinations.remove_destination(space, "gone", "t")
        both = [space.tenant.id, plain.tenant.id]
        async with ingest.spaces.database.of_all_spaces.reading() as connection:
            settings = await settings_versions(connection, both)
            destinations = await destination_versions(connection, both)
            assert await settings_versions(connection, []) == []
            assert await destination_versions(connection, []) == []
        assert sorted(settings) == [(both[0], 1, 2, True, 1, 0), (both[1], 0, 0, True, 1, 0)]
        assert destinations == [(both[0], mail.id, 2)]
