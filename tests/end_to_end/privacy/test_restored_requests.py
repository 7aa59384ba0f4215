"""Privacy requests made after a backup are restored from the journal, with their answers."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.schemas.export_items import export_item
from identity.operations.ingest.delete_group import delete_group
from identity.operations.keys.overlay_key_tables import overlay_keys
from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.privacy.access_export_sections import read_sections
from identity.operations.privacy.build_export import build_export
from identity.operations.privacy.cancel_erasure import cancel_request
from identity.operations.privacy.extend_erasure import extend_erasure
from identity.operations.privacy.issue_receipt import issue_receipt
from identity.operations.privacy.manage_holds import place_hold, release_hold
from identity.operations.privacy.manage_suppressions import lift_suppressions, suppress_identifiers
from identity.operations.privacy.read_requests import get_erasure, get_request, list_requests
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.privacy.request_export import request_export
from identity.operations.privacy.resume_requests import close_settled_erasures, resume_requests
from identity.operations.profiles.read_group import get_group
from identity.operations.profiles.read_profile import get_profile
from identity.planning.privacy.privacy_requests import NewRequest, PrivacyRequest
from identity.store.ledger import ledger
from identity.values.calls import Source
from identity.values.enums import ErasureState, Law, RequestInterface, RequestKind
from identity.values.errors import ErasureNotFound, ExportNotFound, GroupNotFound, ProfileNotFound, RequestNotFound
from identity.values.ids import new_id, public
from tests.support.integrity.space_audit import discrepancies, ignore_progress
from tests.support.privacy.access_exports import downloaded, requested_export
from tests.support.privacy.older_backup import Backup, publish_ledgers
from tests.support.processes.writer_processes import Ingest, Lab, ingesting, run

PEOPLE = ("ann", "bob", "eve", "dan")


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def ask(
    ingest: Ingest, *named: str, kind: RequestKind = RequestKind.SUPPRESS_WITH_DELETE, again: str | None = None
) -> PrivacyRequest:
    """A request under the GDPR."""
    identifiers = [f"user_id:{name}" for name in named]
    return await request_erasure(
        ingest.space, NewRequest(RequestInterface.SEGMENT, kind, Law.GDPR, identifiers, "key_test", again)
    )


def restored(
    lab: Lab,
    since: Callable[[Ingest], Awaitable[Any]],
    then: Callable[[Ingest, Any], Awaitable[None]],
    *,
    before: Callable[[Ingest], Awaitable[None]] | None = None,
    overlay: bool = False,
) -> None:
    """People, a backup, what happened since, a restore from the backup, and what holds then."""

    async def main() -> None:
        async with ingesting(lab) as ingest:
            for name in PEOPLE:
                await ingest.send({"type": "identify", "userId": name, "anonymousId": f"{name}-1"})
            if before is not None:
                await before(ingest)
            backup = Backup(lab)
            done = await since(ingest)
            backup.restore()
            if overlay:
                await overlay_keys(ingest.spaces, ingest.space)
            ingest.spaces.forget(ingest.space.tenant.id)
            await publish_ledgers(ingest)
            ingest.space = await ingest.spaces.get(ingest.space.tenant.id)
            await then(ingest, done)
            assert await discrepancies(ingest) == []

    run(main())


async def shown(ingest: Ingest, *ids: bytes) -> list[PrivacyRequest]:
    """Requests as they are shown."""
    return [await get_request(ingest.space, id_) for id_ in ids]


def test_as_it_was_answered(lab: Lab) -> None:
    """Erased, suppressed, lifted, twice in one request or unknown: state, times, counts and receipt are the same."""

    async def since(ingest: Ingest) -> Any:
        made = [
            await ask(ingest, "ann", "ann", "nobody", again="case-1"),
            await ask(ingest, "bob", kind=RequestKind.DELETE_ONLY),
        ]
        await suppress_identifiers(ingest.space, ["user_id:eve"], "key_test")
        await lift_suppressions(ingest.space, ["user_id:eve"], "key_test")
        late = await extend_erasure(ingest.space, public("ers", made[1].erasures[0].id), "many", "key_test")
        assert late.extended_at is not None
        page, _ = await list_requests(ingest.space, [RequestInterface.NATIVE, RequestInterface.SEGMENT], None, 10, None)
        proof = await issue_receipt(ingest.spaces, ingest.space, made[0].erasures[0], "onefold 1")
        return made, page, proof

    async def then(ingest: Ingest, done: Any) -> None:
        made, page, proof = done
        assert [each.state for each in made[0].erasures] == [
            ErasureState.FINISHED,
            ErasureState.DUPLICATE,
            ErasureState.FINISHED,
        ]
        assert (await list_requests(ingest.space, [RequestInterface.NATIVE, RequestInterface.SEGMENT], None, 10, None))[
            0
        ] == page
        assert len(page) == 4
        erasure = await get_erasure(ingest.space, public("ers", made[0].erasures[0].id))
        assert erasure.counts == made[0].erasures[0].counts
        assert erasure.counts is not None
        assert erasure.counts.rows["profile"] == 1
        assert await issue_receipt(ingest.spaces, ingest.space, erasure, "onefold 1") == proof
        again = await ask(ingest, "ann", "ann", "nobody", again="case-1")
        assert [(each.id, each.salt) for each in again.erasures] == [(each.id, each.salt) for each in made[0].erasures]

    restored(lab, since, then)


GROUP_CALLS: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
    ("bob", "acme", 1, {"plan": "free", "bob": 1}),
    ("ann", "acme", 2, {"plan": "pro", "contact": "ann@example.org"}),
    ("ann", "ann@example.org", 1, {"name": "Ann"}),
    ("eve", "eve-home", 1, {}),
)


async def join_groups(ingest: Ingest) -> None:
    """People in groups."""
    for user, group, day, traits in GROUP_CALLS:
        call = {"type": "group", "userId": user, "groupId": group, "timestamp": f"2020-01-0{day}T00:00:00Z"}
        await ingest.send({**call, "traits": traits})


@pytest.mark.parametrize("rolled", [False, True])
def test_groups_lose_again_what_the_erased_person_gave(lab: Lab, rolled: bool) -> None:  # noqa: FBT001
    """With the keys of the backup, and with those of the newest dump; what others gave is there."""

    async def since(ingest: Ingest) -> Any:
        await ask(ingest, "ann", "eve")
        if rolled:
            await roll(ingest.spaces, ingest.space)
            await ingest.space.publish()

    async def then(ingest: Ingest, _done: Any) -> None:
        assert (await get_group(ingest.space, "acme")).traits == {"plan": "free", "bob": 1}
        for name in ("ann@example.org", "eve-home"):
            with pytest.raises(GroupNotFound):
                await get_group(ingest.space, name)
        assert lab.query("SELECT count(*) FROM membership") == [(1,)]

    restored(lab, since, then, before=join_groups, overlay=rolled)


def test_a_group_that_was_deleted_is_deleted_again(lab: Lab) -> None:
    """Its members are not in a restored group, whose traits would come back with it."""

    async def since(ingest: Ingest) -> Any:
        await delete_group(ingest.space, ingest.queue, "acme", Source(1, server=True), "key_test")

    async def then(ingest: Ingest, _done: Any) -> None:
        with pytest.raises(GroupNotFound):
            await get_group(ingest.space, "acme")
        assert (await get_group(ingest.space, "ann@example.org")).traits == {"name": "Ann"}

    restored(lab, since, then, before=join_groups)


def test_groups_of_people_on_hold_hide_again_what_they_gave(lab: Lab) -> None:
    """Until the erasure is cancelled."""

    async def since(ingest: Ingest) -> Any:
        await place_hold(ingest.space, ["user_id:ann", "user_id:eve"], "case", "key_test")
        await ask(ingest, "ann")
        await cancel_request(ingest.space, (await ask(ingest, "eve")).id, "key_test")

    async def then(ingest: Ingest, _done: Any) -> None:
        assert (await get_group(ingest.space, "acme")).traits == {"plan": "free", "bob": 1}
        assert (await get_group(ingest.space, "eve-home")).members == 1
        with pytest.raises(GroupNotFound):
            await get_group(ingest.space, "ann@example.org")

    restored(lab, since, then, before=join_groups)


def test_under_a_hold(lab: Lab) -> None:
    """What waits for a hold waits again, is read by nobody, and is erased when the hold ends."""

    async def since(ingest: Ingest) -> Any:
        hold = await place_hold(ingest.space, ["user_id:ann", "user_id:bob"], "case", "key_test")
        waits, given_up = await ask(ingest, "ann"), await ask(ingest, "bob")
        await cancel_request(ingest.space, given_up.id, "key_test")
        return hold, waits, given_up

    async def then(ingest: Ingest, done: Any) -> None:
        hold, waits, given_up = done
        states = [request.erasures[0].state for request in await shown(ingest, waits.id, given_up.id)]
        assert states == [ErasureState.ON_HOLD, ErasureState.CANCELLED]
        with pytest.raises(ProfileNotFound):
            await get_profile(ingest.space, "anonymous_id:ann-1")
        await release_hold(ingest.space, public("hld", hold.id), "key_test")
        assert (await shown(ingest, waits.id))[0].erasures[0].state == ErasureState.FINISHED
        assert (await ingest.send({"type": "identify", "userId": "ann"}))[0].status == "suppressed"

    restored(lab, since, then)


def test_a_hold_that_ended(lab: Lab) -> None:
    """What waited for a hold and was done since is done, and suppressed no longer than it was."""

    async def since(ingest: Ingest) -> Any:
        hold = await place_hold(ingest.space, ["user_id:ann"], "case", "key_test")
        waited = await ask(ingest, "ann", kind=RequestKind.DELETE_ONLY)
        await release_hold(ingest.space, public("hld", hold.id), "key_test")
        return await shown(ingest, waited.id)

    async def then(ingest: Ingest, done: Any) -> None:
        assert await shown(ingest, done[0].id) == done
        assert done[0].erasures[0].state == ErasureState.FINISHED
        assert (await ingest.send({"type": "identify", "userId": "ann"}))[0].status == "accepted"

    restored(lab, since, then)


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
        assert await resume_requests(ingest.spaces, older_than=0) == 1
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
        await overlay_keys(ingest.spaces, ingest.space)
        assert await shown(ingest, done[0].id) == done
        assert done[0].erasures[0].backup_safe_at is not None

    restored(lab, since, then)


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
        return 0 if b'"action":"request"' in entry else await append(connection, space_id, at, entry)

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
            NewRequest(RequestInterface.NATIVE, RequestKind.ACCESS, Law.GDPR, ["user_id:ann"], "key_test", "case-9"),
        )

    async def then(ingest: Ingest, done: Any) -> None:
        again = await request_export(
            ingest.space,
            NewRequest(RequestInterface.NATIVE, RequestKind.ACCESS, Law.GDPR, ["user_id:ann"], "key_test", "case-9"),
        )
        assert again.ticket != done.ticket
        ingest.lab.query("DELETE FROM job")
        ingest.lab.query("DELETE FROM export")
        ingest.lab.query("DELETE FROM subject_key WHERE profile_id = %s", again.id.hex())

    restored(lab, since, then)
