"""A real base backup from before an erasure: after a roll it opens every profile but the erased one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from identity.operations.backup.repair_from_journal import publish_or_repair
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.destinations import manage_destinations
from identity.operations.destinations.read_changes import read_changes
from identity.operations.keys.overlay_key_tables import overlay_keys
from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles.read_profile import get_profile
from identity.planning.privacy.privacy_requests import NewRequest
from identity.spaces.space import Space
from identity.store.embedded.data_directory import SUPERUSER, locate
from identity.store.embedded.server import EmbeddedPostgres
from identity.values.calls import Source
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.errors import ProfileNotFound, Resync
from identity.values.ids import SpaceNumber, public
from identity.values.not_ready import DestinationPaused, KeysOutdated
from tests.support.database import prepared_cluster
from tests.support.privacy.backup_attack import Attacker
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

SURVIVORS = 12


class Deployment:
    """A cluster of its own, with its keys, of which base backups can be taken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = EmbeddedPostgres(folder / "live")
        self.restored: list[EmbeddedPostgres] = []
        self.url = self.postgres.start()
        self.lab = Lab(self.url, folder)

    def backup(self, name: str) -> Path:
        """A base backup, as an operator takes it."""
        cluster = locate(self.folder / "live")
        root = self.folder / name
        root.mkdir()
        copied = locate(root)
        copied.give(root)
        url = self.postgres.url(SUPERUSER, SUPERUSER)
        with (root / "backup.log").open("wb") as output:
            taken = cluster.launch(
                "pg_basebackup", f"--dbname={url}", f"--pgdata={copied.data}", "--checkpoint=fast", output=output
            )
            assert taken.wait() == 0, (root / "backup.log").read_text()
        return root

    def restore(self, root: Path) -> Lab:
        """A server on a base backup, with the keys as they are today."""
        postgres = EmbeddedPostgres(root)
        self.restored.append(postgres)
        return _Restored(postgres.start(), self.folder)

    def wal(self) -> bytes:
        """The write-ahead log of the live cluster, as its files hold it."""
        cluster = locate(self.folder / "live")
        return b"".join(path.read_bytes() for path in sorted((cluster.data / "pg_wal").iterdir()) if path.is_file())

    def stop(self) -> None:
        """Stops every server."""
        for postgres in (*self.restored, self.postgres):
            postgres.stop()


class _Restored(Lab):
    """A lab on another database with the same keys."""


@pytest.fixture
def deployment(prepared: Path, tmp_path: Path) -> Iterator[Deployment]:
    """A cluster for one test."""
    prepared_cluster.copy(prepared, tmp_path / "live")
    made = Deployment(tmp_path)
    try:
        yield made
    finally:
        made.stop()


async def people(ingest: Ingest) -> dict[str, bytes]:
    """Some who stay and one who goes, by name: their profile ids."""
    names = [f"s{number}" for number in range(SURVIVORS)] + ["victim"]
    items = [{"type": "identify", "userId": name, "traits": {"secret": f"of-{name}"}} for name in names]
    outcomes = await ingest.send(*items)
    return {name: _id(outcome.profile_id) for name, outcome in zip(names, outcomes, strict=True)}


def _id(profile_id: str | None) -> bytes:
    assert profile_id is not None
    return bytes.fromhex(profile_id.removeprefix("prf_"))


async def erase(space: Space, identifier: str) -> None:
    """An erasure, for good."""
    await request_erasure(
        space,
        NewRequest(
            front=RequestInterface.NATIVE,
            kind=RequestKind.SUPPRESS_WITH_DELETE,
            regulation=Law.NONE,
            identifiers=[identifier],
            actor="test",
        ),
    )


