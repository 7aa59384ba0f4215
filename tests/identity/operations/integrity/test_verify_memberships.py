"""An audit with the keys names memberships that somebody deletes, moves, adds or flips."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.ingest.delete_group import delete_group
from identity.operations.ingest.leave_group import leave_group
from identity.operations.keys import rotate_index_key
from identity.operations.keys.roll_epoch_keys import roll
from identity.values.calls import Source
from tests.support.integrity.space_audit import audited, ignore_progress
from tests.support.privacy.restored_requests import ask
from tests.support.processes.writer_processes import Lab, ingesting

SOURCE = Source(1, server=True)
REST = "profile_id, space_id, bucket, member, time, stamp"


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def _group(user: str, group: str, **more: Any) -> dict[str, Any]:
    return {"type": "group", "userId": user, "groupId": group, **more}


async def test_attack_199_a_membership_that_somebody_edits_is_named(lab: Lab) -> None:
    """Nothing differs after merges, departures, deletions, erasures, corrections, a roll and a rotation."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        await ingest.send(*(_group(user, "acme") for user in ("ann", "bob", "cyd", "dan")), _group("bob", "beta"))
        await ingest.send({"type": "group", "anonymousId": "dev", "groupId": "acme"}, _group("dan", "gone"))
        await ingest.send({"type": "identify", "userId": "ann", "anonymousId": "dev"})
        await leave_group(space, ingest.queue, "acme", "user_id:bob", SOURCE)
        await delete_group(space, ingest.queue, "gone", SOURCE, "t")
        await ask(ingest, "cyd")
        await unmerge_profile(space, ["anonymous_id:dev"], block=True, source=SOURCE, actor="t")
        await rebuild_space(space, 1, ignore_progress)
        await roll(ingest.spaces, space)
        assert await audited(lab) == []
        await rotate_index_key.begin(ingest.spaces, space)
        assert await audited(lab) == []
        await rotate_index_key.rotate(ingest.spaces, space, ignore_progress)
        assert await audited(lab) == []
    lab.query("CREATE TABLE former AS SELECT * FROM membership")
    one = "ctid = (SELECT ctid FROM membership WHERE member ORDER BY stamp LIMIT 1)"
    for edit in (
        f"DELETE FROM membership WHERE {one}",
        f"UPDATE membership SET member = false WHERE {one}",
        f"UPDATE membership SET time = time + 1 WHERE {one}",
        f"UPDATE membership SET stamp = stamp + 1 WHERE {one}",
        f"UPDATE membership SET group_key = sha256(group_key) WHERE {one}",
        f"INSERT INTO membership SELECT sha256(group_key), {REST} FROM membership WHERE {one}",
    ):
        lab.query(edit)
        assert [kind for kind, _ in await audited(lab)] == ["membership_differs"], edit
        lab.query("DELETE FROM membership; INSERT INTO membership SELECT * FROM former")
    assert await audited(lab) == []
