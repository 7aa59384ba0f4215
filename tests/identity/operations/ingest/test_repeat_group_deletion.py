"""A group that was deleted after a backup, in a database that is restored from it."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.operations.ingest.delete_group import delete_group
from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.profiles.read_group import get_group
from identity.operations.profiles.read_profile import get_profile
from identity.values.calls import Source
from identity.values.errors import GroupNotFound
from tests.support.integrity.space_audit import ignore_progress
from tests.support.privacy.restored_requests import ask, restored
from tests.support.processes.writer_processes import Ingest, Lab


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


@pytest.mark.parametrize("rolled", [False, True])
def test_a_group_that_was_deleted_is_deleted_again(lab: Lab, rolled: bool) -> None:  # noqa: FBT001
    """With the keys of the backup, and with those of the newest dump: no profile lists it, nothing brings it back."""

    async def before(ingest: Ingest) -> None:
        for user, group in (("bob", "acme"), ("ann", "acme"), ("ann", "ann@example.org")):
            await ingest.send({"type": "group", "userId": user, "groupId": group, "traits": {user: 1}})
        await ingest.send({"type": "group", "anonymousId": "bob-2", "groupId": "acme", "traits": {"bob": 2}})
        await ingest.send({"type": "identify", "anonymousId": "bob-2", "userId": "bob"})

    async def since(ingest: Ingest) -> Any:
        await delete_group(ingest.space, ingest.queue, "acme", Source(1, server=True), "key_test")
        if rolled:
            await roll(ingest.spaces, ingest.space)
            await ingest.space.publish()

    async def then(ingest: Ingest, _done: Any) -> None:
        with pytest.raises(GroupNotFound):
            await get_group(ingest.space, "acme")
        assert (await get_group(ingest.space, "ann@example.org")).traits == {"ann": 1}
        assert (await get_profile(ingest.space, "user_id:bob")).groups == []
        assert (await get_profile(ingest.space, "user_id:ann")).groups == ["ann@example.org"]
        assert (await rebuild_space(ingest.space, 1, ignore_progress)).profiles_changed == 0
        assert (await get_profile(ingest.space, "user_id:bob")).groups == []
        await ingest.send({"type": "group", "userId": "bob", "groupId": "acme", "traits": {"plan": "new"}})
        await ask(ingest, "ann")
        again = await get_group(ingest.space, "acme")
        assert (again.traits, again.members) == ({"plan": "new"}, 1)

    restored(lab, since, then, before=before, overlay=rolled)


def test_a_suppression_from_before_the_deletion_counts(lab: Lab) -> None:
    """The calls by which the members leave raise the stamp of the space; its marks are set all the same."""

    async def before(ingest: Ingest) -> None:
        await ingest.send({"type": "group", "userId": "bob", "groupId": "acme", "traits": {"plan": "pro"}})

    async def since(ingest: Ingest) -> None:
        await ask(ingest, "ann")
        await delete_group(ingest.space, ingest.queue, "acme", Source(1, server=True), "key_test")

    async def then(ingest: Ingest, _done: Any) -> None:
        (outcome,) = await ingest.send({"type": "identify", "userId": "ann"})
        assert outcome.status == "suppressed"

    restored(lab, since, then, before=before)