async def test_the_erased_cannot_be_opened(deployment: Deployment) -> None:
    """Base backup, root key, today's key store: survivors open, the erased does not; before the roll it does."""
    async with ingesting(deployment.lab) as ingest:
        ids = await people(ingest)
        backup = deployment.backup("backup")
        await erase(ingest.space, "user_id:victim")
        old = deployment.restore(backup)
        space = ingest.space.public_id
        before = Attacker(old.url, deployment.lab.keyring(), space, deployment.url).opened()
        assert ids["victim"] in before, "a deleted row alone is no erasure: the control of this test"

        assert await roll(ingest.spaces, ingest.space) == 2

        log = deployment.wal()
        without = Attacker(deployment.url, deployment.lab.keyring(), space, deployment.url)
        tried = len(without.slots), len(without.subjects)
        without.take(log)
        assert len(without.slots) > tried[0]
        assert len(without.subjects) > tried[1], "the log holds wrappings that no table holds any more"
        after = Attacker(old.url, deployment.lab.keyring(), space, deployment.url)
        after.take(log)
        assert set(after.opened()) == set(ids.values()) - {ids["victim"]}


async def test_a_restore_serves_who_was_not_erased(deployment: Deployment) -> None:
    """The dump laid over a restored backup reads survivors as ever, and nobody else is there."""
    async with ingesting(deployment.lab) as ingest:
        await people(ingest)
        everybody = {"purposes": [], "without_consent": True}
        made = await manage_destinations.put_destination(ingest.space, "mail", everybody, "test")
        page = await read_changes(ingest.space, public("dst", made.id), None, 100)
        backup = deployment.backup("backup")
        await erase(ingest.space, "user_id:victim")
        await roll(ingest.spaces, ingest.space)
        await ingest.send({"type": "identify", "userId": "later"})

    old = deployment.restore(backup)
    spaces = await old.open()
    try:
        with pytest.raises(KeysOutdated):
            await spaces.get(SpaceNumber(1))
        space = await spaces.restored(SpaceNumber(1))
        laid = await overlay_keys(spaces, space)
        assert (laid.before, laid.epoch, laid.keys, len(laid.removed)) == (1, 2, SURVIVORS, 1)
        assert (await overlay_keys(spaces, space)).keys == 0
        await publish_or_repair(spaces, {})
        space = await spaces.get(SpaceNumber(1))
        for number in range(SURVIVORS):
            profile = await get_profile(space, f"user_id:s{number}")
            assert profile.traits == {"secret": f"of-s{number}"}
        with pytest.raises(ProfileNotFound):
            await get_profile(space, "user_id:victim")
        with pytest.raises(DestinationPaused):
            await read_changes(space, public("dst", made.id), page.cursor, 100)
        await manage_destinations.resume_destination(space, "mail", "test")
        # A destination that holds the victim begins again, and so drops them.
        with pytest.raises(Resync):
            await read_changes(space, public("dst", made.id), page.cursor, 100)
    finally:
        await spaces.database.close()


async def test_one_side_of_a_split_origin(deployment: Deployment) -> None:
    """Two people parted inside one origin: the backup opens the one who stays, not the one who was erased."""
    async with ingesting(deployment.lab) as ingest:
        both = {"type": "identify", "userId": "carl", "anonymousId": "tablet", "traits": {"plan": "pro"}}
        await ingest.send(both)
        await ingest.send({"type": "identify", "anonymousId": "tablet", "traits": {"email": "dora@example.org"}})
        first = deployment.backup("before-the-unmerge")
        named = ["email:dora@example.org"]
        parted = await unmerge_profile(ingest.space, named, block=True, source=Source(1), actor="test")
        backup = deployment.backup("backup")
        await erase(ingest.space, named[0])
        await roll(ingest.spaces, ingest.space)
        space = ingest.space.public_id
        old = deployment.restore(backup)
        opened = Attacker(old.url, deployment.lab.keyring(), space, deployment.url).opened()
        assert set(opened) == {parted.remaining_profile_id} - {parted.profile_id}
        # From before the unmerge both are under one key, which is nobody's any more.
        older = deployment.restore(first)
        assert Attacker(older.url, deployment.lab.keyring(), space, deployment.url).opened() == {}
        # Laying the newest keys over that backup removes the one who stays, and names the profile.
        spaces = await older.open()
        try:
            laid = await overlay_keys(spaces, await spaces.restored(SpaceNumber(1)))
            assert parted.remaining_profile_id in laid.removed
            repaired = (await publish_or_repair(spaces, {}))[SpaceNumber(1)]
            repaired.add(laid.removed)
            assert repaired.ids() == [parted.remaining_profile_id]
        finally:
            await spaces.database.close()
