"""A rotation of the index key that dies between any two steps, or that is missing in a restored database."""

from pathlib import Path
from typing import Any

import pytest

from identity.operations.backup.repair_from_journal import publish_or_repair
from identity.operations.corrections.unmerge_profile import unmerge_profile
from identity.operations.keys import rotate_index_key
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles.read_profile import get_profile, lookup
from identity.planning.privacy.privacy_requests import NewRequest
from identity.store.keys import index_key_rotation, rekey_sql
from identity.store.profiles import groups
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.errors import ProfileNotFound
from identity.vault.keyring import Keyring
from tests.support.integrity.space_audit import discrepancies, ignore_progress
from tests.support.keys.index_rotation_space import WHO, replayed, rotate
from tests.support.privacy.older_backup import Backup
from tests.support.processes.writer_processes import Lab, ingesting


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


# Where a rotation may die: what is called there, and in which module it is found.
STEPS: list[tuple[Any, str]] = [
    (Keyring, "create_index_key"),
    (index_key_rotation, "begin"),
    (groups, "list_groups"),
    (rekey_sql, "rename_groups"),
    (rekey_sql, "write"),
    (rekey_sql, "rename_keys"),
    (index_key_rotation, "correction_rows"),
    (index_key_rotation, "end"),
    (index_key_rotation, "close"),
    (Keyring, "destroy_index"),
]


@pytest.mark.parametrize(("owner", "name"), STEPS, ids=[name for _, name in STEPS])
# To die after a step is nearly to die before the next one.
@pytest.mark.parametrize(
    "after", [pytest.param(False, id="before"), pytest.param(True, id="after", marks=pytest.mark.soak)]
)
async def test_dies_between_two_steps(
    shared_lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    after: bool,  # noqa: FBT001
) -> None:
    """Every known person is found, calls are accepted, and the next rotation completes the interrupted one."""
    monkeypatch.setattr(rotate_index_key, "_MARGIN", 0)
    real = getattr(owner, name)

    async with ingesting(shared_lab) as ingest:
        space = ingest.space
        for number in range(3):
            await ingest.send({"type": "identify", "userId": f"u{number}", "anonymousId": f"a{number}"})
        await ingest.send({"type": "group", "userId": "u1", "groupId": "g"})
        await unmerge_profile(space, ["anonymous_id:a0"], block=True, source=WHO, actor="test")
        with monkeypatch.context() as patch:

            def die(*given: Any, **more: Any) -> Any:
                if not after:
                    raise ArithmeticError
                done = real(*given, **more)
                if hasattr(done, "__await__"):

                    async def then() -> None:
                        await done
                        raise ArithmeticError

                    return then()
                raise ArithmeticError

            patch.setattr(owner, name, die)
            with pytest.raises(ArithmeticError):
                await rotate(ingest.spaces, space, 0)
        fresh = await shared_lab.open()
        refs = [f"{type_}{number}" for number in range(3) for type_ in ("user_id:u", "anonymous_id:a")]
        for reader in (space, await fresh.get(space.tenant.id)):
            assert None not in (await lookup(reader, refs)).values()
        fresh.keyring.close()
        await fresh.database.close()
        assert await discrepancies(ingest) == []
        outcomes = await ingest.send({"type": "identify", "userId": "u0", "anonymousId": "a0"})
        assert (outcomes[0].created, outcomes[0].demoted) == (
            False,
            [{"identifier": "anonymous_id:a0", "reason": "separated"}],
        )
        done = await rotate_index_key.rotate(ingest.spaces, space, ignore_progress, 0)
        newest = space.keys.versions.newest
        assert (done.version, done.oldest) == (newest, newest)
        assert ingest.spaces.keyring.indexes(space.public_id)[0] == newest
        assert await discrepancies(ingest) == []
        assert replayed(shared_lab, space) == []


@pytest.mark.parametrize("begun", [False, True])
async def test_restored_from_before(lab: Lab, begun: bool) -> None:  # noqa: FBT001
    """A database from before a rotation, or from amid it, ends it before it is served: the erased stay erased."""
    async with ingesting(lab) as ingest:
        space = ingest.space
        await ingest.send({"type": "identify", "userId": "ann", "anonymousId": "a", "traits": {"n": 1}})
        await ingest.send({"type": "identify", "userId": "bob", "traits": {"n": 2}})
        if begun:
            await rotate_index_key.begin(ingest.spaces, space)
        backup = Backup(lab)
        await rotate(ingest.spaces, space)
        await request_erasure(
            space,
            NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.SUPPRESS_WITH_DELETE,
                regulation=Law.NONE,
                identifiers=["anonymous_id:a"],
                actor="test",
            ),
        )
        backup.restore()
        fresh = await lab.open()
        await publish_or_repair(fresh, {})
        again = await fresh.get(space.tenant.id)
        assert again.keys.versions.live == 2
        await rotate_index_key.destroy_unused_everywhere(fresh, 8)
        assert (await get_profile(again, "user_id:bob")).traits == {"n": 2}
        for ref in ("user_id:ann", "anonymous_id:a"):
            with pytest.raises(ProfileNotFound):
                await get_profile(again, ref)
        fresh.keyring.close()
        await fresh.database.close()
        assert await discrepancies(ingest) == []
