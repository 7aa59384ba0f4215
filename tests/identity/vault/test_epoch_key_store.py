"""The key store: whose it is, what it refuses, and what a crash leaves behind."""

import stat
from pathlib import Path

import pytest

from identity.values.errors import KeyUnavailable, Misconfigured
from identity.vault import epoch_key_store
from identity.vault.epoch_key_store import EPOCH, KeyStore
from identity.vault.root_keys import Root

SPACE, OTHER = b"S" * 16, b"T" * 16
KEYS = {"epoch-1": b"e" * 60, "index-1": b"i" * 60}


def files(directory: Path) -> list[str]:
    """Everything below a directory."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_created_store_opens_as_the_same_store(store: KeyStore, directory: Path, root: Root) -> None:
    """Opening gives the id that creating gave."""
    opened = KeyStore.open(directory, root)
    assert (opened.store_id, opened.root_id) == (store.store_id, root.id)


def test_each_store_has_its_own_id(tmp_path: Path, root: Root) -> None:
    """Two stores of one root have different ids."""
    assert KeyStore.create(tmp_path / "a", root).store_id != KeyStore.create(tmp_path / "b", root).store_id


def test_store_is_private(store: KeyStore, directory: Path) -> None:
    """Directories have mode 0700, files 0600."""
    store.create_space(SPACE, KEYS)
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in [directory, *directory.rglob("*")]}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_store_of_another_root_is_refused(store: KeyStore, directory: Path, other_root: Root) -> None:
    """A wrong root key is noticed at once, and nothing is written."""
    store.create_space(SPACE, KEYS)
    before = files(directory)
    with pytest.raises(Misconfigured) as caught:
        KeyStore.open(directory, other_root)
    assert str(caught.value) == epoch_key_store.OTHER_ROOT
    assert files(directory) == before


def test_missing_store_is_not_made_by_opening(tmp_path: Path, root: Root) -> None:
    """Opening says what to do and makes nothing, be the directory missing or empty."""
    (tmp_path / "empty").mkdir(0o700)
    for name in ("empty", "none"):
        with pytest.raises(Misconfigured) as caught:
            KeyStore.open(tmp_path / name, root)
        assert str(caught.value) == epoch_key_store.MISSING
    assert files(tmp_path) == ["empty"]


def test_store_is_never_made_over_something(store: KeyStore, directory: Path, root: Root) -> None:
    """Creating in a directory that holds anything is refused and leaves it alone."""
    with pytest.raises(Misconfigured) as caught:
        KeyStore.create(directory, root)
    assert str(caught.value) == epoch_key_store.EXISTS
    assert KeyStore.open(directory, root).store_id == store.store_id


def test_store_is_made_in_an_empty_directory(tmp_path: Path, root: Root) -> None:
    """An empty directory, such as a fresh volume, is taken and made private."""
    (tmp_path / "volume").mkdir(0o755)
    made = KeyStore.create(tmp_path / "volume", root)
    assert KeyStore.open(tmp_path / "volume", root).store_id == made.store_id


def test_store_whose_making_crashed_is_made_again(tmp_path: Path, root: Root) -> None:
    """What an interrupted creation left does not pass as a store and is in nobody's way."""
    (tmp_path / "keys").mkdir(0o700)
    (tmp_path / "keys" / ".new-store").write_bytes(b'{"store')
    with pytest.raises(Misconfigured):
        KeyStore.open(tmp_path / "keys", root)
    KeyStore.create(tmp_path / "keys", root)
    assert files(tmp_path / "keys") == ["store"]


def test_store_that_others_can_enter_is_refused(store: KeyStore, directory: Path, root: Root) -> None:
    """The directory is for its owner only."""
    assert store.root_id == root.id
    directory.chmod(0o750)
    with pytest.raises(Misconfigured) as caught:
        KeyStore.open(directory, root)
    assert str(caught.value) == epoch_key_store.OPEN_TO_OTHERS


@pytest.mark.parametrize(
    "label",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"store_id": "x", "root": "y"}',
        b'{"store_id": "6f1c2f52-0d1c-4b57-8a51-111111111111", "root": "y", "format": 2}',
    ],
)
def test_damaged_store_is_refused(store: KeyStore, directory: Path, root: Root, label: bytes) -> None:
    """A label that cannot be read, or of a later format, is not guessed at."""
    assert store.root_id == root.id
    (directory / "store").write_bytes(label)
    with pytest.raises(Misconfigured) as caught:
        KeyStore.open(directory, root)
    assert str(caught.value) == epoch_key_store.DAMAGED


def test_unreadable_store_is_refused(tmp_path: Path, root: Root) -> None:
    """What is no directory is reported as a matter of configuration."""
    (tmp_path / "keys").write_bytes(b"")
    for make in (KeyStore.create, KeyStore.open):
        with pytest.raises(Misconfigured) as caught:
            make(tmp_path / "keys", root)
        assert str(caught.value) == epoch_key_store.UNREADABLE


def test_keys_of_a_space_come_back(store: KeyStore) -> None:
    """Each name leads to the bytes stored under it."""
    assert store.create_space(SPACE, KEYS)
    assert {name: store.read(SPACE, name) for name in KEYS} == KEYS
    assert store.numbers(SPACE, EPOCH) == [1]


