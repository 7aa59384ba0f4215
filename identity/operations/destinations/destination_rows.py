"""Reads destinations, and refuses rows that are older than the journal of the space records.

So an entitlement that was narrowed, a purpose that was added or a secret that was ended does not come back where
somebody puts the former row into the database.
"""

from identity.spaces.space import Space
from identity.store.destinations import destinations
from identity.store.destinations.destinations import DestinationRow, PolicyRow
from identity.values.ids import DestinationId


async def read_policy(space: Space, id_: DestinationId) -> PolicyRow:
    """A destination by its id, with the purposes in force. DestinationNotFound, RolledBack."""
    heads = space.heads
    async with space.database.reading() as connection:
        found = await destinations.policy(connection, space.tenant, id_)
    heads.require_destination(id_, found.destination.version)
    heads.require_purposes(found.purposes_version)
    return found


async def find_destination(space: Space, name: str) -> DestinationRow | None:
    """A destination by its name. RolledBack."""
    heads = space.heads
    async with space.database.reading() as connection:
        found = await destinations.by_name(connection, space.tenant, name)
    if found is not None:
        heads.require_destination(found.public_id, found.version)
    return found


async def all_destinations(space: Space) -> list[DestinationRow]:
    """The destinations of a space, by name. RolledBack."""
    heads = space.heads
    async with space.database.reading() as connection:
        found = await destinations.list_destinations(connection, space.tenant)
    for row in found:
        heads.require_destination(row.public_id, row.version)
    return found
