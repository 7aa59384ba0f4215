"""Writes a dump of the key tables of a space and proves that it opens, because a restore depends on it."""

import asyncio
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from identity.spaces.space import Space, Spaces
from identity.store.keys import key_tables
from identity.store.postgres.snapshot import scanning_snapshot
from identity.values.errors import SealBroken
from identity.vault.key_dumps import Dump, Head, packed, packed_subjects
from identity.vault.threads import in_key_store

A_TURN = 100


async def dump_keys(spaces: Spaces, space: Space) -> Head:
    """Dumps the keys of one moment. SealBroken if the dump cannot be read back whole.

    The caller rolls the epoch key itself, or calls this while no roll is under way: slots of two epochs are refused.
    """
    async with scanning_snapshot(space.database, "enable_seqscan") as connection:
        slots = await key_tables.slot_keys(connection, space.tenant)
        epochs = {slot.epoch for slot in slots}
        if len(epochs) > 1:
            raise SealBroken
        count = await key_tables.count_subject_keys(connection, space.tenant)
        pages = [packed_subjects(page) async for page in key_tables.subject_keys(connection, space.tenant)]
    epoch = epochs.pop() if epochs else max(await in_key_store(spaces.keyring.epochs, space.public_id))
    head = Head(space.public_id, epoch, len(slots), count)
    start = packed(head, [(slot.slot, slot.wrapped) for slot in slots])
    made = await in_key_store(spaces.keyring.dump, space.public_id, epoch, _closed([start, *pages]))
    await prove_dump(space, made, head)
    return head


async def prove_dump(space: Space, dump_: Dump, head: Head | None = None) -> None:
    """Opens every key in a dump. SealBroken if one does not open, or if the dump is of another space.

    The loop gives way every hundred keys; a thread would hold up the event loop for 5 ms at a time.
    """
    if dump_.head.space != space.public_id or (head is not None and dump_.head != head):
        raise SealBroken
    slots: dict[int, Any] = {}
    for number, wrapped in dump_.slots:
        slots[number] = space.keys.slot(number, dump_.head.epoch, wrapped)
    for page in dump_.subjects():
        for at in range(0, len(page), A_TURN):
            for _, slot, key_id, wrapped in page[at : at + A_TURN]:
                if slot not in slots:
                    raise SealBroken
                slots[slot].unwrap(key_id, wrapped)
            await asyncio.sleep(0)


def _closed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, followed by the digest of all of them."""
    digest = sha256()
    for chunk in chunks:
        digest.update(chunk)
        yield chunk
    yield digest.digest()
