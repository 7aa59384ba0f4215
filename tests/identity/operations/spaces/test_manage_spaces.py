"""Spaces: what is left of a deleted one, and what is kept of a living one."""

from pathlib import Path

import pytest

from identity.operations.corrections.put_rules import put_rules
from identity.operations.profiles.read_group import get_group
from identity.operations.profiles.read_history import HistoryEntry, NamedIdentifier, get_history
from identity.operations.profiles.read_profile import get_profile
from identity.operations.spaces import manage_spaces
from identity.operations.spaces.delete_space import delete_space
from identity.operations.spaces.purge_spaces import purge_deleted
from identity.values.enums import HistoryKind
from identity.values.errors import GroupNotFound, ProfileNotFound, SpaceNotFound, Unauthorised
from identity.values.ids import public
from tests.support.processes.writer_processes import Ingest, Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


async def _delete(ingest: Ingest) -> None:
    await delete_space(ingest.spaces, public("spc", ingest.space.public_id), "test")


async def test_nothing_is_left_of_a_deleted_space(lab: Lab) -> None:
    """No row of any table, and no key; the spaces beside it stay whole."""
    async with ingesting(lab) as ingest:
        other = await lab.space(ingest.spaces)
        await ingest.send(
            {"type": "group", "userId": "u1", "groupId": "g1"}, {"type": "track", "event": "E", "userId": "u1"}
        )
        await ingest.send({"type": "alias", "userId": "u2", "previousId": "u1"})
        await put_rules(ingest.space, {"limits": {"crm": {"max": 1}}}, "test")
        await _delete(ingest)
        with pytest.raises(ProfileNotFound):
            await get_profile(ingest.space, "user_id:u1")
        while await purge_deleted(ingest.spaces):
            pass
        tables = [name for (name,) in lab.query(_TABLES)]
        number = ingest.space.tenant.id
        left = [name for name in tables if lab.query(f"SELECT 1 FROM {name} WHERE space_id = %s", number)]
        assert left == ["ledger", "ledger_head"]
        assert [(other.tenant.id,)] == lab.query("SELECT id FROM space")
        assert not (lab.key_store / ingest.space.public_id.hex()).exists()
        assert other.public_id.hex() in [path.name for path in lab.key_store.iterdir()]


_TABLES = """
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE a.attname = 'space_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""


async def test_a_key_of_a_space_that_is_gone(lab: Lab) -> None:
    """A caller who was let in a moment ago makes no key any more."""
    async with ingesting(lab) as ingest:
        made = await manage_spaces.create_space(ingest.spaces, "other")
        caller = await manage_spaces.KeyCheck(ingest.spaces).caller(made.keys["admin"])
        await delete_space(ingest.spaces, public("spc", made.id), "other")
        with pytest.raises(SpaceNotFound):
            await manage_spaces.create_key(ingest.spaces, caller, "late", ["write"])


@pytest.mark.parametrize("secret", ["", "of_\0_x_00000000", "of_aaaaaaaaaaaa_" + "0" * 64 + "_00000000", "x" * 5000])
async def test_a_made_up_secret(lab: Lab, secret: str) -> None:
    """Whatever it holds, it is nobody's."""
    async with ingesting(lab) as ingest:
        with pytest.raises(Unauthorised):
            await manage_spaces.KeyCheck(ingest.spaces).caller(secret)


async def test_history_outlives_many_rules(lab: Lab) -> None:
    """The demotions under the first rules stay explainable after any number of changes."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "u1", "anonymousId": "a1"})
        await ingest.send({"type": "identify", "userId": "u2", "anonymousId": "a1"})
        for most in range(1, 8):
            await put_rules(ingest.space, {"limits": {"crm": {"max": most}}}, "test")
        page = await get_history(ingest.space, "user_id:u2", 10, None)
        entries = [entry for entry in page.entries if isinstance(entry, HistoryEntry)]
        demoted = [entry for entry in entries if entry.kind == HistoryKind.IDENTIFIERS_DEMOTED]
        assert demoted[0].identifiers == [NamedIdentifier("anonymous_id", "a1", "limit:user_id")]


async def test_a_group_is_found_in_any_spelling(lab: Lab) -> None:
    """As collection folds it; what is no group id finds nothing."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "group", "userId": "u1", "groupId": " Cafe\u0301 "})
        for spelling in (" Cafe\u0301 ", "Caf\u00e9"):
            assert (await get_group(ingest.space, spelling)).group_id == "Caf\u00e9"
        with pytest.raises(GroupNotFound):
            await get_group(ingest.space, " ")


async def test_another_process_refuses_a_revoked_key_within_the_time_of_its_cache(lab: Lab) -> None:
    """Before the end of that time a cached key still counts; from the end on the key is looked up and refused."""
    clock = [10.0]
    async with ingesting(lab) as ingest:
        made = await manage_spaces.create_space(ingest.spaces, "keys")
        elsewhere = manage_spaces.KeyCheck(ingest.spaces, now=lambda: clock[0])
        secret = made.keys["write"]
        caller = await elsewhere.caller(secret)

        await manage_spaces.revoke_key(ingest.spaces, caller, caller.key_id)
        clock[0] += manage_spaces._CACHE_SECONDS - 0.001
        assert await elsewhere.caller(secret) == caller
        clock[0] += 0.001
        with pytest.raises(Unauthorised):
            await elsewhere.caller(secret)
        with pytest.raises(Unauthorised):
            await manage_spaces.KeyCheck(ingest.spaces).caller(secret)
