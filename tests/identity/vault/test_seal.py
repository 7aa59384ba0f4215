"""Sealed blobs: they come back, and nothing else does."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from identity.values.errors import SealBroken
from identity.vault import seal
from identity.vault.key_material import expand
from identity.vault.seal import (
    DOCUMENT,
    EVENT,
    EVIDENCE,
    GROUP_TRAITS,
    OVERHEAD,
    PLACES,
    RULES,
    SPACE_DOCUMENT,
    SealingKey,
    SealPlace,
    SpaceDocumentKey,
)
from identity.vault.subject_keys import SubjectKey

FIRST_PLACES = {
    "DOCUMENT": (1, 1, 1, 256),
    "IDENTIFIER": (4, 2, 1, 64),
    "EVIDENCE": (3, 3, 1, 64),
    "EVENT": (3, 4, 1, 64),
    "GROUP_ID": (4, 5, 1, 64),
    "GROUP_TRAITS": (1, 5, 2, 256),
    "RULES": (8, 6, 1, 256),
    "TYPE_NAME": (8, 7, 1, 64),
    "REJECTION": (8, 8, 1, 64),
    "DESTINATION": (8, 9, 1, 256),
    "JOB": (8, 10, 1, 256),
    "ASIDE": (3, 12, 1, 256),
    "REQUEST": (8, 13, 1, 256),
    "HOLD": (8, 14, 1, 256),
}
"""The ids of the places of the first release."""

SPACE, OTHER_SPACE = b"S" * 16, b"T" * 16
KEY_ID, OTHER_ID = b"k" * 16, b"l" * 16
ROW, OTHER_ROW = b"r" * 16, b"q" * 16
KEY = hashlib.sha256(b"subject").digest()
SUBJECT = SubjectKey(SPACE, KEY_ID, KEY)
DOCUMENTS = SpaceDocumentKey(SPACE, 1, KEY)
PLAIN = b'{"email":"ann@example.org"}'
MESSAGE = str(SealBroken())

places = pytest.mark.parametrize("place", PLACES, ids=repr)


def key_for(place: SealPlace) -> SealingKey:
    """The key that seals for a place."""
    return DOCUMENTS if place.purpose == SPACE_DOCUMENT else SUBJECT


def refused(blob: bytes, place: SealPlace = EVENT, row: bytes = ROW, version: int = 5) -> bool:
    """Whether a blob is refused, with the one message and nothing behind it."""
    with pytest.raises(SealBroken) as caught:
        SUBJECT.open(place, row, version, blob)
    return str(caught.value) == MESSAGE and caught.value.__cause__ is None


def with_byte(blob: bytes, position: int, value: int) -> bytes:
    """A blob with one byte replaced."""
    return blob[:position] + bytes((value,)) + blob[position + 1 :]


@given(plain=st.binary(max_size=1500), version=st.integers(0, 2**64 - 1), row=st.binary(min_size=16, max_size=16))
@places
def test_sealed_bytes_come_back(place: SealPlace, plain: bytes, version: int, row: bytes) -> None:
    """Whatever was sealed opens to the same bytes."""
    blob = key_for(place).seal(place, row, version, plain)
    assert key_for(place).open(place, row, version, blob) == plain


@pytest.mark.parametrize("tail", [b"", b"\x80", b"\0", b"\0\0", b"\x80\0", b"\x80\0\0\0\x80"])
@pytest.mark.parametrize("length", [0, 1, 58, 59, 60, 61, 62, 63, 64, 65, 126, 127, 128, 129])
def test_padding_comes_off_exactly(length: int, tail: bytes) -> None:
    """Plaintexts around a step, and those that look like padding, come back."""
    plain = b"x" * length + tail
    assert SUBJECT.open(EVENT, ROW, 5, SUBJECT.seal(EVENT, ROW, 5, plain)) == plain


@places
def test_length_of_a_blob_shows_the_step_only(place: SealPlace) -> None:
    """All plaintexts of one step give blobs of one length, 84 bytes more than the padded text."""
    key, step = key_for(place), place.step
    lengths = {len(key.seal(place, ROW, 1, bytes(size))) for size in range(step)}
    assert lengths == {OVERHEAD + step}
    assert len(key.seal(place, ROW, 1, bytes(step))) == OVERHEAD + 2 * step


def test_every_flipped_byte_is_refused() -> None:
    """No single altered byte goes unnoticed, and all are refused in the same words."""
    blob = SUBJECT.seal(EVENT, ROW, 5, PLAIN)
    for position in range(len(blob)):
        for change in (0x01, 0x80, 0xFF):
            assert refused(with_byte(blob, position, blob[position] ^ change))


def test_every_truncation_is_refused() -> None:
    """No prefix of a blob opens, be it 0, 1 or 83 bytes long; nor does a longer blob."""
    blob = SUBJECT.seal(EVENT, ROW, 5, PLAIN)
    for length in range(len(blob)):
        assert refused(blob[:length])
    assert refused(blob + b"\0")


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, 0),
        (1, 0),
        (1, 2),
        (2, 0),
        (2, 2),
        (2, 255),
        (3, 0),
        (3, 0x80),
        (3, 0x81),
        (5, 0),
        (5, 2),
        (6, 1),
        (7, 1),
    ],
)
def test_unknown_header_is_refused(position: int, value: int) -> None:
    """Magic, version, algorithm, flags, schema and the reserved bytes have to be known ones."""
    assert refused(with_byte(SUBJECT.seal(EVENT, ROW, 5, PLAIN), position, value))


@pytest.mark.parametrize("position", [0, 1, 2, 3, 5, 6, 7])
def test_unknown_header_is_refused_even_if_authentic(position: int) -> None:
    """A header from a later version is not guessed at, although key and tag are right."""
    block = expand(KEY, b"ps1|\x03")
    header = with_byte(EVENT.head, position, EVENT.head[position] ^ 2) + KEY_ID + bytes(12) + block[32:]
    bound = header + SPACE + EVENT.where + ROW + (5).to_bytes(8, "big")
    padded = b"\x80".ljust(64, b"\0")
    assert refused(header + AESGCM(block[:32]).encrypt(bytes(12), padded, bound))


def test_blob_of_another_row_is_refused() -> None:
    """A blob moved to another row does not open."""
    assert refused(SUBJECT.seal(EVENT, ROW, 5, PLAIN), row=OTHER_ROW)


def test_blob_of_an_old_row_version_is_refused() -> None:
    """A blob put back from an older version of its row does not open."""
    assert refused(SUBJECT.seal(EVENT, ROW, 4, PLAIN))


def test_blob_of_another_table_is_refused() -> None:
    """A blob moved between tables with one purpose does not open."""
    assert (EVENT.purpose, EVENT.column) == (EVIDENCE.purpose, EVIDENCE.column)
    assert refused(SUBJECT.seal(EVIDENCE, ROW, 5, PLAIN))


def test_blob_of_another_column_is_refused() -> None:
    """A blob moved between columns of one table does not open."""
    beside = SealPlace(purpose=EVENT.purpose, table=EVENT.table, column=EVENT.column + 1, step=EVENT.step)
    assert refused(SUBJECT.seal(beside, ROW, 5, PLAIN))


def test_blob_of_another_purpose_is_refused() -> None:
    """Neither a blob of another purpose opens, nor one whose purpose byte was changed."""
    blob = SUBJECT.seal(EVENT, ROW, 5, PLAIN)
    assert refused(blob, place=GROUP_TRAITS)
    assert refused(with_byte(blob, 4, DOCUMENT.purpose), place=DOCUMENT)


def test_blob_of_another_space_is_refused() -> None:
    """A blob copied to another space does not open, even if the key went with it."""
    assert refused(SubjectKey(OTHER_SPACE, KEY_ID, KEY).seal(EVENT, ROW, 5, PLAIN))


def test_blob_with_another_key_id_is_refused() -> None:
    """The key id has to be that of the key, whether made so or altered so."""
    assert refused(SubjectKey(SPACE, OTHER_ID, KEY).seal(EVENT, ROW, 5, PLAIN))
    blob = SUBJECT.seal(EVENT, ROW, 5, PLAIN)
    assert refused(blob[:8] + OTHER_ID + blob[24:])


def test_blob_of_another_key_is_refused() -> None:
    """A key that merely has the same id does not open a blob."""
    assert refused(SubjectKey(SPACE, KEY_ID, KEY[::-1]).seal(EVENT, ROW, 5, PLAIN))


@pytest.mark.parametrize("padded", [bytes(64), b"x" * 64, b"x" + bytes(63), b"\x80" + bytes(127), b"x\x80", b""])
def test_wrong_padding_is_refused(padded: bytes) -> None:
    """Even a blob that decrypts is refused if its padding is not that of the place."""
    block = expand(KEY, b"ps1|\x03")
    header = EVENT.head + KEY_ID + bytes(12) + block[32:]
    bound = header + SPACE + EVENT.where + ROW + (5).to_bytes(8, "big")
    assert refused(header + AESGCM(block[:32]).encrypt(bytes(12), padded, bound))


def test_seal_of_a_row_id_of_another_length_is_refused() -> None:
    """A row id that is not 16 bytes would make the associated data ambiguous."""
    for row in (b"", ROW[:15], ROW + b"x", ROW * 2):
        with pytest.raises(ValueError, match="16 bytes"):
            SUBJECT.seal(EVENT, row, 5, PLAIN)


def test_personal_data_is_not_sealed_under_the_space() -> None:
    """What has to be erasable cannot be sealed under the space's key, nor the other way round."""
    with pytest.raises(ValueError, match="purpose"):
        DOCUMENTS.seal(DOCUMENT, ROW, 1, PLAIN)
    with pytest.raises(ValueError, match="purpose"):
        SUBJECT.seal(RULES, ROW, 1, PLAIN)


