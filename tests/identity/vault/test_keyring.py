"""The keyring: making, rolling and destroying keys, whatever crashes."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from identity.errors import KeyUnavailable, Misconfigured, SealBroken
from identity.vault.keyring import Keyring
from identity.vault.keystore import KeyStore
from identity.vault.roots import Root

OTHER = b"o" * 16
LONG_LIVED = ["document-1", "index-1", "suppression-1"]


class KilledError(BaseException):
    """Stands for a kill -9: no code of ours handles it."""


class Killer:
    """Kills at the n-th call that changes the file system; counts them until then."""

    CALLS = ("fsync", "rename", "unlink", "mkdir", "rmdir")

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self._left = 0

    def run(self, act: Callable[[], object], survive: int) -> bool:
        """Run something that dies after `survive` changes; tell whether it was done before."""
        self._left = survive
        with self._patch.context() as patch:
            for name in self.CALLS:
                patch.setattr(os, name, self._counted(getattr(os, name)))
            try:
                act()
            except KilledError:
                return False
        return True

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            if self._left == 0:
                raise KilledError
            self._left -= 1
            return call(*args, **kwargs)

        return counted


def restarted(directory: Path, root: Root) -> Keyring:
    """A keyring as the next process has it."""
    return Keyring(root, KeyStore.open(directory, root))


def names(directory: Path, space: bytes) -> list[str]:
    """The files of a space."""
    return sorted(path.name for path in (directory / space.hex()).iterdir())


def test_created_space_has_its_four_keys(keyring: Keyring, directory: Path, space_id: bytes) -> None:
    """A new space has epoch 1 and the long-lived keys, 60 bytes each."""
    assert names(directory, space_id) == ["document-1", "epoch-1", "index-1", "suppression-1"]
    assert {path.stat().st_size for path in (directory / space_id.hex()).iterdir()} == {60}
    assert keyring.epochs(space_id) == [1]


def test_ids_of_store_and_root_are_shown(keyring: Keyring, store: KeyStore, root: Root) -> None:
    """The keyring names its store and root, for the database to remember."""
    assert (keyring.store_id, keyring.root_id) == (store.store_id, root.id)


def test_root_and_store_belong_together(store: KeyStore, other_root: Root) -> None:
    """A keyring of a root and another root's store is refused."""
    with pytest.raises(Misconfigured):
        Keyring(other_root, store)


def test_space_is_the_same_after_a_restart(
    keyring: Keyring, directory: Path, root: Root, space_id: bytes
) -> None:
    """Indexes and slots made before a restart are found and open after it."""
    before = keyring.space(space_id)
    wrapped = before.mint_slot(3, 1)
    under = before.slot(3, 1, wrapped).mint(OTHER)[1]
    after = restarted(directory, root).space(space_id)
    assert after.identifier("email", "a") == before.identifier("email", "a")
    assert after.slot(3, 1, wrapped).unwrap(OTHER, under).key_id == OTHER


def test_space_is_cached_until_forgotten(keyring: Keyring, space_id: bytes) -> None:
    """The keys of a space are read once, and again after `forget`."""
    first = keyring.space(space_id)
    assert keyring.space(space_id) is first
    keyring.forget(space_id)
    assert keyring.space(space_id) is not first


def test_creating_again_changes_nothing(
    keyring: Keyring, directory: Path, root: Root, space_id: bytes
) -> None:
    """Creating a space that is there keeps its keys."""
    index = keyring.space(space_id).identifier("email", "a")
    keyring.create_space(space_id)
    assert restarted(directory, root).space(space_id).identifier("email", "a") == index


@pytest.mark.parametrize("missing", ["document-1", "index-1", "suppression-1"])
def test_space_with_a_missing_key_is_not_completed(
    keyring: Keyring, directory: Path, root: Root, space_id: bytes, missing: str
) -> None:
    """A space that lost a key is unavailable, and creating it again does not paper over the loss."""
    assert keyring.epochs(space_id) == [1]
    (directory / space_id.hex() / missing).unlink()
    after = restarted(directory, root)
    for act in (after.space, after.create_space):
        with pytest.raises(KeyUnavailable):
            act(space_id)
    assert missing not in names(directory, space_id)


