"""What a batch names and finds under an older version of the index key: it is brought under the newest first.

So a plan only ever sees names of one version. Asked only while something may lie under an older one:
profiles and groups while a rotation is under way, message ids for some days after it, and hashes of what
nothing else is kept of for as long as there are such.
"""

from collections.abc import Sequence

from identity.operations.ingest.request import Request
from identity.spaces.rekey_profiles import AT_ONCE, rekey_hashes, rekey_profiles
from identity.spaces.space import Older, Space
from identity.store.ingest import load
from identity.store.keys import index_key_rotation, rekey_sql
from identity.store.postgres.pipeline import PipelineConnection
from identity.values.enums import SpaceMark


class Behind:
    """The older names of a batch. `found` looks for them under the gate, `bring` is done once that is given back."""

    def __init__(self, space: Space, requests: Sequence[Request]) -> None:
        self._space = space
        self._older = Older({}, {}, {}, {})
        for request in requests:
            if request.older is not None:
                for mine, more in zip(self._older, request.older, strict=True):
                    mine.update(more)
        self._origins: set[bytes] = set()
        self._groups: dict[bytes, bytes] = {}
        self._hashes: dict[bytes, bytes] = {}

    async def found(self, connection: PipelineConnection, first: load.BatchClaim) -> bool:
        """Whether anything lies under an older name that this batch would have to see."""
        older, tenant, gate = self._older, self._space.tenant, first.gate
        self._origins = {first.owners[key] for key in older.identifiers if key in first.owners}
        if older.groups:
            under = await rekey_sql.groups_under_older_keys(connection, tenant, list(older.groups))
            self._groups = {key: older.groups[key] for key in under}
        if older.hashes and gate.marks & (SpaceMark.BLOCKED | SpaceMark.CUTS):
            _, blocked, cuts = await load.constraints(connection, tenant, gate, (), list(older.hashes))
            self._hashes = {key: older.hashes[key] for key in blocked | {key for key, _, _ in cuts}}
        return bool(self._origins or self._groups or self._hashes)

    async def bring(self, connection: PipelineConnection) -> None:
        """Brings it under the newest version, some profiles at a time, so that others get their turn."""
        space, origins = self._space, sorted(self._origins)
        for at in range(0, max(len(origins), 1), AT_ONCE):
            async with connection.transaction():
                gate = await index_key_rotation.hold_gate(connection, space.tenant.id)
                if gate.newest != space.keys.versions.newest:
                    return
                await rekey_sql.rename_groups(connection, space.tenant, self._groups)
                await rekey_hashes(space, connection, self._hashes)
                await space.read_types()
                await rekey_profiles(space, connection, origins[at : at + AT_ONCE])

    async def fresh(self, connection: PipelineConnection, first: load.BatchClaim) -> load.BatchClaim:
        """The same without messages that were accepted under an older name; they bear the newest from now on."""
        older = self._older.messages
        if not older:
            return first
        seen = await load.accepted_messages(connection, self._space.tenant, list(older))
        return first._replace(fresh_messages=first.fresh_messages - {older[key] for key in seen})
