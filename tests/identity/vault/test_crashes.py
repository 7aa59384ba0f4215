"""Killed at any step, the key store holds each key whole or not at all."""

from collections.abc import Callable
from pathlib import Path

import pytest

from identity.values.errors import KeyUnavailable
from identity.vault.epoch_key_store import KeyStore
from identity.vault.keyring import Keyring
from identity.vault.root_keys import Root
from tests.support.processes.killed_process import Killer

OTHER = b"o" * 16
LONG_LIVED = ["document-1", "index-1", "suppression-1"]


def restarted(directory: Path, root: Root) -> Keyring:
    """A keyring as the next process has it."""
    return Keyring(root, KeyStore.open(directory, root))


def names(directory: Path, space: bytes) -> list[str]:
    """The files of a space."""
    return sorted(path.name for path in (directory / space.hex()).iterdir())


def stores_killed_at_each_step(
    tmp_path: Path,
    root: Root,
    patch: pytest.MonkeyPatch,
    prepare: Callable[[Keyring], None],
    act: Callable[[Keyring], None],
) -> list[Path]:
    """One store for each step of `act`, killed there; the last one was not killed."""
    killer, stores, done = Killer(patch), list[Path](), False
    while not done:
        stores.append(tmp_path / str(len(stores)))
        ring = Keyring(root, KeyStore.create(stores[-1], root))
        prepare(ring)
        done = killer.run(lambda ring=ring: act(ring), len(stores) - 1)  # type: ignore[misc]
    return stores


def test_space_killed_while_made_can_be_made(tmp_path: Path, root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever making a space was killed, making it again gives a whole space and no leftovers."""
    stores = stores_killed_at_each_step(
        tmp_path, root, monkeypatch, lambda _ring: None, lambda ring: ring.create_space(OTHER)
    )
    for directory in stores:
        seen = Keyring(root, KeyStore.open(directory, root))
        seen.create_space(OTHER)
        assert len(seen.space(OTHER).new_slot_key(1, 1)) == 60
        assert names(directory, OTHER) == ["document-1", "epoch-1", "index-1", "suppression-1"]
        assert sorted(path.name for path in directory.iterdir()) == [OTHER.hex(), "store"]
    assert len(stores) > 8


def test_epoch_killed_while_made_can_be_made(tmp_path: Path, root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever making an epoch was killed, it is whole or absent, and making it again succeeds."""
    stores = stores_killed_at_each_step(
        tmp_path,
        root,
        monkeypatch,
        lambda ring: ring.create_space(OTHER),
        lambda ring: ring.create_epoch_key(OTHER, 2),
    )
    for directory in stores:
        ring = restarted(directory, root)
        if ring.epochs(OTHER) == [1, 2]:
            assert len(ring.space(OTHER).new_slot_key(1, 2)) == 60
        ring.create_epoch_key(OTHER, 2)
        assert ring.epochs(OTHER) == [1, 2]
        assert {len(ring.space(OTHER).new_slot_key(1, epoch)) for epoch in (1, 2)} == {60}
        assert names(directory, OTHER) == [*LONG_LIVED[:1], "epoch-1", "epoch-2", *LONG_LIVED[1:]]
    assert len(stores) > 3


def test_epoch_killed_while_destroyed_can_be_destroyed(
    tmp_path: Path, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever destroying an epoch was killed, destroying it again ends it and spares the others."""

    def prepare(ring: Keyring) -> None:
        ring.create_space(OTHER)
        ring.create_epoch_key(OTHER, 2)

    stores = stores_killed_at_each_step(tmp_path, root, monkeypatch, prepare, lambda ring: ring.destroy_epoch(OTHER, 1))
    for directory in stores:
        ring = restarted(directory, root)
        ring.destroy_epoch(OTHER, 1)
        assert ring.epochs(OTHER) == [2]
        assert len(ring.space(OTHER).new_slot_key(1, 2)) == 60
        with pytest.raises(KeyUnavailable):
            ring.space(OTHER).new_slot_key(1, 1)
    assert len(stores) > 2


def test_space_killed_while_destroyed_is_gone_or_whole(
    tmp_path: Path, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever destroying a space was killed, it is whole or gone, and again ends it."""
    stores = stores_killed_at_each_step(
        tmp_path,
        root,
        monkeypatch,
        lambda ring: ring.create_space(OTHER),
        lambda ring: ring.destroy_space(OTHER),
    )
    for directory in stores:
        ring = restarted(directory, root)
        left = [path.name for path in directory.iterdir() if path.name != "store"]
        if left:
            assert left == [OTHER.hex()]
            assert len(ring.space(OTHER).new_slot_key(1, 1)) == 60
        ring.destroy_space(OTHER)
        assert [path.name for path in directory.iterdir()] == ["store"]
    assert len(stores) > 8


def test_half_written_space_does_not_pass_as_one(keyring: Keyring, directory: Path, root: Root) -> None:
    """Files cut short by a crash in the middle of a write are never read as keys."""
    half = directory / f".new-{OTHER.hex()}"
    half.mkdir(0o700)
    (half / "epoch-1").write_bytes(b"x" * 60)
    (half / "index-1").write_bytes(b"x" * 7)
    with pytest.raises(KeyUnavailable):
        keyring.space(OTHER)
    keyring.create_space(OTHER)
    assert restarted(directory, root).space(OTHER).id == OTHER
    assert not half.exists()
