"""The cache of unwrapped epoch and slot keys."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from identity.values.errors import KeyUnavailable, SealBroken
from identity.vault.cache import KeyCache
from identity.vault.key_material import WrappingKey
from identity.vault.subject_keys import slot_context

SPACE, OTHER = b"S" * 16, b"T" * 16


class Epochs:
    """A key store in memory: which epochs there are, and how often each was read."""

    def __init__(self) -> None:
        self.there = {1, 2}
        self.reads: list[tuple[bytes, int]] = []

    def load(self, space: bytes, epoch: int) -> WrappingKey:
        """Read an epoch key."""
        self.reads.append((space, epoch))
        if epoch not in self.there:
            raise KeyUnavailable
        return WrappingKey(bytes((epoch,)) * 32)


@pytest.fixture
def epochs() -> Epochs:
    """A key store with epochs 1 and 2 of every space."""
    return Epochs()


def wrapped(slot: int, epoch: int, space: bytes = SPACE, key: bytes = b"k" * 32) -> bytes:
    """A wrapped slot key."""
    return WrappingKey(bytes((epoch,)) * 32).wrap(slot_context(space, slot, epoch), key)


def test_epoch_is_read_once(epochs: Epochs) -> None:
    """The store is asked once for an epoch, however many slots it opens."""
    cache = KeyCache(epochs.load)
    for slot in range(10):
        cache.slot(SPACE, slot, 1, wrapped(slot, 1))
    assert epochs.reads == [(SPACE, 1)]


def test_slot_key_is_unwrapped_once(epochs: Epochs) -> None:
    """The same bytes give the same object."""
    cache, bytes_ = KeyCache(epochs.load), wrapped(3, 1)
    assert cache.slot(SPACE, 3, 1, bytes_) is cache.slot(SPACE, 3, 1, bytes(bytearray(bytes_)))


def test_changed_row_never_meets_a_stale_key(epochs: Epochs) -> None:
    """Other bytes for the same slot are unwrapped anew, and refused if they are not its."""
    cache = KeyCache(epochs.load)
    first = cache.slot(SPACE, 3, 1, wrapped(3, 1))
    assert cache.slot(SPACE, 3, 1, wrapped(3, 1)) is not first
    with pytest.raises(SealBroken):
        cache.slot(SPACE, 3, 1, wrapped(4, 1))
    with pytest.raises(SealBroken):
        cache.slot(OTHER, 3, 1, wrapped(3, 1))


def test_slot_keys_used_last_are_kept(epochs: Epochs) -> None:
    """Beyond its size the cache lets go of what was not used for longest."""
    cache, rows = KeyCache(epochs.load, size=2), [wrapped(slot, 1) for slot in range(3)]
    held = [cache.slot(SPACE, slot, 1, rows[slot]) for slot in (0, 1)]
    assert cache.slot(SPACE, 0, 1, rows[0]) is held[0]
    cache.slot(SPACE, 2, 1, rows[2])
    assert cache.slot(SPACE, 0, 1, rows[0]) is held[0]
    assert cache.slot(SPACE, 1, 1, rows[1]) is not held[1]


def test_dropped_epoch_takes_its_slot_keys_along(epochs: Epochs) -> None:
    """Once an epoch is destroyed and dropped, what it wrapped is not in the cache."""
    cache, old, new, others = KeyCache(epochs.load), wrapped(3, 1), wrapped(3, 2), wrapped(3, 1, OTHER)
    cache.slot(SPACE, 3, 1, old)
    kept = cache.slot(SPACE, 3, 2, new), cache.slot(OTHER, 3, 1, others)
    epochs.there = {2}
    cache.drop_epoch(SPACE, 1)
    with pytest.raises(KeyUnavailable):
        cache.slot(SPACE, 3, 1, old)
    assert (cache.slot(SPACE, 3, 2, new), cache.slot(OTHER, 3, 1, others)) == kept


def test_dropped_space_takes_all_its_keys_along(epochs: Epochs) -> None:
    """Dropping a space leaves the keys of others."""
    cache, mine, others = KeyCache(epochs.load), wrapped(3, 1), wrapped(3, 1, OTHER)
    cache.slot(SPACE, 3, 1, mine)
    kept = cache.slot(OTHER, 3, 1, others)
    epochs.there = set()
    cache.drop_space(SPACE)
    with pytest.raises(KeyUnavailable):
        cache.slot(SPACE, 3, 1, mine)
    assert cache.slot(OTHER, 3, 1, others) is kept


def test_missed_epoch_is_asked_for_again(epochs: Epochs) -> None:
    """That an epoch was not there is not remembered; each asking reads the store once."""
    cache = KeyCache(epochs.load)
    with pytest.raises(KeyUnavailable):
        cache.epoch(SPACE, 3)
    assert epochs.reads == [(SPACE, 3)]
    epochs.there.add(3)
    assert cache.epoch(SPACE, 3) is cache.epoch(SPACE, 3)


def test_threads_share_the_cache(epochs: Epochs) -> None:
    """Threads that ask for many slots while some are dropped get the right key each time."""
    cache, rows = KeyCache(epochs.load, size=8), [wrapped(slot, 1) for slot in range(32)]

    def use(number: int) -> bool:
        if number % 50 == 0:
            cache.drop_epoch(SPACE, 1)
        slot = number % 32
        return cache.slot(SPACE, slot, 1, rows[slot]).slot == slot

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(use, range(4000)))
