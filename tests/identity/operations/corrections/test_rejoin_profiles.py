"""What is left of a profile after a repeated erasure is one person again, as the calls say that link it."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.privacy.manage_holds import place_hold, release_hold
from identity.operations.profiles.read_profile import get_profile
from identity.operations.spaces.run_jobs import Jobs, Progress
from identity.spaces.space import Space
from identity.values.calls import Source
from identity.values.enums import JobKind
from identity.values.errors import ProfileNotFound
from identity.values.ids import HoldId, public
from identity.values.json import JsonObject
from tests.support.integrity.space_audit import discrepancies, ignore_progress
from tests.support.privacy.restored_requests import ask, restored
from tests.support.processes.writer_processes import Ingest, Lab

SIDES = ("z1", "z2", "z3")
ADMIN = Source(1, server=True)


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def one_person(ingest: Ingest) -> None:
    """A user who signs in on three devices, each of them known before."""
    await ingest.send({"type": "identify", "userId": "sam", "traits": {"email": "sam@example.org"}})
    for at, side in enumerate(SIDES):
        await ingest.send({"type": "identify", "anonymousId": side, "traits": {f"n{at}": at}})
    for side in SIDES:
        await ingest.send({"type": "identify", "userId": "sam", "anonymousId": side})


async def separate(ingest: Ingest, *sides: str) -> None:
    """Unmerge these devices, one after the other."""
    for side in sides:
        await unmerge_profile(ingest.space, [f"anonymous_id:{side}"], block=False, source=ADMIN, actor="key_test")


async def profile_of(ingest: Ingest, ref: str) -> tuple[bytes, set[str]]:
    """The id and the identifiers of a profile."""
    found = await get_profile(ingest.space, ref)
    return found.id, {f"{each.type}:{each.value}" for each in found.identifiers}


async def rebuild(space: Space, wanted: JsonObject, progress: Progress) -> object:
    """The work of a server for such a job."""
    return await rebuild_space(space, wanted["actor"], progress)


@pytest.mark.parametrize("erased", [("z1",), ("z2", "z1"), ("z1", "z2", "z3")])
def test_the_sides_that_are_left_are_joined_by_their_calls(lab: Lab, erased: tuple[str, ...]) -> None:
    """Each erasure of the journal takes its own side alone, in any order."""

    async def since(ingest: Ingest) -> None:
        await separate(ingest, *SIDES)
        for side in erased:
            await ask(ingest, f"anonymous_id:{side}")

    async def then(ingest: Ingest, _done: Any) -> None:
        left = {f"anonymous_id:{side}" for side in SIDES if side not in erased}
        _, identifiers = await profile_of(ingest, "user_id:sam")
        assert identifiers == {"user_id:sam", "email:sam@example.org"} | left
        for side in erased:
            with pytest.raises(ProfileNotFound):
                await get_profile(ingest.space, f"anonymous_id:{side}")
        assert (await get_profile(ingest.space, "user_id:sam")).traits.keys() >= {
            f"n{at}" for at, side in enumerate(SIDES) if side not in erased
        }

    restored(lab, since, then, before=one_person)


def test_a_side_under_a_hold_stays_apart_until_a_rebuild_after_the_release(lab: Lab) -> None:
    """The space is served all the same, and `verify` names the profiles that a call links."""

    async def since(ingest: Ingest) -> HoldId:
        await separate(ingest, "z1", "z2")
        hold = await place_hold(ingest.space, ["anonymous_id:z2"], "case", "key_test")
        await ask(ingest, "anonymous_id:z1")
        return hold.id

    async def then(ingest: Ingest, hold: HoldId) -> None:
        assert (await profile_of(ingest, "anonymous_id:z2"))[0] != (await profile_of(ingest, "user_id:sam"))[0]
        assert {kind for kind, _ in await discrepancies(ingest)} == {"linked_apart"}
        await release_hold(ingest.space, public("hld", hold), "key_test")
        await rebuild_space(ingest.space, ADMIN.key_number, ignore_progress)
        assert (await profile_of(ingest, "anonymous_id:z2"))[0] == (await profile_of(ingest, "user_id:sam"))[0]

    restored(lab, since, then, before=one_person)


def test_after_a_roll_of_the_keys_a_rebuild_is_queued(lab: Lab) -> None:
    """Newer keys part the origins before the erasures are repeated, so the server joins them when it starts."""

    async def before(ingest: Ingest) -> None:
        await one_person(ingest)
        # One origin with two people, whose key an unmerge replaces.
        await ingest.send({"type": "identify", "anonymousId": "z1", "traits": {"email": "dora@example.org"}})

    async def since(ingest: Ingest) -> None:
        await separate(ingest, "z1")
        await ask(ingest, "anonymous_id:z1")
        await roll(ingest.spaces, ingest.space)
        await ingest.space.publish()

    async def then(ingest: Ingest, _done: Any) -> None:
        assert [kind for (kind,) in lab.query("SELECT kind FROM job")] == [JobKind.REBUILD]
        assert await Jobs(ingest.spaces, {JobKind.REBUILD: rebuild}).run_next()
        assert await discrepancies(ingest) == []
        _, identifiers = await profile_of(ingest, "user_id:sam")
        assert {"user_id:sam", "anonymous_id:z2", "anonymous_id:z3"} <= identifiers

    restored(lab, since, then, before=before, overlay=True)