def repeated_nonces(blobs: Iterable[bytes]) -> list[bytes]:
    """The nonces that more than one of the blobs has."""
    return [nonce for nonce, count in Counter(blob[24:36] for blob in blobs).items() if count > 1]


def test_no_nonce_is_used_twice() -> None:
    """Sealing the same thing many times, also from several threads, never repeats a nonce."""
    with ThreadPoolExecutor(4) as threads:
        blobs = list(threads.map(lambda _: SUBJECT.seal(EVENT, ROW, 5, PLAIN), range(5000)))
    assert repeated_nonces(blobs) == []
    assert len(set(blobs)) == 5000


def test_repeated_nonce_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector does see a generator that repeats itself."""
    monkeypatch.setattr(os, "urandom", bytes)
    blobs = [SUBJECT.seal(EVENT, ROW, version, PLAIN) for version in (1, 2)]
    assert repeated_nonces(blobs) == [bytes(12)]


def test_one_key_serves_several_threads() -> None:
    """Many threads seal and open with one fresh key, and every blob comes back."""
    key = SubjectKey(SPACE, KEY_ID, KEY)

    def round_trip(number: int) -> bool:
        plain = str(number).encode() * (number % 50)
        return key.open(DOCUMENT, ROW, number, key.seal(DOCUMENT, ROW, number, plain)) == plain

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(round_trip, range(4000)))


def test_places_are_distinct() -> None:
    """No two places share table and column."""
    assert len({place.where for place in PLACES}) == len(PLACES)


def test_every_place_is_registered() -> None:
    """A place that exists is in the registry."""
    assert {id(value) for value in vars(seal).values() if isinstance(value, SealPlace)} == set(map(id, PLACES))


def test_places_only_grow() -> None:
    """The ids of a place that was ever used stay as they are."""
    now = {name: (p.purpose, p.table, p.column, p.step) for name in FIRST_PLACES for p in [getattr(seal, name)]}
    assert now == FIRST_PLACES
