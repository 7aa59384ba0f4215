"""The keys of subjects: a random one per origin, wrapped by one of the space's slot keys.

Invariants: a subject key is random, never derived from an id, so that it is gone once every copy
of its wrapping is; it is bound to its id, its slot and its space; it is never cached, as a cache
could outlive an erasure. Unwrapping one costs about a microsecond.
"""

from identity.vault.key_material import WrappingKey, checked_id, fresh_key
from identity.vault.seal import IDENTIFIER_VALUE, PAYLOAD, TRAITS, SealingKey
from identity.vault.secret import Guarded, Secret

SUBJECT = 1
_OTHER_SPACE = "a subject key stays in its space"


def slot_context(space: bytes, slot: int, epoch: int) -> bytes:
    """Return what the wrapping of a slot key is bound to: its space, its number, its epoch."""
    return b"ps1|slot|" + checked_id(space) + slot.to_bytes(2, "big") + epoch.to_bytes(4, "big")


class SubjectKey(SealingKey):
    """The key of one origin or group. `key_id` (16 bytes) stands in every blob it seals."""

    __slots__ = ()

    purposes = frozenset({TRAITS, PAYLOAD, IDENTIFIER_VALUE})


class SlotKey(Guarded):
    """One of a space's slot keys, unwrapped: it mints, unwraps and rewraps subject keys."""

    __slots__ = ("_space", "_tail", "_wrapping", "slot")

    def __init__(self, space: bytes, slot: int, key: bytes) -> None:
        self.slot = slot
        self._space = checked_id(space)
        self._tail = bytes((SUBJECT,)) + slot.to_bytes(2, "big")
        self._wrapping = WrappingKey(key)

    def new_subject_key(self, key_id: bytes) -> tuple[SubjectKey, bytes]:
        """Make a new subject key; return it and its wrapping of 60 bytes."""
        context = self._context(checked_id(key_id))
        key = fresh_key()
        return SubjectKey(self._space, key_id, key), self._wrapping.wrap(context, key)

    def unwrap(self, key_id: bytes, wrapped: bytes) -> SubjectKey:
        """Return a subject key; SealBroken if the wrapping is not of this id, slot and space."""
        return SubjectKey(self._space, key_id, self._wrapping.unwrap(self._context(key_id), wrapped))

    def rewrap(self, key_id: bytes, wrapped: bytes, to: "SlotKey") -> bytes:
        """Wrap the same subject key under another slot key of the space; 60 bytes."""
        key = Secret(self._wrapping.unwrap(self._context(key_id), wrapped))
        return to.take(self._space, key_id, key)

    def take(self, space: bytes, key_id: bytes, key: Secret) -> bytes:
        """Wrap a subject key that comes from another slot key; ValueError if from another space."""
        if space != self._space:
            raise ValueError(_OTHER_SPACE)
        return self._wrapping.wrap(self._context(key_id), key.reveal())

    def _context(self, key_id: bytes) -> bytes:
        return b"ps1|wrap|" + self._space + key_id + self._tail
