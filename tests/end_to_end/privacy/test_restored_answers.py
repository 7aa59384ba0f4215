"""What a restore from the journal makes of the exports, holds and later acts of requests made after a backup."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.schemas.exports.export_items import export_item
from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.privacy.access_exports.access_export_sections import read_sections
from identity.operations.privacy.access_exports.build_export import build_export
from identity.operations.privacy.access_exports.request_export import request_export
from identity.operations.privacy.read_requests import get_erasure
from identity.operations.privacy.resume_requests import close_settled_erasures, resume_requests
from identity.operations.profiles.read_profile import get_profile
from identity.planning.privacy.privacy_requests import NewRequest
from identity.store.ledger import ledger
from identity.values.enums import ErasureState, Law, RequestInterface, RequestKind
from identity.values.errors import ErasureNotFound, ExportNotFound, ProfileNotFound, RequestNotFound
from identity.values.ids import SpaceNumber, new_id, public
from identity.values.stamps import Micros
from tests.support.integrity.space_audit import ignore_progress
from tests.support.privacy.access_exports import downloaded, requested_export
from tests.support.privacy.older_backup import Backup, publish_ledgers
from tests.support.privacy.restored_requests import ask, restored, shown
from tests.support.processes.writer_processes import Ingest, Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


def test_taken_in_and_not_begun(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request whose taker died before doing anything is there again, and is finished."""

    async def since(ingest: Ingest) -> Any:
        async def dies(*_: Any) -> None:
            await ingest.space.publish()

        with monkeypatch.context() as patched:
            patched.setattr("identity.operations.privacy.request_erasure.carry_out", dies)
            return await ask(ingest, "ann")

    async def then(ingest: Ingest, done: Any) -> None:
        assert (await get_profile(ingest.space, "user_id:ann")).identifiers
        assert await resume_requests(ingest.spaces, older_than=Micros(0)) == 1
        assert (await shown(ingest, done.id))[0].erasures[0].state == ErasureState.FINISHED

    restored(lab, since, then)


def test_backups_are_safe(lab: Lab) -> None:
    """From when on backups are safe is known again where the keys were rolled since."""

    async def since(ingest: Ingest) -> Any:
        made = await ask(ingest, "ann")
        await roll(ingest.spaces, ingest.space)
        await ingest.space.publish()
        return await shown(ingest, made.id)

    async def then(ingest: Ingest, done: Any) -> None:
        assert await shown(ingest, done[0].id) == done
        assert done[0].erasures[0].backup_safe_at is not None

    restored(lab, since, then, overlay=True)


def test_destinations_hear_of_it_again(lab: Lab) -> None:
    """Each destination that held a person erased since is notified anew; the erasure ends when all have answered."""

    async def since(ingest: Ingest) -> Any:
        number = ingest.space.tenant.id
        (destination,) = lab.query(
            "INSERT INTO destination (public_id, space_id, name, document) VALUES (%s, %s, 'mail', 'x') RETURNING id",
            new_id().hex(),
            number,
        )[0]
        lab.query(
            "INSERT INTO delivery (destination, space_id, bucket) SELECT %s, id, bucket_base FROM space WHERE id = %s",
            destination,
            number,
        )
        lab.query(
            "INSERT INTO disclosure (profile_id, destination, fields, space_id, bucket, first, last)"
            " SELECT profile_id, %s, %s, space_id, bucket, 0, 0 FROM profile",
            destination,
            new_id().hex(),
        )
        made = await ask(ingest, "ann")
        await ask(ingest, "bob", kind=RequestKind.DELETE_INTERNAL)
        return made.erasures[0]

    async def then(ingest: Ingest, done: Any) -> None:
        erasure = await get_erasure(ingest.space, public("ers", done.id))
        assert [(each.name, each.state) for each in erasure.notices] == [("mail", 0)]
        assert (erasure.state, erasure.closed_at) == (ErasureState.FINISHED, None)
        notified = lab.query("SELECT DISTINCT other FROM change WHERE op = 4 AND other IS NOT NULL")
        assert (UUID(bytes=done.id),) in notified
        assert await close_settled_erasures(ingest.spaces) == 0
        lab.query("UPDATE erasure_notice SET state = 3")
        assert await close_settled_erasures(ingest.spaces) == 1
        assert (await get_erasure(ingest.space, public("ers", done.id))).closed_at is not None

    restored(lab, since, then)


def test_an_older_journal(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries from before disclosures were recorded are done again too; their rows are not there."""
    append = ledger.append

    async def older(connection: Any, space_id: int, at: int, entry: bytes) -> int:
        return (
            0 if b'"action":"request"' in entry else await append(connection, SpaceNumber(space_id), Micros(at), entry)
        )

    async def since(ingest: Ingest) -> Any:
        with monkeypatch.context() as patched:
            patched.setattr(ledger, "append", older)
            return await ask(ingest, "ann")

    async def then(ingest: Ingest, done: Any) -> None:
        with pytest.raises(ProfileNotFound):
            await get_profile(ingest.space, "user_id:ann")
        with pytest.raises(ErasureNotFound):
            await get_erasure(ingest.space, public("ers", done.erasures[0].id))
        with pytest.raises(RequestNotFound):
            await shown(ingest, done.id)

    restored(lab, since, then)


async def test_an_export_in_the_backup(lab: Lab) -> None:
    """An export that a backup holds goes with the person who was erased since."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "ann"})
        made, wanted = await requested_export(lab, ingest.space, "user_id:ann")
        await build_export(ingest.space, wanted, ignore_progress, read_sections, export_item)
        backup = Backup(lab, "export", "export_part", "job")
        await ask(ingest, "ann")
        backup.restore()
        ingest.spaces.forget(ingest.space.tenant.id)
        await publish_ledgers(ingest)
        with pytest.raises(ExportNotFound):
            await downloaded(await ingest.spaces.get(ingest.space.tenant.id), made)
        assert lab.query("SELECT count(*) FROM export_part")[0][0] == 0


def test_an_access_request_is_asked_again(lab: Lab) -> None:
    """An export that was asked for since is lost; the same request again is a new one, not a dead address."""

    async def since(ingest: Ingest) -> Any:
        return await request_export(
            ingest.space,
            NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.ACCESS,
                regulation=Law.GDPR,
                identifiers=["user_id:ann"],
                actor="key_test",
                idempotency="case-9",
            ),
        )

    async def then(ingest: Ingest, done: Any) -> None:
        again = await request_export(
            ingest.space,
            NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.ACCESS,
                regulation=Law.GDPR,
                identifiers=["user_id:ann"],
                actor="key_test",
                idempotency="case-9",
            ),
        )
        assert again.ticket != done.ticket
        ingest.lab.query("DELETE FROM job")
        ingest.lab.query("DELETE FROM export")
        ingest.lab.query("DELETE FROM subject_key WHERE profile_id = %s", again.id.hex())

    restored(lab, since, then)
