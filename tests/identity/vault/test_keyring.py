"""The keyring: making, rolling and destroying keys, whatever crashes."""

from pathlib import Path

import pytest

from identity.values.errors import KeyUnavailable, Misconfigured, SealBroken
from identity.vault.epoch_key_store import KeyStore
from identity.vault.keyring import Keyring
from identity.vault.root_keys import Root

OTHER = b"o" * 16
LONG_LIVED = ["document-1", "index-1", "suppression-1"]


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


def test_space_is_the_same_after_a_restart(keyring: Keyring, directory: Path, root: Root, space_id: bytes) -> None:
    """Indexes and slots made before a restart are found and open after it."""
    before = keyring.space(space_id)
    wrapped = before.new_slot_key(3, 1)
    under = before.slot(3, 1, wrapped).new_subject_key(OTHER)[1]
    after = restarted(directory, root).space(space_id)
    assert after.identifier("email", "a") == before.identifier("email", "a")
    assert after.slot(3, 1, wrapped).unwrap(OTHER, under).key_id == OTHER


def test_space_is_cached_until_forgotten(keyring: Keyring, space_id: bytes) -> None:
    """The keys of a space are read once, and again after `forget`."""
    first = keyring.space(space_id)
    assert keyring.space(space_id) is first
    keyring.forget(space_id)
    assert keyring.space(space_id) is not first


def test_creating_again_changes_nothing(keyring: Keyring, directory: Path, root: Root, space_id: bytes) -> None:
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
        keyring.space(space_id).new_slot_key(1, 1)
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
        keyring.create_epoch_key(OTHER, 2)
    with pytest.raises(KeyUnavailable):
        keyring.space(OTHER)


def test_roll_carries_survivors_and_ends_the_rest(
    keyring: Keyring, directory: Path, root: Root, space_id: bytes
) -> None:
    """After a roll the survivor opens under the new epoch; old wrappings open nowhere."""
    keys = keyring.space(space_id)
    old = keys.new_slot_key(3, 1)
    survivor, erased = keys.slot(3, 1, old).new_subject_key(b"s" * 16), keys.slot(3, 1, old).new_subject_key(b"e" * 16)
    keyring.create_epoch_key(space_id, 2)
    new = keys.new_slot_key(3, 2)
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
    keyring.create_epoch_key(space_id, 2)
    wrapped = keyring.space(space_id).new_slot_key(1, 2)
    keyring.create_epoch_key(space_id, 2)
    keyring.forget(space_id)
    assert keyring.space(space_id).slot(1, 2, wrapped).slot == 1


def test_minting_a_damaged_epoch_again_is_refused(keyring: Keyring, directory: Path, space_id: bytes) -> None:
    """An epoch whose file cannot be opened is neither used nor replaced."""
    (directory / space_id.hex() / "epoch-2").write_bytes(b"x" * 60)
    with pytest.raises(KeyUnavailable):
        keyring.create_epoch_key(space_id, 2)
    assert (directory / space_id.hex() / "epoch-2").read_bytes() == b"x" * 60


@pytest.mark.parametrize("epoch", [0, -1])
def test_epochs_count_from_one(keyring: Keyring, space_id: bytes, epoch: int) -> None:
    """There is no epoch 0."""
    with pytest.raises(ValueError, match="from 1"):
        keyring.create_epoch_key(space_id, epoch)


def test_epoch_that_another_process_made_is_found(
    keyring: Keyring, directory: Path, root: Root, space_id: bytes
) -> None:
    """An epoch unknown here is looked up in the store, also after it was missed once."""
    keys = keyring.space(space_id)
    with pytest.raises(KeyUnavailable):
        keys.new_slot_key(1, 2)
    restarted(directory, root).create_epoch_key(space_id, 2)
    assert len(keys.new_slot_key(1, 2)) == 60


def test_destroyed_space_is_unavailable(keyring: Keyring, directory: Path, space_id: bytes) -> None:
    """After a space is destroyed nothing of it opens, also through an object kept from before."""
    keys = keyring.space(space_id)
    wrapped = keys.new_slot_key(1, 1)
    for _ in range(2):
        keyring.destroy_space(space_id)
    with pytest.raises(KeyUnavailable):
        keys.slot(1, 1, wrapped)
    with pytest.raises(KeyUnavailable):
        keyring.space(space_id)
    assert [path.name for path in directory.iterdir()] == ["store"]
