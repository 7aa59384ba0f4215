"""The committed vectors: what is stored today has to open for ever.

They were laid out by hand with the primitives of a library, not by the code under test.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from identity.vault import key_material, seal
from identity.vault.cache import KeyCache
from identity.vault.key_material import WrappingKey
from identity.vault.root_keys import env_root
from identity.vault.seal import SPACE_DOCUMENT, SealingKey, SealPlace, SpaceDocumentKey
from identity.vault.space_keys import SpaceKeys
from identity.vault.subject_keys import SlotKey, SubjectKey

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors.json").read_text())
SPACE = bytes.fromhex(VECTORS["space"])
WRAPS = VECTORS["wraps"]
HASHES = VECTORS["hashes"]
blobs = pytest.mark.parametrize("vector", VECTORS["blobs"], ids=lambda vector: vector["place"])


def raw(value: str) -> bytes:
    """Bytes from their hex."""
    return bytes.fromhex(value)


def key_and_place(vector: dict[str, Any]) -> tuple[SealingKey, SealPlace]:
    """The key and the place of a vector."""
    place: SealPlace = getattr(seal, vector["place"])
    if place.purpose == SPACE_DOCUMENT:
        return SpaceDocumentKey(SPACE, 1, raw(vector["key"])), place
    return SubjectKey(SPACE, raw(vector["key_id"]), raw(vector["key"])), place


def test_there_is_a_vector_for_every_place() -> None:
    """No place is without its vector."""
    assert [getattr(seal, vector["place"]) for vector in VECTORS["blobs"]] == list(seal.PLACES)


@blobs
def test_vector_is_sealed_to_its_bytes(vector: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the nonce of the vector, sealing gives its very bytes."""
    monkeypatch.setattr(seal, "fresh_nonce", lambda: raw(vector["nonce"]))
    key, place = key_and_place(vector)
    blob = key.seal(place, raw(vector["row_id"]), vector["row_version"], raw(vector["plain"]))
    assert blob.hex() == vector["blob"]


@blobs
def test_the_bytes_of_a_vector_open_to_its_plaintext(vector: dict[str, Any]) -> None:
    """The blob of the vector opens to its plaintext."""
    key, place = key_and_place(vector)
    plain = key.open(place, raw(vector["row_id"]), vector["row_version"], raw(vector["blob"]))
    assert plain.hex() == vector["plain"]


def test_the_root_wraps_to_the_bytes_of_its_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    """The root has its check value, wraps to the vector and unwraps it."""
    monkeypatch.setattr(key_material, "fresh_nonce", lambda: raw(WRAPS["nonce"]))
    root, context, key = env_root(WRAPS["root"]), raw(WRAPS["context"]), raw(WRAPS["key"])
    assert root.id == WRAPS["root_id"]
    assert root.wrap(context, key).hex() == WRAPS["under_root"]
    assert root.unwrap(context, raw(WRAPS["under_root"])) == key


def space_keys() -> SpaceKeys:
    """The keys of the vectors' space."""
    return SpaceKeys(
        SPACE,
        index=lambda _version: raw(HASHES["index"]),
        suppression=raw(HASHES["suppression_key"]),
        document=raw(HASHES["document"]),
        cache=KeyCache(lambda _space, _epoch: WrappingKey(raw(WRAPS["epoch_key"]))),
    )


def test_a_slot_key_wraps_to_the_bytes_of_its_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slot key is wrapped to the vector; the vector unwraps to a key that works."""
    monkeypatch.setattr(key_material, "fresh_nonce", lambda: raw(WRAPS["nonce"]))
    monkeypatch.setattr("identity.vault.space_keys.fresh_key", lambda: raw(WRAPS["key"]))
    keys, slot, epoch = space_keys(), WRAPS["slot"], WRAPS["epoch"]
    assert keys.new_slot_key(slot, epoch).hex() == WRAPS["under_epoch"]
    subject, wrapped = keys.slot(slot, epoch, raw(WRAPS["under_epoch"])).new_subject_key(SPACE)
    assert SlotKey(SPACE, slot, raw(WRAPS["key"])).unwrap(SPACE, wrapped).key_id == subject.key_id


def test_a_subject_key_wraps_to_the_bytes_of_its_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    """A subject key is wrapped to the vector; what it seals opens with the key of the vector."""
    monkeypatch.setattr(key_material, "fresh_nonce", lambda: raw(WRAPS["nonce"]))
    monkeypatch.setattr("identity.vault.subject_keys.fresh_key", lambda: raw(WRAPS["key"]))
    slot, key_id = SlotKey(SPACE, WRAPS["slot"], raw(WRAPS["slot_key"])), raw(WRAPS["key_id"])
    subject, wrapped = slot.new_subject_key(key_id)
    assert wrapped.hex() == WRAPS["under_slot"]
    blob = subject.seal(seal.EVENT, SPACE, 1, b"hello")
    assert SubjectKey(SPACE, key_id, raw(WRAPS["key"])).open(seal.EVENT, SPACE, 1, blob) == b"hello"
    assert slot.unwrap(key_id, wrapped).open(seal.EVENT, SPACE, 1, blob) == b"hello"


def test_blind_indexes_equal_their_vectors() -> None:
    """Blind indexes and authenticators never change: stored ones would no longer be found."""
    keys, type_, value = space_keys(), HASHES["type"], HASHES["value"]
    assert keys.identifier(type_, value).hex() == HASHES["identifier"]
    assert keys.message(value).hex() == HASHES["message"]
    assert keys.group(value).hex() == HASHES["group"]
    assert keys.type_name(type_).hex() == HASHES["type_name"]
    assert keys.suppression(type_, value).hex() == HASHES["suppression"]
    assert keys.mac(b"feed", value.encode()).hex() == HASHES["mac"]
