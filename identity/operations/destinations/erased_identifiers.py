"""Identifiers of erased people, kept sealed for the destinations that have to erase them too.

They go once every such destination has acknowledged the erasure, together with their key.
"""

from collections.abc import Collection

import msgspec

from identity.operations.destinations.destination_scope import Scope, VisibleIdentifier
from identity.spaces.origin_rows import unwrap_key
from identity.spaces.space import Space
from identity.store.privacy import erasure_notices
from identity.store.profiles import snapshot_queries
from identity.values.ids import ErasureId
from identity.vault.seal import ASIDE


async def erased_identifiers(
    space: Space, scope: Scope, erasures: Collection[ErasureId]
) -> dict[bytes, list[VisibleIdentifier]]:
    """Visible identifiers by erasure, for those of the erasures that the destination has to know of."""
    if not erasures:
        return {}
    async with space.database.reading() as connection:
        asides = await erasure_notices.addressed_to(connection, space.tenant, scope.id, sorted(erasures))
        keys = {key.id: key for key in await snapshot_queries.subject_keys(connection, space.tenant, list(asides))}
    found: dict[bytes, list[VisibleIdentifier]] = {}
    for id_, sealed in asides.items():
        found[id_] = []
        # Once all destinations have acknowledged, the key is gone and nothing is left to open.
        if sealed is not None and id_ in keys:
            texts: list[str] = msgspec.json.decode(unwrap_key(space, keys[id_]).open(ASIDE, id_, 0, sealed))
            for text in texts:
                type_, _, value = text.partition(":")
                if scope.entitled.identifier(type_):
                    found[id_].append(VisibleIdentifier(type_, value))
    return found
