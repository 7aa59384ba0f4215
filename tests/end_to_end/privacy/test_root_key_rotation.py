"""Rotating the root key: at any step one root opens everything, and at the end the old root opens nothing."""

import base64
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from identity.operations.keys.roll_epoch_keys import roll
from identity.operations.keys.rotate_root_key import RootRotation, rotate_root_key
from identity.operations.profiles.read_profile import get_profile
from identity.operations.spaces.open_spaces import open_spaces
from identity.store.keys import key_store
from identity.values.errors import KeyUnavailable, Misconfigured
from identity.values.ids import SpaceNumber
from identity.vault import root_rotation
from identity.vault.epoch_key_store import KeyStore
from identity.vault.keyring import Keyring
from identity.vault.root_keys import env_root, file_root
from tests.conftest import ONEFOLD, Running, launch
from tests.support.keys.rolled_space import PEOPLE, prepared, readable
from tests.support.processes.command_line import onefold
from tests.support.processes.killed_process import KilledError, Killer
from tests.support.processes.writer_processes import Lab, ingesting, run

STRIDE = 9
KEYS = 5
"""Wrapped keys of one space: epoch, index, suppression, document; and the one that signs."""


@pytest.fixture
def lab(database: str, tmp_path: Path) -> Lab:
    """A database with a space of a few people, one erased, its root in a file."""
    made = Lab(database, tmp_path)

    async def main() -> None:
        async with ingesting(made) as ingest:
            await prepared(ingest)

    run(main())
    return made


def rotate(lab: Lab, old: str | None = None, new: str | None = None) -> RootRotation:
    """One rotation."""
    done: RootRotation = run(
        rotate_root_key(lab.url, root_file=lab.root_file, root_value=old, new_value=new, key_store=lab.key_store)
    )
    return done


def read_all(lab: Lab, value: str | None = None) -> list[int]:
    """A start, as a server has it; the value that is wanted of everybody. Misconfigured where it is refused."""

    async def main() -> list[int]:
        spaces = await open_spaces(lab.url, root_file=lab.root_file, root_value=value, key_store=lab.key_store)
        try:
            space = await spaces.get(SpaceNumber(1))
            spaces.keyring.signer.sign(b"x")
            return [(await get_profile(space, f"user_id:u{number}")).traits["n"] for number in range(PEOPLE)]
        finally:
            spaces.keyring.close()
            await spaces.database.close()

    found: list[int] = run(main())
    return found


def names(lab: Lab) -> set[str]:
    """The names of all files of wrapped keys, without the marks of their roots."""
    keys = [*lab.key_store.glob("*/*-[0-9]*"), *lab.key_store.glob("signing-*")]
    assert len(keys) == len({path.name.partition("~")[0] for path in keys})
    return {path.name.partition("~")[0] for path in keys}


async def call_and_roll(lab: Lab) -> None:
    """Calls come in again, and keys are rolled."""
    async with ingesting(lab) as ingest:
        await prepared(ingest)
        assert await roll(ingest.spaces, ingest.space) == 2
        assert await readable(ingest)
        assert lab.keyring().epochs(ingest.space.public_id) == [2]


def test_a_root_key_rotation_keeps_everybody_readable(lab: Lab) -> None:
    """Twice: everybody is read under the new root, calls come in and keys are rolled; the old root opens nothing."""
    before = names(lab)
    for _ in range(2):
        old = file_root(lab.root_file, create=False)
        kept = lab.root_file.read_text()
        done = rotate(lab)
        assert (done.keys, done.root_id) == (KEYS, file_root(lab.root_file, create=False).id)
        assert done.root_id != old.id
        assert read_all(lab) == list(range(PEOPLE))
        assert names(lab) == before
        assert [path for path in lab.root_file.parent.iterdir() if "root" in path.name] == [lab.root_file]
        with pytest.raises(Misconfigured):
            read_all(lab, kept)
    run(call_and_roll(lab))


