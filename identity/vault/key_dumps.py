"""A dump of the key tables of a space: wrapped keys only, in one file beside the epoch keys that open it.

It is there whole or not at all, and says so itself: its length follows from its head and its last bytes
are the SHA-256 of all before them. Restored data and these keys together read who was not erased.

    ONEFOLD KEYS 1, a new line | space 16 | epoch 4 | slots 4 | subject keys 8 | slots | subject keys | SHA-256 32
    a slot: slot 2, wrapped 60          a subject key: id 16, slot 2, key id 16, wrapped 60
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from identity.values.errors import SealBroken
from identity.vault.key_material import WRAPPED_BYTES

MAGIC = b"ONEFOLD KEYS 1\n"
PAGE = 1_000
_SLOT = 2 + WRAPPED_BYTES
_SUBJECT = 16 + 2 + 16 + WRAPPED_BYTES


class Head(NamedTuple):
    """What a dump says of itself."""

    space: bytes
    epoch: int
    slots: int
    subjects: int


def packed(head: Head, slots: Iterable[tuple[int, bytes]]) -> bytes:
    """The start of a dump: its head and the slot keys, all of the epoch of the head."""
    start = MAGIC + head.space + head.epoch.to_bytes(4, "big")
    start += head.slots.to_bytes(4, "big") + head.subjects.to_bytes(8, "big")
    return start + b"".join(slot.to_bytes(2, "big") + wrapped for slot, wrapped in slots)


def packed_subjects(subjects: Iterable[tuple[bytes, int, bytes, bytes]]) -> bytes:
    """More of it: subject keys as (id, slot, key id, wrapped)."""
    return b"".join(id_ + slot.to_bytes(2, "big") + key + wrapped for id_, slot, key, wrapped in subjects)


class Dump:
    """A dump that was read and found whole. SealBroken for anything else."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.slots: list[tuple[int, bytes]] = []
        with path.open("rb") as file:
            digest = hashlib.sha256()
            if _read(file, len(MAGIC), digest) != MAGIC:
                raise SealBroken
            raw = _read(file, 32, digest)
            numbers = (raw[16:20], raw[20:24], raw[24:32])
            self.head = Head(raw[:16], *(int.from_bytes(number, "big") for number in numbers))
            for _ in range(self.head.slots):
                raw = _read(file, _SLOT, digest)
                self.slots.append((int.from_bytes(raw[:2], "big"), raw[2:]))
            self._start = file.tell()
            left = self.head.subjects * _SUBJECT
            while left:
                left -= len(_read(file, min(left, _SUBJECT * PAGE), digest))
            if file.read() != digest.digest():
                raise SealBroken

    def subjects(self) -> Iterator[list[tuple[bytes, int, bytes, bytes]]]:
        """The subject keys as (id, slot, key id, wrapped), PAGE at a time."""
        with self._path.open("rb") as file:
            file.seek(self._start)
            left = self.head.subjects
            while left:
                count = min(left, PAGE)
                raw = file.read(count * _SUBJECT)
                left -= count
                yield [
                    (each[:16], int.from_bytes(each[16:18], "big"), each[18:34], each[34:])
                    for each in (raw[at : at + _SUBJECT] for at in range(0, len(raw), _SUBJECT))
                ]


def _read(file: BinaryIO, size: int, digest: "hashlib._Hash") -> bytes:
    raw = file.read(size)
    if len(raw) != size:
        raise SealBroken
    digest.update(raw)
    return raw
