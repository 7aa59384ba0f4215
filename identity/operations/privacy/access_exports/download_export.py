"""Downloads an access export, piece by piece, once: the ticket is spent with the first byte.

The export is destroyed at the end of the download, whether or not all of it arrived.
"""

from collections.abc import AsyncGenerator
from typing import Final

from identity.operations.privacy.access_exports.open_export import export_key, export_row, hash_ticket
from identity.planning.privacy.access_export import WRITERS, CsvWriter, ExportedFrom, JsonWriter, unpack
from identity.planning.resolution.event_time import format_time
from identity.spaces.space import Space
from identity.store.ledger import ledger
from identity.store.privacy import access_exports
from identity.values.calls import MICRO
from identity.values.errors import ExportNotFound
from identity.values.ids import private, public
from identity.values.stamps import Micros, wall_time
from identity.vault.seal import EXPORT
from identity.vault.subject_keys import SubjectKey

_STREAMING: Final = 3_600 * MICRO


async def download_export(space: Space, export_id: str, ticket: str, form: str, actor: str) -> AsyncGenerator[bytes]:
    """The pieces of an export as `json` or `csv`. ExportNotFound where the ticket is not valid for it now."""
    id_, now = private("exp", export_id), wall_time()
    async with space.database.reading() as connection:
        row = await export_row(space, connection, id_)
    # A key that cannot be read now can be read later, so the ticket is not spent before the key is open.
    key = await export_key(space, row.id)
    async with space.database.transaction() as connection:
        row = await export_row(space, connection, id_)
        ticket_hash = hash_ticket(ticket)
        if not await access_exports.redeem_ticket(
            connection, space.tenant, row.id, ticket_hash, now, Micros(now + _STREAMING)
        ):
            raise ExportNotFound
        await ledger.note(connection, space.tenant.id, actor, "export.fetch", export_id)
    about = ExportedFrom(export_id, public("spc", space.public_id), format_time(row.created_at), row.on_hold)
    return _pieces(space, row, key, WRITERS[form](about))


async def _pieces(
    space: Space, row: access_exports.ExportRow, key: SubjectKey, writer: JsonWriter | CsvWriter
) -> AsyncGenerator[bytes]:
    try:
        for nr in range(row.parts):
            async with space.database.reading() as connection:
                sealed = await access_exports.part(connection, space.tenant, row.id, nr)
            if sealed is None:
                # Destroyed by an erasure meanwhile: the rest must not leave.
                raise ExportNotFound
            yield writer.feed(unpack(key.open(EXPORT, row.id, nr, sealed)))
        yield writer.end()
    finally:
        # The ticket is spent, whether or not all of it arrived.
        async with space.database.transaction() as connection:
            await access_exports.drop(connection, space.tenant, row.id)
