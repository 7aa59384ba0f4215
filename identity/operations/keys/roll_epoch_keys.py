"""Rolls the epoch key of a space: afterwards no older backup opens what was destroyed before the roll.

The new epoch key is in the key store before the space lock names it, so no writer makes a slot under the old one any
more. Then the slots follow: a slot under which a subject key was destroyed gets a new key, which wraps the subject
keys that are left; the others only change their epoch. The old epoch keys are destroyed only after a dump of the key
tables was written and proved whole. Each step repeats until nothing is left to do, so the next roll finishes one
that died.
"""

from collections.abc import Callable, Sequence
from typing import Final

from identity.operations.keys.dump_key_tables import dump_keys
from identity.spaces.retry import RetryPolicy, repeat
from identity.spaces.space import Space, Spaces
from identity.store.keys import epoch_key_roll
from identity.store.keys.epoch_key_roll import SlotKeyRow, WrappedSubjectRow
from identity.store.ledger import ledger
from identity.store.ledger.ledger import OPERATOR
from identity.store.postgres import space_lock
from identity.values.calls import DAY
from identity.values.errors import Conflict, DatabaseUnavailable
from identity.values.ids import SpaceNumber
from identity.values.ledger_actions import LedgerAction
from identity.values.stamps import Micros, wall_time
from identity.vault.threads import in_key_store
from identity.vault.vouching.ledger_entries import vouch_for_entry

KEY_BACKUP_DAYS: Final = 7
"""The default for how long backups of the key store are kept."""
EVERY = DAY * 23 // 24
AT_ONCE = 64
_POLICY = RetryPolicy(attempts=8, jitter=0.005, conflicts=(Conflict, DatabaseUnavailable))
Progress = Callable[[int, int], None]


async def roll(
    spaces: Spaces,
    space: Space,
    *,
    actor: str = OPERATOR,
    backup_days: int = KEY_BACKUP_DAYS,
    progress: Progress | None = None,
) -> int:
    """Rolls once and returns the epoch in force afterwards. Does nothing while another process rolls."""
    async with epoch_key_roll.exclusive_roll(space.database, space.tenant.id) as mine:
        if mine:
            return await _roll(spaces, space, actor, backup_days, progress or _quiet)
    async with space.database.reading() as connection:
        return (await space_lock.read(connection, space.tenant.id)).epoch


async def roll_due(spaces: Spaces, *, every: int = EVERY, backup_days: int = KEY_BACKUP_DAYS) -> int:
    """Rolls the spaces with an erasure older than `every` microseconds, and returns their number."""
    async with spaces.database.of_all_spaces.reading() as connection:
        found = await epoch_key_roll.spaces_due(connection, Micros(wall_time() - every))
    for space_id in found:
        await roll(spaces, await spaces.get(SpaceNumber(space_id)), backup_days=backup_days)
    return len(found)


async def _roll(spaces: Spaces, space: Space, actor: str, backup_days: int, progress: Progress) -> int:
    keyring, database, space_id = spaces.keyring, space.database, space.tenant.id
    async with database.reading() as connection:
        old = (await space_lock.read(connection, space_id)).epoch
    new = old + 1
    await in_key_store(keyring.create_epoch_key, space.public_id, new)

    async def raise_epoch() -> None:
        async with database.transaction() as connection:
            await space_lock.raise_epoch(connection, space_id, old)

    await repeat(_POLICY, raise_epoch)
    async with database.reading() as connection:
        behind = await epoch_key_roll.older_slots(connection, space_id, new)
    # Slots whose subject keys have to be read share one scan of the table.
    behind.sort(key=lambda each: each[1])
    for at in range(0, len(behind), AT_ONCE):
        progress(at, len(behind))
        slots = sorted(slot for slot, _ in behind[at : at + AT_ONCE])
        await repeat(_POLICY, lambda slots=slots: _move(space, slots, new))  # type: ignore[misc]
    progress(len(behind), len(behind))
    async with database.reading() as connection:
        left = await epoch_key_roll.older_slots(connection, space_id, new)
    if left:
        raise DatabaseUnavailable
    await dump_keys(spaces, space)
    for epoch in await in_key_store(keyring.epochs, space.public_id):
        if epoch < new:
            await in_key_store(keyring.destroy_epoch, space.public_id, epoch)
    await in_key_store(keyring.destroy_dumps, space.public_id, new)
    now = wall_time()
    safe_at = Micros(now + backup_days * DAY)
    details = {"epoch": new, "safe_at": safe_at}
    async with database.transaction() as connection:
        await epoch_key_roll.set_safe(connection, space_id, new, safe_at)
        entry = ledger.entry(actor, LedgerAction.KEYS_ROLLED, None, now, details)
        await ledger.append(connection, space_id, *vouch_for_entry(space.keys, entry))
    # The status of an erasure states what the journal says of backups.
    await space.publish()
    return new


async def _move(space: Space, slots: Sequence[int], new: int) -> None:
    """Moves these slots to the new epoch; touched ones get new keys."""
    space_id, base, keys = space.tenant.id, space.tenant.base, space.keys
    async with space.database.transaction() as connection:
        held = [slot for slot in await epoch_key_roll.lock_slots(connection, space_id, slots) if slot.epoch < new]
        touched = [slot for slot in held if slot.touched]
        subjects = (
            await epoch_key_roll.subject_keys(connection, space_id, [slot.slot for slot in touched]) if touched else []
        )
        moved = [
            SlotKeyRow(slot.slot, new, keys.rewrap_slot(slot.slot, slot.epoch, slot.wrapped, new), touched=False)
            for slot in held
            if not slot.touched
        ]
        renewed = {slot.slot: keys.renew_slot(slot.slot, slot.epoch, slot.wrapped, new) for slot in touched}
        moved += [SlotKeyRow(slot, new, wrapped, touched=False) for slot, (_, _, wrapped) in renewed.items()]
        rewrapped = []
        for subject in subjects:
            old, to, _ = renewed[subject.slot]
            wrapped = old.rewrap(subject.key_id, subject.wrapped, to)
            rewrapped.append(WrappedSubjectRow(subject.profile_id, subject.slot, subject.key_id, wrapped))
        if rewrapped:
            await epoch_key_roll.write_subject_keys(connection, space_id, base, rewrapped)
        await epoch_key_roll.write_slots(connection, space_id, base, new, moved)


def _quiet(_done: int, _total: int) -> None:
    """Reports to nobody."""
