"""The feed forgets what was kept long enough: from the beginning of each lane, in steps, and nothing else."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.http.error_responses import status_of
from identity.operations.destinations import consent_expiry, manage_destinations, manage_purposes, opened_items
from identity.operations.destinations.acknowledge_changes import acknowledge_changes
from identity.operations.destinations.destination_read import look_up
from identity.operations.destinations.destination_scope import open_scope
from identity.operations.destinations.opened_items import read_position
from identity.operations.destinations.read_changes import read_changes
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy.privacy_requests import NewRequest
from identity.spaces.space import Spaces
from identity.store.destinations import feed
from identity.store.postgres.database import Database
from identity.store.postgres.rows import ChangeRow
from identity.store.postgres.tenant import Tenant
from identity.store.spaces import spaces_and_keys
from identity.values.calls import DAY
from identity.values.enums import FeedOperation, Law, RequestInterface, RequestKind
from identity.values.errors import Resync
from identity.values.ids import ProfileId, SpaceId, new_id, public
from identity.values.stamps import Stamp
from tests.support.destinations.consenting_people import ALL, user
from tests.support.planning.space_steps import QUIET
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

KEPT = 30
AGES = st.lists(st.booleans(), max_size=7)


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


class Consumer:
    """A destination that follows the feed of a space."""

    def __init__(self, ingest: Ingest, id_: str) -> None:
        self.space, self.id = ingest.space, id_
        self.cursor: str | None = None
        self.held: dict[bytes, Any] = {}

    async def pull(self) -> None:
        """Everything there is by now."""
        more = True
        while more:
            page = await read_changes(self.space, self.id, self.cursor, 2)
            self.cursor, more = page.cursor, page.more
            for change in page.changes:
                if change.op == "upsert":
                    self.held[change.profile] = change.traits
                for other in change.other_profile_ids:
                    self.held.pop(other, None)
                if change.op in ("withdraw", "erase"):
                    self.held.pop(change.profile, None)

    async def ack(self) -> int:
        """Says that all of it is applied; how many erasures that settles."""
        assert self.cursor is not None
        scope = await open_scope(self.space, self.id)
        made = await acknowledge_changes(self.space, scope.id, read_position(self.space, scope, self.cursor))
        return made.erasures


async def consumer(ingest: Ingest) -> Consumer:
    """A destination that may see everything of who granted Marketing."""
    await manage_purposes.put_purposes(ingest.space, {"purposes": [{"id": "Marketing", "class": "ads"}]}, "t")
    made = await manage_destinations.put_destination(ingest.space, "crm", ALL, "t")
    return Consumer(ingest, public("dst", made.id))


async def forget(lab: Lab) -> None:
    """What a server does now and then."""
    spaces: Spaces = await lab.open()
    await consent_expiry.forget_entries(spaces, KEPT)
    await spaces.database.close()


def lanes(lab: Lab) -> list[tuple[int, int, int]]:
    """(head, base, entries) of every lane."""
    return lab.query(
        "SELECT h.seq, h.base, (SELECT count(*) FROM change c WHERE c.lane = h.lane AND c.space_id = h.space_id)"
        " FROM lane_head h ORDER BY h.space_id, h.lane"
    )


async def test_a_late_destination_begins_again_and_misses_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has exactly what is visible, and its acknowledgement settles all erasures."""
    monkeypatch.setattr(consent_expiry, "PAGE", 2)

    async with ingesting(lab) as ingest:
        crm = await consumer(ingest)
        sent = [await ingest.send(user(f"u{nr}")) for nr in range(9)]
        assert sent
        await crm.pull()
        assert len(crm.held) == 9
        late = crm.cursor
        await request_erasure(
            ingest.space,
            NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.DELETE_ONLY,
                regulation=Law.GDPR,
                identifiers=["user_id:u0"],
                actor="t",
            ),
        )
        await ingest.send(*(user(f"u{nr}") | {"traits": {"plan": nr}} for nr in range(1, 4)))
        lab.query("UPDATE change SET at = at - (%s::int8 << 8)", (KEPT + 1) * DAY)
        lab.query("UPDATE erasure SET internal_at = internal_at - %s::int8", (KEPT + 1) * DAY)
        await ingest.send(user("u9"))
        heads = [head for head, _, _ in lanes(lab)]
        await forget(lab)

        # All but the newest entry went, and no lane was written to.
        assert [head for head, _, _ in lanes(lab)] == heads
        assert sum(entries for _, _, entries in lanes(lab)) == 1
        assert all(head - base == entries for head, base, entries in lanes(lab))
        with pytest.raises(Resync) as refused:
            await crm.pull()
        assert (status_of(refused.value), refused.value.code) == (410, "resync")

        crm.cursor, crm.held = None, {}
        await crm.pull()
        seen = await look_up(ingest.space, crm.id, [f"user_id:u{nr}" for nr in range(10)])
        assert crm.held == {each.id: each.traits for each in seen.values() if each}
        assert len(crm.held) == 9
        assert await crm.ack() == 1
        assert crm.cursor != late


