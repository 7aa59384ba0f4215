"""Joins again the origins that are left of a profile in a database that is being repaired.

An unmerge after the backup is lost, so two people are one profile again in the restored database. The repeated
erasure of one of them leaves the other origins apart, also those that a stored call links. Their calls are replayed
under the rules in force, as a rebuild replays them. Profiles under a hold stay apart until a rebuild after its release.
"""

from collections.abc import Collection

import structlog

from identity.operations.corrections.rebuild_profiles import rebuilt_rows, require_unheld
from identity.operations.corrections.repeat_removal import NOBODY, RepairedSpace
from identity.operations.corrections.replay_calls import replay
from identity.planning.privacy.hold_refusals import UnderHold
from identity.spaces.exclusive_transaction import SpaceReader, write_change
from identity.spaces.space import Space
from identity.store.postgres import space_lock
from identity.store.postgres.pipeline import PipelineConnection
from identity.store.privacy.restore_erasures import stored_profiles
from identity.values.errors import KeyUnavailable, SealBroken
from identity.values.ids import ProfileId

_log = structlog.get_logger(__name__)


async def rejoin_profiles(space: Space, connection: PipelineConnection, parted: Collection[ProfileId]) -> None:
    """Join those of these origins that calls link; the transaction holds the space lock alone."""
    left = set(await stored_profiles(connection, space.tenant, sorted(parted)))
    while left:
        left -= await _rejoin(space, connection, min(left))


async def _rejoin(space: Space, connection: PipelineConnection, origin: ProfileId) -> set[ProfileId]:
    """Join what calls link to an origin; returns the origins that are as the rules make them."""
    await space.read_types()
    lock_row = await space_lock.read(connection, space.tenant.id)
    reader = SpaceReader(space, connection, lock_row, await space.rules())
    repaired = RepairedSpace(reader, connection, lock_row.stamp)
    try:
        replayed = await replay(repaired, [origin], lock_row.stamp)
    except (KeyUnavailable, SealBroken) as error:
        # The space is served all the same, and its damage is that of this profile.
        _log.warning("profiles.left_apart", space=space.name_in_logs, reason=error.code)
        return {origin}
    found = {origin, *replayed.stored.profiles}
    try:
        await require_unheld(repaired, sorted(found))
    except UnderHold:
        _log.warning("profiles.left_apart", space=space.name_in_logs, reason=UnderHold.code)
        return found
    if not {gained.identifier.type for gained in replayed.rebuilt.links.values()} <= space.codes.keys():
        _log.warning("profiles.left_apart", space=space.name_in_logs, reason="new_types")
        return found
    writes = (await rebuilt_rows(repaired, replayed, NOBODY.key_number)).writes
    if writes is not None:
        await write_change(connection, space.tenant, writes)
    return found
