"""An audit of disclosures: destinations, their positions, erasures in the feed, and entries past their retention."""

from pathlib import Path

import pytest

from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.acknowledge_changes import acknowledge_changes
from identity.operations.destinations.destination_scope import open_scope
from identity.operations.destinations.opened_items import read_position
from identity.operations.destinations.read_changes import read_changes
from identity.operations.privacy.manage_holds import place_hold
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy.privacy_requests import NewRequest
from identity.spaces.space import Space
from identity.store.destinations import feed
from identity.store.postgres.database import Database
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.ids import public
from tests.support.destinations.consenting_people import ALL, user
from tests.support.destinations.disclosure_damages import DAMAGES
from tests.support.integrity.database_damages import damaged, kinds
from tests.support.processes.writer_processes import Lab, ingesting, run


async def asked(space: Space, name: str) -> None:
    """An erasure, done or on hold."""
    await request_erasure(
        space,
        NewRequest(
            front=RequestInterface.NATIVE,
            kind=RequestKind.SUPPRESS_WITH_DELETE,
            regulation=Law.GDPR,
            identifiers=[f"user_id:{name}"],
            actor="t",
        ),
    )


def make(lab: Lab) -> Space:
    """A space with destinations, one of which ended; somebody erased, somebody on hold."""

    async def main() -> Space:
        async with ingesting(lab) as ingest:
            space = ingest.space
            purposes = {"purposes": [{"id": "Marketing", "class": "ads"}]}
            await manage_purposes.put_purposes(space, purposes, "t")
            for name in ("crm", "ended"):
                made = await manage_destinations.put_destination(space, name, ALL, "t")
                await ingest.send(user(f"of {name}"), user("held"), user("erased"))
                page = await read_changes(space, public("dst", made.id), None, 100)
                assert page.changes
            await manage_destinations.remove_destination(space, "ended", "t")
            crm = public("dst", (await manage_destinations.get_destination(space, "crm")).id)
            page = await read_changes(space, crm, None, 100)
            scope = await open_scope(space, crm)
            await acknowledge_changes(space, scope.id, read_position(space, scope, page.cursor))
            await place_hold(space, ["user_id:held"], "case", "t")
            await asked(space, "held")
            await asked(space, "erased")
            return space

    made: Space = run(main())
    return made


@pytest.fixture(scope="module")
def audited(url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Lab, Space]:
    """A database with such a space."""
    lab = Lab(url, tmp_path_factory.mktemp("audited"))
    return lab, make(lab)


def test_an_undamaged_space_has_no_discrepancy(audited: tuple[Lab, Space]) -> None:
    """It has rows of every kind."""
    lab, _ = audited
    assert kinds(lab) == set()
    for needed in (
        "change WHERE op = 4 AND other IS NULL", "change WHERE op = 4 AND other IS NOT NULL", "disclosure",
        "delivery WHERE acked IS NOT NULL", "delivery WHERE acked IS NULL", "destination WHERE deleted_at IS NOT NULL",
        "erasure WHERE state = 2",
    ):  # fmt: skip
        assert lab.query(f"SELECT count(*) FROM {needed}")[0][0], needed


@pytest.mark.parametrize(("damage", "expected"), DAMAGES, ids=[damage[:60] for damage, _ in DAMAGES])
def test_each_damage_has_its_discrepancy(audited: tuple[Lab, Space], damage: str, expected: set[str]) -> None:
    """Of its own kind."""
    lab, _ = audited
    assert expected <= damaged(lab, damage, {})


def test_entries_past_their_retention_may_be_missing(database: str, tmp_path: Path) -> None:
    """Wrong entries are found all the same."""
    lab = Lab(database, tmp_path)
    space = make(lab)
    last = lab.query("SELECT max(at) FROM change")[0][0] + 1

    async def forget(lane: int) -> None:
        database = Database(lab.url)
        await database.open()
        async with database.of_space(space.tenant.id).transaction() as connection:
            await feed.trim(connection, space.tenant, lane, last, 3)
        await database.close()

    for (lane,) in lab.query("SELECT DISTINCT lane FROM change"):
        # Half way through as well.
        run(forget(lane))
        assert kinds(lab) == set()
    assert damaged(lab, "UPDATE change SET version = version + 9", {}) == {"version_untold"}
    assert damaged(lab, "UPDATE lane_head SET base = base - 1 WHERE base > 0", {}) == {"lane_broken"}
