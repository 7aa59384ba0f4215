"""Applying: a ground that moved is noticed, and then nothing is written."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from identity.operations.ingest import commit
from identity.store.ingest import write
from identity.values.errors import Conflict
from identity.values.ids import SpaceNumber
from tests.support.processes.writer_processes import Lab, ingesting

MOVES = ["profile", "profile_document", "account"]


@pytest.mark.parametrize("table", MOVES)
async def test_a_row_that_is_not_as_it_was_locked(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    """A profile, document or group of another version than expected makes the batch plan again."""
    lab, tried = Lab(database, tmp_path), []

    async def apply(connection: Any, tenant: Any, writes: Any) -> None:
        tried.append(writes)
        if len(tried) == 2:
            if table == "profile":
                writes.touched = [(row, stamp + 1) for row, stamp in writes.touched]
            else:
                name = {"profile_document": "documents", "account": "groups"}[table]
                moved = [row._replace(version=row.version + 1) for row in getattr(writes, name)]
                assert moved
                setattr(writes, name, moved)
            with pytest.raises(Conflict):
                await write.apply(connection, tenant, writes)
            raise Conflict
        await write.apply(connection, tenant, writes)

    monkeypatch.setattr(commit, "apply", apply)

    async with ingesting(lab) as ingest:
        for n in (1, 2):
            item = {"type": "group", "userId": "u1", "groupId": "g", "traits": {"n": n}}
            assert (await ingest.send(item))[0].status == "accepted"
        assert len(tried) == 3
        ingest.check()


def test_nothing_is_written_for_nothing() -> None:
    """A batch without effects has no statements."""
    from identity.store.postgres.tenant import Tenant

    assert write._steps(Tenant(SpaceNumber(1), 0), write.Writes()).all == []
    assert structs.asdict(write.Writes())["changes"] == []
