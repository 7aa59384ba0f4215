"""The keys of one space: blind indexes, documents and slots."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.values.errors import KeyUnavailable, SealBroken
from identity.vault.cache import KeyCache
from identity.vault.key_material import WrappingKey
from identity.vault.keyring import Keyring
from identity.vault.seal import RULES, TYPE_NAME
from identity.vault.space_keys import SpaceKeys

ROW = b"r" * 16
EPOCHS = {epoch: WrappingKey(bytes((epoch,)) * 32) for epoch in (1, 2)}
KEYS = SpaceKeys(
    b"S" * 16,
    index=lambda _version: b"i" * 32,
    suppression=b"s" * 32,
    document=b"d" * 32,
    cache=KeyCache(lambda _space, epoch: EPOCHS[epoch]),
)
names = st.from_regex(r"[a-z][a-z0-9_.]{0,47}", fullmatch=True)
values = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


def test_indexes_have_their_lengths() -> None:
    """Identifiers, groups and suppressions are 32 bytes, the others 16."""
    lengths = [
        len(KEYS.identifier("email", "a")),
        len(KEYS.group("a")),
        len(KEYS.suppression("email", "a")),
        len(KEYS.message("a")),
        len(KEYS.type_name("a")),
        len(KEYS.mac(b"a", b"a")),
    ]
    assert lengths == [32, 32, 32, 16, 16, 16]


@given(type_=names, value=values)
def test_equal_identifiers_have_equal_indexes(type_: str, value: str) -> None:
    """An index is a function of type and value, whatever was hashed in between."""
    first = KEYS.identifier(type_, value), KEYS.suppression(type_, value), KEYS.message(value)
    KEYS.identifier(value[:40], type_)
    assert (KEYS.identifier(type_, value), KEYS.suppression(type_, value), KEYS.message(value)) == first


@given(one=st.tuples(names, values), two=st.tuples(names, values))
def test_different_identifiers_have_different_indexes(one: tuple[str, str], two: tuple[str, str]) -> None:
    """Type and value cannot be shifted into each other."""
    assert (KEYS.identifier(*one) == KEYS.identifier(*two)) == (one == two)


def test_type_and_value_are_kept_apart() -> None:
    """The same letters, cut elsewhere, are another identifier."""
    assert KEYS.identifier("ab", "c") != KEYS.identifier("a", "bc")
    assert KEYS.suppression("ab", "c") != KEYS.suppression("a", "bc")
    assert KEYS.mac(b"ab", b"c") != KEYS.mac(b"a", b"bc")


def test_domains_are_kept_apart() -> None:
    """Equal text has unrelated hashes in each domain."""
    text = "same"
    hashes = {
        KEYS.identifier(text, text)[:16],
        KEYS.suppression(text, text)[:16],
        KEYS.message(text),
        KEYS.group(text)[:16],
        KEYS.type_name(text),
        KEYS.mac(b"", text.encode()),
    }
    assert len(hashes) == 6


def test_spaces_have_unrelated_indexes(keyring: Keyring, space_id: bytes) -> None:
    """The same identifier has another index in another space."""
    keyring.create_space(b"o" * 16)
    one, two = keyring.space(space_id), keyring.space(b"o" * 16)
    assert one.identifier("email", "a") != two.identifier("email", "a")
    assert one.suppression("email", "a") != two.suppression("email", "a")
    assert one.mac(b"feed", b"a") != two.mac(b"feed", b"a")


def test_space_documents_come_back(keys: SpaceKeys) -> None:
    """What is sealed under the space opens under it."""
    assert keys.open(RULES, ROW, 2, keys.seal(RULES, ROW, 2, b"{}")) == b"{}"


def test_space_document_stays_in_its_place_and_space(keyring: Keyring, keys: SpaceKeys) -> None:
    """A space document moved to another place, version or space does not open."""
    keyring.create_space(b"o" * 16)
    blob = keys.seal(RULES, ROW, 2, b"{}")
    for opener, place, version in (
        (keys, TYPE_NAME, 2),
        (keys, RULES, 1),
        (keyring.space(b"o" * 16), RULES, 2),
    ):
        with pytest.raises(SealBroken):
            opener.open(place, ROW, version, blob)


def test_minted_slot_opens() -> None:
    """A minted slot key is 60 bytes wrapped, and the same key each time it is unwrapped."""
    wrapped = KEYS.new_slot_key(3, 1)
    subject, under = KEYS.slot(3, 1, wrapped).new_subject_key(ROW)
    assert len(wrapped) == 60
    assert KEYS.slot(3, 1, bytes(bytearray(wrapped))).unwrap(ROW, under).key_id == subject.key_id


@pytest.mark.parametrize(("slot", "epoch"), [(4, 1), (3, 2)])
def test_slot_is_bound_to_number_and_epoch(slot: int, epoch: int) -> None:
    """A wrapped slot key does not pass as that of another slot or epoch."""
    with pytest.raises(SealBroken):
        KEYS.slot(slot, epoch, KEYS.new_slot_key(3, 1))


def test_rewrapped_slot_is_the_same_key() -> None:
    """A slot key carried over to another epoch unwraps what it wrapped before."""
    wrapped = KEYS.new_slot_key(3, 1)
    under = KEYS.slot(3, 1, wrapped).new_subject_key(ROW)[1]
    carried = KEYS.rewrap_slot(3, 1, wrapped, 2)
    assert KEYS.slot(3, 2, carried).unwrap(ROW, under).key_id == ROW


def test_slot_out_of_range_is_refused() -> None:
    """A slot number fits two bytes."""
    with pytest.raises(OverflowError):
        KEYS.new_slot_key(65536, 1)


def test_slot_of_an_unknown_epoch_is_unavailable(keys: SpaceKeys) -> None:
    """Without the epoch key nothing is minted or unwrapped."""
    with pytest.raises(KeyUnavailable):
        keys.new_slot_key(3, 9)
    with pytest.raises(KeyUnavailable):
        keys.slot(3, 9, keys.new_slot_key(3, 1))
