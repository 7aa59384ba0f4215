"""Slot keys and the subject keys they wrap."""

import hashlib

import pytest

from identity.values.errors import SealBroken
from identity.vault.seal import DOCUMENT
from identity.vault.subject_keys import SlotKey, SubjectKey, slot_context

SPACE, OTHER_SPACE = b"S" * 16, b"T" * 16
KEY_ID, OTHER_ID, ROW = b"k" * 16, b"l" * 16, b"r" * 16
KEY = hashlib.sha256(b"slot").digest()
SLOT = SlotKey(SPACE, 3, KEY)


def same(one: SubjectKey, two: SubjectKey) -> bool:
    """Whether two subject keys are one: what the one seals, the other opens."""
    return two.open(DOCUMENT, ROW, 1, one.seal(DOCUMENT, ROW, 1, b"hello")) == b"hello"


def test_minted_key_unwraps_as_itself() -> None:
    """The wrapping that minting returns leads back to the key."""
    subject, wrapped = SLOT.new_subject_key(KEY_ID)
    assert (subject.key_id, len(wrapped)) == (KEY_ID, 60)
    assert same(subject, SLOT.unwrap(KEY_ID, wrapped))


def test_each_minted_key_is_another() -> None:
    """Minting twice for one id gives two keys: nothing derives from the id."""
    one, two = SLOT.new_subject_key(KEY_ID)[0], SLOT.new_subject_key(KEY_ID)[0]
    with pytest.raises(SealBroken):
        same(one, two)


@pytest.mark.parametrize(
    ("slot", "key_id"),
    [
        (SLOT, OTHER_ID),
        (SLOT, KEY_ID[:15]),
        (SlotKey(SPACE, 4, KEY), KEY_ID),
        (SlotKey(OTHER_SPACE, 3, KEY), KEY_ID),
        (SlotKey(SPACE, 3, KEY[::-1]), KEY_ID),
    ],
    ids=["key id", "short key id", "slot", "space", "slot key"],
)
def test_wrapping_is_bound(slot: SlotKey, key_id: bytes) -> None:
    """A wrapping moved to another key id, slot, space or slot key does not unwrap."""
    wrapped = SLOT.new_subject_key(KEY_ID)[1]
    with pytest.raises(SealBroken):
        slot.unwrap(key_id, wrapped)


def test_every_flipped_byte_of_a_wrapping_is_refused() -> None:
    """No single altered byte of a wrapping goes unnoticed."""
    wrapped = SLOT.new_subject_key(KEY_ID)[1]
    for position in range(60):
        altered = wrapped[:position] + bytes((wrapped[position] ^ 1,)) + wrapped[position + 1 :]
        with pytest.raises(SealBroken):
            SLOT.unwrap(KEY_ID, altered)


def test_key_that_was_rewrapped_is_the_same() -> None:
    """A survivor of a roll keeps its key under the new slot key, and the old wrapping is another."""
    subject, wrapped = SLOT.new_subject_key(KEY_ID)
    new = SlotKey(SPACE, 3, KEY[::-1])
    rewrapped = SLOT.rewrap(KEY_ID, wrapped, new)
    assert same(subject, new.unwrap(KEY_ID, rewrapped))
    with pytest.raises(SealBroken):
        new.unwrap(KEY_ID, wrapped)


def test_key_is_not_rewrapped_for_another_space() -> None:
    """A subject key does not leave its space."""
    wrapped = SLOT.new_subject_key(KEY_ID)[1]
    with pytest.raises(ValueError, match="space"):
        SLOT.rewrap(KEY_ID, wrapped, SlotKey(OTHER_SPACE, 3, KEY))


def test_key_id_of_another_length_is_not_minted() -> None:
    """A key id that is not 16 bytes would make the context ambiguous."""
    with pytest.raises(ValueError, match="16 bytes"):
        SLOT.new_subject_key(b"short")


def test_contexts_of_slots_differ_in_each_part() -> None:
    """Space, slot and epoch each change what a slot key is bound to, at a fixed length."""
    contexts = {
        slot_context(SPACE, 1, 1),
        slot_context(OTHER_SPACE, 1, 1),
        slot_context(SPACE, 2, 1),
        slot_context(SPACE, 1, 2),
        slot_context(SPACE, 65535, 2**32 - 1),
    }
    assert (len(contexts), {len(context) for context in contexts}) == (5, {31})
