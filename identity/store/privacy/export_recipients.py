"""The destinations that received data of a person, as an access export lists them.

The disclosures on record decide: a destination without one received nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

from identity.store.postgres.arrays import uuids
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.tenant import Tenant
from identity.values.ids import DestinationId, ProfileId
from identity.values.stamps import Micros


class RecipientRow(NamedTuple):
    """A destination that received data of an origin: first and last time, in microseconds."""

    origin: ProfileId
    destination: DestinationId
    name: str
    first: Micros
    last: Micros


async def recipients(connection: Connection, tenant: Tenant, origins: Sequence[ProfileId]) -> list[RecipientRow]:
    """The destinations that received data of these origins."""
    found = await rows(
        connection,
        """
        SELECT d.profile_id, t.public_id, t.name, min(d.first), max(d.last) FROM unnest($2::uuid[]) AS k (id)
        CROSS JOIN LATERAL (
            SELECT t.* FROM disclosure t
            WHERE t.profile_id = k.id AND t.space_id = $1::int4 AND t.bucket = $3::int4 OFFSET 0
        ) d
        CROSS JOIN LATERAL (SELECT r.* FROM destination r WHERE r.id = d.destination OFFSET 0) t
        GROUP BY 1, 2, 3 ORDER BY 4
        """,
        tenant.id,
        uuids(origins),
        tenant.base,
    )
    return [RecipientRow(*each) for each in found]
