"""An audit with the keys names requests and erasures whose rows are not what the journal records."""

from pathlib import Path

import pytest

from identity.operations.destinations import manage_destinations, manage_purposes
from identity.operations.destinations.destination_read import get_profile
from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.privacy.cancel_erasure import cancel_request
from identity.operations.privacy.manage_holds import place_hold
from identity.operations.privacy.manage_suppressions import lift_suppressions
from identity.operations.privacy.read_requests import get_erasure
from identity.values.enums import NoticeState, RequestKind
from identity.values.ids import public
from tests.support.destinations.consenting_people import ALL, user
from tests.support.integrity.rolled_back_rows import LAX
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
    found = await audited(lab)
    assert [kind for kind, _ in found] == ["withheld_differs", "erasure_missing"]
    assert dict(found)["erasure_missing"] == [held]


async def test_attack_199_a_privacy_request_that_somebody_edits_or_deletes_is_named(lab: Lab) -> None:
    """A waiting request that is gone answers 404 and cannot be cancelled; one of each kind differs in nothing."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann"})
        await place_hold(ingest.space, ["user_id:ann"], "a case", "t")
        id_ = public("req", (await ask(ingest, "ann", again="once")).id)
        await ask(ingest, "eve", kind=RequestKind.SUPPRESS_ONLY)
    assert await audited(lab) == []
    lab.query("CREATE TABLE former AS SELECT * FROM privacy_request")
    for edit in (
        "front = 2",
        "kind = 2",
        "regulation = 3",
        "received_at = received_at - 1",
        "actor = 'x'",
        "idempotency = NULL",
        "body = gen_random_uuid()",
        "details = received_at::text::bytea",
    ):
        lab.query(f"UPDATE privacy_request SET {edit} WHERE idempotency IS NOT NULL")
        assert dict(await audited(lab)).get("request_differs") == [id_], edit
        lab.query("DELETE FROM privacy_request; INSERT INTO privacy_request SELECT * FROM former")
    lab.query("DELETE FROM privacy_request WHERE idempotency IS NOT NULL")
    assert await audited(lab) == [("request_missing", [id_])]


async def test_attack_194_the_status_states_backups_and_destinations_as_the_receipt_does(lab: Lab) -> None:
    """No edit makes backups safe before a key roll, or loses a destination that had data; both are named."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        await manage_purposes.put_purposes(space, LAX, "t")
        mail = (await manage_destinations.put_destination(space, "mail", ALL, "t")).id
        await ingest.send(user("ann"))
        await get_profile(space, public("dst", mail), "user_id:ann")
        id_ = public("ers", (await ask(ingest, "ann")).erasures[0].id)
        assert await audited(lab) == []

        lab.query("UPDATE erasure SET backup_safe_at = received_at")
        lab.query("CREATE TABLE notices AS SELECT * FROM erasure_notice")
        lab.query("DELETE FROM erasure_notice")
        status = await get_erasure(space, id_)
        assert status.backup_safe_at is None
        assert [(each.destination, each.name, each.state) for each in status.notices] == [
            (mail, "mail", NoticeState.QUEUED)
        ]
        assert await audited(lab) == [("erasure_differs", [id_])]
        lab.query("INSERT INTO erasure_notice SELECT * FROM notices")
        assert await audited(lab) == [("erasure_differs", [id_])]
        lab.query("UPDATE erasure SET backup_safe_at = NULL")
        assert await audited(lab) == []

        await roll(ingest.spaces, space)
        safe_at = (await get_erasure(space, id_)).backup_safe_at
        assert safe_at == lab.query("SELECT backup_safe_at FROM erasure")[0][0]
        assert await audited(lab) == []
        lab.query("UPDATE erasure SET backup_safe_at = NULL")
        assert (await get_erasure(space, id_)).backup_safe_at == safe_at
