"""Keys and journal of a space are discarded only where its rows are gone, and only by its id."""

from pathlib import Path

import pytest

from identity.operations.keys.discard_lost_keys import discard_lost_keys
from identity.values.errors import Misconfigured
from identity.values.ids import public
from tests.support.integrity.removed_spaces import remove_rows
from tests.support.integrity.space_audit import audited
from tests.support.processes.writer_processes import Lab, ingesting


async def test_only_a_space_without_rows_loses_its_keys(database: str, tmp_path: Path) -> None:
    """Not one that is there, nor one whose row has another id; afterwards the audit misses nothing."""
    lab = Lab(database, tmp_path)
    async with ingesting(lab) as ingest:
        space, stored, keyring = ingest.space, ingest.spaces.database, ingest.spaces.keyring
        id_, folder = public("spc", space.public_id), lab.key_store / space.public_id.hex()
        with pytest.raises(Misconfigured):
            await discard_lost_keys(stored, keyring, [id_])
        lab.query("UPDATE space SET public_id = gen_random_uuid()")
        with pytest.raises(Misconfigured):
            await discard_lost_keys(stored, keyring, [id_])
        remove_rows(lab, space.tenant.id)
        assert await discard_lost_keys(stored, keyring, []) == []
        assert folder.exists()
        assert [each.public_id for each in await discard_lost_keys(stored, keyring, [id_])] == [space.public_id]
        assert not folder.exists()
        assert await audited(lab) == []
