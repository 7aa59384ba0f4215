"""Privacy requests made after a backup are restored from the journal, with their answers."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.privacy.cancel_erasure import cancel_request
from identity.operations.privacy.extend_erasure import extend_erasure
from identity.operations.privacy.issue_receipt import issue_receipt
from identity.operations.privacy.manage_holds import place_hold, release_hold
from identity.operations.privacy.manage_suppressions import lift_suppressions, suppress_identifiers
from identity.operations.privacy.read_requests import get_erasure, list_requests
from identity.operations.profiles.read_group import get_group
from identity.operations.profiles.read_profile import get_profile
from identity.values.enums import ErasureState, RequestInterface, RequestKind
from identity.values.errors import GroupNotFound, ProfileNotFound
from identity.values.ids import public
from tests.support.privacy.restored_requests import ask, restored, shown
from tests.support.processes.writer_processes import Ingest, Lab


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def test_as_it_was_answered(lab: Lab) -> None:
    """Erased, suppressed, lifted, named twice or unknown: state, times, counts and receipt are the same."""

    async def since(ingest: Ingest) -> Any:
        made = [
            await ask(ingest, "ann", "anonymous_id:ann-1", "nobody", again="case-1"),
            await ask(ingest, "bob", kind=RequestKind.DELETE_ONLY),
        ]
        await suppress_identifiers(ingest.space, ["user_id:eve"], "key_test")
        await lift_suppressions(ingest.space, ["user_id:eve"], "key_test")
        late = await extend_erasure(ingest.space, public("ers", made[1].erasures[0].id), "many", "key_test")
        assert late.extended_at is not None
        page, _ = await list_requests(ingest.space, [RequestInterface.NATIVE, RequestInterface.SEGMENT], None, 10, None)
        proof = await issue_receipt(ingest.spaces, ingest.space, made[0].erasures[0], "onefold 1")
        return made, page, proof

    async def then(ingest: Ingest, done: Any) -> None:
        made, page, proof = done
        assert [each.state for each in made[0].erasures] == [
            ErasureState.FINISHED,
            ErasureState.DUPLICATE,
            ErasureState.FINISHED,
        ]
        assert (await list_requests(ingest.space, [RequestInterface.NATIVE, RequestInterface.SEGMENT], None, 10, None))[
            0
        ] == page
        assert len(page) == 4
        erasure = await get_erasure(ingest.space, public("ers", made[0].erasures[0].id))
        assert erasure.counts == made[0].erasures[0].counts
        assert erasure.counts is not None
        assert erasure.counts.rows["profile"] == 1
        assert await issue_receipt(ingest.spaces, ingest.space, erasure, "onefold 1") == proof
        again = await ask(ingest, "ann", "anonymous_id:ann-1", "nobody", again="case-1")
        assert [(each.id, each.salt) for each in again.erasures] == [(each.id, each.salt) for each in made[0].erasures]

    restored(lab, since, then)


GROUP_CALLS: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
    ("bob", "acme", 1, {"plan": "free", "bob": 1}),
    ("ann", "acme", 2, {"plan": "pro", "contact": "ann@example.org"}),
    ("ann", "ann@example.org", 1, {"name": "Ann"}),
    ("eve", "eve-home", 1, {}),
)


async def join_groups(ingest: Ingest) -> None:
    """People in groups."""
    for user, group, day, traits in GROUP_CALLS:
        call = {"type": "group", "userId": user, "groupId": group, "timestamp": f"2020-01-0{day}T00:00:00Z"}
        await ingest.send({**call, "traits": traits})


@pytest.mark.parametrize("rolled", [False, True])
def test_groups_lose_again_what_the_erased_person_gave(lab: Lab, rolled: bool) -> None:  # noqa: FBT001
    """With the keys of the backup, and with those of the newest dump; what others gave is there."""

    async def since(ingest: Ingest) -> Any:
        await ask(ingest, "ann", "eve")
        if rolled:
            await roll(ingest.spaces, ingest.space)
            await ingest.space.publish()

    async def then(ingest: Ingest, _done: Any) -> None:
        assert (await get_group(ingest.space, "acme")).traits == {"plan": "free", "bob": 1}
        for name in ("ann@example.org", "eve-home"):
            with pytest.raises(GroupNotFound):
                await get_group(ingest.space, name)
        assert lab.query("SELECT count(*) FROM membership") == [(1,)]

    restored(lab, since, then, before=join_groups, overlay=rolled)


def test_groups_of_people_on_hold_hide_again_what_they_gave(lab: Lab) -> None:
    """Until the erasure is cancelled."""

    async def since(ingest: Ingest) -> Any:
        await place_hold(ingest.space, ["user_id:ann", "user_id:eve"], "case", "key_test")
        await ask(ingest, "ann")
        await cancel_request(ingest.space, (await ask(ingest, "eve")).id, "key_test")

    async def then(ingest: Ingest, _done: Any) -> None:
        assert (await get_group(ingest.space, "acme")).traits == {"plan": "free", "bob": 1}
        assert (await get_group(ingest.space, "eve-home")).members == 1
        with pytest.raises(GroupNotFound):
            await get_group(ingest.space, "ann@example.org")

    restored(lab, since, then, before=join_groups)


def test_under_a_hold(lab: Lab) -> None:
    """What waits for a hold waits again, is read by nobody, and is erased when the hold ends."""

    async def since(ingest: Ingest) -> Any:
        hold = await place_hold(ingest.space, ["user_id:ann", "user_id:bob"], "case", "key_test")
        waits, given_up = await ask(ingest, "ann"), await ask(ingest, "bob")
        await cancel_request(ingest.space, given_up.id, "key_test")
        return hold, waits, given_up

    async def then(ingest: Ingest, done: Any) -> None:
        hold, waits, given_up = done
        states = [request.erasures[0].state for request in await shown(ingest, waits.id, given_up.id)]
        assert states == [ErasureState.ON_HOLD, ErasureState.CANCELLED]
        with pytest.raises(ProfileNotFound):
            await get_profile(ingest.space, "anonymous_id:ann-1")
        await release_hold(ingest.space, public("hld", hold.id), "key_test")
        assert (await shown(ingest, waits.id))[0].erasures[0].state == ErasureState.FINISHED
        assert (await ingest.send({"type": "identify", "userId": "ann"}))[0].status == "suppressed"

    restored(lab, since, then)


def test_a_hold_that_ended(lab: Lab) -> None:
    """What waited for a hold and was done since is done, and suppressed no longer than it was."""

    async def since(ingest: Ingest) -> Any:
        hold = await place_hold(ingest.space, ["user_id:ann"], "case", "key_test")
        waited = await ask(ingest, "ann", kind=RequestKind.DELETE_ONLY)
        await release_hold(ingest.space, public("hld", hold.id), "key_test")
        return await shown(ingest, waited.id)

    async def then(ingest: Ingest, done: Any) -> None:
        assert await shown(ingest, done[0].id) == done
        assert done[0].erasures[0].state == ErasureState.FINISHED
        assert (await ingest.send({"type": "identify", "userId": "ann"}))[0].status == "accepted"

    restored(lab, since, then)


def test_a_hold_that_ended_takes_its_reason_with_it(lab: Lab) -> None:
    """The backup has the hold with the key of its reason; an audit of the restored space finds neither."""
    placed: list[str] = []

    async def before(ingest: Ingest) -> None:
        hold = await place_hold(ingest.space, ["user_id:ann"], "case", "key_test")
        placed.append(public("hld", hold.id))

    async def since(ingest: Ingest) -> None:
        await release_hold(ingest.space, placed[0], "key_test")

    async def then(_ingest: Ingest, _done: Any) -> None:
        assert lab.query("SELECT count(*) FROM hold") == [(0,)]

    restored(lab, since, then, before=before)
