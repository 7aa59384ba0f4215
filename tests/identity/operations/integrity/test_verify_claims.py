"""An audit names a claimed join that somebody revives, deletes, adds or edits: the evidence states what it is."""

from pathlib import Path

import pytest

from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.operations.corrections.refuse_join import refuse_join
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.ingest.confirm_join import confirm_join
from identity.operations.keys import rotate_index_key
from identity.operations.profiles.read_joins import list_joins
from identity.values.calls import Source
from identity.values.ids import public
from tests.support.integrity.space_audit import audited, ignore_progress
from tests.support.privacy.restored_requests import ask
from tests.support.processes.writer_processes import Lab, ingesting

SOURCE = Source(1, server=True)
PEOPLE = ("ann", "bob", "cyd", "dan")
REST = "space_id, bucket, join_id, since, last, times, refused"


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_attacks_240_to_242_a_claim_that_is_not_what_the_evidence_states_is_named(lab: Lab) -> None:
    """Nothing differs after decisions, an erasure, a removal, an unmerge, a rebuild and a rotation."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        for name in PEOPLE:
            await ingest.send({"type": "identify", "userId": name, "traits": {"email": f"{name}@x.org"}})
        claims = [
            {"type": "identify", "anonymousId": device, "traits": {"email": f"{name}@x.org"}}
            for device in ("d1", "d2") for name in PEOPLE
        ]  # fmt: skip
        for call in (*claims, *claims[:3]):
            await ingest.send(call, server=False)
        joins = {(each.value, each.claimed_by): each for each in (await list_joins(space, None, 100, None)).joins}
        assert len(joins) == 2 * len(PEOPLE)
        first, second, *_ = (each for each in joins.values() if each.value.startswith("ann"))
        await refuse_join(space, public("jon", first.id), SOURCE, actor="t")
        await confirm_join(space, ingest.queue, public("jon", second.id), SOURCE)
        await ask(ingest, "user_id:bob")
        await remove_identifier(space, "email:cyd@x.org", block=False, source=SOURCE, actor="t")
        await unmerge_profile(space, ["user_id:ann"], block=True, source=SOURCE, actor="t")
        assert await audited(lab) == []
        for call in claims:
            await ingest.send(call, server=False)
        await rebuild_space(space, 1, ignore_progress)
        assert await audited(lab) == []
        await rotate_index_key.begin(ingest.spaces, space)
        assert await audited(lab) == []
        await rotate_index_key.rotate(ingest.spaces, space, ignore_progress)
        assert await audited(lab) == []
    lab.query("CREATE TABLE former AS SELECT * FROM claim")
    one = "ctid = (SELECT ctid FROM claim WHERE refused IS NULL AND times > 0 ORDER BY since DESC LIMIT 1)"
    for edit in (
        "UPDATE claim SET refused = NULL",
        "DELETE FROM claim",
        "DELETE FROM claim WHERE refused IS NOT NULL",
        f"DELETE FROM claim WHERE {one}",
        f"UPDATE claim SET refused = last WHERE {one}",
        f"UPDATE claim SET times = times + 1 WHERE {one}",
        f"UPDATE claim SET since = since - 1, last = last + 1 WHERE {one}",
        f"UPDATE claim SET join_id = gen_random_uuid() WHERE {one}",
        f"INSERT INTO claim (key, profile_id, {REST}) SELECT sha256(key), profile_id, {REST} FROM claim WHERE {one}",
    ):
        lab.query(edit)
        assert [kind for kind, _ in await audited(lab)] == ["join_differs"], edit
        lab.query("DELETE FROM claim; INSERT INTO claim SELECT * FROM former")
    assert await audited(lab) == []