@pytest.mark.parametrize("damage", [b"", b"x" * 59, b"x" * 60, b"x" * 61])
@pytest.mark.parametrize("name", [*LONG_LIVED, "epoch-1"])
def test_damaged_key_is_unavailable(
    keyring: Keyring, directory: Path, space_id: bytes, name: str, damage: bytes
) -> None:
    """A key file cut short or altered raises KeyUnavailable, not a seal error."""
    (directory / space_id.hex() / name).write_bytes(damage)
    with pytest.raises(KeyUnavailable) as caught:
        keyring.space(space_id).mint_slot(1, 1)
    assert type(caught.value) is KeyUnavailable


def test_key_files_cannot_be_swapped(keyring: Keyring, directory: Path, space_id: bytes) -> None:
    """A wrapped key does not open under another name or in another space."""
    keyring.create_space(OTHER)
    mine, other = directory / space_id.hex(), directory / OTHER.hex()
    original = (mine / "index-1").read_bytes()
    for wrong in ((mine / "document-1").read_bytes(), (other / "index-1").read_bytes()):
        (mine / "index-1").write_bytes(wrong)
        with pytest.raises(KeyUnavailable):
            keyring.space(space_id)
    (mine / "index-1").write_bytes(original)
    assert keyring.space(space_id).id == space_id


def test_unknown_space_is_unavailable(keyring: Keyring) -> None:
    """A space without keys raises KeyUnavailable and gets none."""
    for act in (keyring.space, keyring.epochs):
        with pytest.raises(KeyUnavailable):
            act(OTHER)
    with pytest.raises(KeyUnavailable):
        keyring.mint_epoch(OTHER, 2)
    with pytest.raises(KeyUnavailable):
        keyring.space(OTHER)


def test_roll_carries_survivors_and_ends_the_rest(
    keyring: Keyring, directory: Path, root: Root, space_id: bytes
) -> None:
    """After a roll the survivor opens under the new epoch; old wrappings open nowhere."""
    keys = keyring.space(space_id)
    old = keys.mint_slot(3, 1)
    survivor, erased = keys.slot(3, 1, old).mint(b"s" * 16), keys.slot(3, 1, old).mint(b"e" * 16)
    keyring.mint_epoch(space_id, 2)
    new = keys.mint_slot(3, 2)
    moved = keys.slot(3, 1, old).rewrap(b"s" * 16, survivor[1], keys.slot(3, 2, new))
    keyring.destroy_epoch(space_id, 1)
    for ring in (keyring, restarted(directory, root)):
        after = ring.space(space_id)
        assert after.slot(3, 2, new).unwrap(b"s" * 16, moved).key_id == b"s" * 16
        with pytest.raises(KeyUnavailable):
            after.slot(3, 1, old)
        with pytest.raises(SealBroken):
            after.slot(3, 2, new).unwrap(b"e" * 16, erased[1])


def test_minting_an_epoch_again_keeps_its_key(keyring: Keyring, space_id: bytes) -> None:
    """Two workers that roll at once end up with one key."""
    keyring.mint_epoch(space_id, 2)
    wrapped = keyring.space(space_id).mint_slot(1, 2)
    keyring.mint_epoch(space_id, 2)
    keyring.forget(space_id)
    assert keyring.space(space_id).slot(1, 2, wrapped).slot == 1


def test_minting_a_damaged_epoch_again_is_refused(keyring: Keyring, directory: Path, space_id: bytes) -> None:
    """An epoch whose file cannot be opened is neither used nor replaced."""
    (directory / space_id.hex() / "epoch-2").write_bytes(b"x" * 60)
    with pytest.raises(KeyUnavailable):
        keyring.mint_epoch(space_id, 2)
    assert (directory / space_id.hex() / "epoch-2").read_bytes() == b"x" * 60


