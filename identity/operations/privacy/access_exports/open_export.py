"""The row, key and job of an access export: what requesting, building and downloading one share."""

from hashlib import sha256

from msgspec import Struct

from identity.spaces.origin_rows import unwrap_key
from identity.spaces.space import Space
from identity.store.postgres.database import Connection
from identity.store.privacy import access_exports
from identity.store.profiles import snapshot_queries
from identity.values.errors import ExportNotFound
from identity.values.ids import ExportId
from identity.values.stamps import wall_time
from identity.vault.subject_keys import SubjectKey


class ExportJob(Struct, frozen=True):
    """The payload of the job of an export: the hex ids of the export and its request, the public ids of profiles."""

    export: str
    profiles: list[str]
    total: int
    request: str | None = None


async def export_row(space: Space, connection: Connection, id_: ExportId | None) -> access_exports.ExportRow:
    """The row of an export that is not expired. ExportNotFound."""
    row = None if id_ is None else await access_exports.get(connection, space.tenant, id_)
    if row is None or row.until <= wall_time():
        raise ExportNotFound
    return row


async def export_key(space: Space, id_: ExportId) -> SubjectKey:
    """The key of an export. ExportNotFound."""
    async with space.database.reading() as connection:
        found = await snapshot_queries.subject_keys(connection, space.tenant, [id_])
    if not found:
        raise ExportNotFound
    return unwrap_key(space, found[0])


def hash_ticket(ticket: str) -> bytes:
    """The hash of a ticket, as stored."""
    return sha256(ticket.encode()).digest()
