"""A group that is deleted while the rules or a hold keep a member from the ordinary way out."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.put_rules import put_rules
from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.operations.ingest import delete_group as deletion
from identity.operations.ingest.delete_group import delete_group
from identity.operations.ingest.leave_group import leave_group
from identity.operations.privacy.manage_holds import place_hold, release_hold
from identity.operations.profiles.read_group import get_group
from identity.operations.profiles.read_profile import get_profile
from identity.planning.privacy.hold_refusals import UnderHold
from identity.values.calls import Source
from identity.values.errors import GroupNotFound
from identity.values.ids import public
from tests.support.integrity.space_audit import ignore_progress
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

ADMIN = Source(1, server=True)
BLOCKING = {"blocked": {"user_id": ["u[0-9]"]}}


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def delete(ingest: Ingest) -> int:
    """Delete the group; the number of members that left."""
    return (await delete_group(ingest.space, ingest.queue, "acme", ADMIN, "key_test")).left


async def groups(ingest: Ingest, ref: str) -> list[str]:
    """The groups of a profile."""
    return (await get_profile(ingest.space, ref)).groups


@pytest.mark.parametrize("how", ["member", "group"])
async def test_a_member_whose_strongest_identifier_is_blocked_leaves(lab: Lab, how: str) -> None:
    """By an identifier that the rules read, so that a rebuild finds the departure too, else by the blocked one."""
    async with ingesting(lab) as ingest:
        both = {"type": "group", "userId": "u1", "context": {"traits": {"email": "u1@example.org"}}, "groupId": "acme"}
        await ingest.send(both, {"type": "group", "userId": "u2", "groupId": "acme"})
        await put_rules(ingest.space, BLOCKING, "t")
        if how == "group":
            assert await delete(ingest) == 2
        else:
            for ref in ("user_id:u1", "user_id:u2"):
                await leave_group(ingest.space, ingest.queue, "acme", ref, ADMIN)
        assert await groups(ingest, "user_id:u1") == await groups(ingest, "user_id:u2") == []
        await rebuild_space(ingest.space, 1, ignore_progress)
        assert await groups(ingest, "email:u1@example.org") == []


async def test_a_hold_that_comes_meanwhile_keeps_its_person_and_the_group_alone(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All others leave, the answer counts them and names the hold, and the same request finishes after the hold."""
    monkeypatch.setattr(deletion, "AT_ONCE", 2)
    async with ingesting(lab) as ingest:
        for number in range(7):
            await ingest.send({"type": "group", "userId": f"u{number}", "groupId": "acme", "traits": {"plan": "pro"}})
        last = lab.query("SELECT profile_id FROM profile ORDER BY profile_id")[2][0]
        held = await get_profile(ingest.space, public("prf", last.bytes))
        placed: list[Any] = []
        submit = ingest.queue.submit

        async def interrupted(*args: Any) -> Any:
            outcomes = await submit(*args)
            if not placed:
                placed.append(await place_hold(ingest.space, [f"user_id:{held.identifiers[0].value}"], "case", "t"))
            return outcomes

        monkeypatch.setattr(ingest.queue, "submit", interrupted)
        with pytest.raises(UnderHold) as refused:
            await delete(ingest)
        assert "Of its members 6 left" in str(refused.value)
        assert public("hld", placed[0].id) in refused.value.named
        group = await get_group(ingest.space, "acme")
        assert (group.members, group.traits) == (1, {"plan": "pro"})
        await release_hold(ingest.space, public("hld", placed[0].id), "t")
        assert await delete(ingest) == 1
        with pytest.raises(GroupNotFound):
            await get_group(ingest.space, "acme")


async def test_a_hold_that_comes_after_its_person_has_left_keeps_the_group(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the person gave the group is data of the hold."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "group", "userId": "u1", "groupId": "acme", "traits": {"plan": "pro"}})
        submit = ingest.queue.submit

        async def interrupted(*args: Any) -> Any:
            outcomes = await submit(*args)
            await place_hold(ingest.space, ["user_id:u1"], "case", "t")
            return outcomes

        monkeypatch.setattr(ingest.queue, "submit", interrupted)
        with pytest.raises(UnderHold, match="Of its members 1 left"):
            await delete(ingest)
        assert (await get_group(ingest.space, "acme")).traits == {"plan": "pro"}
