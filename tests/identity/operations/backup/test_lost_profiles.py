"""A restore names the profiles that it loses with others: those that an unmerge after the backup had separated."""

from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from identity.operations.backup.lost_profiles import LostProfiles
from identity.operations.backup.repair_from_journal import publish_or_repair
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles.read_profile import get_profile
from identity.planning.privacy.privacy_requests import NewRequest
from identity.values.calls import Source
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.errors import ProfileNotFound
from identity.values.ids import ProfileId, public_profile
from tests.support.privacy.older_backup import Backup
from tests.support.processes.writer_processes import Lab, ingesting

CARL, DORA, EVE = (ProfileId(bytes([n]) * 16) for n in (1, 2, 3))


def unmerged(stayed: ProfileId, left: ProfileId | None) -> dict[str, Any]:
    """The entry of an unmerge; an earlier release did not name the side that left."""
    named = {} if left is None else {"left": public_profile(left)}
    return {"action": "profile.unmerge", "subject": public_profile(stayed), **named}


def erased(*profiles: ProfileId) -> dict[str, Any]:
    """The entry of an erasure."""
    return {"action": "erase", "profiles": [each.hex() for each in profiles]}


@pytest.mark.parametrize(
    ("entries", "lost"),
    [
        ([unmerged(CARL, DORA)], []),
        ([unmerged(CARL, DORA), erased(CARL)], [DORA]),
        ([unmerged(CARL, None), erased(CARL)], [CARL]),
        ([unmerged(CARL, DORA), unmerged(CARL, EVE), erased(CARL)], [DORA, EVE]),
        ([unmerged(CARL, DORA), erased(CARL), erased(DORA)], []),
        ([erased(CARL), unmerged(DORA, EVE)], []),
        ([{"action": "request", "subject": None}], []),
    ],
)
def test_the_other_side_of_an_unmerge_is_lost_with_the_side_that_is_erased(
    entries: list[dict[str, Any]], lost: list[ProfileId]
) -> None:
    """Unless it was erased itself, or is in the database after all."""
    found = LostProfiles()
    for entry in entries:
        found.take(entry)
    assert found.ids() == lost
    assert found.shown() == [public_profile(each) for each in lost]
    found.keep([DORA])
    assert found.ids() == [each for each in lost if each != DORA]


def test_a_profile_that_no_key_opens_is_lost_unless_it_was_erased() -> None:
    """An unmerge gives both sides new keys."""
    found = LostProfiles()
    found.take(erased(CARL))
    found.add([CARL, DORA])
    assert found.ids() == [DORA]


@pytest.mark.parametrize("victim", ["user_id:carl", "email:dora@example.org"])
async def test_a_restore_from_before_an_unmerge_names_who_is_lost_with_the_erased(
    database: str, tmp_path: Path, victim: str
) -> None:
    """The log has the number and the ids, and nothing of the people. A profile that the backup has alone stays."""
    async with ingesting(Lab(database, tmp_path)) as ingest:
        await ingest.send({"type": "identify", "userId": "carl", "anonymousId": "tablet", "traits": {"plan": "pro"}})
        await ingest.send({"type": "identify", "anonymousId": "tablet", "traits": {"email": "dora@example.org"}})
        await ingest.send({"type": "identify", "userId": "fay", "traits": {"email": "fay@example.org"}})
        backup = Backup(ingest.lab)
        parts = await unmerge_profile(
            ingest.space, ["email:dora@example.org"], block=True, source=Source(1), actor="test"
        )
        await request_erasure(
            ingest.space,
            NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.DELETE_ONLY,
                regulation=Law.NONE,
                identifiers=[victim],
                actor="test",
            ),
        )
        backup.restore()
        with capture_logs() as lines:
            await publish_or_repair(ingest.spaces, {})
        (line,) = (each for each in lines if each["event"] == "space.restored")
        lost = parts.profile_id if victim == "user_id:carl" else parts.remaining_profile_id
        assert (line["profiles_lost"], line["profiles"]) == (1, [public_profile(lost)])
        assert "dora" not in str(line)
        space = await ingest.spaces.get(ingest.space.tenant.id)
        for gone in ("user_id:carl", "email:dora@example.org"):
            with pytest.raises(ProfileNotFound):
                await get_profile(space, gone)
        assert (await get_profile(space, "user_id:fay")).traits["email"] == "fay@example.org"
