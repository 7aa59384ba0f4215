"""A space is deleted only by the operator: the journal records the deletion before keys go."""

from pathlib import Path

import pytest

from app.server.readiness import Readiness
from identity.operations.integrity.find_rolled_back import Found
from identity.operations.integrity.find_unvouched_deletions import find_unvouched_deletions
from identity.operations.integrity.verify_space import verify
from identity.operations.privacy.manage_holds import place_hold, release_hold
from identity.operations.spaces import manage_spaces
from identity.operations.spaces.delete_space import delete_space
from identity.operations.spaces.purge_spaces import purge_deleted
from identity.spaces.space import Spaces
from identity.store.ledger import ledger
from identity.values.errors import KeyUnavailable, NotConfirmed, SpaceNotFound
from identity.values.ids import SpaceNumber, public
from identity.values.not_ready import RolledBack
from identity.vault.keyring import Keyring
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

MARK = "UPDATE space SET deleted_at = now() WHERE id = %s"


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def _id(ingest: Ingest) -> str:
    return public("spc", ingest.space.public_id)


async def _purge(spaces: Spaces) -> None:
    while await purge_deleted(spaces):
        pass


async def _found(lab: Lab) -> list[tuple[str, str]]:
    reports = [each async for each in verify(lab.url, (), lambda _w, _r: None, lab.key_store, lab.keyring())]
    return [(finding.kind, report.space_id) for report in reports for finding in report.findings]


async def test_attack_176_a_space_that_somebody_marks_as_deleted(lab: Lab) -> None:
    """Keys, journal and rows stay, log, `/readyz` and `onefold verify` name the space; other spaces are purged."""
    async with ingesting(lab) as ingest:
        space, none = ingest.space, frozenset[Found]()
        readiness = Readiness(ingest.spaces, ingest.queue)
        await ingest.send({"type": "identify", "userId": "ann"})
        await place_hold(space, ["user_id:ann"], "case 7", "t")
        await manage_spaces.create_space(ingest.spaces, "other")
        assert await find_unvouched_deletions(ingest.spaces, none) == none
        lab.query(MARK, space.tenant.id)
        async with space.database.transaction() as connection:
            await ledger.note(connection, SpaceNumber(space.tenant.id), "operator", "space.delete", _id(ingest))
        other = lab.query("SELECT public_id FROM space WHERE name = 'other'")[0][0]
        await delete_space(ingest.spaces, public("spc", other.bytes), "other")
        await _purge(ingest.spaces)

        assert lab.query("SELECT name FROM space") == [("test",)]
        assert lab.query("SELECT count(*) FROM profile") == [(1,)]
        kept = {path.name for path in (lab.key_store / space.public_id.hex()).iterdir()}
        assert {"journal", "journal-head"} < kept
        assert len(kept) > 5
        found = await find_unvouched_deletions(ingest.spaces, none)
        assert found == {(space.tenant.id, "space_deleted_unvouched", _id(ingest))}
        readiness.unvouched_deletions = found
        with pytest.raises(RolledBack):
            await readiness.require()
        assert await _found(lab) == [("space_deleted_unvouched", _id(ingest))]

        lab.query("DELETE FROM hold")
        with pytest.raises(RolledBack):
            await delete_space(ingest.spaces, _id(ingest), "test")
        lab.query("UPDATE space SET deleted_at = NULL")
        assert await find_unvouched_deletions(ingest.spaces, found) == none
        assert (await ingest.spaces.get(SpaceNumber(space.tenant.id))).name == "test"


async def test_attack_177_a_deleted_hold_lets_no_space_be_deleted(lab: Lab) -> None:
    """A hold in the journal refuses, until it is released."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann"})
        hold = await place_hold(ingest.space, ["user_id:ann"], "case 7", "t")
        lab.query("DELETE FROM hold")
        with pytest.raises(RolledBack):
            await delete_space(ingest.spaces, _id(ingest), "test")
        assert lab.query("SELECT deleted_at FROM space") == [(None,)]
        await release_hold(ingest.space, public("hld", hold.id), "t")
        await delete_space(ingest.spaces, _id(ingest), "test")
        await _purge(ingest.spaces)
        assert lab.query("SELECT 1 FROM space") == []


async def test_an_operator_deletes_a_space_that_an_earlier_release_left(lab: Lab) -> None:
    """With its keys in the key store the deletion is confirmed again; without them the purge goes on by itself."""
    async with ingesting(lab) as ingest:
        lab.query(MARK, ingest.space.tenant.id)
        await _purge(ingest.spaces)
        with pytest.raises(NotConfirmed):
            await delete_space(ingest.spaces, _id(ingest), "other")
        await delete_space(ingest.spaces, _id(ingest), "test")
        await _purge(ingest.spaces)
        assert lab.query("SELECT 1 FROM space") == []

        second = await lab.space(ingest.spaces)
        ingest.spaces.keyring.destroy_space(second.public_id)
        lab.query(MARK, second.tenant.id)
        with pytest.raises(SpaceNotFound):
            await delete_space(ingest.spaces, public("spc", second.public_id), "test")
        assert await _found(lab) == []
        await _purge(ingest.spaces)
        assert lab.query("SELECT 1 FROM space") == []


async def test_a_deletion_whose_keys_could_not_be_destroyed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The space is closed all the same, and the purge destroys the keys before it forgets it."""
    async with ingesting(lab) as ingest:
        with monkeypatch.context() as broken:
            broken.setattr(Keyring, "destroy_space", _unavailable)
            await delete_space(ingest.spaces, _id(ingest), "test")
        with pytest.raises(SpaceNotFound):
            await delete_space(ingest.spaces, _id(ingest), "test")
        await _purge(ingest.spaces)
        assert lab.query("SELECT 1 FROM space") == []
        assert not (lab.key_store / ingest.space.public_id.hex()).exists()


async def test_a_deletion_that_ended_before_its_copy_in_the_journal(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The purge copies the entry first, then destroys the keys."""
    async with ingesting(lab) as ingest:
        with monkeypatch.context() as broken:
            broken.setattr("identity.operations.spaces.delete_space.publish", _unpublished)
            await delete_space(ingest.spaces, _id(ingest), "test")
        assert (lab.key_store / ingest.space.public_id.hex()).exists()
        assert await _found(lab) == []
        await _purge(ingest.spaces)
        assert lab.query("SELECT 1 FROM space") == []
        assert not (lab.key_store / ingest.space.public_id.hex()).exists()


async def test_nothing_is_deleted_while_the_key_store_is_away(lab: Lab) -> None:
    """The journal has to record a deletion first; a purge passes everything over."""
    async with ingesting(lab) as ingest:
        aside = lab.key_store.with_name("aside")
        lab.key_store.rename(aside)
        with pytest.raises(KeyUnavailable):
            await delete_space(ingest.spaces, _id(ingest), "test")
        assert lab.query("SELECT deleted_at FROM space") == [(None,)]
        aside.rename(lab.key_store)


def _unavailable(_keyring: Keyring, _space: bytes) -> None:
    raise KeyUnavailable


async def _unpublished(*_given: object) -> int:
    raise KeyUnavailable
