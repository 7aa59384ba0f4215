"""An audit with the keys names requests and erasures whose rows are not what the journal records."""

from pathlib import Path

import pytest

from identity.operations.privacy.cancel_erasure import cancel_request
from identity.operations.privacy.manage_holds import place_hold
from identity.operations.privacy.manage_suppressions import lift_suppressions
from identity.values.enums import RequestKind
from identity.values.ids import public
from tests.support.integrity.space_audit import audited
from tests.support.privacy.restored_requests import ask
from tests.support.processes.writer_processes import Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def test_attack_175_an_erasure_that_somebody_edits_or_deletes_is_named(lab: Lab) -> None:
    """Requests of every kind and outcome differ in nothing; an edit of any is found, also without a server."""
    async with ingesting(lab) as ingest:
        people = ("ann", "bob", "cyd")
        await ingest.send(*({"type": "identify", "userId": name, "anonymousId": f"{name}-1"} for name in people))
        await place_hold(ingest.space, ["user_id:bob", "user_id:cyd"], "a case", "t")
        done = (await ask(ingest, "ann", "anonymous_id:ann-1", "nobody", kind=RequestKind.DELETE_ONLY)).erasures
        waiting = (await ask(ingest, "bob")).erasures[0]
        await cancel_request(ingest.space, (await ask(ingest, "cyd")).id, "t")
        await ask(ingest, "eve", kind=RequestKind.SUPPRESS_ONLY)
        await ask(ingest, "eve", kind=RequestKind.UNSUPPRESS)
        await lift_suppressions(ingest.space, ["user_id:eve"], "t")
    assert await audited(lab) == []
    first, held = public("ers", done[0].id), public("ers", waiting.id)
    for column, value, id_, where in (
        ("state = 2, internal_at", "received_at", held, "state = 1"),
        ("state", "4", held, "state = 1"),
        ("internal_at", "internal_at + 1", first, "nr = 1 AND state = 2"),
        ("commitment", "''", first, "nr = 1 AND state = 2"),
        ("regulation", "2", first, "nr = 1 AND state = 2"),
    ):
        lab.query(f"CREATE TABLE former AS SELECT * FROM erasure; UPDATE erasure SET {column} = {value} WHERE {where}")
        assert id_ in dict(await audited(lab))["erasure_differs"], column
        lab.query("DELETE FROM erasure; INSERT INTO erasure SELECT * FROM former; DROP TABLE former")
    lab.query("DELETE FROM erasure WHERE state = 1")
    assert await audited(lab) == [("erasure_missing", [held])]
