"""New subject keys: every origin and every group has one of its own, under one of the key slots of the space.

Invariant: the keys of one transaction share a slot, whose row the transaction locks, so a roll of the epoch key
never misses one of them.
"""

import random

from identity.spaces.space import Space
from identity.store.postgres.rows import SubjectKeyRow
from identity.values.ids import SubjectId, new_id
from identity.vault.subject_keys import SlotKey, SubjectKey

KEY_SLOTS = 4_096
"""How many key slots a space spreads its subject keys over."""


def random_key_slot() -> int:
    """The number of a key slot for a transaction: random, so that writers rarely meet at one row."""
    return random.randrange(KEY_SLOTS)  # noqa: S311 (spreads keys, guards nothing)


class NewSubjectKeys:
    """Makes the keys of one transaction, which writes `rows` and `new_slot_key`.

    `key_slot` is the number of the slot and `slot_key` its epoch and wrapped key as they were locked. A slot without
    a key (`slot_key` is None) gets one under `epoch`, that of the space lock.
    """

    def __init__(self, space: Space, epoch: int, key_slot: int, slot_key: tuple[int, bytes] | None) -> None:
        self._space = space
        self._epoch = epoch
        self._key_slot = key_slot
        self._slot_key = slot_key
        self._key: SlotKey | None = None
        self._made: dict[bytes, SubjectKey] = {}
        self.rows: list[SubjectKeyRow] = []
        self.new_slot_key: tuple[int, int, bytes] | None = None

    def get(self, id_: SubjectId) -> SubjectKey | None:
        """The key that was made for an origin or group, if any."""
        return self._made.get(id_)

    def make(self, id_: SubjectId) -> SubjectKey:
        """A new key for an origin or group."""
        if self._key is None:
            epoch, wrapped = self._slot_key or (self._epoch, self._space.keys.new_slot_key(self._key_slot, self._epoch))
            if self._slot_key is None:
                self.new_slot_key = (self._key_slot, epoch, wrapped)
            self._key = self._space.keys.slot(self._key_slot, epoch, wrapped)
        key_id = new_id()
        subject, wrapped_key = self._key.new_subject_key(key_id)
        self._made[id_] = subject
        self.rows.append(SubjectKeyRow(id_, self._key_slot, key_id, wrapped_key))
        return subject
