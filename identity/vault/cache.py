"""The unwrapped epoch and slot keys of a process.

Invariants: a slot key is cached under the very bytes it was unwrapped from, so a changed row can
never meet a stale key; once an epoch is dropped, nothing of it is in here, also not from a thread
that was about to put it in: whatever is put in is read and put in under one lock.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TypeAlias

from identity.vault.key_material import WrappingKey
from identity.vault.secret import Guarded
from identity.vault.subject_keys import SlotKey, slot_context

SLOTS = 8192

_Name: TypeAlias = tuple[bytes, int, int, bytes]


class KeyCache(Guarded):
    """Epoch keys, the newest two of a space, and the `size` slot keys used last.

    `load` reads and unwraps an epoch key; what it raises is passed on and nothing is remembered.
    """

    __slots__ = ("_epochs", "_load", "_lock", "_size", "_slots")

    def __init__(self, load: Callable[[bytes, int], WrappingKey], size: int = SLOTS) -> None:
        self._load = load
        self._size = size
        self._lock = Lock()
        self._epochs: dict[tuple[bytes, int], WrappingKey] = {}
        self._slots: OrderedDict[_Name, SlotKey] = OrderedDict()

    def epoch(self, space: bytes, epoch: int) -> WrappingKey:
        """Return an epoch key, read from the store if it is not held."""
        with self._lock:
            return self._epoch(space, epoch)

    def slot(self, space: bytes, slot: int, epoch: int, wrapped: bytes) -> SlotKey:
        """Return the slot key that these bytes wrap; SealBroken if they wrap none."""
        name = (space, slot, epoch, wrapped)
        with self._lock:
            held = self._slots.get(name)
            if held is not None:
                self._slots.move_to_end(name)
                return held
            context = slot_context(space, slot, epoch)
            held = SlotKey(space, slot, self._epoch(space, epoch).unwrap(context, wrapped))
            self._slots[name] = held
            if len(self._slots) > self._size:
                self._slots.popitem(last=False)
            return held

    def held(self) -> dict[bytes, set[int]]:
        """Return the epochs that are held or whose slot keys are, by space."""
        found: dict[bytes, set[int]] = {}
        with self._lock:
            for space, epoch in (*self._epochs, *((name[0], name[2]) for name in self._slots)):
                found.setdefault(space, set()).add(epoch)
        return found

    def drop_epoch(self, space: bytes, epoch: int) -> None:
        """Drop an epoch key and every slot key unwrapped with it."""
        with self._lock:
            self._drop_epoch(space, epoch)

    def drop_space(self, space: bytes) -> None:
        """Drop every key of a space."""
        with self._lock:
            for held in [held for held in self._epochs if held[0] == space]:
                del self._epochs[held]
            for name in [name for name in self._slots if name[0] == space]:
                del self._slots[name]

    def _drop_epoch(self, space: bytes, epoch: int) -> None:
        self._epochs.pop((space, epoch), None)
        for name in [name for name in self._slots if name[0] == space and name[2] == epoch]:
            del self._slots[name]

    def _epoch(self, space: bytes, epoch: int) -> WrappingKey:
        held = self._epochs.get((space, epoch))
        if held is None:
            held = self._epochs[space, epoch] = self._load(space, epoch)
            # A roll in another process: what it destroys must not live on here. Rows may name the
            # epoch before the newest until the roll is through.
            for old in [old for id_, old in self._epochs if id_ == space and old < epoch - 1]:
                self._drop_epoch(space, old)
        return held
