"""The sealed document of a destination: what it may see and the secrets that sign its messages.

The version of the destination is authenticated with the document, so an older document cannot be put back.
"""

from typing import Any

import msgspec

from identity.planning.destinations.policy import StoredDestination
from identity.spaces.space import Space
from identity.store.destinations.destinations import DestinationRow
from identity.store.ledger import ledger
from identity.store.postgres.database import Connection
from identity.values.ids import DestinationId, public
from identity.vault.seal import DESTINATION

_decoder = msgspec.json.Decoder(StoredDestination)


def seal_document(space: Space, id_: DestinationId, version: int, document: StoredDestination) -> bytes:
    """The document of a destination as stored."""
    return space.keys.seal(DESTINATION, id_, version, msgspec.json.encode(document))


def open_document(space: Space, row: DestinationRow) -> StoredDestination:
    """The document in the row of a destination."""
    return _decoder.decode(space.keys.open(DESTINATION, row.public_id, row.version, row.document))


async def note_document(
    connection: Connection,
    space: Space,
    actor: str,
    action: str,
    id_: DestinationId,
    sealed: bytes,
    **more: Any,
) -> None:
    """Record in the ledger that a document of a destination is in force; `more` holds its version."""
    entry = ledger.documented(sealed, **more)
    await ledger.note(connection, space.tenant.id, actor, action, public("dst", id_), entry)