def test_dies_on_its_way(lab: Lab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Killed here and there, the next start reads everybody, and the next rotation ends it."""
    kept = tmp_path / "kept"
    shutil.copytree(lab.key_store, kept)
    root = lab.root_file.read_bytes()
    first = file_root(lab.root_file, create=False)
    monkeypatch.setattr(Killer, "CALLS", (*Killer.CALLS, "replace", "link"))
    killer, step, done = Killer(monkeypatch), 0, False
    seen = set()
    while not done:
        shutil.rmtree(lab.key_store)
        shutil.copytree(kept, lab.key_store)
        for path in lab.root_file.parent.glob("*root.key*"):
            path.unlink()
        lab.root_file.write_bytes(root)
        lab.root_file.chmod(0o600)
        lab.query("UPDATE key_store SET root_id = %s", first.id)
        done = killer.run(lambda: rotate(lab), step)
        assert read_all(lab) == list(range(PEOPLE))
        seen.add(file_root(lab.root_file, create=False).id == first.id)
        rotate(lab)
        root_id = file_root(lab.root_file, create=False).id
        assert root_id != first.id
        assert lab.query("SELECT root_id FROM key_store") == [(root_id,)]
        assert {path.name.partition("~")[2] for path in lab.key_store.glob("*/epoch-*")} == {root_id}
        step += STRIDE
    assert read_all(lab) == list(range(PEOPLE))
    assert seen == {True, False}


@pytest.mark.parametrize("name", ["rename_root", "read"])
@pytest.mark.parametrize("after", [False, True])
def test_the_database_dies(lab: Lab, monkeypatch: pytest.MonkeyPatch, name: str, after: bool) -> None:  # noqa: FBT001
    """Where its commit is lost the next start names the root again, and serves."""
    real = getattr(key_store, name)

    async def die(*given: Any) -> Any:
        if after:
            await real(*given)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(key_store, name, die)
        with pytest.raises(KilledError):
            rotate(lab)
    assert read_all(lab) == list(range(PEOPLE))
    root_id = file_root(lab.root_file, create=False).id
    assert lab.query("SELECT root_id FROM key_store") == [(root_id,)]


def test_a_root_key_in_the_environment_rotates_to_another(lab: Lab) -> None:
    """A root in the environment gives way to another there; each mistake is refused, and changes nothing."""
    new = base64.b64encode(os.urandom(32)).decode()
    old = lab.root_file.read_text().strip()
    with pytest.raises(Misconfigured, match="ONEFOLD_NEW_ROOT_KEY"):
        rotate(lab, old)
    with pytest.raises(Misconfigured, match="Unset"):
        rotate(lab, None, new)
    with pytest.raises(Misconfigured, match="in force"):
        rotate(lab, old, old)
    with pytest.raises(Misconfigured, match="not the one"):
        rotate(lab, new, base64.b64encode(os.urandom(32)).decode())
    assert read_all(lab, old) == list(range(PEOPLE))
    assert rotate(lab, old, new) == (KEYS, env_root(new).id)
    assert rotate(lab, old, new) == (0, env_root(new).id)
    assert read_all(lab, new) == list(range(PEOPLE))
    with pytest.raises(Misconfigured):
        read_all(lab, old)


def test_destroyed_stays_destroyed(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a roll destroys after a rotation died is nowhere under the new root either."""

    def die(*_: Any) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(root_rotation, "_name", die)
        with pytest.raises(KilledError):
            rotate(lab)
    before = list(lab.key_store.glob("*/epoch-1*"))
    assert len(before) == 2

    async def main() -> None:
        async with ingesting(lab) as ingest:
            await roll(ingest.spaces, await ingest.spaces.get(SpaceNumber(1)))

    run(main())
    assert [path for path in before if path.exists()] == []
    rotate(lab)
    assert read_all(lab) == list(range(PEOPLE))


def test_not_while_it_is_in_use(lab: Lab) -> None:
    """Who has the key store open keeps its root; a process that has the old root all the same makes no keys."""

    async def main() -> None:
        spaces = await lab.open()
        with pytest.raises(Misconfigured, match="in use"):
            await rotate_root_key(
                lab.url, root_file=lab.root_file, root_value=None, new_value=None, key_store=lab.key_store
            )
        assert not root_rotation.next_file(lab.root_file).exists()
        spaces.keyring.close()
        await spaces.database.close()

    run(main())
    with root_rotation.exclusive_store(lab.key_store), pytest.raises(Misconfigured, match="being rotated"):
        read_all(lab)


def test_the_rotate_root_command_refuses_while_a_server_runs(folder: Path, processes: list[Running]) -> None:
    """`onefold keys rotate-root` says what it did, refuses while a server runs, and is no one's way to a secret."""
    command = ("keys", "rotate-root", "--data-dir", str(folder))
    before = (folder / "root-key").read_text()
    status, out, error = onefold(*command)
    assert (status, error) == (0, "")
    assert f"{KEYS} keys are wrapped with it" in out
    assert (folder / "root-key").read_text() != before
    running = launch([*ONEFOLD, "serve"], folder, {})
    processes.append(running)
    status, out, error = onefold(*command)
    assert (status, out) == (1, "")
    assert error.startswith("onefold: The key store is in use.")
    assert running.stop() == 0


def test_a_process_with_the_old_root(lab: Lab) -> None:
    """Where nobody could be asked whether the store is in use, one with the old root makes and destroys nothing."""
    root = file_root(lab.root_file, create=False)
    store = KeyStore.open(lab.key_store, root)
    store.close()
    ring = Keyring(root, store)
    rotate(lab)
    with pytest.raises(KeyUnavailable):
        ring.create_space(b"o" * 16)
    with pytest.raises(KeyUnavailable):
        ring.destroy_space(b"o" * 16)
    with pytest.raises(KeyUnavailable):
        ring.check()