async def test_younger_entries_stay(lab: Lab) -> None:
    """In every lane, and a cursor from before them is valid."""
    async with ingesting(lab) as ingest:
        crm = await consumer(ingest)
        await crm.pull()
        await ingest.send(*(user(f"u{nr}") for nr in range(3)))
        lab.query("UPDATE change SET at = at - (%s::int8 << 8)", (KEPT - 1) * DAY)
        before = lanes(lab)
        await forget(lab)
        assert lanes(lab) == before
        await crm.pull()
        assert len(crm.held) == 3


async def test_entries_deleted_during_a_read_are_not_skipped(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The read asks the destination to begin again."""
    async with ingesting(lab) as ingest:
        crm = await consumer(ingest)
        await crm.pull()
        await ingest.send(*(user(f"u{nr}") for nr in range(3)))
        lab.query("UPDATE change SET at = 0")
        place = opened_items.current_position

        async def placed(*given: Any) -> Any:
            found = await place(*given)
            await forget(lab)
            for nr in range(4, 64):
                await ingest.send(user(f"u{nr}"))
            return found

        monkeypatch.setattr(opened_items, "current_position", placed)
        with pytest.raises(Resync):
            await read_changes(ingest.space, crm.id, crm.cursor, 1_000)


async def test_an_expired_grant_is_a_new_entry(lab: Lab) -> None:
    """However old the last call of the person is."""
    async with ingesting(lab) as ingest:
        crm = await consumer(ingest)
        await ingest.send(user("u1"))
        await crm.pull()
        lab.query("UPDATE profile SET stamp = 1")
        lab.query("UPDATE change SET at = 1")
        lab.query("UPDATE disclosure SET until = 1")
        spaces = await lab.open()
        assert await consent_expiry.announce_expired(spaces) == 1
        await spaces.database.close()
        await forget(lab)
        assert sum(entries for _, _, entries in lanes(lab)) == 1
        oldest = lab.query("SELECT min(at) FROM change")[0][0]
        assert oldest == lab.query("SELECT max(at) FROM change")[0][0] > 1


def test_a_lane_loses_entries_from_its_beginning_only(lab: Lab) -> None:
    """As long as all of them are old, in any order of stamps."""
    database = Database(lab.url).of_all_spaces
    loop = asyncio.new_event_loop()

    async def make() -> Tenant:
        await database.open()
        async with database.transaction() as connection:
            space = await spaces_and_keys.create_space(connection, SpaceId(new_id()), "s", Stamp(0), 1)
        return Tenant(space.id, space.bucket_base, space.spread)

    tenant = loop.run_until_complete(make())
    number = 0

    async def check(old: list[bool], limit: int) -> None:
        nonlocal number
        number = (number + 1) % spaces_and_keys.LANES
        rows = [
            ChangeRow(
                op=FeedOperation.UPSERT,
                version=1,
                stamp=Stamp(10 if each else 30),
                profile=ProfileId(new_id()),
                other=None,
            )
            for each in old
        ]
        async with database.transaction() as connection:
            if rows:
                await feed.append(connection, tenant, number, rows)
        async with database.reading() as connection:
            before = (await feed.lanes(connection, tenant))[number]
            kept = await feed.entries(connection, tenant, {number: before.base}, 100)
        expected = 0
        while expected < min(limit, len(kept)) and kept[expected].stamp < 20:
            expected += 1
        async with database.transaction() as connection:
            assert await feed.trim(connection, tenant, number, Stamp(20), limit) == expected
        async with database.reading() as connection:
            after = (await feed.lanes(connection, tenant))[number]
            left = await feed.entries(connection, tenant, {number: 0}, 100)
        assert (after.seq, after.base) == (before.seq, before.base + expected)
        assert left == kept[expected:]

    @settings(QUIET, max_examples=60)
    @given(old=AGES, limit=st.integers(1, 4))
    def examples(old: list[bool], limit: int) -> None:
        loop.run_until_complete(check(old, limit))

    examples()
    loop.run_until_complete(database.close())
    loop.close()
