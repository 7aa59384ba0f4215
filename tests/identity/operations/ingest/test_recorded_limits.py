"""Calls stay out as the journal records, whatever a database writer does to the rows."""

from pathlib import Path

import pytest

from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.privacy.manage_suppressions import lift_suppressions, suppress_identifiers
from identity.operations.privacy.request_erasure import request_erasure
from identity.planning.privacy.privacy_requests import NewRequest
from identity.values.calls import LATE, Source
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.stamps import Micros, wall_time
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

CLEARED_MARKS = "UPDATE space_gate SET marks = 0"
ADMIN = Source(1, server=True)


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def status(ingest: Ingest, name: str, **more: object) -> str:
    """The outcome of a call that names a user."""
    return str((await ingest.send({"type": "identify", "userId": name, **more}))[0].status)


@pytest.mark.parametrize(
    "edit", ["DELETE FROM suppression", "UPDATE suppression SET whole = false, until = 0", CLEARED_MARKS]
)
async def test_attack_167_a_suppression_that_somebody_deletes(lab: Lab, edit: str) -> None:
    """Also one of a person who was erased; other people are not affected, and a genuine lift counts."""
    async with ingesting(lab) as ingest:
        assert await status(ingest, "cyd") == "accepted"
        await suppress_identifiers(ingest.space, ["user_id:ann"], "t")
        await erase(ingest, RequestKind.SUPPRESS_WITH_DELETE, "cyd")
        lab.query(edit)
        assert await status(ingest, "ann") == await status(ingest, "cyd") == "suppressed"
        assert await status(ingest, "bob") == "accepted"
        await lift_suppressions(ingest.space, ["user_id:ann"], "t")
        assert await status(ingest, "ann") == "accepted"


async def test_attack_167_late_calls_of_an_erased_person(lab: Lab) -> None:
    """A call from before the erasure stays out without its row, for as long as calls may be late."""
    async with ingesting(lab) as ingest:
        before = "2026-01-01T00:00:00Z"
        assert await status(ingest, "ann") == "accepted"
        await erase(ingest, RequestKind.DELETE_ONLY, "ann")
        lab.query("DELETE FROM suppression")
        assert await status(ingest, "ann", timestamp=before) == "suppressed"
        assert await status(ingest, "ann") == "accepted"
        recorded = ingest.space.recorded.erased
        recorded.update(dict.fromkeys(recorded, Micros(wall_time() - LATE - 1)))
        assert await status(ingest, "ann", timestamp=before) == "accepted"


async def test_attack_168_a_block_that_somebody_deletes(lab: Lab) -> None:
    """The identifier links nobody, blocked with a profile or without one."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann", "traits": {"email": "a@example.org"}})
        for ref in ("email:a@example.org", "email:b@example.org"):
            await remove_identifier(ingest.space, ref, block=True, source=ADMIN, actor="t")
        lab.query("DELETE FROM blocked_key")
        lab.query(CLEARED_MARKS)
        for name, email in (("ann", "a@example.org"), ("bob", "b@example.org")):
            made = await ingest.send({"type": "identify", "userId": name, "traits": {"email": email}})
            assert [(each.status, [d["reason"] for d in each.demoted]) for each in made] == [("accepted", ["blocked"])]


async def erase(ingest: Ingest, kind: RequestKind, name: str) -> None:
    """Erase a user."""
    request = NewRequest(
        front=RequestInterface.NATIVE, kind=kind, regulation=Law.NONE, identifiers=[f"user_id:{name}"], actor="t"
    )
    await request_erasure(ingest.space, request)
