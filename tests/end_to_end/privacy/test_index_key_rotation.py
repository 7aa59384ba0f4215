"""Rotating the index key: every answer stays, no row is under the old key, and every step may fail."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.keys import rotate_index_key
from identity.operations.privacy.manage_holds import list_holds, place_hold, release_hold
from identity.operations.privacy.manage_suppressions import lift_suppressions, suppress_identifiers
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles.read_profile import get_profile, lookup
from identity.planning.privacy.privacy_requests import NewRequest
from identity.spaces.space import Space
from identity.values.enums import ErasureState, Law, RequestInterface, RequestKind
from identity.values.errors import OnefoldError, ProfileNotFound
from identity.values.ids import public
from tests.support.integrity.space_audit import discrepancies, ignore_progress
from tests.support.keys.index_rotation_space import WHO, answers, keys_in, lived, replayed, rotate
from tests.support.processes.writer_processes import Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def under(space: Space, version: int, *refs: str) -> list[bytes]:
    """Keys under a version."""
    index = space.keys.index(version)
    return [index.identifier(*ref.split(":")) for ref in refs]


async def test_every_answer_is_as_it_was(lab: Lab) -> None:
    """Reads, history, graph and groups, the audit and the replay of all calls; a rebuild changes nothing."""
    async with ingesting(lab) as ingest:
        await lived(ingest)
        space = ingest.space
        before, sightings = await answers(space), set(lab.query("SELECT set_key FROM sighting"))
        assert replayed(lab, space) == []
        state = await rotate(ingest.spaces, space)
        assert (state.version, state.oldest, space.keys.versions.live) == (2, 1, 2)
        assert state.messages_until is not None
        assert await answers(space) == before
        assert await discrepancies(ingest) == []
        assert replayed(lab, space) == []
        old = under(space, 1, "user_id:ann", "email:tom@example.org", "anonymous_id:kiosk-1", "user_id:gone")
        assert [keys_in(lab, key) for key in old[:3]] == [[], [], []]
        assert sightings.isdisjoint(lab.query("SELECT set_key FROM sighting"))
        # What was removed and blocked is out of the calls as well, once a rebuild has been over them.
        assert (await rebuild_space(space, 1, ignore_progress)).profiles_changed == 1
        before = await answers(space)
        assert (await rotate(ingest.spaces, space)).version == 3
        assert await answers(space) == before
        assert await discrepancies(ingest) == []
        assert (await rebuild_space(space, 1, ignore_progress)).profiles_changed == 0
        fresh = await lab.open()
        assert await answers(await fresh.get(space.tenant.id)) == before
        fresh.keyring.close()
        await fresh.database.close()


async def test_acts_and_calls_while_it_is_under_way(lab: Lab) -> None:
    """Between its beginning and its end, with nobody moved but whom somebody touches, everything goes on."""
    async with ingesting(lab) as ingest:
        await lived(ingest)
        space = ingest.space
        before = await answers(space)
        await rotate_index_key.begin(ingest.spaces, space)
        assert await answers(space) == before
        assert await discrepancies(ingest) == []
        accepted: list[dict[str, Any]] = [
            {"type": "identify", "userId": "u0", "anonymousId": "new", "traits": {"later": True}},
            {"type": "group", "userId": "u1", "groupId": "g1", "traits": {"later": 1}},
            {"type": "identify", "anonymousId": "x2", "traits": {"email": "Bob@example.org"}},
            {"type": "alias", "userId": "u2-new", "previousId": "u2"},
            {
                "type": "track",
                "event": "E",
                "anonymousId": "tab",
                "context": {"traits": {"email": "tom@example.org"}},
            },
        ]
        outcomes = await ingest.send(*accepted)
        assert [(each.status, each.created) for each in outcomes] == [("accepted", False)] * 5
        assert outcomes[4].demoted != []
        again = await ingest.send({"type": "track", "event": "E", "anonymousId": "a1", "messageId": "m1"})
        assert again[0].status == "duplicate"
        assert await discrepancies(ingest) == []
        await unmerge_profile(space, ["user_id:bob"], block=True, source=WHO, actor="test")
        await remove_identifier(space, "device:d3-0", block=False, source=WHO, actor="test")
        assert await discrepancies(ingest) == []
        asked = NewRequest(
            front=RequestInterface.NATIVE,
            kind=RequestKind.SUPPRESS_WITH_DELETE,
            regulation=Law.NONE,
            identifiers=["user_id:u1", "email:eve@example.org"],
            actor="test",
        )
        erased = (await request_erasure(space, asked)).erasures
        assert [each.state for each in erased] == [ErasureState.ON_HOLD, ErasureState.FINISHED]
        with pytest.raises(ProfileNotFound):
            await get_profile(space, "user_id:eve")
        assert await discrepancies(ingest) == []
        outcomes = await ingest.send({"type": "identify", "userId": "eve"}, {"type": "identify", "userId": "u3"})
        assert [each.status for each in outcomes] == ["suppressed", "accepted"]
        await rebuild_space(space, 1, ignore_progress)
        assert space.keys.versions.live == 2
        assert await discrepancies(ingest) == []
        names = ["user_id:u2-new", "user_id:u2", "anonymous_id:a2", "email:tom@example.org", "user_id:bob"]
        assert None not in (await lookup(space, names)).values()


async def test_what_only_a_hash_is_kept_of(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocked, held, suppressed and waiting identifiers of nobody stay so; their key goes once they are named."""
    monkeypatch.setattr(rotate_index_key, "_MARGIN", 0)

    async with ingesting(lab) as ingest:
        space = ingest.space
        await ingest.send({"type": "identify", "userId": "ann", "anonymousId": "a"})
        other = await lab.open()
        await get_profile(await other.get(space.tenant.id), "user_id:ann")
        await remove_identifier(space, "email:no@example.org", block=True, source=WHO, actor="test")
        await place_hold(space, ["user_id:held"], "a case", "test")
        await suppress_identifiers(space, ["user_id:quiet"], "test")
        state = await rotate(ingest.spaces, space, 0)
        # Suppressing remembers what a replay must pass over: that is a hash as well.
        assert (state.oldest, state.hashes_left, state.messages_until) == (1, 3, None)
        assert ingest.spaces.keyring.indexes(space.public_id) == [1, 2]
        state = await rotate(ingest.spaces, space, 0)
        assert (state.version, state.oldest, state.hashes_left) == (3, 1, 3)
        call = {"type": "identify", "userId": "ann", "traits": {"email": "no@example.org"}}
        assert (await ingest.send(call))[0].demoted == [{"identifier": "email:no@example.org", "reason": "blocked"}]
        assert (await ingest.send({"type": "identify", "userId": "quiet"}))[0].status == "suppressed"
        await ingest.send({"type": "identify", "userId": "held", "traits": {"n": 1}})
        asked = NewRequest(
            front=RequestInterface.NATIVE,
            kind=RequestKind.DELETE_ONLY,
            regulation=Law.NONE,
            identifiers=["user_id:held"],
            actor="test",
        )
        assert (await request_erasure(space, asked)).erasures[0].state == ErasureState.ON_HOLD
        assert (await rotate_index_key.destroy_unused(ingest.spaces, space, 0)).hashes_left == 1
        await lift_suppressions(space, ["user_id:quiet"], "test")
        state = await rotate_index_key.destroy_unused(ingest.spaces, space, 0)
        assert (state.oldest, state.hashes_left) == (3, 0)
        assert ingest.spaces.keyring.indexes(space.public_id) == [3]
        await other.refresh_versions()
        held = (await other.get(space.tenant.id)).keys
        assert (held.versions, sorted(held._indexes)) == (space.keys.versions, [3])
        other.keyring.close()
        await other.database.close()
        assert await discrepancies(ingest) == []
        (hold,) = await list_holds(space)
        assert (await release_hold(space, public("hld", hold.id), "test")).resumed == 1
        with pytest.raises(ProfileNotFound):
            await get_profile(space, "user_id:held")


