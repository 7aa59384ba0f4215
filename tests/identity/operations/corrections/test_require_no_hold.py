"""A hold keeps its person whole: no correction parts the person, under any index key and under any rules."""

from pathlib import Path

import pytest

from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.rebuild_profiles import RebuildResult, rebuild_space
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.ingest.leave_group import leave_group
from identity.operations.keys import rotate_index_key
from identity.operations.privacy.manage_holds import place_hold, release_hold
from identity.operations.profiles.read_profile import get_profile
from identity.planning.privacy.hold_refusals import UnderHold
from identity.values.calls import Source
from identity.values.ids import public
from tests.support.integrity.space_audit import ignore_progress
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

WHO = Source(9, server=True)
BOTH = {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"email": "u1@example.org"}}
OTHERS = {"type": "identify", "userId": "u2", "anonymousId": "a2"}


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def held(ingest: Ingest) -> str:
    """Two people, and a hold on an identifier of the first; returns the public id of the hold."""
    await ingest.send(BOTH)
    await ingest.send(OTHERS)
    return public("hld", (await place_hold(ingest.space, ["email:u1@example.org"], "a case", "test")).id)


async def unmerge(ingest: Ingest, ref: str) -> None:
    """Parts an identifier from its profile."""
    await unmerge_profile(ingest.space, [ref], block=False, source=WHO, actor="test")


async def remove(ingest: Ingest, ref: str) -> None:
    """Takes an identifier off its profile."""
    await remove_identifier(ingest.space, ref, block=False, source=WHO, actor="test")


@pytest.mark.parametrize("rotating", [False, True], ids=["settled", "while the index key rotates"])
async def test_no_identifier_of_a_held_person_is_parted_or_removed(lab: Lab, *, rotating: bool) -> None:
    """Also one that the hold does not name, and where the hold bears an index of before the rotation."""
    async with ingesting(lab) as ingest:
        hold = await held(ingest)
        if rotating:
            await rotate_index_key.begin(ingest.spaces, ingest.space)
        for ref in ("anonymous_id:a1", "user_id:u1", "email:u1@example.org"):
            for part in (unmerge, remove):
                with pytest.raises(UnderHold):
                    await part(ingest, ref)
        await remove(ingest, "anonymous_id:a2")

        await release_hold(ingest.space, hold, "test")
        await remove(ingest, "anonymous_id:a1")
        assert len((await get_profile(ingest.space, "user_id:u1", verbose=True)).identifiers or ()) == 2


async def test_an_identifier_that_a_hold_waits_for_is_not_blocked(lab: Lab) -> None:
    """Blocked, the person who appears with the identifier would never have it, and so never be under the hold."""
    async with ingesting(lab) as ingest:
        await held(ingest)
        waiting = public("hld", (await place_hold(ingest.space, ["user_id:later"], "a case", "test")).id)

        async def block() -> None:
            await remove_identifier(ingest.space, "user_id:later", block=True, source=WHO, actor="test")

        with pytest.raises(UnderHold):
            await block()
        assert lab.query("SELECT count(*) FROM blocked_key") == [(0,)]
        await release_hold(ingest.space, waiting, "test")
        await block()
        assert lab.query("SELECT count(*) FROM blocked_key") == [(1,)]


async def test_a_held_person_stays_in_the_group_until_the_release(lab: Lab) -> None:
    """By whatever identifier of the person, while the other members leave; a hold on nobody keeps nobody."""
    async with ingesting(lab) as ingest:
        hold = await held(ingest)
        for user in ("u1", "u2"):
            await ingest.send({"type": "group", "userId": user, "groupId": "acme"})

        async def leave(ref: str) -> None:
            await leave_group(ingest.space, ingest.queue, "acme", ref, WHO)

        for ref in ("user_id:u1", "anonymous_id:a1", "email:u1@example.org"):
            with pytest.raises(UnderHold):
                await leave(ref)
        await leave("user_id:u2")
        assert (await get_profile(ingest.space, "user_id:u1")).groups == ["acme"]
        assert (await get_profile(ingest.space, "user_id:u2")).groups == []
        await release_hold(ingest.space, hold, "test")
        await leave("anonymous_id:a1")
        assert (await get_profile(ingest.space, "user_id:u1")).groups == []


async def test_a_rebuild_parts_a_held_person_only_after_the_release(lab: Lab) -> None:
    """Rules under which the two identifiers are strangers part the other person at once."""
    async with ingesting(lab) as ingest:
        hold = await held(ingest)
        await put_rules(ingest.space, {"blocked": {"anonymous_id": ["a1", "a2"]}}, "test")

        async def rebuild() -> RebuildResult:
            return await rebuild_space(ingest.space, 1, ignore_progress)

        assert (await rebuild()).profiles_changed == 1
        await get_profile(ingest.space, "anonymous_id:a1")
        await release_hold(ingest.space, hold, "test")
        assert (await rebuild()).profiles_changed == 1