@pytest.mark.parametrize("epoch", [0, -1])
def test_epochs_count_from_one(keyring: Keyring, space_id: bytes, epoch: int) -> None:
    """There is no epoch 0."""
    with pytest.raises(ValueError, match="from 1"):
        keyring.mint_epoch(space_id, epoch)


def test_epoch_that_another_process_made_is_found(
    keyring: Keyring, directory: Path, root: Root, space_id: bytes
) -> None:
    """An epoch unknown here is looked up in the store, also after it was missed once."""
    keys = keyring.space(space_id)
    with pytest.raises(KeyUnavailable):
        keys.mint_slot(1, 2)
    restarted(directory, root).mint_epoch(space_id, 2)
    assert len(keys.mint_slot(1, 2)) == 60


def test_destroyed_space_is_unavailable(keyring: Keyring, directory: Path, space_id: bytes) -> None:
    """After a space is destroyed nothing of it opens, also through an object kept from before."""
    keys = keyring.space(space_id)
    wrapped = keys.mint_slot(1, 1)
    for _ in range(2):
        keyring.destroy_space(space_id)
    with pytest.raises(KeyUnavailable):
        keys.slot(1, 1, wrapped)
    with pytest.raises(KeyUnavailable):
        keyring.space(space_id)
    assert [path.name for path in directory.iterdir()] == ["store"]


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


def test_space_killed_while_made_can_be_made(
    tmp_path: Path, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever making a space was killed, making it again gives a whole space and no leftovers."""
    stores = stores_killed_at_each_step(
        tmp_path, root, monkeypatch, lambda _ring: None, lambda ring: ring.create_space(OTHER)
    )
    for directory in stores:
        seen = Keyring(root, KeyStore.open(directory, root))
        seen.create_space(OTHER)
        assert len(seen.space(OTHER).mint_slot(1, 1)) == 60
        assert names(directory, OTHER) == ["document-1", "epoch-1", "index-1", "suppression-1"]
        assert sorted(path.name for path in directory.iterdir()) == [OTHER.hex(), "store"]
    assert len(stores) > 8


def test_epoch_killed_while_made_can_be_made(
    tmp_path: Path, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever making an epoch was killed, it is whole or absent, and making it again succeeds."""
    stores = stores_killed_at_each_step(
        tmp_path,
        root,
        monkeypatch,
        lambda ring: ring.create_space(OTHER),
        lambda ring: ring.mint_epoch(OTHER, 2),
    )
    for directory in stores:
        ring = restarted(directory, root)
        if ring.epochs(OTHER) == [1, 2]:
            assert len(ring.space(OTHER).mint_slot(1, 2)) == 60
        ring.mint_epoch(OTHER, 2)
        assert ring.epochs(OTHER) == [1, 2]
        assert {len(ring.space(OTHER).mint_slot(1, epoch)) for epoch in (1, 2)} == {60}
        assert names(directory, OTHER) == [*LONG_LIVED[:1], "epoch-1", "epoch-2", *LONG_LIVED[1:]]
    assert len(stores) > 3


def test_epoch_killed_while_destroyed_can_be_destroyed(
    tmp_path: Path, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever destroying an epoch was killed, destroying it again ends it and spares the others."""

    def prepare(ring: Keyring) -> None:
        ring.create_space(OTHER)
        ring.mint_epoch(OTHER, 2)

    stores = stores_killed_at_each_step(
        tmp_path, root, monkeypatch, prepare, lambda ring: ring.destroy_epoch(OTHER, 1)
    )
    for directory in stores:
        ring = restarted(directory, root)
        ring.destroy_epoch(OTHER, 1)
        assert ring.epochs(OTHER) == [2]
        assert len(ring.space(OTHER).mint_slot(1, 2)) == 60
        with pytest.raises(KeyUnavailable):
            ring.space(OTHER).mint_slot(1, 1)
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
            assert len(ring.space(OTHER).mint_slot(1, 1)) == 60
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
