"""Rotating the root of a key store, killed at every change to the file system."""

from pathlib import Path

import pytest

from identity.values.errors import Misconfigured
from identity.vault import root_rotation
from identity.vault.epoch_key_store import KeyStore
from identity.vault.journal import HEAD, JOURNAL, VOUCHED
from identity.vault.keyring import Keyring
from identity.vault.root_keys import Root, file_root
from tests.support.processes.killed_process import Killer

SPACES = (b"a" * 16, b"b" * 16)


def rotate(directory: Path, path: Path) -> None:
    """As the command does it, but for the database."""
    ready = root_rotation.next_file(path)
    with root_rotation.exclusive_store(directory) as label:
        old = file_root(path, create=False)
        new = file_root(ready, create=not ready.exists())
        root_rotation.rewrap(directory, label, old, new)
    with root_rotation.exclusive_store(directory) as label:
        root_rotation.adopt_next_file(path, label.root)
        root_rotation.clear(directory, label)


def opened(directory: Path, path: Path) -> tuple[Root, list[bytes]]:
    """A start: the root in force and what the keys of all spaces make of the same."""
    root_rotation.finish_rotation(path, directory)
    root = file_root(path, create=False)
    ring = Keyring(root, KeyStore.open(directory, root))
    found: list[bytes] = [ring.space(space).identifier("email", "ann@example.org") for space in SPACES]
    assert [len(ring.space(space).new_slot_key(1, epoch)) for space in SPACES for epoch in ring.epochs(space)] == [
        60
    ] * 3
    found += [ring.signer.kid.encode()]
    ring.close()
    return root, found


def test_killed_at_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next start opens every key, the same ones, under the old root or the new; nothing is left of the other."""
    monkeypatch.setattr(Killer, "CALLS", (*Killer.CALLS, "replace", "link"))
    killer, step, done = Killer(monkeypatch), 0, False
    turned = []
    while not done:
        directory, path = tmp_path / f"keys-{step}", tmp_path / f"root-{step}"
        first = file_root(path, create=True)
        ring = Keyring(first, KeyStore.create(directory, first))
        for space in SPACES:
            ring.create_space(space)
        ring.create_epoch_key(SPACES[0], 2)
        before: list[bytes] = [ring.space(space).identifier("email", "ann@example.org") for space in SPACES]
        before += [ring.signer.kid.encode()]
        ring.close()
        for name in (JOURNAL, HEAD, VOUCHED):
            # What is no key stays as it is.
            (directory / SPACES[0].hex() / name).write_bytes(b"0")
        done = killer.run(lambda: rotate(directory, path), step)  # noqa: B023 (called at once)
        root, found = opened(directory, path)
        assert found == before
        turned.append(root.id != first.id)
        if turned[-1]:
            marks = {each.name.partition("~")[2] for each in directory.glob("*/*-[0-9]*")}
            assert marks == {root.id}
            with pytest.raises(Misconfigured):
                KeyStore.open(directory, first)
        step += 1
    assert turned == sorted(turned)
    assert True in turned
    assert len(turned) > 30