def test_keys_of_a_space_are_never_overwritten(store: KeyStore) -> None:
    """A space that is there stays as it is."""
    store.create_space(SPACE, KEYS)
    assert not store.create_space(SPACE, {"epoch-1": b"x" * 60})
    assert {name: store.read(SPACE, name) for name in KEYS} == KEYS


def test_epochs_are_ordered_by_number(store: KeyStore) -> None:
    """Epoch 10 comes after epoch 9, and what is no epoch is not listed."""
    store.create_space(SPACE, KEYS)
    for epoch in range(2, 12):
        assert store.add(SPACE, EPOCH, epoch, b"%060d" % epoch)
    assert store.numbers(SPACE, EPOCH) == list(range(1, 12))
    assert store.read(SPACE, "epoch-10") == b"%060d" % 10


def test_epoch_is_never_overwritten(store: KeyStore) -> None:
    """An epoch that is there keeps its key."""
    store.create_space(SPACE, KEYS)
    assert not store.add(SPACE, EPOCH, 1, b"x" * 60)
    assert store.read(SPACE, "epoch-1") == KEYS["epoch-1"]


def test_destroyed_epoch_is_not_made_again(store: KeyStore) -> None:
    """An epoch older than the newest is gone for good."""
    store.create_space(SPACE, KEYS)
    store.add(SPACE, EPOCH, 2, b"2" * 60)
    store.destroy(SPACE, EPOCH, 1)
    with pytest.raises(KeyUnavailable) as caught:
        store.add(SPACE, EPOCH, 1, b"x" * 60)
    assert str(caught.value) == epoch_key_store.DESTROYED
    assert store.numbers(SPACE, EPOCH) == [2]


def test_destroyed_epoch_leaves_no_file(store: KeyStore, directory: Path) -> None:
    """Destroying removes the file and what a crash left of its making; again is no error."""
    store.create_space(SPACE, KEYS)
    (directory / SPACE.hex() / ".new-epoch-1").write_bytes(b"e" * 60)
    for _ in range(2):
        store.destroy(SPACE, EPOCH, 1)
    assert files(directory / SPACE.hex()) == ["index-1"]


def test_destroyed_space_leaves_no_file(store: KeyStore, directory: Path) -> None:
    """Destroying a space removes it and no other; again is no error."""
    store.create_space(SPACE, KEYS)
    store.create_space(OTHER, KEYS)
    for _ in range(2):
        store.destroy_space(SPACE)
    assert sorted(path.name for path in directory.iterdir()) == [OTHER.hex(), "store"]


def test_destroying_again_finishes_what_was_interrupted(store: KeyStore, directory: Path) -> None:
    """A space half destroyed is ended by destroying it again, without a restart."""
    (directory / f".gone-{SPACE.hex()}").mkdir(0o700)
    (directory / f".gone-{SPACE.hex()}" / "epoch-1").write_bytes(b"e" * 60)
    store.destroy_space(SPACE)
    assert files(directory) == ["store"]


def test_opening_finishes_what_a_crash_interrupted(store: KeyStore, directory: Path, root: Root) -> None:
    """A space half made or half destroyed at a crash is gone after the next start."""
    store.create_space(OTHER, KEYS)
    for name in (".new-", ".gone-"):
        (directory / f"{name}{SPACE.hex()}").mkdir(0o700)
        (directory / f"{name}{SPACE.hex()}" / "epoch-1").write_bytes(b"e" * 60)
    (directory / ".new-store").write_bytes(b"{")
    KeyStore.open(directory, root)
    assert sorted(path.name for path in directory.iterdir()) == [OTHER.hex(), "store"]


def test_store_that_went_away_is_not_taken_for_destroyed(store: KeyStore, directory: Path, tmp_path: Path) -> None:
    """With the volume gone, or another in its place, nothing is made, and nothing counts as destroyed."""
    store.create_space(SPACE, KEYS)
    directory.rename(tmp_path / "unmounted")
    acts = (
        lambda: store.create_space(OTHER, KEYS),
        lambda: store.add(SPACE, EPOCH, 2, b"2" * 60),
        lambda: store.destroy(SPACE, EPOCH, 1),
        lambda: store.destroy_space(SPACE),
        lambda: store.read(SPACE, "epoch-1"),
        lambda: store.numbers(SPACE, EPOCH),
    )
    for replacement in ("missing", "empty", "damaged"):
        if replacement == "empty":
            directory.mkdir(0o700)
        if replacement == "damaged":
            (directory / "store").write_bytes(b"{}")
        for act in acts:
            with pytest.raises(KeyUnavailable):
                act()
    assert files(directory) == ["store"]


def test_another_store_in_its_place_is_not_written_to(
    store: KeyStore, directory: Path, tmp_path: Path, root: Root
) -> None:
    """A store of another id under the same path is left alone."""
    store.create_space(SPACE, KEYS)
    directory.rename(tmp_path / "first")
    KeyStore.create(directory, root).create_space(SPACE, KEYS)
    with pytest.raises(KeyUnavailable):
        store.destroy_space(SPACE)
    assert files(directory) == files(tmp_path / "first")


@pytest.mark.parametrize("space", [b"", b"S" * 15, b"S" * 17])
def test_space_id_of_another_length_is_refused(store: KeyStore, space: bytes) -> None:
    """A path is only ever made from 16 bytes."""
    with pytest.raises(ValueError, match="16 bytes"):
        store.read(space, "epoch-1")
