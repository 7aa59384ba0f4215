"""What the tests of the vault share: a root, a key store and a space of their own."""

import base64
import hashlib
from pathlib import Path

import pytest

from identity.vault.epoch_key_store import KeyStore
from identity.vault.keyring import Keyring
from identity.vault.root_keys import Root, env_root
from identity.vault.space_keys import SpaceKeys
from identity.vault.subject_keys import SlotKey, SubjectKey

ROOT_KEY = hashlib.sha256(b"the root key of the tests").digest()
SPACE = bytes(range(16))


@pytest.fixture
def root_key() -> bytes:
    """The 32 bytes of the tests' root key."""
    return ROOT_KEY


@pytest.fixture
def root() -> Root:
    """A root with a fixed key."""
    return env_root(base64.b64encode(ROOT_KEY).decode())


@pytest.fixture
def other_root() -> Root:
    """Another root."""
    return env_root(base64.b64encode(hashlib.sha256(b"another root key").digest()).decode())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Where the key store of the test lies."""
    return tmp_path / "keys"


@pytest.fixture
def store(directory: Path, root: Root) -> KeyStore:
    """A new key store."""
    return KeyStore.create(directory, root)


@pytest.fixture
def space_id() -> bytes:
    """The id of the space `keyring` holds."""
    return SPACE


@pytest.fixture
def keyring(root: Root, store: KeyStore, space_id: bytes) -> Keyring:
    """A keyring with one space."""
    keyring = Keyring(root, store)
    keyring.create_space(space_id)
    return keyring


@pytest.fixture
def keys(keyring: Keyring, space_id: bytes) -> SpaceKeys:
    """The keys of the space."""
    return keyring.space(space_id)


@pytest.fixture
def slot_key(keys: SpaceKeys) -> SlotKey:
    """Slot key 3 of the space."""
    return keys.slot(3, 1, keys.new_slot_key(3, 1))


@pytest.fixture
def subject_key(slot_key: SlotKey) -> SubjectKey:
    """A subject key of the space."""
    return slot_key.new_subject_key(b"k" * 16)[0]
