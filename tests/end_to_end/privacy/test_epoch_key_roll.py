"""Rolls of epoch keys: interrupted between any two steps, scheduled, and by the operator's commands."""

import sys
from pathlib import Path
from typing import Any

import pytest

from identity.operations.keys import dump_key_tables, roll_epoch_keys
from identity.operations.keys.overlay_key_tables import overlay_keys
from identity.operations.keys.roll_epoch_keys import roll, roll_due
from identity.operations.privacy.request_erasure import request_erasure
from identity.operations.profiles.read_profile import get_profile
from identity.planning.privacy.privacy_requests import NewRequest
from identity.store.keys import epoch_key_roll, key_tables
from identity.store.ledger import ledger
from identity.store.postgres import space_lock
from identity.values.enums import Law, RequestInterface, RequestKind
from identity.values.errors import Misconfigured, SealBroken
from identity.vault.keyring import Keyring
from tests.support.integrity.space_audit import discrepancies
from tests.support.keys.rolled_space import PEOPLE, prepared, readable
from tests.support.processes.command_line import onefold
from tests.support.processes.writer_processes import Lab, ingesting

# Where a roll may die: what is called there, and in which module it is found.
STEPS: list[tuple[Any, str]] = [
    (Keyring, "create_epoch_key"),
    (space_lock, "raise_epoch"),
    (epoch_key_roll, "older_slots"),
    (epoch_key_roll, "lock_slots"),
    (epoch_key_roll, "subject_keys"),
    (epoch_key_roll, "write_subject_keys"),
    (epoch_key_roll, "write_slots"),
    (key_tables, "slot_keys"),
    (Keyring, "dump"),
    (dump_key_tables, "prove_dump"),
    (Keyring, "destroy_epoch"),
    (Keyring, "destroy_dumps"),
    (epoch_key_roll, "set_safe"),
    (ledger, "append"),
]


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """An empty database with its keys."""
    return Lab(database, tmp_path)


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
    """Every key opens at any moment, calls come in, and the next roll makes good what this one left."""
    real = getattr(owner, name)

    async with ingesting(shared_lab) as ingest:
        await prepared(ingest)
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
                await roll(ingest.spaces, ingest.space)
        assert await readable(ingest)
        await ingest.send({"type": "identify", "userId": "u0", "anonymousId": "new"})
        last = await roll(ingest.spaces, ingest.space)
        assert shared_lab.keyring().epochs(ingest.space.public_id) == [last]
        mine = ingest.space.tenant.id
        slots = shared_lab.query("SELECT DISTINCT epoch, touched FROM slot_key WHERE space_id = %s", mine)
        assert slots == [(last, False)]
        unsafe = "SELECT count(*) FROM erasure WHERE space_id = %s AND backup_safe_at IS NULL"
        assert shared_lab.query(unsafe, mine) == [(0,)]
        assert await readable(ingest)
        assert await discrepancies(ingest) == []


async def test_rolls_by_itself(lab: Lab) -> None:
    """A day after somebody was erased, and not before, and not when nobody was."""
    async with ingesting(lab) as ingest:
        await ingest.send({"type": "identify", "userId": "u1"})
        assert await roll_due(ingest.spaces, every=0) == 0
        await prepared(ingest)
        assert await roll_due(ingest.spaces) == 0
        assert await roll_due(ingest.spaces, every=0) == 1
        assert await roll_due(ingest.spaces, every=0) == 0
        assert lab.keyring().epochs(ingest.space.public_id) == [2]


async def test_unknown_people_need_no_roll(lab: Lab) -> None:
    """Where nothing was destroyed there is nothing to wait for."""
    async with ingesting(lab) as ingest:
        await request_erasure(
            ingest.space,
            NewRequest(
                front=RequestInterface.NATIVE,
                kind=RequestKind.SUPPRESS_WITH_DELETE,
                regulation=Law.NONE,
                identifiers=["user_id:x"],
                actor="test",
            ),
        )
        assert await roll_due(ingest.spaces, every=0) == 0


async def test_two_at_once(lab: Lab) -> None:
    """The second finds the first at it and does nothing."""
    async with ingesting(lab) as ingest:
        await prepared(ingest)
        async with epoch_key_roll.exclusive_roll(ingest.space.database, ingest.space.tenant.id) as mine:
            assert mine
            assert await roll(ingest.spaces, ingest.space) == 1
        assert await roll(ingest.spaces, ingest.space) == 2


async def test_other_processes_forget(lab: Lab) -> None:
    """What one process destroyed the others do not keep for long."""
    async with ingesting(lab) as ingest:
        await prepared(ingest)
        other = await lab.open()
        space = await other.get(ingest.space.tenant.id)
        await get_profile(space, "user_id:u1")
        assert other.keyring._cache.held() == {space.public_id: {1}}
        await roll(ingest.spaces, ingest.space)
        other.keyring.forget_destroyed()
        assert other.keyring._cache.held() == {}
        assert (await get_profile(space, "user_id:u1")).traits == {"n": 1}
        await other.database.close()


@pytest.mark.parametrize("harm", [b"", b"short", None])
async def test_a_dump_that_is_not_whole(lab: Lab, harm: bytes | None) -> None:
    """It is noticed before the old epoch key goes, and no overlay takes it."""
    async with ingesting(lab) as ingest:
        await prepared(ingest)
        assert (await overlay_keys(ingest.spaces, ingest.space)).keys == 0
        lab.query("UPDATE slot_key SET epoch = 7")
        with pytest.raises(Misconfigured, match="newest copy of the key store"):
            await overlay_keys(ingest.spaces, ingest.space)
        lab.query("UPDATE slot_key SET epoch = 1")
        await roll(ingest.spaces, ingest.space)
        (file,) = lab.key_store.glob("*/dump-2")
        whole = file.read_bytes()
        lab.query("UPDATE space_gate SET epoch = 1")
        for at in range(0, len(whole), 97) if harm is None else [0]:
            altered = bytearray(whole)
            altered[at] ^= 1
            file.write_bytes(bytes(altered) if harm is None else harm)
            with pytest.raises(SealBroken):
                await overlay_keys(ingest.spaces, ingest.space)
        file.write_bytes(whole)
        assert (await overlay_keys(ingest.spaces, ingest.space)).removed == ()
        assert await readable(ingest)


def test_keys_commands_roll_dump_and_overlay(folder: Path) -> None:
    """`onefold keys` rolls, dumps and finds nothing to lay over; an unknown space is an error of one line."""
    for words, says in (
        (["roll"], "epoch 2 is in force"),
        (["dump"], f"{PEOPLE} keys of epoch 2 are backed up and were opened for a test"),
        (["overlay"], "nothing to do"),
    ):
        status, out, error = onefold("keys", *words, "--data-dir", str(folder))
        assert (status, error) == (0, "")
        assert says in out
    status, _, error = onefold("keys", "roll", "spc_" + "0" * 32, "--data-dir", str(folder))
    assert status == 1
    assert error.startswith("onefold: There is no space spc_000")
    assert "The spaces are: spc_" in error
    assert sys.executable not in error
    assert roll_epoch_keys.KEY_BACKUP_DAYS == 7
