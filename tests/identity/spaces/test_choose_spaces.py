"""A command names its space, or means the only one; every refusal lists the spaces that there are."""

from pathlib import Path

import pytest

from identity.spaces.choose_spaces import choose_space, choose_spaces
from identity.values.errors import Misconfigured, SpaceNotFound
from identity.values.ids import public
from tests.support.processes.writer_processes import Lab, ingesting

NOBODY = "spc_" + "0" * 32


async def test_a_command_for_one_space_lists_those_it_could_mean(database: str, tmp_path: Path) -> None:
    """With their names, which is how an operator knows them."""
    async with ingesting(Lab(database, tmp_path)) as ingest:
        only = await choose_space(ingest.spaces.database, None)
        assert only.id == ingest.space.tenant.id
        other = await ingest.lab.space(ingest.spaces)
        ids = [public("spc", each.public_id) for each in (ingest.space, other)]
        with pytest.raises(Misconfigured) as several:
            await choose_space(ingest.spaces.database, None)
        assert "add the id of one to the command" in str(several.value)
        assert all(f"{id_} (test)" in str(several.value) for id_ in ids)
        assert (await choose_space(ingest.spaces.database, ids[1])).id == other.tenant.id
        assert [row.id for row in await choose_spaces(ingest.spaces.database, ids[::-1])] == [
            other.tenant.id, ingest.space.tenant.id,
        ]  # fmt: skip


async def test_an_unknown_space_is_named_with_those_that_there_are(database: str, tmp_path: Path) -> None:
    """A text that is much longer than an id is not repeated."""
    async with ingesting(Lab(database, tmp_path)) as ingest:
        known = public("spc", ingest.space.public_id)
        for asked, named in ((NOBODY, NOBODY), ("shop", "shop"), ("x" * 99, "with this id")):
            with pytest.raises(SpaceNotFound) as unknown:
                await choose_spaces(ingest.spaces.database, [known, asked])
            assert str(unknown.value) == f"There is no space {named}. The spaces are: {known} (test)."
        ingest.lab.query("UPDATE space SET deleted_at = now()")
        with pytest.raises(SpaceNotFound, match="There is no space yet"):
            await choose_space(ingest.spaces.database, None)
        assert await choose_spaces(ingest.spaces.database, []) == []
