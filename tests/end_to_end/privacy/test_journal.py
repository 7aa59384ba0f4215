"""The ledger and its journal: one chain in two places, and what happens when they differ."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from identity.operations.backup.repair_from_journal import publish_or_repair
from identity.operations.privacy.manage_holds import list_holds, place_hold
from identity.operations.privacy.manage_suppressions import lift_suppressions, suppress_identifiers
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles.read_profile import get_profile
from identity.operations.spaces.manage_spaces import create_space
from identity.planning.privacy.privacy_requests import NewRequest, PrivacyRequest
from identity.spaces.ledger_publication import chained_hash
from identity.spaces.space import Space
from identity.values.enums import ErasureState, Law, RequestInterface, RequestKind
from identity.values.errors import LedgerBroken, ProfileNotFound, Quarantined
from identity.vault.journal import HEAD, JOURNAL
from tests.support.integrity.space_audit import discrepancies
from tests.support.privacy.older_backup import Backup, publish_ledgers
from tests.support.processes.writer_processes import Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def erase(space: Space, identifier: str, kind: RequestKind = RequestKind.SUPPRESS_WITH_DELETE) -> PrivacyRequest:
    """An erasure."""
    return await request_erasure(
        space,
        NewRequest(
            front=RequestInterface.NATIVE, kind=kind, regulation=Law.NONE, identifiers=[identifier], actor="test"
        ),
    )


def folder(lab: Lab, space: Space) -> Path:
    """The folder with the keys and the journal of a space."""
    return lab.key_store / space.public_id.hex()


async def test_the_journal_is_the_ledger(lab: Lab) -> None:
    """What was acknowledged is in the journal, entry by entry, and each is bound to all before it."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann"})
        await erase(ingest.space, "user_id:ann")
        stored = lab.query("SELECT seq, at, entry, hash FROM ledger ORDER BY seq")
        lines = list(ingest.space.journal.after(0))
        assert [(line.seq, line.at, line.entry, line.hash) for line in lines] == [
            (seq, at, bytes(entry), bytes(hash_)) for seq, at, entry, hash_ in stored
        ]
        assert [json.loads(line.entry)["action"] for line in lines] == ["space.create", "request", "erase"]
        before = b""
        for line in lines:
            before = chained_hash(before, line.entry)
            assert before == line.hash
        assert b"ann" not in (folder(lab, ingest.space) / JOURNAL).read_bytes()


async def test_a_torn_line_is_cut_off(lab: Lab) -> None:
    """What a crash left half-written behind the head is no entry, and the next one takes its place."""
    async with ingesting(lab) as ingest:
        with (folder(lab, ingest.space) / JOURNAL).open("ab") as file:
            file.write(b"2 17 00ff {torn")
        await suppress_identifiers(ingest.space, ["user_id:x"], "test")
        assert [line.seq for line in ingest.space.journal.after(0)] == [1, 2, 3]


async def test_many_publish_at_once(lab: Lab) -> None:
    """Each entry is there once, whichever process wrote it."""
    async with ingesting(lab) as ingest:
        named = [[f"user_id:u{nr}"] for nr in range(20)]
        await asyncio.gather(*(suppress_identifiers(ingest.space, each, "test") for each in named))
        assert [line.seq for line in ingest.space.journal.after(0)] == list(range(1, 42))


@pytest.mark.parametrize("kind", [RequestKind.SUPPRESS_WITH_DELETE, RequestKind.DELETE_ONLY])
async def test_an_older_database_is_quarantined(lab: Lab, kind: RequestKind) -> None:
    """Nobody is served from it until what was erased since is erased again; then everything is as it was."""
    async with ingesting(lab) as ingest:
        for name in ("ann", "bob", "eve"):
            await ingest.send({"type": "identify", "userId": name, "anonymousId": f"{name}-1"})
        backup = Backup(lab)
        await erase(ingest.space, "anonymous_id:ann-1", kind)
        await suppress_identifiers(ingest.space, ["user_id:bob", "user_id:eve"], "test")
        await lift_suppressions(ingest.space, ["user_id:eve"], "test")
        hold = await place_hold(ingest.space, ["user_id:eve"], "case 12", "test")
        ledger = lab.query("SELECT seq, hash FROM ledger ORDER BY seq")
        backup.restore()
        number = ingest.space.tenant.id
        ingest.spaces.forget(number)
        with pytest.raises(Quarantined):
            await ingest.spaces.get(number)
        await publish_ledgers(ingest)
        space = ingest.space = await ingest.spaces.get(number)
        *repeated, (_, _, own) = lab.query("SELECT seq, hash, entry FROM ledger ORDER BY seq")
        assert [entry[:2] for entry in repeated] == ledger
        assert b'"action":"space.restored"' in own
        for gone in ("user_id:ann", "anonymous_id:ann-1"):
            with pytest.raises(ProfileNotFound):
                await get_profile(space, gone)
        assert lab.query("SELECT count(*) FROM subject_key") == [(2,)]
        calls: list[dict[str, Any]] = [{"type": "identify", "userId": name} for name in ("ann", "bob", "eve")]
        statuses = [(await ingest.send({**call, "messageId": str(call)}))[0].status for call in calls]
        assert statuses == [
            "suppressed" if kind == RequestKind.SUPPRESS_WITH_DELETE else "accepted",
            "suppressed",
            "accepted",
        ]
        assert (await erase(space, "user_id:eve")).erasures[0].state == ErasureState.ON_HOLD
        assert [each.id for each in await list_holds(space)] == [hold.id]
        assert await discrepancies(ingest) == []
        await publish_ledgers(ingest)


