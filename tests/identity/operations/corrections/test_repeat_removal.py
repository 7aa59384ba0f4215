"""An identifier that was removed after a backup, in a database that is restored from it."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.corrections.remove_identifier import remove_identifier
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.privacy.manage_holds import place_hold
from identity.operations.profiles.read_history import get_history
from identity.operations.profiles.read_profile import get_profile
from identity.values.calls import Source
from identity.values.enums import HistoryKind
from identity.values.errors import ProfileNotFound
from tests.support.privacy.restored_requests import ask, restored, shown
from tests.support.processes.writer_processes import Ingest, Lab

ADMIN = Source(1, server=True)
MAIL = "email:ann@example.org"
ANN = {"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}}


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def identifiers(ingest: Ingest, ref: str) -> set[str]:
    """The identifiers of a profile."""
    return {f"{each.type}:{each.value}" for each in (await get_profile(ingest.space, ref)).identifiers}


async def remove(ingest: Ingest, *, block: bool) -> None:
    """Remove the address of ann."""
    await remove_identifier(ingest.space, MAIL, block=block, source=ADMIN, actor="key_test")


@pytest.mark.parametrize("block", [True, False])
def test_an_identifier_that_was_removed_is_removed_again(lab: Lab, block: bool) -> None:  # noqa: FBT001
    """From its profile, in the history, and for every destination; only a block keeps later calls from linking it."""

    async def before(ingest: Ingest) -> None:
        await ingest.send(ANN)

    async def since(ingest: Ingest) -> None:
        await remove(ingest, block=block)

    async def then(ingest: Ingest, _done: Any) -> None:
        assert await identifiers(ingest, "user_id:ann") == {"user_id:ann", "anonymous_id:ann-1"}
        with pytest.raises(ProfileNotFound):
            await get_profile(ingest.space, MAIL)
        lines = (await get_history(ingest.space, "user_id:ann", 10, None)).entries
        assert HistoryKind.IDENTIFIER_REMOVED in {getattr(line, "kind", None) for line in lines}
        root = (await get_profile(ingest.space, "user_id:ann")).id
        newest = lab.query("SELECT op, version FROM change WHERE profile_id = %s ORDER BY at DESC LIMIT 1", root.hex())
        version = lab.query("SELECT version FROM profile WHERE profile_id = %s", root.hex())
        assert newest == [(1, version[0][0])]
        (outcome,) = await ingest.send(ANN)
        assert [each["reason"] for each in outcome.demoted] == ["blocked"] * block
        assert (MAIL in await identifiers(ingest, "user_id:ann")) is not block

    restored(lab, since, then, before=before)


@pytest.mark.parametrize("block", [True, False])
def test_the_last_identifier_of_a_profile_of_the_backup_goes_too(lab: Lab, block: bool) -> None:  # noqa: FBT001
    """The profile had another one only since the backup; an erasure of the person still finds the calls."""

    async def before(ingest: Ingest) -> None:
        await ingest.send({"type": "identify", "traits": {"email": "solo@example.org", "plan": "pro"}})

    async def since(ingest: Ingest) -> None:
        await ingest.send({"type": "identify", "userId": "solo", "traits": {"email": "solo@example.org"}})
        await remove_identifier(ingest.space, "email:solo@example.org", block=block, source=ADMIN, actor="key_test")

    async def then(ingest: Ingest, _done: Any) -> None:
        for ref in ("email:solo@example.org", "user_id:solo"):
            with pytest.raises(ProfileNotFound):
                await get_profile(ingest.space, ref)
        calls = lab.query("SELECT count(*) FROM evidence")[0][0]
        made = await ask(ingest, "email:solo@example.org")
        assert (await shown(ingest, made.id))[0].erasures[0].found
        assert lab.query("SELECT count(*) FROM evidence")[0][0] == calls - 1

    restored(lab, since, then, before=before)


def test_a_person_under_a_hold_keeps_the_identifier(lab: Lab) -> None:
    """An unmerge since the backup is lost, so the hold on one side covers both sides again."""

    async def before(ingest: Ingest) -> None:
        await ingest.send(ANN)

    async def since(ingest: Ingest) -> None:
        await unmerge_profile(ingest.space, ["anonymous_id:ann-1"], block=False, source=ADMIN, actor="key_test")
        await place_hold(ingest.space, ["anonymous_id:ann-1"], "case", "key_test")
        await remove(ingest, block=False)

    async def then(ingest: Ingest, _done: Any) -> None:
        assert MAIL in await identifiers(ingest, "anonymous_id:ann-1")

    restored(lab, since, then, before=before)


def test_a_hold_from_after_the_removal_keeps_nothing_back(lab: Lab) -> None:
    """The journal records the hold, and the database does not have it yet when the removal is repeated."""

    async def before(ingest: Ingest) -> None:
        await ingest.send(ANN)

    async def since(ingest: Ingest) -> None:
        await remove(ingest, block=True)
        await place_hold(ingest.space, ["user_id:ann", "user_id:bob"], "case", "key_test")

    async def then(ingest: Ingest, _done: Any) -> None:
        assert MAIL not in await identifiers(ingest, "user_id:ann")

    restored(lab, since, then, before=before)
