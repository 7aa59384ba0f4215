"""A copy of a key store opens like the store, and holds at least what the heads of its journals name."""

from pathlib import Path

import pytest

from identity.values.errors import KeyUnavailable
from identity.values.stamps import Micros
from identity.vault import durable_files
from identity.vault.epoch_key_store import KeyStore
from identity.vault.journal import Journal, JournalLine
from identity.vault.key_store_copy import copy_key_store, has_key_store, journal_lengths
from identity.vault.keyring import Keyring
from identity.vault.root_keys import Root


def test_a_copy_opens_with_the_same_root(
    keyring: Keyring, directory: Path, tmp_path: Path, root: Root, space_id: bytes
) -> None:
    """With every key, in a folder that nobody else reads."""
    copy = tmp_path / "copy"
    count = copy_key_store(directory, copy)

    assert has_key_store(copy)
    assert not has_key_store(tmp_path)
    assert oct(copy.stat().st_mode & 0o777) == "0o700"
    assert count == sum(path.is_file() and path.suffix != ".lock" for path in copy.rglob("*"))
    copied = Keyring(root, KeyStore.open(copy, root)).space(space_id)
    assert copied.identifier("user_id", "u1") == keyring.space(space_id).identifier("user_id", "u1")


def test_a_copy_that_was_interrupted_is_no_key_store_and_is_replaced(
    keyring: Keyring, directory: Path, tmp_path: Path, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder has its name only once every file is on disk."""
    copy, rename = tmp_path / "copy", Path.rename
    monkeypatch.setattr(Path, "rename", lambda *_: (tmp_path / "power cut").stat())
    with pytest.raises(FileNotFoundError):
        copy_key_store(directory, copy)
    assert not copy.exists()
    assert (tmp_path / f"{durable_files.UNFINISHED}copy").exists()

    monkeypatch.setattr(Path, "rename", rename)
    copy_key_store(directory, copy)
    KeyStore.open(copy, root).close()
    with pytest.raises(KeyUnavailable):
        keyring.space(b"x" * 16)


def test_the_length_of_each_journal_is_read_from_its_head(
    keyring: Keyring, directory: Path, tmp_path: Path, space_id: bytes
) -> None:
    """A space without a journal has none."""
    assert journal_lengths(directory) == {}
    journal: Journal = keyring.journal(space_id)
    journal.append(0, [JournalLine(1, Micros(1), b"{}", b"h" * 32), JournalLine(2, Micros(2), b"{}", b"i" * 32)])
    copy_key_store(directory, tmp_path / "copy")

    assert journal_lengths(directory) == journal_lengths(tmp_path / "copy") == {space_id.hex(): 2}
