"""An unmerge at its edges: keys that are gone, answers that are lost, planning again, cuts at their most."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections import unmerge_profile as unmerge_module
from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.unmerge_profile import UnmergedProfiles, unmerge_profile
from identity.operations.profiles.read_profile import get_profile
from identity.spaces import exclusive_transaction
from identity.store.ingest.write import apply
from identity.store.postgres.pipeline import commit
from identity.values.calls import Source
from identity.values.errors import Conflict, DatabaseUnavailable, NotOneProfile, SealBroken, TooManyCuts
from identity.vault.seal import DOCUMENT, EVENT, EVIDENCE, IDENTIFIER
from tests.support.integrity.stored_rows import Stored
from tests.support.processes.writer_processes import Ingest, Lab, ingesting

ADMIN = Source(9, server=True)
BOTH = {"type": "identify", "userId": "u1", "anonymousId": "a1", "traits": {"plan": "pro"}}
DEVICE = {"type": "identify", "anonymousId": "a1", "traits": {"theme": "dark"}}
SEEN = {"type": "track", "event": "E", "anonymousId": "a1"}


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def parted(ingest: Ingest, *named: str, block: bool = True) -> UnmergedProfiles:
    """Parts these identifiers."""
    return await unmerge_profile(ingest.space, list(named), block=block, source=ADMIN, actor="test")


def sealed(lab: Lab, space: int) -> list[tuple[Any, bytes, int, bytes]]:
    """Every blob of a profile with the place, row and version it was sealed for."""
    rows = lab.query("SELECT profile_id, version, document FROM profile_document WHERE space_id = %s", space)
    found = [(DOCUMENT, id_.bytes, version, bytes(blob)) for id_, version, blob in rows]
    for table, place in (("evidence", EVIDENCE), ("event", EVENT)):
        rows = lab.query(f"SELECT profile_id, stamp, payload FROM {table} WHERE space_id = %s", space)
        found += [(place, id_.bytes, stamp, bytes(blob)) for id_, stamp, blob in rows]
    rows = lab.query("SELECT key, value FROM profile_identifier WHERE space_id = %s", space)
    return found + [(IDENTIFIER, bytes(key)[:16], 0, bytes(blob)) for key, blob in rows]


async def test_after_an_unmerge_the_old_key_opens_nothing(lab: Lab) -> None:
    """After a split both sides are under fresh keys: the old one opens neither, and its row is gone."""
    async with ingesting(lab) as ingest:
        space = ingest.space.tenant.id
        await ingest.send(BOTH, DEVICE, SEEN, SEEN, {"type": "group", "anonymousId": "a1", "groupId": "g"})
        await ingest.send({"type": "identify", "userId": "other", "traits": {"n": 1}})
        before = Stored(lab.url, lab.keyring(), space)
        origin = before.owners[ingest.space.keys.identifier("user_id", "u1")]
        old = before._subjects[origin]
        untouched = before.owners[ingest.space.keys.identifier("user_id", "other")]
        opened = [row for row in sealed(lab, space) if opens(old, *row)]
        assert {row[0] for row in opened} == {DOCUMENT, EVIDENCE, EVENT, IDENTIFIER}

        await parted(ingest, "anonymous_id:a1")

        rows = sealed(lab, space)
        assert len(rows) > len(opened)
        assert [row for row in rows if opens(old, *row)] == []
        after = Stored(lab.url, lab.keyring(), space)
        assert old.key_id not in {subject.key_id for subject in after._subjects.values()}
        assert len(after._subjects) == len(before._subjects) + 1
        assert after._subjects[untouched].key_id == before._subjects[untouched].key_id
        ingest.check()


def opens(subject: Any, place: Any, row_id: bytes, version: int, blob: bytes) -> bool:
    """Whether a key opens a blob."""
    try:
        subject.open(place, row_id, version, blob)
    except SealBroken:
        return False
    return True


@pytest.mark.parametrize("committed", [True, False])
async def test_an_unmerge_whose_answer_was_lost_happens_once(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, *, committed: bool
) -> None:
    """Where the answer to the commit is lost, the act is done once, and answered as if nothing had been."""
    lost: list[int] = []

    async def losing(connection: Any) -> None:
        if committed or lost:
            await commit(connection)
        if not lost:
            lost.append(1)
            raise DatabaseUnavailable

    async with ingesting(lab) as ingest:
        await ingest.send(BOTH, DEVICE)
        monkeypatch.setattr(exclusive_transaction, "commit", losing)
        answer = await parted(ingest, "anonymous_id:a1")
        assert lost
        here = await get_profile(ingest.space, "anonymous_id:a1")
        there = await get_profile(ingest.space, "user_id:u1")
        assert answer.profile_id == here.id
        assert answer.remaining_profile_id == there.id
        acts = lab.query("SELECT count(*) FROM evidence WHERE space_id = %s AND kind = 7", ingest.space.tenant.id)
        assert acts == [(1,)]
        ingest.check()


async def test_an_unmerge_that_meets_a_conflict_is_planned_again_whole(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong before the commit leaves nothing, and is planned again whole."""
    tries: list[int] = []

    async def failing(*args: Any) -> None:
        await apply(*args)
        tries.append(1)
        if len(tries) < 3:
            raise Conflict

    async with ingesting(lab) as ingest:
        await ingest.send(BOTH, DEVICE)
        monkeypatch.setattr(exclusive_transaction, "apply", failing)
        await parted(ingest, "user_id:u1")
        await remove_identifier(ingest.space, "user_id:nobody", block=True, source=ADMIN, actor="test")
        assert len(tries) == 4
        ingest.check()


async def test_a_refused_unmerge_leaves_nothing(lab: Lab) -> None:
    """A refused act gives the gate back at once: calls go on."""
    async with ingesting(lab) as ingest:
        await ingest.send(BOTH)
        for named in (["user_id:u1", "anonymous_id:a1"], ["user_id:x"]):
            with pytest.raises(NotOneProfile):
                await parted(ingest, *named)
        assert [outcome.status for outcome in await ingest.send(SEEN)] == ["accepted"]
        ingest.check()


async def test_a_profile_has_a_bounded_number_of_cuts(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile has a bounded number of cuts; without one more it can still be parted."""
    monkeypatch.setattr(unmerge_module, "MOST_CUTS", 2)

    async with ingesting(lab) as ingest:
        for number in range(4):
            await ingest.send({**BOTH, "anonymousId": f"a{number}"})
        for number in range(2):
            await parted(ingest, f"anonymous_id:a{number}")
        with pytest.raises(TooManyCuts):
            await parted(ingest, "anonymous_id:a2")
        await parted(ingest, "anonymous_id:a2", block=False)
        ingest.check()
