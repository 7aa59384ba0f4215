"""The one place where a batch meets a rotation of the index key: it brings what it finds up to date first.

So a plan only ever sees keys of one version. Older keys are looked up only while rows may bear them: those of
profiles and groups while a rotation is under way, those of message ids for some days after it, and those of
bare hashes for as long as any of them are left.
"""

from collections.abc import Sequence

from identity.operations.ingest.request import IngestRequest
from identity.spaces.blind_indexes import no_older_keys
from identity.spaces.rekey_profiles import AT_ONCE, rekey_hashes, rekey_profiles
from identity.spaces.space import Space
from identity.store.ingest import load
from identity.store.keys import rekey_sql
from identity.store.postgres import space_lock
from identity.store.postgres.pipeline import PipelineConnection, rollback
from identity.values.enums import SpaceMark
from identity.values.ids import BlindIndex, ProfileId


async def up_to_date(
    connection: PipelineConnection, space: Space, requests: Sequence[IngestRequest], first: load.BatchClaim
) -> load.BatchClaim | None:
    """What the first round trip found, if the requests were read under the rules and index keys of the space lock.

    Otherwise the transaction is rolled back, the requests are read again or what lies under older keys is
    rekeyed, and the answer is None: the batch has to be loaded again.
    """
    lock_row = first.lock_row
    space.heads.require_rules(lock_row.rules_version)
    if any(request.rules != lock_row.rules_version or request.index != lock_row.versions for request in requests):
        await rollback(connection)
        space.set_versions(lock_row.versions)
        rules = await space.rules(lock_row.rules_version)
        for request in requests:
            await request.read(space, rules)
        return None
    if lock_row.oldest == lock_row.newest:
        return first
    rekeying = _RekeyOnWrite(space, requests)
    if await rekeying.find(connection, first):
        await rollback(connection)
        await rekeying.rekey(connection)
        return None
    return await rekeying.without_repeats(connection, first)


class _RekeyOnWrite:
    """The older keys of a batch: found under the space lock, rekeyed once that is given back."""

    def __init__(self, space: Space, requests: Sequence[IngestRequest]) -> None:
        self._space = space
        self._older = no_older_keys()
        for request in requests:
            if request.older is not None:
                self._older.update(request.older)
        self._origins: set[ProfileId] = set()
        self._groups: dict[bytes, bytes] = {}
        self._hashes: dict[BlindIndex, BlindIndex] = {}

    async def find(self, connection: PipelineConnection, first: load.BatchClaim) -> bool:
        """Whether rows that concern this batch bear older keys."""
        older, tenant, lock_row = self._older, self._space.tenant, first.lock_row
        self._origins = {first.owners[key] for key in older.identifiers if key in first.owners}
        if older.groups:
            under = await rekey_sql.groups_under_older_keys(connection, tenant, list(older.groups))
            self._groups = {key: older.groups[key] for key in under}
        if older.hashes and lock_row.marks & (SpaceMark.BLOCKED | SpaceMark.CUTS):
            _, blocked, cuts = await load.constraints(connection, tenant, lock_row, (), list(older.hashes))
            self._hashes = {key: older.hashes[key] for key in blocked | {key for key, _, _ in cuts}}
        return bool(self._origins or self._groups or self._hashes)

    async def rekey(self, connection: PipelineConnection) -> None:
        """Rekeys those rows, some profiles to a transaction, so that other writers get their turn."""
        space, origins = self._space, sorted(self._origins)
        for at in range(0, max(len(origins), 1), AT_ONCE):
            async with connection.transaction():
                lock_row = await space_lock.take_exclusive(connection, space.tenant.id)
                if lock_row.newest != space.keys.versions.newest:
                    return
                await rekey_sql.rename_groups(connection, space.tenant, self._groups)
                await rekey_hashes(space, connection, self._hashes)
                await space.read_types(connection)
                await rekey_profiles(space, connection, origins[at : at + AT_ONCE])

    async def without_repeats(self, connection: PipelineConnection, first: load.BatchClaim) -> load.BatchClaim:
        """The same, less the messages that were accepted under an older key; they bear the newest from now on."""
        older = self._older.message_keys
        if not older:
            return first
        seen = await load.accepted_messages(connection, self._space.tenant, list(older))
        return first._replace(new_message_keys=first.new_message_keys - {older[key] for key in seen})
