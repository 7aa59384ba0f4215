"""What is kept for a time only goes when that is over, and nothing else does."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from identity.operations.privacy.manage_holds import place_hold, release_hold
from identity.operations.spaces.apply_retention import sweep_old
from identity.store.postgres.database import Database
from identity.store.spaces import retention
from identity.values.calls import DAY
from identity.values.ids import public
from identity.values.stamps import SLOT_BITS
from tests.support.processes.writer_processes import Lab, ingesting


def stamp(days: float) -> int:
    """The stamp of so many days ago."""
    return int(time.time_ns() // 1000 - days * DAY) << SLOT_BITS


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


@pytest.fixture
def old(database: str) -> Iterator[psycopg.Connection[Any]]:
    """A database with messages and rejections of many ages over many pages."""
    with psycopg.connect(database, autocommit=True) as connection:
        _fill(connection)
        yield connection


def _fill(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "INSERT INTO message (key, space_id, bucket, batch) "
        "SELECT gen_random_uuid(), 1, 1, CASE WHEN n %% 3 = 0 THEN %s ELSE %s END FROM generate_series(1, 30000) n",
        [stamp(8.01), stamp(7.9)],
    )
    connection.execute(
        "INSERT INTO rejection (space_id, stamp, bucket, calls, payload) "
        "SELECT 1, %s + n, 1, 1, 'x' FROM generate_series(1, 12000) n",
        [stamp(15)],
    )
    connection.execute(
        "INSERT INTO rejection (space_id, stamp, bucket, calls, payload) VALUES (1, %s, 1, 1, 'x')", [stamp(13)]
    )


def count(connection: psycopg.Connection[Any], table: str) -> int:
    """How many rows a table has."""
    found = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
    assert found is not None
    return int(found[0])


async def test_the_old_go_and_the_young_stay(
    old: psycopg.Connection[Any], database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over many steps, also where two processes sweep at once."""
    monkeypatch.setattr(retention, "PAGES", 7)
    opened = Database(database)
    await opened.open()
    try:
        await asyncio.gather(*(sweep_old(opened, message_days=8, rejection_days=14) for _ in range(2)))
    finally:
        await opened.close()
    assert count(old, "message") == 20_000
    assert count(old, f"message WHERE batch < {stamp(8)}") == 0
    assert count(old, "rejection") == 1


async def test_a_message_that_was_forgotten_counts_anew(lab: Lab) -> None:
    """And one that was not is still known, while calls come in."""
    async with ingesting(lab) as ingest:
        first = await ingest.send({"type": "track", "event": "E", "userId": "u1", "messageId": "m1"})
        await sweep_old(ingest.space.database, message_days=8, rejection_days=14)
        again = await ingest.send({"type": "track", "event": "E", "userId": "u1", "messageId": "m1"})
        await asyncio.gather(
            sweep_old(ingest.space.database, message_days=0, rejection_days=14),
            *(ingest.send({"type": "track", "event": "E", "userId": f"u{at}"}) for at in range(50)),
        )
        await sweep_old(ingest.space.database, message_days=0, rejection_days=14)
        anew = await ingest.send({"type": "track", "event": "E", "userId": "u1", "messageId": "m1"})
        assert [each[0].status for each in (first, again, anew)] == ["accepted", "duplicate", "accepted"]


async def test_ended_jobs_go(lab: Lab) -> None:
    """A job that ended long ago is forgotten; one that runs, or has just ended, is not."""
    spaces = await lab.open()
    space = await lab.space(spaces)
    for state, age in ((2, 15), (3, 15), (1, 15), (2, 13)):
        lab.query(
            "INSERT INTO job (job_id, space_id, bucket, kind, state, created_at, payload) "
            "VALUES (gen_random_uuid(), %s, %s, 1, %s, now() - make_interval(days => %s), 'x')",
            space.tenant.id,
            space.tenant.base,
            state,
            age,
        )
    await sweep_old(spaces.database, message_days=8, rejection_days=14)
    assert sorted(state for (state,) in lab.query("SELECT state FROM job")) == [1, 2]
    await spaces.database.close()


_AGED = """
DO $$ DECLARE day date := (now() AT TIME ZONE 'UTC')::date - 9; low bigint; BEGIN
    low := (day - date '1970-01-01')::bigint * 86400000000 * 256;
    EXECUTE format('CREATE TABLE %I PARTITION OF event FOR VALUES FROM (%s) TO (%s)',
                   'event_' || to_char(day, 'YYYYMMDD'), low, low + 86400000000::bigint * 256);
    INSERT INTO event SELECT profile_id, low + row_number() OVER (), space_id, bucket, calls, payload FROM event;
END $$
"""


_OLD = "stamp < (extract(epoch FROM now() - interval '5 days') * 1000000)::bigint * 256"
_BOTH_ORIGINS = "profile_id IN (SELECT profile_id FROM profile WHERE head IN (SELECT joined_to FROM profile))"


async def test_the_events_of_a_held_person_outlive_their_retention(lab: Lab) -> None:
    """At both origins, whatever identifier the hold names; those of others go, and all go once the hold ends."""
    async with ingesting(lab) as ingest:
        for call in ({"userId": "u1"}, {"anonymousId": "a1"}, {"userId": "u2"}):
            await ingest.send({"type": "page", **call})
            await ingest.send({"type": "page", **call})
        await ingest.send({"type": "identify", "userId": "u1", "anonymousId": "a1"})
        hold = await place_hold(ingest.space, ["anonymous_id:a1"], "a case", "test")
        with psycopg.connect(lab.url, autocommit=True) as owner:
            owner.execute(_AGED.encode())

        def aged(where: str = "true") -> int:
            ((found,),) = lab.query(f"SELECT count(*) FROM event WHERE {_OLD} AND {where}")
            return int(found)

        kept = aged(_BOTH_ORIGINS)
        assert 0 < kept < aged()
        for _ in range(2):
            await ingest.space.database.drop_events(4)
            assert (aged(), aged(_BOTH_ORIGINS)) == (kept, kept)
        await release_hold(ingest.space, public("hld", hold.id), "test")
        await ingest.space.database.drop_events(4)
        assert aged() == 0
