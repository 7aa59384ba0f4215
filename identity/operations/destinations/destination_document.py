"""The sealed document of a destination: what it may see and the secrets that sign its messages.

The version of the destination is authenticated with the document, so an older document cannot be put back.
"""

import msgspec

from identity.planning.destinations.policy import StoredDestination
from identity.spaces.space import Space
from identity.store.destinations.destinations import DestinationRow
from identity.vault.seal import DESTINATION

_decoder = msgspec.json.Decoder(StoredDestination)


def seal_document(space: Space, id_: bytes, version: int, document: StoredDestination) -> bytes:
    """The document of a destination as stored."""
    return space.keys.seal(DESTINATION, id_, version, msgspec.json.encode(document))


def open_document(space: Space, row: DestinationRow) -> StoredDestination:
    """The document in the row of a destination."""
    return _decoder.decode(space.keys.open(DESTINATION, row.public_id, row.version, row.document))
