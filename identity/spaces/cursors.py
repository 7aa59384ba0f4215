"""Cursors: a packed position in a list, opaque to the client and bound to the list and the space it was made for."""

from base64 import b64decode, urlsafe_b64encode
from hmac import compare_digest
from typing import Final

from identity.values.errors import BadCursor
from identity.vault.space_keys import SpaceKeys

_MAC: Final = 16


def write_cursor(keys: SpaceKeys, domain: bytes, packed_position: bytes) -> str:
    """The cursor of a packed position; `domain` names the list."""
    return urlsafe_b64encode(keys.mac(domain, packed_position) + packed_position).decode()


def read_cursor(keys: SpaceKeys, domain: bytes, cursor: str) -> bytes:
    """The packed position of a cursor. BadCursor for one of another list or space, and for anything else."""
    try:
        signed = b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
    except ValueError as error:
        raise BadCursor from error
    mac, packed_position = signed[:_MAC], signed[_MAC:]
    if not compare_digest(mac, keys.mac(domain, packed_position)):
        raise BadCursor
    return packed_position
