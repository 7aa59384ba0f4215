"""An audit of some spaces names those that cannot be audited, and no other."""

from pathlib import Path

import pytest

from identity.operations.integrity.verify_rows_of_spaces import spaces_without_audit
from identity.operations.spaces.delete_space import delete_space
from identity.values.ids import SpaceId, public
from identity.vault.keyring import Keyring
from tests.support.integrity.removed_spaces import remove_rows
from tests.support.integrity.space_audit import audited
from tests.support.processes.writer_processes import Lab, ingesting

OTHER = SpaceId(bytes(range(16)))


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_only_the_asked_spaces_are_named(lab: Lab) -> None:
    """All where none is named, and nothing without the keys."""
    async with ingesting(lab) as ingest:
        spaces, id_ = ingest.spaces, public("spc", ingest.space.public_id)
        remove_rows(lab, ingest.space.tenant.id)
        for asked in ((), (id_,)):
            found = await spaces_without_audit(spaces.database, asked, spaces.keyring)
            assert {name: each.kind for name, each in found.items()} == {id_: "space_missing"}
        assert await spaces_without_audit(spaces.database, (public("spc", OTHER),), spaces.keyring) == {}
        assert await spaces_without_audit(spaces.database, (), None) == {}


async def test_what_is_no_lost_space(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of a creation that a crash interrupted, and one of a space that the operator deleted."""
    async with ingesting(lab) as ingest:
        id_ = public("spc", ingest.space.public_id)
        ingest.spaces.keyring.create_space(OTHER)
        assert await audited(lab) == []
        with monkeypatch.context() as broken:
            broken.setattr(Keyring, "destroy_space", lambda _keyring, _space: None)
            await delete_space(ingest.spaces, id_, "test")
        remove_rows(lab, ingest.space.tenant.id)
        assert (lab.key_store / ingest.space.public_id.hex()).exists()
        assert await audited(lab) == []
