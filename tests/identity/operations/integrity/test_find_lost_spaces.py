"""A space whose rows somebody deletes, or whose id somebody edits, is named, and no command deletes what is left."""

from pathlib import Path

import pytest
import structlog

from app.server.readiness import Readiness
from identity.operations.integrity.find_lost_spaces import find_lost_spaces
from identity.operations.keys.find_unreadable_spaces import require_epoch_keys
from identity.operations.keys.overlay_key_tables import overlay_space
from identity.operations.privacy.manage_holds import place_hold
from identity.operations.spaces import manage_spaces
from identity.operations.spaces.delete_space import delete_space
from identity.store.spaces import spaces_and_keys
from identity.store.spaces.spaces_and_keys import SpaceRow
from identity.values.errors import Misconfigured
from identity.values.ids import SpaceId, public
from identity.values.not_ready import KeysOutdated, RolledBack
from tests.support.integrity.removed_spaces import remove_rows
from tests.support.integrity.space_audit import audited
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

OTHER = SpaceId(bytes(range(16)))


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def _id(ingest: Ingest) -> str:
    return public("spc", ingest.space.public_id)


async def _row(ingest: Ingest, id_: SpaceId) -> SpaceRow:
    async with ingest.spaces.database.of_all_spaces.reading() as connection:
        return await spaces_and_keys.find_public_space(connection, id_)


async def _held(ingest: Ingest) -> None:
    """A person under a hold, and a second space that nobody touches."""
    await manage_spaces.create_space(ingest.spaces, "other")
    await ingest.send({"type": "identify", "userId": "ann"})
    await place_hold(ingest.space, ["user_id:ann"], "case 7", "t")
    await ingest.space.publish()


async def test_attack_195_an_edited_id_of_a_space_lets_no_command_delete_its_rows(lab: Lab) -> None:
    """It is no sign of an old backup; overlay, also with the id, and deletion refuse, and name the right id."""
    async with ingesting(lab) as ingest:
        await _held(ingest)
        number = ingest.space.tenant.id
        assert await find_lost_spaces(ingest.spaces.database, ingest.spaces.keyring, []) == []
        lab.query("UPDATE space SET public_id = %s WHERE id = %s", OTHER.hex(), number)
        label = f"{_id(ingest)}, whose row has the id {public('spc', OTHER)}, with 1 hold in its journal"
        assert (dict(await audited(lab)))["space_renamed"] == [label]
        await require_epoch_keys(ingest.spaces)
        row = await _row(ingest, OTHER)
        for named in (False, True):
            with pytest.raises(Misconfigured, match=f"The rows are those of {_id(ingest)}"):
                await overlay_space(ingest.spaces, row, deleted=True, named=named)
        lab.query("DELETE FROM hold")
        with pytest.raises(RolledBack):
            await delete_space(ingest.spaces, public("spc", OTHER), "test")
        assert lab.query("SELECT count(*) FROM profile") == [(1,)]
        lab.query("UPDATE space SET public_id = %s WHERE id = %s", ingest.space.public_id.hex(), number)
        assert await find_lost_spaces(ingest.spaces.database, ingest.spaces.keyring, []) == []


async def test_attack_195_without_its_ledger_too(lab: Lab) -> None:
    """Nothing connects row and journal then: the overlay asks for the id, and names the space without a row."""
    async with ingesting(lab) as ingest:
        await _held(ingest)
        number = ingest.space.tenant.id
        lab.query("UPDATE space SET public_id = %s WHERE id = %s", OTHER.hex(), number)
        lab.query("DELETE FROM ledger WHERE space_id = %s", number)
        assert (dict(await audited(lab)))["space_missing"] == [f"{_id(ingest)}, with 1 hold in its journal"]
        row = await _row(ingest, OTHER)
        for deleted, named in ((True, False), (False, True)):
            with pytest.raises(Misconfigured, match=f"does not name, {_id(ingest)}: somebody may have edited the id"):
                await overlay_space(ingest.spaces, row, deleted=deleted, named=named)
        assert lab.query("SELECT count(*) FROM profile") == [(1,)]
        assert await overlay_space(ingest.spaces, row, deleted=True, named=True) is None


async def test_a_space_that_was_deleted_after_the_backup_is_still_deleted_by_its_id(lab: Lab) -> None:
    """Its keys and its journal are gone, so the operator names the space."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann"})
        ingest.spaces.keyring.destroy_space(ingest.space.public_id)
        with pytest.raises(KeysOutdated):
            await require_epoch_keys(ingest.spaces)
        row = await _row(ingest, ingest.space.public_id)
        with pytest.raises(Misconfigured, match=f"--deleted {_id(ingest)}` to delete it again"):
            await overlay_space(ingest.spaces, row, deleted=True, named=False)
        assert await overlay_space(ingest.spaces, row, deleted=True, named=True) is None
        assert lab.query("SELECT deleted_at IS NULL FROM space") == [(False,)]


async def test_attack_196_the_rows_of_a_whole_space_are_missed(lab: Lab) -> None:
    """By the audit, by `/readyz` as a warning, and once in the log."""
    async with ingesting(lab) as ingest:
        await _held(ingest)
        readiness = Readiness(ingest.spaces, ingest.queue)
        remove_rows(lab, ingest.space.tenant.id)
        label = f"{_id(ingest)}, with 1 hold in its journal"
        assert dict(await audited(lab)) == {"space_missing": [label]}
        database, keyring = ingest.spaces.database, ingest.spaces.keyring
        with structlog.testing.capture_logs() as lines:
            for _ in range(2):
                readiness.lost_spaces = await find_lost_spaces(database, keyring, readiness.lost_spaces)
        assert [(line["space"], line["reason"]) for line in lines] == [(_id(ingest), "space_missing")]
        await readiness.require()
        assert readiness.warnings() == {"space_missing": 1}
