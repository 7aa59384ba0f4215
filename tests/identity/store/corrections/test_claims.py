"""The claims of public keys: the newest first, each with both sides, by its id and by its identifier."""

from pathlib import Path
from typing import Any, Final

import pytest

from identity.operations.profiles.find_profile import find
from identity.spaces.space import Space
from identity.store.corrections.claims import ClaimRow, Place, find_claim, list_claims
from identity.values.ids import LAST_ID, BlindIndex, JoinId, ProfileId
from identity.values.stamps import Stamp
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

FIRST: Final[Place] = (Stamp(2**63 - 1), ProfileId(LAST_ID), BlindIndex(b"\xff" * 32))
EMAIL: Final = {"email": "ann@shop.example"}


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def claim(device: str, **traits: Any) -> dict[str, Any]:
    """A call of a page that claims the address of Ann."""
    return {"type": "identify", "anonymousId": device, "traits": EMAIL | traits}


async def settled(ingest: Ingest) -> Space:
    """Ann with her address, and two devices that claim it, the tablet twice."""
    await ingest.send({"type": "identify", "userId": "ann", "traits": EMAIL})
    for device in ("tablet", "phone", "tablet"):
        await ingest.send(claim(device), server=False)
    return ingest.space


async def listed(space: Space, before: Place = FIRST, most: int = 10) -> list[ClaimRow]:
    """The newest claims before a place."""
    async with space.database.reading() as connection:
        return await list_claims(connection, space.tenant, before, most)


async def canonical(space: Space, ref: str) -> ProfileId:
    """The canonical id of the profile of an identifier."""
    return (await find(space, ref)).origins[0].canonical


async def test_a_claim_is_listed_with_both_sides_and_its_number_of_calls(lab: Lab) -> None:
    """The newest first; the place of one is the start of the next page, and nothing follows the last."""
    async with ingesting(lab) as ingest:
        space = await settled(ingest)
        phone, tablet = found = await listed(space)

        ann = await canonical(space, "user_id:ann")
        assert [each.canonical for each in found] == [
            await canonical(space, f"anonymous_id:{device}") for device in ("phone", "tablet")
        ]
        assert {each.bearer for each in found} == {ann}
        assert [(each.times, each.last > each.since) for each in found] == [(1, False), (2, True)]
        assert {(each.hidden, each.refused) for each in found} == {(False, None)}
        assert await listed(space, most=1) == [phone]
        assert await listed(space, (phone.since, phone.origin, phone.key), 1) == [tablet]
        assert await listed(space, (tablet.since, tablet.origin, tablet.key)) == []


async def test_a_claim_is_found_by_its_id_in_its_own_space(lab: Lab) -> None:
    """Another id, or the id in another space, finds none."""
    async with ingesting(lab) as ingest:
        space, other = await settled(ingest), await lab.space(ingest.spaces)
        _, tablet = await listed(space)
        async with space.database.reading() as connection:
            assert await find_claim(connection, space.tenant, tablet.id) == tablet
            assert await find_claim(connection, space.tenant, JoinId(LAST_ID)) is None
            assert await find_claim(connection, other.tenant, tablet.id) is None
        assert await listed(other) == []


async def test_a_refusal_and_a_hold_count_for_the_whole_profile(lab: Lab) -> None:
    """A claim on an identifier that nobody has any more has no other side."""
    async with ingesting(lab) as ingest:
        space = await settled(ingest)
        await ingest.send({"type": "alias", "userId": "eve", "previousId": "tablet", "previousIdType": "anonymous_id"})
        await ingest.send({"type": "alias", "userId": "eve", "previousId": "phone", "previousIdType": "anonymous_id"})
        _, tablet = await listed(space)
        lab.query("UPDATE claim SET refused = %s WHERE join_id = %s", tablet.last, tablet.id.hex())

        assert {each.refused for each in await listed(space)} == {tablet.last}
        ann = await canonical(space, "user_id:ann")
        lab.query("UPDATE profile SET withheld = true WHERE profile_id = %s", ann.hex())
        assert {each.hidden for each in await listed(space)} == {True}
        lab.query("DELETE FROM identifier WHERE key = %s", tablet.key)
        assert {(each.bearer, each.hidden) for each in await listed(space)} == {(None, False)}
