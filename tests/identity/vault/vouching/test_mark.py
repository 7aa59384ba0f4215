"""The mark that the rows of a database have their MACs: set once, in the key store."""

from pathlib import Path

import pytest

from identity.values.errors import KeyUnavailable
from identity.vault.epoch_key_store import KeyStore
from identity.vault.vouching import mark


def test_the_mark_is_set_once(store: KeyStore, directory: Path) -> None:
    """Again is no error, and the mark outlives the process."""
    assert not mark.is_set(store.root_directory)
    for _ in range(2):
        mark.set_mark(directory)
        assert mark.is_set(directory)


def test_a_key_store_that_is_not_there_has_no_answer(tmp_path: Path) -> None:
    """An unmounted volume leaves an empty directory: rows would look older than the mark."""
    for directory in (tmp_path, tmp_path / "none"):
        with pytest.raises(KeyUnavailable):
            mark.is_set(directory)
        with pytest.raises(KeyUnavailable):
            mark.set_mark(directory)
