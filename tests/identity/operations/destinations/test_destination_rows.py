"""Attacks 155, 156 and 158: a former row of a destination or of the purposes gives a destination nothing."""

from pathlib import Path

import pytest

from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.destination_rows import all_destinations, find_destination, read_policy
from identity.operations.destinations.destination_scope import open_scope
from identity.operations.spaces.manage_spaces import KeyCheck
from identity.values.errors import Unauthorised
from identity.values.ids import public
from identity.values.not_ready import RolledBack
from tests.support.integrity.rolled_back_rows import LAX, NARROW, STRICT, WIDE, former
from tests.support.processes.writer_processes import Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_a_former_entitlement_is_refused_at_its_next_use(lab: Lab) -> None:
    """Attack 155: narrowed, rotated, or both: the row before opens, but is not in force."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        made = await manage_destinations.put_destination(space, "mail", WIDE, "t")
        with former(lab, "destination"):
            await manage_destinations.put_destination(space, "mail", NARROW, "t")
            await manage_destinations.rotate_secrets(space, "mail", "t")
            assert (await open_scope(space, public("dst", made.id))).entitled.traits == ["plan"]
        ingest.spaces.forget(space.tenant.id)
        for opened in (space, await ingest.spaces.get(space.tenant.id)):
            for use in (
                open_scope(opened, public("dst", made.id)),
                read_policy(opened, made.id),
                find_destination(opened, "mail"),
                all_destinations(opened),
                manage_destinations.put_destination(opened, "mail", WIDE, "t"),
            ):
                with pytest.raises(RolledBack):
                    await use


async def test_former_purposes_are_refused_at_their_next_use(lab: Lab) -> None:
    """Attack 156: somebody takes a purpose away again, or all of them."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        made = await manage_destinations.put_destination(space, "mail", NARROW, "t")
        await manage_purposes.put_purposes(space, LAX, "t")
        await manage_purposes.put_purposes(space, STRICT, "t")
        for removal in ("DELETE FROM purposes WHERE version = 2", "DELETE FROM purposes"):
            lab.query(removal)
            for use in (
                open_scope(space, public("dst", made.id)),
                manage_purposes.get_purposes(space),
                manage_purposes.put_purposes(space, LAX, "t"),
            ):
                with pytest.raises(RolledBack):
                    await use


async def test_an_ended_destination_does_not_come_back(lab: Lab) -> None:
    """Attack 158: with its row and its key as they were, the key is refused and nothing opens the destination."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        made = await manage_destinations.put_destination(space, "mail", WIDE, "t")
        assert made.secret is not None
        with former(lab, "destination", "api_key"):
            await KeyCheck(ingest.spaces).caller(made.secret)
            await manage_destinations.remove_destination(space, "mail", "t")
        with pytest.raises(RolledBack):
            await open_scope(space, public("dst", made.id))
        with pytest.raises(Unauthorised):
            await KeyCheck(ingest.spaces).caller(made.secret)


async def test_the_old_keys_of_a_rotation_do_not_come_back(lab: Lab) -> None:
    """Attack 154: the row of a revoked key is put back whole, with the MAC that it had."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        made = await manage_destinations.put_destination(space, "mail", WIDE, "t")
        assert made.secret is not None
        with former(lab, "api_key"):
            for _ in range(2):
                await manage_destinations.rotate_secrets(space, "mail", "t")
            with pytest.raises(Unauthorised):
                await KeyCheck(ingest.spaces).caller(made.secret)
        with pytest.raises(Unauthorised):
            await KeyCheck(ingest.spaces).caller(made.secret)
