"""The removals, blocks and cuts of identifiers, which planning must respect."""

from pathlib import Path

import pytest

from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.store.ingest.constraints import constraints, cuts
from identity.values.calls import Source
from tests.support.processes.writer_processes import Lab, ingesting

ADMIN = Source(9, server=True)
CALLS = [
    {"type": "identify", "userId": "u", "anonymousId": "a", "traits": {"email": "u@example.org"}},
    {"type": "identify", "userId": "v", "traits": {"email": "v@example.org"}},
]


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_each_identifier_has_what_a_correction_left_for_it(lab: Lab) -> None:
    """A removal with a block, an unmerge with a cut on two sides, and nothing for the rest."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        await ingest.send(*CALLS)
        await remove_identifier(space, "email:v@example.org", block=True, source=ADMIN, actor="test")
        await unmerge_profile(space, ["anonymous_id:a"], block=True, source=ADMIN, actor="test")
        user, device, gone, free = (
            space.keys.identifier(*each)
            for each in (("user_id", "u"), ("anonymous_id", "a"), ("email", "v@example.org"), ("user_id", "v"))
        )
        async with space.database.reading() as connection:
            found = await constraints(connection, space.tenant, [user, device, gone, free])
            cut = await cuts(connection, space.tenant, [user, device])

        assert found.removed.keys() == {gone}
        assert found.blocked == [gone]
        assert sorted(found.cuts) == sorted(cut)
        assert {row.key for row in cut} == {user, device}
        assert len({row.cut for row in cut}) == 1
        assert len({row.side for row in cut}) == 2
