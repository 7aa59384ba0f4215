"""Suppressions that somebody deleted are found for the log and for `/readyz`."""

from pathlib import Path

import pytest

from app.server.readiness import Readiness
from identity.operations.integrity.find_missing_suppressions import find_missing_suppressions
from identity.operations.privacy.manage_suppressions import lift_suppressions, suppress_identifiers
from identity.values.not_ready import RolledBack
from tests.support.processes.writer_processes import Lab, ingesting


@pytest.mark.parametrize("edit", ["DELETE FROM suppression", "UPDATE suppression SET whole = false, until = 0"])
async def test_a_deleted_suppression_makes_a_server_unready(database: str, tmp_path: Path, edit: str) -> None:
    """Nothing is found before; a lifted suppression is none, and the list is right again once ann is suppressed."""
    lab, none = Lab(database, tmp_path), frozenset[tuple[int, str, str]]()
    async with ingesting(lab) as ingest:
        readiness = Readiness(ingest.spaces, ingest.queue)
        await suppress_identifiers(ingest.space, ["user_id:ann", "user_id:bob"], "t")
        await lift_suppressions(ingest.space, ["user_id:bob"], "t")
        assert await find_missing_suppressions(ingest.spaces, frozenset()) == none
        lab.query(edit)
        found = await find_missing_suppressions(ingest.spaces, frozenset())
        assert [kind for _, kind, _ in found] == ["suppression_missing"]
        readiness.missing_suppressions = found
        with pytest.raises(RolledBack):
            await readiness.require()
        await suppress_identifiers(ingest.space, ["user_id:ann"], "t")
        assert await find_missing_suppressions(ingest.spaces, found) == none