async def test_a_process_that_has_not_heard_of_it(lab: Lab) -> None:
    """What it reads, writes and does right after a rotation by another is as right as ever."""
    async with ingesting(lab) as ingest:
        await lived(ingest)
        before = await answers(ingest.space)
        for finish in (False, True):
            # One after the other, as each learns from the first.
            other = [await lab.open() for _ in range(4)]
            spaces = [await each.get(ingest.space.tenant.id) for each in other]
            await rotate_index_key.begin(ingest.spaces, ingest.space)
            if finish:
                await rotate_index_key.rotate(ingest.spaces, ingest.space, ignore_progress)
            assert (await get_profile(spaces[0], "user_id:u1")).traits == {"n": 1}
            assert await answers(spaces[1]) == before
            asked = NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.SUPPRESS_WITH_DELETE,
                regulation=Law.NONE,
                identifiers=["email:bob@example.org"],
                actor="test",
            )
            if finish:
                assert (await request_erasure(spaces[2], asked)).erasures[0].state == ErasureState.FINISHED
                with pytest.raises(OnefoldError):
                    await get_profile(ingest.space, "email:bob@example.org")
            else:
                await place_hold(spaces[2], ["user_id:u3"], "a case", "test")
            assert await discrepancies(ingest) == []
            for each in other:
                each.keyring.close()
                await each.database.close()
        assert ingest.space.keys.versions.newest == 2
