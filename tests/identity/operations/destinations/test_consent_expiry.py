"""Expired consent reaches the feed, whatever is wrong with another space."""

from pathlib import Path

import pytest

from identity.operations.destinations.consent_expiry import PAGE, announce_expired
from tests.support.processes.writer_processes import Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_a_damaged_space_keeps_no_other_waiting(lab: Lab) -> None:
    """However many grants of it have expired."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann"})
        lab.query(
            "INSERT INTO disclosure (profile_id, destination, fields, space_id, bucket, first, last, until) "
            "SELECT gen_random_uuid(), 1, gen_random_uuid(), 999, 1, 1, 1, 1 FROM generate_series(1, %s)",
            PAGE,
        )
        lab.query(
            "INSERT INTO disclosure (profile_id, destination, fields, space_id, bucket, first, last, until) "
            "SELECT profile_id, 1, gen_random_uuid(), space_id, bucket, 1, 1, 2 FROM profile"
        )
        assert await announce_expired(ingest.spaces) == 1
        assert await announce_expired(ingest.spaces) == 0
