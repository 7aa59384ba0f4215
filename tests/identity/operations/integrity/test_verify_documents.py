"""An audit names origins that lack a document, and people who are hidden or shown against the journal."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.rebuild_profiles import rebuild_space
from identity.operations.destinations import destination_read, manage_destinations, manage_purposes
from identity.operations.privacy.cancel_erasure import cancel_request
from identity.operations.privacy.manage_holds import place_hold
from identity.operations.profiles.read_profile import get_profile
from identity.values.errors import ProfileNotFound
from identity.values.ids import public
from identity.values.not_ready import RolledBack
from tests.support.destinations.consenting_people import ALL, user
from tests.support.integrity.rolled_back_rows import LAX
from tests.support.integrity.space_audit import audited, ignore_progress
from tests.support.privacy.restored_requests import ask
from tests.support.processes.writer_processes import Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


@pytest.mark.parametrize(
    "call",
    [
        {"type": "identify", "userId": "ann", "traits": {"plan": "pro"}},
        {"type": "page", "anonymousId": "a1", "context": {"consent": {"categoryPreferences": {"Ads": False}}}},
        {"type": "page", "anonymousId": "a1", "context": {"gpc": True}},
        {"type": "group", "userId": "ann", "groupId": "acme"},
    ],
)
async def test_attack_192_a_deleted_document_is_named(lab: Lab, call: dict[str, Any]) -> None:
    """Of traits, of a first denial, of an opt-out, of a membership; a rebuild makes each again.

    A person who stated nothing needs none.
    """
    async with ingesting(lab) as ingest:
        await ingest.send(call, {"type": "track", "userId": "bob", "event": "Seen"})
        assert await audited(lab) == []
        (origin,) = lab.query("DELETE FROM profile_document RETURNING profile_id")[0]
        assert await audited(lab) == [("document_missing", [public("prf", origin.bytes)])]
        await rebuild_space(ingest.space, 1, ignore_progress)
        assert await audited(lab) == []


async def test_attack_193_a_person_who_is_hidden_or_shown_against_the_journal_is_named(lab: Lab) -> None:
    """Somebody who waits for an erasure is read by nobody, whatever the row says, until the request is cancelled."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        await manage_purposes.put_purposes(space, LAX, "t")
        mail = public("dst", (await manage_destinations.put_destination(space, "mail", ALL, "t")).id)
        await ingest.send(user("ann"), user("bob"), {"type": "identify", "userId": "bob", "anonymousId": "b1"})
        await place_hold(space, ["user_id:bob"], "a case", "t")
        request = await ask(ingest, "bob")
        assert await audited(lab) == []
        lab.query("UPDATE profile SET withheld = NOT withheld")
        assert len(dict(await audited(lab))["withheld_differs"]) == len(lab.query("SELECT 1 FROM profile"))
        with pytest.raises(ProfileNotFound):
            await get_profile(space, "user_id:ann")
        for read in (get_profile(space, "user_id:bob"), destination_read.get_profile(space, mail, "user_id:bob")):
            with pytest.raises(RolledBack):
                await read
        lab.query("UPDATE profile SET withheld = NOT withheld")
        assert await audited(lab) == []
        lab.query("UPDATE profile SET withheld = false")
        await cancel_request(space, request.id, "t")
        await get_profile(space, "user_id:bob")
