"""What was set aside of people who were erased, for those destinations to know them by that were told of them."""

from collections.abc import Collection

import msgspec

from identity.operations.destinations.destination_scope import Scope
from identity.spaces.profile_rows import unwrap_key
from identity.spaces.space import Space
from identity.store.privacy import erasure_notices
from identity.store.profiles import snapshot_queries
from identity.vault.seal import ASIDE


async def set_aside(space: Space, scope: Scope, erasures: Collection[bytes]) -> dict[bytes, list[dict[str, str]]]:
    """By erasure the identifiers that a destination may see; those of them that it has to be told of."""
    if not erasures:
        return {}
    async with space.database.reading() as connection:
        due = await erasure_notices.due_to(connection, space.tenant, scope.id, sorted(erasures))
        keys = {key.id: key for key in await snapshot_queries.keys(connection, space.tenant, list(due))}
    told: dict[bytes, list[dict[str, str]]] = {}
    for id_, sealed in due.items():
        told[id_] = []
        # Once all have acknowledged, its key is gone and there is nothing to open any more.
        if sealed is not None and id_ in keys:
            named: list[str] = msgspec.json.decode(unwrap_key(space, keys[id_]).open(ASIDE, id_, 0, sealed))
            for text in named:
                type_, _, value = text.partition(":")
                if scope.entitled.identifier(type_):
                    told[id_].append({"type": type_, "value": value})
    return told
