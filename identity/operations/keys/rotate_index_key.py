"""Rotates the index key of a space, while everybody reads and writes: every blind index is made anew.

First the new version is in the key store, then the gate names it, so that no key is made under the old one
any more; then a job brings everything under it (`identity.spaces.rekey_space`). The old version is destroyed once
nothing can be under it: message ids run out by themselves, and hashes of what nothing else is kept of (an
identifier that was removed, blocked or erased) need it for as long as there are any. Each step is repeated
until it is done, so a rotation that died is made good by whoever comes next.
"""

import asyncio
import time
from typing import Any, Final

import structlog

from identity.planning.resolution.event_time import format_time
from identity.spaces.rekey_space import ROTATED, Progress, activate_next_version, finish_rotation
from identity.spaces.space import Space, Spaces
from identity.store.keys import index_key_rotation
from identity.store.ledger import ledger
from identity.values.calls import DAY
from identity.values.errors import OnefoldError
from identity.values.stamps import SLOT_BITS

MESSAGE_DAYS: Final = 8
"""For how long message ids are kept where nothing else is said."""
OPERATOR: Final = "operator"
# A message is as old as the batch it came in, whose stamp may be a little ahead of the clock here.
_MARGIN: Final = DAY // 24
_log = structlog.get_logger(__name__)


async def begin(spaces: Spaces, space: Space, actor: str = OPERATOR) -> int:
    """Puts a new version in force, unless a rotation is under way, which is to be ended first; the newest."""
    await space.refresh_versions()
    versions = space.keys.versions
    if versions.live == versions.newest:
        await asyncio.to_thread(spaces.keyring.create_index_key, space.public_id, versions.newest + 1)
        await space.read_types()
        async with space.database.transaction() as connection:
            gate = await index_key_rotation.hold_gate(connection, space.tenant.id)
            if gate.versions == versions:
                now = time.time_ns() // 1000
                await activate_next_version(space, connection, gate, now)
                said = ledger.entry(actor, ROTATED, None, now, {"version": versions.newest + 1})
                await ledger.append(connection, space.tenant.id, *said)
        await space.publish()
        await space.refresh_versions()
    return space.keys.versions.newest


async def rotate(spaces: Spaces, space: Space, progress: Progress, message_days: int = MESSAGE_DAYS) -> dict[str, Any]:
    """The job: everything is under the newest version; what then still needs an older one, and until when."""
    await finish_rotation(space, progress)
    return await destroy_unused(spaces, space, message_days)


async def destroy_unused(spaces: Spaces, space: Space, message_days: int = MESSAGE_DAYS) -> dict[str, Any]:
    """Destroys the older versions if nothing needs them; says what does."""
    kept = (message_days * DAY + _MARGIN) << SLOT_BITS
    space_id = space.tenant.id
    async with space.database.transaction() as connection:
        gate = await index_key_rotation.hold_gate(connection, space_id)
        since = await index_key_rotation.in_force_since(connection, space_id)
        await index_key_rotation.forget_messages(connection, space_id, (time.time_ns() // 1000 << SLOT_BITS) - kept)
        left = await index_key_rotation.count_unresolved(connection, space.tenant) if gate.live == gate.newest else 0
        if not left:
            await index_key_rotation.close(connection, space_id)
    await space.refresh_versions()
    versions = space.keys.versions
    await asyncio.to_thread(_destroy, spaces, space)
    until = None
    if versions.messages < versions.newest:
        until = format_time((since + kept) >> SLOT_BITS)
    return {"version": versions.newest, "oldest": versions.oldest, "hashes_left": left, "messages_until": until}


def _destroy(spaces: Spaces, space: Space) -> None:
    for version in spaces.keyring.indexes(space.public_id):
        if version < space.keys.versions.oldest:
            spaces.keyring.destroy_index(space.public_id, version)


async def destroy_unused_everywhere(spaces: Spaces, message_days: int) -> None:
    """Destroys what older versions nothing needs any more, in every space, and those whose destroyer died."""
    async with spaces.database.reading() as connection:
        found = await index_key_rotation.versions(connection)
    for space_id, versions in found:
        try:
            space = await spaces.get(space_id)
            if versions.oldest < versions.newest:
                await destroy_unused(spaces, space, message_days)
            else:
                space.keys.set_versions(versions)
                await asyncio.to_thread(_destroy, spaces, space)
        except OnefoldError as error:
            _log.warning("index.not_settled", code=error.code)
