"""An attacker with an old database, the root key and today's key store, who tries every key on every row."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg

from identity.values.errors import KeyUnavailable, SealBroken
from identity.vault.keyring import Keyring
from identity.vault.seal import DOCUMENT
from identity.vault.space_keys import SpaceKeys
from identity.vault.subject_keys import SubjectKey

MOST_EPOCHS = 10
# A value of 60 bytes lies behind a head of one byte.
_SHORT = bytes((2 * 61 + 1,))
_SLOT = re.compile(rb"(..)\0\0....([\x01-\x09]\0\0\0)" + _SHORT + b"(.{60})", re.DOTALL)


class Attacker:
    """Holds a database as of some moment, and the keys as they are today; `also` is another database."""

    def __init__(self, url: str, keyring: Keyring, space: bytes, also: str) -> None:
        self.url = url
        self.keyring = keyring
        self.keys: SpaceKeys = keyring.space(space)
        self.space = space
        self.slots = [*self._slots(url), *self._slots(also), *self._dumped_slots()]
        self.subjects = {*self._subjects(url), *self._subjects(also), *self._dumped_subjects()}

    def take(self, log: bytes) -> None:
        """Adds every wrapping in the bytes of a write-ahead log, as the rows of the two tables are laid out."""
        for _, key_id, _ in list(self.subjects):
            for at in _all(log, key_id + _SHORT):
                wrapped = log[at + 17 : at + 77]
                self.subjects |= {(slot, key_id, wrapped) for slot, _, _ in self.slots}
        for found in _SLOT.finditer(log):
            slot, epoch, wrapped = found.groups()
            self.slots.append((int.from_bytes(slot, "little"), int.from_bytes(epoch, "little"), wrapped))
        self.slots = sorted(set(self.slots))

    def opened(self) -> dict[bytes, list[bytes]]:
        """Every document of the old database that opens, by its profile."""
        found: dict[bytes, list[bytes]] = {}
        with psycopg.connect(self.url) as connection:
            rows = connection.execute("SELECT profile_id, version, document FROM profile_document").fetchall()
        candidates = list(self._candidates())
        for profile_id, version, document in rows:
            for subject in candidates:
                try:
                    plain = subject.open(DOCUMENT, profile_id.bytes, version, bytes(document))
                except SealBroken:
                    continue
                found.setdefault(profile_id.bytes, []).append(plain)
        return found

    def _candidates(self) -> Iterator[SubjectKey]:
        """Every subject key that any slot key of any epoch unwraps."""
        for slot, _, wrapped in self.slots:
            for epoch in range(1, MOST_EPOCHS):
                try:
                    key = self.keys.slot(slot, epoch, wrapped)
                except (KeyUnavailable, SealBroken):
                    continue
                for _, key_id, wrapped_subject in self.subjects:
                    try:
                        yield key.unwrap(key_id, wrapped_subject)
                    except SealBroken:
                        continue

    def _slots(self, url: str) -> list[tuple[int, int, bytes]]:
        return [(s, e, bytes(w)) for s, e, w in _rows(url, "SELECT slot, epoch, wrapped FROM slot_key")]

    def _subjects(self, url: str) -> list[tuple[int, bytes, bytes]]:
        rows = _rows(url, "SELECT slot, key_id, wrapped FROM subject_key")
        return [(slot, key_id.bytes, bytes(wrapped)) for slot, key_id, wrapped in rows]

    def _dumped_slots(self) -> list[tuple[int, int, bytes]]:
        dump = self.keyring.newest_dump(self.space)
        return [] if dump is None else [(slot, dump.head.epoch, wrapped) for slot, wrapped in dump.slots]

    def _dumped_subjects(self) -> list[tuple[int, bytes, bytes]]:
        dump = self.keyring.newest_dump(self.space)
        pages = [] if dump is None else list(dump.subjects())
        return [(slot, key_id, wrapped) for page in pages for _, slot, key_id, wrapped in page]


def _all(log: bytes, what: bytes) -> Iterator[int]:
    at = log.find(what)
    while at >= 0:
        yield at
        at = log.find(what, at + 1)


def _rows(url: str, query: str) -> list[Any]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()
