"""A database that is older than its keys is not served, whichever of the two says so."""

from pathlib import Path

import pytest

from identity.operations.keys.roll_epoch_keys import roll
from identity.spaces.key_store_comparison import is_older
from identity.values.not_ready import KeysOutdated
from tests.support.processes.writer_processes import Lab, ingesting


async def test_a_space_under_a_newer_epoch_key_than_its_rows_is_not_opened(database: str, tmp_path: Path) -> None:
    """A missing epoch key, or a newer dump; after the overlay, and before any roll, nothing is older."""
    lab = Lab(database, tmp_path)
    async with ingesting(lab) as ingest:
        given = ingest.spaces.database, ingest.spaces.keyring, ingest.space.tenant, ingest.space.public_id
        await ingest.send({"type": "identify", "userId": "ann"})
        assert not await is_older(*given)
        await roll(ingest.spaces, ingest.space)
        assert not await is_older(*given)
        for back, forth in (
            ("UPDATE slot_key SET epoch = 1", "UPDATE slot_key SET epoch = 2"),
            ("UPDATE space_gate SET epoch = 1", "UPDATE space_gate SET epoch = 2"),
        ):
            lab.query(back)
            assert await is_older(*given)
            ingest.spaces.forget(ingest.space.tenant.id)
            with pytest.raises(KeysOutdated):
                await ingest.spaces.get(ingest.space.tenant.id)
            lab.query(forth)
            assert (await ingest.spaces.get(ingest.space.tenant.id)).public_id == ingest.space.public_id
