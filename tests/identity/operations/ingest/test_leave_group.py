"""Departures among other calls: what is stored is what a replay of the stamps' order gives."""

import asyncio
import random
from contextlib import suppress
from pathlib import Path

import pytest

from identity.operations.ingest.leave_group import leave_group
from identity.store.profiles.groups import count_members
from identity.values.calls import Source
from identity.values.errors import ProfileNotFound
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

PEOPLE = 5
GROUPS = ("acme", "beta")


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def something(ingest: Ingest, rng: random.Random) -> None:
    """A join, a departure, or a call that merges two people."""
    at, group = rng.randrange(PEOPLE), rng.choice(GROUPS)
    ref = rng.choice((f"user_id:u{at}", f"anonymous_id:a{at}"))
    what = rng.randrange(5)
    if what < 2:
        who = {"userId": f"u{at}"} if what else {"anonymousId": f"a{at}"}
        await ingest.send({"type": "group", "groupId": group, **who})
    elif what < 4:
        with suppress(ProfileNotFound):
            await leave_group(ingest.space, ingest.queue, group, ref, Source(1, server=True))
    else:
        await ingest.send({"type": "identify", "userId": f"u{at}", "anonymousId": f"a{at}", "traits": {"t": at}})


async def test_departures_among_other_calls_equal_their_replay(lab: Lab) -> None:
    """Many at once, in every order; memberships, documents, evidence and feed are those of the replay."""
    seed = random.SystemRandom().randrange(2**32)
    try:
        async with ingesting(lab) as ingest:
            rng = random.Random(seed)
            for _ in range(12):
                await asyncio.gather(*(something(ingest, rng) for _ in range(8)))
            assert lab.differences(ingest.space.tenant.id) == []
    except Exception as error:
        error.add_note(f"seed {seed}")
        raise


async def test_a_member_count_says_whether_it_is_exact(lab: Lab) -> None:
    """Departures count towards what is looked at, so a count that was cut off never passes for an exact one."""
    async with ingesting(lab) as ingest:
        for at in range(4):
            await ingest.send({"type": "group", "groupId": "acme", "userId": f"u{at}"})
        await leave_group(ingest.space, ingest.queue, "acme", "user_id:u0", Source(1, server=True))
        ((id_,),) = lab.query("SELECT account_id FROM account")
        async with ingest.space.database.reading() as connection:
            counts = [await count_members(connection, ingest.space.tenant, id_.bytes, most) for most in (10, 4, 3, 1)]
        assert counts[:2] == [(3, True), (3, True)]
        assert [whole for _, whole in counts[2:]] == [False, False]