async def test_a_running_server_notices(lab: Lab) -> None:
    """Also a database that is put back under a server that runs is not served as it is."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann"})
        known: dict[int, int] = {}
        await publish_or_repair(ingest.spaces, known)
        backup = Backup(lab)
        await erase(ingest.space, "user_id:ann")
        await publish_or_repair(ingest.spaces, known)
        backup.restore()
        await publish_or_repair(ingest.spaces, known)
        with pytest.raises(ProfileNotFound):
            await get_profile(await ingest.spaces.get(ingest.space.tenant.id), "user_id:ann")


async def test_a_space_that_cannot_be_served_is_logged_once(lab: Lab) -> None:
    """Again only when it was in order meanwhile."""
    async with ingesting(lab) as ingest:
        await suppress_identifiers(ingest.space, ["user_id:x"], "test")
        head = folder(lab, ingest.space) / HEAD
        whole = head.read_bytes()
        known: dict[int, int] = {}
        failing: dict[int, str] = {}
        with capture_logs() as lines:
            for content in (b"{}", b"{}", whole, b"{}"):
                known.clear()
                head.write_bytes(content)
                await publish_or_repair(ingest.spaces, known, failing)
    assert [line["event"] for line in lines].count("space.not_level") == 2


async def test_a_space_whose_row_somebody_edited_holds_up_no_other(lab: Lab) -> None:
    """Also where the database itself refuses the work; the log names the space."""
    async with ingesting(lab) as ingest:
        await suppress_identifiers(ingest.space, ["user_id:x"], "test")
        number = ingest.space.tenant.id
        await create_space(ingest.spaces, "other")
        # The rows of its ledger are looked for in another bucket, and the repair from the journal ends in an error.
        lab.query(f"UPDATE space SET bucket_base = bucket_base + 1 WHERE id = {number}")
        lab.query("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE division_by_zero; END'")
        lab.query("CREATE TRIGGER refuse BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION refuse()")
        known: dict[int, int] = {}
        failing: dict[int, str] = {}
        with capture_logs() as lines:
            await publish_or_repair(ingest.spaces, known, failing)
        assert set(failing) == {number}
        assert len(known) == 1
        assert [line["space"] for line in lines if line["event"] == "space.not_level"] == [ingest.space.name_in_logs]


@pytest.mark.parametrize("harm", ["no journal", "no head", "short", "altered head", "altered entry"])
async def test_what_contradicts_itself_is_refused(lab: Lab, harm: str) -> None:
    """A journal that was lost or altered, or a ledger that was, is served by nobody and repaired by nobody."""
    async with ingesting(lab) as ingest:
        await suppress_identifiers(ingest.space, ["user_id:x"], "test")
        journal, head = (folder(lab, ingest.space) / name for name in (JOURNAL, HEAD))
        if harm == "no journal":
            journal.unlink()
        elif harm == "no head":
            head.unlink()
        elif harm == "short":
            journal.write_bytes(journal.read_bytes()[:-10])
        elif harm == "altered head":
            head.write_bytes(head.read_bytes().replace(b'"seq":3', b'"seq":2'))
        else:
            lab.query("UPDATE ledger SET hash = sha256(hash) WHERE seq = 3")
        number = ingest.space.tenant.id
        for _ in range(2):
            ingest.spaces.forget(number)
            with pytest.raises(LedgerBroken):
                await ingest.spaces.get(number)
            await publish_ledgers(ingest)
