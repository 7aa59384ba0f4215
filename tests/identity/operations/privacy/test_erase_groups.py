"""What groups hold of a person goes with the person, and what others vouch for stays."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.privacy.cancel_erasure import cancel_request
from identity.operations.privacy.manage_holds import place_hold, release_hold
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles.read_group import get_group
from identity.planning.privacy.privacy_requests import NewRequest, PrivacyRequest
from identity.spaces.space import Space
from identity.values.calls import Source
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.errors import GroupNotFound
from identity.values.ids import public
from tests.support.integrity.space_audit import discrepancies
from tests.support.processes.writer_processes import Ingest, Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def erase(space: Space, *users: str) -> PrivacyRequest:
    """An erasure without suppression."""
    named = [f"user_id:{user}" for user in users]
    return await request_erasure(
        space,
        NewRequest(
            front=RequestInterface.NATIVE,
            kind=RequestKind.DELETE_ONLY,
            regulation=Law.GDPR,
            identifiers=named,
            actor="key_test",
        ),
    )


async def join(ingest: Ingest, user: str, group: str, at: int = 1, **traits: Any) -> None:
    """A group call with an event time."""
    time = f"2020-01-{at:02}T00:00:00Z"
    (outcome,) = await ingest.send(
        {"type": "group", "userId": user, "groupId": group, "timestamp": time, "traits": traits}
    )
    assert outcome.status == "accepted"


async def group(ingest: Ingest, name: str) -> tuple[dict[str, Any], int] | None:
    """The traits and the number of members of a group; None where there is none."""
    try:
        found = await get_group(ingest.space, name)
    except GroupNotFound:
        return None
    return dict(found.traits), found.members


async def test_what_only_the_erased_person_vouches_for_goes(lab: Lab) -> None:
    """Groups, traits, deletions and group ids; of a trait that others gave too, the newest of theirs stays."""
    async with ingesting(lab) as ingest:
        await join(ingest, "dora", "dora@example.org", contact="dora@example.org")
        await join(ingest, "bob", "acme", 1, plan="free", seats=5, city="Rome")
        await join(ingest, "eve", "acme", 2, plan="team")
        await join(ingest, "dora", "acme", 3, plan="pro", contact="dora@example.org", seats=None, size=None)
        await join(ingest, "bob", "acme", 4, city="Oslo")
        await join(ingest, "dora", "later", 1, name="Dora's")
        await join(ingest, "bob", "later", 2, name="Bob's")
        keys = dict(lab.query("SELECT profile_id, key_id FROM subject_key"))
        accounts = [id_ for (id_,) in lab.query("SELECT account_id FROM account")]
        assert await group(ingest, "acme") == ({"plan": "pro", "contact": "dora@example.org", "city": "Oslo"}, 3)

        done = await erase(ingest.space, "dora")
        assert await group(ingest, "dora@example.org") is None
        assert await group(ingest, "acme") == ({"plan": "team", "seats": 5, "city": "Oslo"}, 2)
        assert await group(ingest, "later") == ({"name": "Bob's"}, 1)
        counts = done.erasures[0].counts
        assert counts is not None
        assert (counts.keys, counts.rows["account"], counts.rows["membership"]) == (4, 1, 3)
        now = dict(lab.query("SELECT profile_id, key_id FROM subject_key"))
        assert [keys[id_] == now.get(id_) for id_ in accounts] == [False] * 3, "each under another key"

        await join(ingest, "bob", "acme", 5, plan="pro")
        assert await group(ingest, "acme") == ({"plan": "pro", "seats": 5, "city": "Oslo"}, 2)
        await erase(ingest.space, "bob", "eve")
        assert (await group(ingest, "acme"), lab.query("SELECT count(*) FROM account")[0][0]) == (None, 0)
        assert lab.query("SELECT count(*) FROM subject_key")[0][0] == 0
        assert await discrepancies(ingest) == []


async def test_after_an_unmerge_each_side_takes_its_own_traits(lab: Lab) -> None:
    """The calls of one origin are divided; the erasure of one side leaves what the other gave."""
    async with ingesting(lab) as ingest:
        for name, at in (("a", 1), ("b", 2)):
            call = {
                "type": "group",
                "anonymousId": name,
                "groupId": "acme",
                "timestamp": f"2020-01-0{at}T00:00:00Z",
            }
            await ingest.send({**call, "traits": {name: at, "both": at}})
        await ingest.send({"type": "identify", "anonymousId": "a", "userId": "u"})
        await ingest.send({"type": "identify", "anonymousId": "b", "userId": "u"})
        await unmerge_profile(
            ingest.space, ["anonymous_id:b"], block=True, source=Source(1, server=True), actor="key_test"
        )
        assert await group(ingest, "acme") == ({"a": 1, "b": 2, "both": 2}, 2)
        await erase(ingest.space, "u")
        assert await group(ingest, "acme") == ({"b": 2, "both": 2}, 1)


async def test_both_sides_of_a_merge_take_their_traits_along(lab: Lab) -> None:
    """One person with two origins."""
    async with ingesting(lab) as ingest:
        await join(ingest, "bob", "acme", bob=1)
        for who in ({"anonymousId": "a"}, {"userId": "u"}):
            await ingest.send({"type": "group", "groupId": "acme", "traits": {str(who): 1}, **who})
        await ingest.send({"type": "identify", "anonymousId": "a", "userId": "u"})
        await erase(ingest.space, "u")
        assert await group(ingest, "acme") == ({"bob": 1}, 1)


async def test_a_person_on_hold_vouches_for_nothing_until_the_hold_or_the_erasure_ends(lab: Lab) -> None:
    """Cancelled, all is as before, because the calls of the person are kept; carried out, all is gone."""
    async with ingesting(lab) as ingest:
        await join(ingest, "bob", "acme", bob=1)
        await join(ingest, "dora", "acme", dora=1)
        await join(ingest, "dora", "dora-home", name="home")
        before = [await group(ingest, "acme"), await group(ingest, "dora-home")]
        without = [({"bob": 1}, 1), None]
        hold = await place_hold(ingest.space, ["user_id:dora"], "case", "key_test")
        waits = await erase(ingest.space, "dora")
        assert [await group(ingest, "acme"), await group(ingest, "dora-home")] == without
        await cancel_request(ingest.space, waits.id, "key_test")
        assert [await group(ingest, "acme"), await group(ingest, "dora-home")] == before
        await erase(ingest.space, "dora")
        await release_hold(ingest.space, public("hld", hold.id), "key_test")
        assert [await group(ingest, "acme"), await group(ingest, "dora-home")] == without
        assert await discrepancies(ingest) == []


async def test_a_person_whose_profile_is_full_gives_a_group_nothing(lab: Lab) -> None:
    """No membership has room, so nobody could later find whose traits these are; the outcome names them."""
    async with ingesting(lab) as ingest:
        for at in range(11):
            traits = {f"t{at}-{n}": n for n in range(280)}
            await ingest.send({"type": "identify", "userId": "u", "traits": traits})
        (outcome,) = await ingest.send(
            {"type": "group", "userId": "u", "groupId": "acme", "traits": {"contact": "u@example.org"}}
        )
        assert (outcome.status, outcome.ignored_traits) == ("accepted", ["acme", "contact"])
        assert await group(ingest, "acme") is None
