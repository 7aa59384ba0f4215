"""Removes an identifier again in a database that is older than the removal and is being repaired.

The removal is the ordinary one, with its history and its change for destinations, at the stamp that it had. So no
profile lists an identifier that was removed after the backup, blocked or not. A person under a hold keeps the
identifier, as the hold demands. The last identifier of a profile of the backup goes too, which an ordinary removal
refuses: the calls become those of nobody, as a rebuild leaves them, and the next erasure of the person finds them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog

from identity.operations.corrections.rebuild_profiles import rebuilt_rows
from identity.operations.corrections.remove_identifier import removal_rows
from identity.operations.corrections.replay_calls import replay
from identity.operations.corrections.require_no_hold import require_no_hold
from identity.operations.corrections.unseal_profiles import UnsealedProfiles, unseal_profiles
from identity.planning.privacy.hold_refusals import UnderHold
from identity.spaces.exclusive_transaction import ExclusiveSpace, SpaceReader, write_change
from identity.spaces.space import Space
from identity.store.ingest.identifier_owners import owners as owners_of
from identity.store.ingest.write import Writes, apply
from identity.store.postgres import space_lock
from identity.store.postgres.pipeline import PipelineConnection
from identity.store.privacy import holds
from identity.store.privacy.erase import profiles_on_hold
from identity.values.calls import Source
from identity.values.errors import LastIdentifier
from identity.values.ids import BlindIndex, HoldId
from identity.values.stamps import Stamp

NOBODY: Final = Source(0, server=True)
"""The source of these removals: no key asked for them."""
_log = structlog.get_logger(__name__)


class RepairedSpace(ExclusiveSpace):
    """A space that a restore repairs: nobody else writes, so no lease on a writer slot is needed."""

    def __init__(self, reader: SpaceReader, connection: PipelineConnection, last: Stamp) -> None:
        """`last` is the stamp after which the next one comes."""
        SpaceReader.__init__(self, reader.space, connection, reader.lock_row, reader.rules)
        self.owners = {}
        self._last = last

    def stamps(self, after: Stamp) -> Stamp:
        """A stamp after this one."""
        self._last = Stamp(max(self._last, after) + 1)
        return self._last

    async def holds_on(self, keys: Sequence[BlindIndex]) -> list[HoldId]:
        """The holds on any of these identifiers; those that the journal records later are not yet repeated."""
        return await holds.on_identifiers(self.connection, self.space.tenant, keys)

    @property
    def lane(self) -> int:
        """The first lane of the change feed."""
        return 0


async def repeat_removal(space: Space, connection: PipelineConnection, entry: Mapping[str, Any]) -> None:
    """Repeat one entry; the transaction holds the space lock alone.

    An entry of an older version names an identifier only where the removal blocked it.
    """
    blocked, removed = (
        [BlindIndex(bytes.fromhex(key)) for key in entry.get(name, ())] for name in ("blocked", "removed")
    )
    if blocked:
        await apply(connection, space.tenant, Writes(blocked=blocked))
    owners = await owners_of(connection, space.tenant, removed or blocked)
    for key in owners:
        await space.read_types()
        lock_row = await space_lock.read(connection, space.tenant.id)
        reader = SpaceReader(space, connection, lock_row, await space.rules())
        repaired = RepairedSpace(reader, connection, Stamp(entry["stamp"] - 1))
        repaired.owners |= owners
        await _remove(repaired, key, block=key in blocked)


async def _remove(repaired: RepairedSpace, key: BlindIndex, *, block: bool) -> None:
    connection, tenant = repaired.connection, repaired.space.tenant
    origin = repaired.owners[key]
    opened = await unseal_profiles(repaired, origin)
    writes = None
    try:
        await require_no_hold(repaired, opened)
        if not await profiles_on_hold(connection, tenant, [origin]):
            writes = await _rows(repaired, opened, key, block=block)
    except UnderHold:
        _log.warning("identifier.kept", space=repaired.space.name_in_logs, reason=UnderHold.code)
    if writes is not None:
        await write_change(connection, tenant, writes)


async def _rows(repaired: RepairedSpace, opened: UnsealedProfiles, key: BlindIndex, *, block: bool) -> Writes | None:
    if len(opened.snapshot.links) > 1:
        return (await removal_rows(repaired, opened, key, NOBODY, block=block))[1]
    forgotten = repaired.stamps(max(repaired.lock_row.stamp, *(row.stamp for row in opened.rows.values())))
    await apply(repaired.connection, repaired.space.tenant, Writes(forgotten=[(key, forgotten)]))
    replayed = await replay(repaired, opened.rows.keys(), forgotten)
    if not {gained.identifier.type for gained in replayed.rebuilt.links.values()} <= repaired.space.codes.keys():
        _log.warning("identifier.kept", space=repaired.space.name_in_logs, reason=LastIdentifier.code)
        return None
    return (await rebuilt_rows(repaired, replayed, NOBODY.key_number)).writes
