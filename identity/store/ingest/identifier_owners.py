"""The owner of an identifier: blind index -> origin, the one look-up that ingest and corrections share."""

from collections.abc import Sequence
from typing import Final, LiteralString

from identity.store.postgres.arrays import byteas
from identity.store.postgres.database import Connection, rows
from identity.store.postgres.tenant import Tenant
from identity.values.ids import BlindIndex, ProfileId

OWNERS: Final[LiteralString] = """
SELECT i.key, i.profile_id
FROM unnest($2::bytea[], $3::int4[]) AS k (key, bucket) CROSS JOIN LATERAL (
    SELECT t.key, t.profile_id FROM identifier t
    WHERE t.key = k.key AND t.space_id = $1::int4 AND t.bucket = k.bucket OFFSET 0
) i
"""


async def owners(connection: Connection, tenant: Tenant, keys: Sequence[BlindIndex]) -> dict[BlindIndex, ProfileId]:
    """The origins that hold these identifiers, by identifier."""
    found = await rows(connection, OWNERS, tenant.id, byteas(keys), tenant.buckets(keys))
    return dict(found)
