"""An edited row of the space lock is named by the audit and by the error that it causes, and destroys no key."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.integrity.verify_space import verify
from identity.operations.keys import rotate_index_key
from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.profiles.read_profile import get_profile
from identity.operations.spaces import manage_spaces
from identity.values.calls import Source
from identity.values.errors import OnefoldError
from identity.values.not_ready import SpaceLockDiffers
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

NEVER = rotate_index_key.MESSAGE_DAYS


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def _progress(_done: int, _total: int) -> None:
    """Report to nobody."""


async def _found(lab: Lab) -> list[str]:
    reports = [each async for each in verify(lab.url, (), lambda _w, _r: None, lab.key_store, lab.keyring())]
    return [text for report in reports for finding in report.findings for text in finding.examples]


async def _refused(ingest: Ingest, call: dict[str, Any]) -> type[OnefoldError] | None:
    try:
        ingest.space = await ingest.spaces.get(ingest.space.tenant.id)
        await ingest.send(call)
    except OnefoldError as error:
        return type(error)
    return None


async def test_attack_178_an_edited_space_lock_is_named_by_the_audit(lab: Lab) -> None:
    """Nothing is found after a roll and a rotation; each edit is found by its column."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann", "traits": {"email": "a@x.org"}})
        await remove_identifier(ingest.space, "email:a@x.org", block=True, source=Source(1, server=True), actor="t")
        await roll(ingest.spaces, ingest.space)
        await rotate_index_key.begin(ingest.spaces, ingest.space)
        await rotate_index_key.rotate(ingest.spaces, ingest.space, _progress)
        await ingest.space.publish()
        assert await _found(lab) == []
        lab.query("CREATE TABLE kept AS SELECT * FROM space_gate")
        for edit, label in (
            ("index_version = 3", "index_version 3, and the key store holds 1, 2"),
            ("epoch = 1", "epoch 1, and the journal has 2"),
            ("marks = 0", "marks lack BLOCKED, and there are rows"),
        ):
            lab.query(f"UPDATE space_gate SET {edit}")
            assert label in await _found(lab)
            lab.query("DELETE FROM space_gate")
            lab.query("INSERT INTO space_gate SELECT * FROM kept")
        lab.query("DELETE FROM space_gate")
        assert "the row of the space lock is missing" in await _found(lab)


async def test_attack_178_the_error_names_the_space_lock(lab: Lab) -> None:
    """To a server that has the space open and to one that opens it; both read on once the row is right again."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann"})
        other = await lab.open()
        lab.query("UPDATE space_gate SET index_version = 2")
        with pytest.raises(SpaceLockDiffers):
            await get_profile(ingest.space, "user_id:ann")
        with pytest.raises(SpaceLockDiffers):
            await other.get(ingest.space.tenant.id)
        lab.query("UPDATE space_gate SET index_version = 1")
        await get_profile(ingest.space, "user_id:ann")
        await get_profile(await other.get(ingest.space.tenant.id), "user_id:ann")
        await other.database.close()


@pytest.mark.parametrize("column", ["epoch", "index_version", "index_live", "index_messages", "index_oldest"])
@pytest.mark.parametrize("change", [1, -1])
async def test_attack_198_a_write_names_the_edited_row(lab: Lab, column: str, change: int) -> None:
    """Neither the database nor the key store is at fault, and the audit names the column; reads may go on."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann"})
        lab.query(f"UPDATE space_gate SET {column} = {column} + {change}")
        assert any(label.startswith(column) for label in await _found(lab))
        for opened in (True, False):
            if not opened:
                ingest.spaces.forget(ingest.space.tenant.id)
            assert await _refused(ingest, {"type": "identify", "userId": f"new {opened}"}) == SpaceLockDiffers
        lab.query(f"UPDATE space_gate SET {column} = {column} - {change}")
        ingest.space = await ingest.spaces.get(ingest.space.tenant.id)
        assert len(await ingest.send({"type": "identify", "userId": "bea"})) == 1


async def test_attack_179_no_edit_of_the_space_lock_destroys_an_index_key_in_use(lab: Lab) -> None:
    """The oldest version that the row names decides nothing beyond the others, and the newest key always stays."""
    async with ingesting(lab) as ingest:
        await manage_spaces.create_space(ingest.spaces, "other")
        await ingest.send({"type": "identify", "userId": "ann"})
        await rotate_index_key.begin(ingest.spaces, ingest.space)
        number = ingest.space.tenant.id
        lab.query("UPDATE space_gate SET index_oldest = 9 WHERE space_id = %s", number)
        await rotate_index_key.destroy_unused_everywhere(ingest.spaces, NEVER)
        assert ingest.spaces.keyring.indexes(ingest.space.public_id) == [1, 2]
        edit = "UPDATE space_gate SET index_version = 9, index_live = 9, index_messages = 9, index_oldest = 9"
        lab.query(edit + " WHERE space_id = %s", number)
        await rotate_index_key.destroy_unused_everywhere(ingest.spaces, NEVER)
        assert ingest.spaces.keyring.indexes(ingest.space.public_id) == [1, 2]
