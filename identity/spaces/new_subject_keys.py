"""Making subject keys: every origin and every group has one of its own, under one of the space's slots.

All that are made in one transaction share a slot, whose row the transaction holds, so a roll of
the epoch key can never leave one of them behind.
"""

from identity.spaces.space import Space
from identity.store.postgres.rows import SubjectKeyRow
from identity.values.ids import new_id
from identity.vault.subject_keys import SlotKey, SubjectKey


class NewSubjectKeys:
    """Makes the keys of one transaction; `rows` and `new_slot` are what it has to write.

    `slot` is the slot's number, `held` its epoch and wrapped key as they were locked, None where it
    has none yet: then one is made under `epoch`, that of the gate.
    """

    def __init__(self, space: Space, epoch: int, slot: int, held: tuple[int, bytes] | None) -> None:
        self._space = space
        self._epoch = epoch
        self._slot = slot
        self._held = held
        self._key: SlotKey | None = None
        self._made: dict[bytes, SubjectKey] = {}
        self.rows: list[SubjectKeyRow] = []
        self.new_slot: tuple[int, int, bytes] | None = None

    def get(self, id_: bytes) -> SubjectKey | None:
        """The key made for this origin or group, if one was."""
        return self._made.get(id_)

    def make(self, id_: bytes) -> SubjectKey:
        """A fresh key for an origin or group."""
        if self._key is None:
            epoch, wrapped = self._held or (self._epoch, self._space.keys.new_slot_key(self._slot, self._epoch))
            if self._held is None:
                self.new_slot = (self._slot, epoch, wrapped)
            self._key = self._space.keys.slot(self._slot, epoch, wrapped)
        key_id = new_id()
        subject, wrapped_key = self._key.new_subject_key(key_id)
        self._made[id_] = subject
        self.rows.append(SubjectKeyRow(id_, self._slot, key_id, wrapped_key))
        return subject
