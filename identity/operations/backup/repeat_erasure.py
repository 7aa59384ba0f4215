"""Repeats an erasure of the journal: the data of the person, and the row of the erasure where its request is known."""

from collections.abc import Awaitable, Callable

import msgspec

from identity.operations.backup.lost_profiles import LostProfiles
from identity.planning.privacy.erasure_entry import counts_in_entry
from identity.planning.privacy.privacy_requests import FORWARDS
from identity.store.postgres.pipeline import PipelineConnection
from identity.store.postgres.tenant import Tenant
from identity.store.privacy import erasures, restore_erasures, restore_requests
from identity.store.privacy.restore_erasures import RepeatedErasure
from identity.values.enums import ErasureState
from identity.values.ids import ProfileId, private
from identity.values.json import JsonObject


def repeating_erasure(
    lost: LostProfiles, parted: set[ProfileId]
) -> Callable[[PipelineConnection, Tenant, JsonObject], Awaitable[None]]:
    """Repeats an erasure.

    `lost` takes up the profiles that go with the person, and `parted` the origins that are left of a profile.
    """

    async def erase(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> None:
        erased = await _erase(connection, tenant, entry)
        lost.add(erased.others)
        parted.update(erased.parted)

    return erase


async def _erase(connection: PipelineConnection, tenant: Tenant, entry: JsonObject) -> RepeatedErasure:
    id_ = private("ers", entry["subject"] or "")
    row = None if id_ is None else await erasures.get(connection, tenant, id_)
    if row is not None and row.state == ErasureState.ON_HOLD and not entry["whole"]:
        # Entries of older releases do not list what they lifted.
        lifted = {"hashes": entry.get("lifted", entry["hashes"])}
        await restore_erasures.replay_lift(connection, tenant, lifted)
    erased = await restore_erasures.replay_erasure(connection, tenant, entry, None if row is None else row.id)
    if row is not None:
        counts = msgspec.json.encode(counts_in_entry(entry))
        epoch = entry["epoch"] if entry["keys"] else None
        informed = erased.informed if row.kind in FORWARDS else []
        at, seq = entry["at"], entry["seq"]
        found = [row.nr] if entry["keys"] else []
        await restore_requests.restore_outcome(
            connection, tenant, [row], at, seq, counts, epoch=epoch, informed=informed, found=found
        )
        indexes = [bytes.fromhex(index) for index in entry["indexes"]]
        await erasures.mark_duplicates(connection, tenant, indexes, row, entry["at"], found=bool(entry["keys"]))
    return erased
