"""The mark of a key store whose database has a MAC on every API key.

Invariant: the mark is set once and never removed. Before it, the first start of this version takes the API keys as it
finds them; after it, a row without a MAC is foreign. A database writer cannot remove the mark, as it is not in the
database.
"""

from pathlib import Path
from typing import Final

from identity.values.errors import KeyUnavailable
from identity.vault import durable_files
from identity.vault.epoch_key_store import LABEL

_MARK: Final = "vouched"


def is_set(directory: Path) -> bool:
    """Whether a key store has the mark. KeyUnavailable where the key store is not there."""
    try:
        names = {path.name for path in directory.iterdir()}
    except OSError as error:
        raise KeyUnavailable from error
    if LABEL not in names:
        raise KeyUnavailable
    return _MARK in names


def set_mark(directory: Path) -> None:
    """Set the mark, on disk on return; again is no error. KeyUnavailable."""
    try:
        with durable_files.exclusive(directory):
            if not is_set(directory):
                durable_files.publish(directory / _MARK, b"")
    except OSError as error:
        raise KeyUnavailable from error
