"""A blob made to open under two keys opens under one."""

import hashlib

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from identity.values.errors import SealBroken
from identity.vault.key_material import expand
from identity.vault.seal import EVENT
from identity.vault.subject_keys import SubjectKey

SPACE, KEY_ID, ROW = b"S" * 16, b"k" * 16, b"r" * 16
KEY = hashlib.sha256(b"subject").digest()
SUBJECT = SubjectKey(SPACE, KEY_ID, KEY)

_R = 0xE1 << 120


def times(left: int, right: int) -> int:
    """Multiply in GF(2^128) as GHASH does (SP 800-38D 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = right >> 1 ^ (_R if right & 1 else 0)
    return product


def power(base: int, exponent: int) -> int:
    """Raise in GF(2^128)."""
    result = 1 << 127
    while exponent:
        if exponent & 1:
            result = times(result, base)
        base = times(base, base)
        exponent >>= 1
    return result


def block_of(key: bytes, block: bytes) -> bytes:
    """One block of AES."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(block)


def blocks(data: bytes) -> list[int]:
    """The 16-byte blocks of data, zero-padded, as numbers."""
    return [int.from_bytes(data[at : at + 16].ljust(16, b"\0"), "big") for at in range(0, len(data), 16)]


def ghash(key: bytes, bound: bytes, text: bytes) -> int:
    """GHASH over associated data and ciphertext."""
    h, total = int.from_bytes(block_of(key, bytes(16)), "big"), 0
    for block in [*blocks(bound), *blocks(text), len(bound) * 8 << 64 | len(text) * 8]:
        total = times(total ^ block, h)
    return total


def two_key_text(one: bytes, two: bytes, header: bytes, bound: bytes) -> bytes:
    """Ciphertext and tag of 64 bytes that AES-GCM accepts under both keys (Dodis et al. 2018).

    One ciphertext block is solved for, so that both tags agree; the last byte of both plaintexts
    is the padding's 0x80, for which the nonce was searched.
    """
    nonce = header[24:36]
    last = block_of(one, nonce + (5).to_bytes(4, "big"))[15]
    text = bytes(63) + bytes((last ^ 0x80,))
    masks = [int.from_bytes(block_of(key, nonce + (1).to_bytes(4, "big")), "big") for key in (one, two)]
    hashes = [int.from_bytes(block_of(key, bytes(16)), "big") for key in (one, two)]
    difference = ghash(one, bound, text) ^ ghash(two, bound, text) ^ masks[0] ^ masks[1]
    # The block at bytes 0 to 16 is multiplied by H^5: four text blocks and the lengths.
    solved = times(difference, power(power(hashes[0], 5) ^ power(hashes[1], 5), 2**128 - 2))
    text = solved.to_bytes(16, "big") + text[16:]
    return text + (ghash(one, bound, text) ^ masks[0]).to_bytes(16, "big")


def test_blob_that_two_keys_open_is_refused_by_the_commitment() -> None:
    """A ciphertext made to open under two keys opens only under the one it commits to."""
    other = SubjectKey(SPACE, KEY_ID, KEY[::-1])
    mine, theirs = expand(KEY, b"ps1|\x03"), expand(KEY[::-1], b"ps1|\x03")
    one, two = mine[:32], theirs[:32]
    nonce = next(
        nonce
        for nonce in (number.to_bytes(12, "big") for number in range(100_000))
        if block_of(one, nonce + (5).to_bytes(4, "big"))[15] == block_of(two, nonce + (5).to_bytes(4, "big"))[15]
    )
    header = EVENT.head + KEY_ID + nonce + mine[32:]
    bound = header + SPACE + EVENT.where + ROW + (5).to_bytes(8, "big")
    text = two_key_text(one, two, header, bound)
    assert AESGCM(one).decrypt(nonce, text, bound)[-1:] == b"\x80"
    assert AESGCM(two).decrypt(nonce, text, bound)[-1:] == b"\x80"
    assert len(SUBJECT.open(EVENT, ROW, 5, header + text)) == 63
    with pytest.raises(SealBroken):
        other.open(EVENT, ROW, 5, header + text)
